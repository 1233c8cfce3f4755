"""Draw the poster of a film that has none: the same film always gets the same poster.

The answer is SVG with presentation attributes only, which a strict Content-Security-Policy allows.
"""

import unicodedata
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from .poster_motifs import choose_motif
from .poster_shapes import Dice, Palette

WIDTH = 200
HEIGHT = 300
PICTURE_HEIGHT = 200
MARGIN = 14

# Ink on paper has a contrast of 4.5 to 1 at the least: https://www.w3.org/TR/WCAG22/#contrast-minimum
PALETTES = (
    Palette("#f3e9d2", "#1b2a41", "#c8553d", "#e9a23b", "#324a5f"),
    Palette("#17130f", "#f4ead5", "#d7263d", "#f49d37", "#5b5f97"),
    Palette("#0f2f3a", "#f6eed9", "#ed553b", "#f2b134", "#3caea3"),
    Palette("#e7b13d", "#22180f", "#a8321f", "#f6e7c1", "#2f4b4f"),
    Palette("#b8321f", "#fff4df", "#f2a541", "#f3e3c3", "#2b2320"),
    Palette("#3b4a2b", "#f4edcf", "#d9732f", "#d9c27a", "#6b8f4e"),
    Palette("#3a1f4a", "#fbe9d7", "#c9406a", "#f4a261", "#6a8caf"),
    Palette("#bcd8e0", "#14303d", "#ef6f53", "#f8f1dc", "#2e7187"),
    Palette("#f2c9c0", "#46141f", "#b3283f", "#fbeee0", "#7a5c7e"),
    Palette("#2a3240", "#eef0e6", "#ed8975", "#f2d096", "#6f9f92"),
    Palette("#dce8d2", "#183a2d", "#e15a47", "#f0b45b", "#2f7f5e"),
    Palette("#1d3fa0", "#fdf3dc", "#f15946", "#f9c22e", "#7ea6f4"),
)

FONT_SIZES = (31, 27, 24, 21, 18, 15, 12)
TITLE_HEIGHT = 66
LINE_HEIGHT = 1.08


@lru_cache(maxsize=2048)
def draw_poster(title: str, year: int, genres: tuple[str, ...]) -> SafeString:
    """Return the poster as one <svg> element, 2 wide to 3 high, that a page may hold as it is.

    It is decoration: the page says title, year and genres in text beside it.
    """
    dice = Dice(f"{year} {title}")
    palette = PALETTES[dice.roll(0, len(PALETTES) - 1)]
    picture_top = HEIGHT - PICTURE_HEIGHT if dice.roll(0, 2) == 0 else 0
    panel_top = 0 if picture_top else PICTURE_HEIGHT
    picture = choose_motif(genres)(palette, dice)
    return mark_safe(  # noqa: S308 - the title is escaped, all else is our own numbers and colours
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" aria-hidden="true" focusable="false">'
        f'<g transform="translate(0 {picture_top})">{picture}</g>'
        f'<rect y="{panel_top}" width="{WIDTH}" height="{HEIGHT - PICTURE_HEIGHT}" '
        f'fill="{palette.paper}"/>'
        f"{_draw_title(title, year, genres, palette, panel_top)}</svg>"
    )


@lru_cache(maxsize=64)
def draw_emblem(genre: str) -> SafeString:
    """Return the picture that stands for a genre, without words, as one square <svg> element."""
    dice = Dice(genre)
    picture = choose_motif((genre,))(PALETTES[dice.roll(0, len(PALETTES) - 1)], dice)
    return mark_safe(  # noqa: S308 - our own numbers and colours
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PICTURE_HEIGHT} {PICTURE_HEIGHT}" '
        f'width="96" height="96" aria-hidden="true" focusable="false">{picture}</svg>'
    )


def _draw_title(
    title: str, year: int, genres: tuple[str, ...], palette: Palette, panel_top: int
) -> str:
    size, lines = fit_title(title.upper())
    block = len(lines) * size * LINE_HEIGHT
    top = panel_top + 12 + (TITLE_HEIGHT - block) / 2 + size * 0.86
    rows = "".join(
        f'<tspan x="{MARGIN}" y="{top + number * size * LINE_HEIGHT:.1f}">{escape(row)}</tspan>'
        for number, row in enumerate(lines)
    )
    credit = escape(" · ".join([str(year), *genres[:1]]))
    return (
        f'<g fill="{palette.ink}" font-family="Helvetica Neue, Arial, sans-serif">'
        f'<text font-size="{size}" font-weight="700">{rows}</text>'
        f'<text x="{MARGIN}" y="{panel_top + 90}" font-size="9" letter-spacing="1">{credit}</text>'
        "</g>"
    )


def fit_title(title: str) -> tuple[int, list[str]]:
    """Return the largest size at which the title fits its panel, and its lines at that size."""
    for size in FONT_SIZES:
        room = (WIDTH - 2 * MARGIN) / size
        lines = _wrap(title, room)
        if len(lines) * size * LINE_HEIGHT <= TITLE_HEIGHT and all(
            measure(row) <= room for row in lines
        ):
            return size, lines
    most = int(TITLE_HEIGHT / (size * LINE_HEIGHT))
    last = " ".join(lines[most - 1 :])
    return size, [_cut(row, room) for row in [*lines[: most - 1], last] if row]


def measure(text: str) -> float:
    """Return about how wide the text is in a bold sans serif, in ems."""
    return sum(_measure_character(character) for character in text)


def _measure_character(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 1
    if character in " '.,:;!|()-IJ1":
        return 0.36
    return 0.92 if character in "MWÆŒ@—…" else 0.73


def _wrap(title: str, room: float) -> list[str]:
    """Return the words in lines of at most `room` ems; a longer word has a line to itself."""
    lines = [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and measure(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _cut(row: str, room: float) -> str:
    """Return the row, ended by an ellipsis where it is too wide."""
    if measure(row) <= room:
        return row
    while row and measure(row) + measure("…") > room:
        row = row[:-1]
    return f"{row.rstrip()}…"
