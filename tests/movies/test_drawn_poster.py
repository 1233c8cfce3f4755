from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movies.drawn_poster import (
    LINE_HEIGHT,
    MARGIN,
    PALETTES,
    TITLE_HEIGHT,
    WIDTH,
    draw_emblem,
    draw_poster,
    fit_title,
    measure,
)
from movies.movie import GENRES
from movies.poster_shapes import Palette, measure_luminance

SVG = "{http://www.w3.org/2000/svg}"
# What XML can hold; the catalogue takes no control characters or surrogates in a title.
TITLES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=200)


def parse(svg: str) -> ElementTree.Element:
    """Return the drawing's root, having seen that it is well-formed."""
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawing


def test_draw_poster_is_the_same_each_time() -> None:
    first = draw_poster("Vertigo", 1958, ("Thriller",))

    assert draw_poster.__wrapped__("Vertigo", 1958, ("Thriller",)) == first


def test_draw_poster_differs_from_film_to_film() -> None:
    drawings = {draw_poster(f"Film {n}", 1958, ("Drama",)) for n in range(50)}

    assert len(drawings) == 50


@pytest.mark.parametrize("genre", GENRES)
def test_draw_poster_of_every_genre(genre: str) -> None:
    for number in range(24):
        root = parse(draw_poster(f"Film {number}", 1950 + number, (genre,)))

        assert root.get("viewBox") == "0 0 200 300"
        assert root.get("aria-hidden") == "true"
        assert not [each for each in root.iter() if "style" in each.attrib]
        text = "".join(root.itertext())
        assert f"FILM {number}" in text
        assert f"{1950 + number} · {genre}" in text


@given(title=TITLES, genre=st.one_of(st.sampled_from(GENRES), TITLES))
def test_draw_poster_of_any_title(title: str, genre: str) -> None:
    root = parse(draw_poster.__wrapped__(title, 1999, (genre,)))

    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        "circle", "ellipse", "g", "path", "rect", "svg", "text", "tspan",
    }  # fmt: skip


def test_draw_poster_escapes() -> None:
    svg = draw_poster('<a href="x">', 1999, ("<b>",))

    assert "<a" not in svg
    assert "<b>" not in svg


def test_draw_poster_without_genres() -> None:
    assert "".join(parse(draw_poster("X", 1999, ())).itertext()).endswith("1999")


@given(title=TITLES)
def test_fit_title_stays_in_its_panel(title: str) -> None:
    size, lines = fit_title(title)

    assert len(lines) * size * LINE_HEIGHT <= TITLE_HEIGHT
    assert all(measure(line) * size <= WIDTH - 2 * MARGIN for line in lines)


@pytest.mark.parametrize(
    ("title", "size", "lines"),
    [
        ("PSYCHO", 31, ["PSYCHO"]),
        ("THE BIG SLEEP", 27, ["THE BIG", "SLEEP"]),
        ("W" * 60, 12, ["W" * 14 + "…"]),
        (
            "映画 " * 40,
            12,
            ["映画 映画 映画 映画 映画 映画"] * 4 + ["映画 映画 映画 映画 映画 映…"],
        ),
    ],
)
def test_fit_title(title: str, size: int, lines: list[str]) -> None:
    assert fit_title(title) == (size, lines)


def test_measure_counts_no_combining_marks() -> None:
    assert measure("e\u0301") == measure("e")


@pytest.mark.parametrize("palette", PALETTES)
def test_titles_can_be_read(palette: Palette) -> None:
    dark, light = sorted((measure_luminance(palette.ink), measure_luminance(palette.paper)))

    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_draw_emblem() -> None:
    drawings = {genre: draw_emblem(genre) for genre in GENRES}

    assert len(set(drawings.values())) == len(GENRES)
    assert all(parse(svg).get("viewBox") == "0 0 200 200" for svg in drawings.values())
