"""The pictures on drawn posters: one motif for each genre, in flat shapes, on a field of 200 x 200.

A motif takes a palette and dice, and returns SVG shapes made of our own numbers and colours only:
no text of a film ever comes here.
"""

import math
from collections.abc import Callable

from .poster_shapes import Dice, Palette, box, circle, field, line, ring, shape, star

Motif = Callable[[Palette, Dice], str]


def draw_action(palette: Palette, dice: Dice) -> str:
    """A burst from one point."""
    x, y, rays = dice.roll(60, 140), dice.roll(100, 150), dice.roll(11, 15)
    shapes = [field(palette.strong)]
    for ray in range(rays):
        left = 2 * math.pi * ray / rays
        right = left + math.pi / rays
        shapes.append(
            shape(
                f"M{x} {y}L{x + 300 * math.cos(left):.0f} {y + 300 * math.sin(left):.0f}"
                f"L{x + 300 * math.cos(right):.0f} {y + 300 * math.sin(right):.0f}Z",
                palette.light,
            )
        )
    return "".join([*shapes, star(x, y, 62, palette.deep, 9), star(x, y, 36, palette.pale, 9)])


def draw_adventure(palette: Palette, dice: Dice) -> str:
    """Mountains behind mountains, and a road."""
    sun, peak = dice.roll(40, 160), dice.roll(70, 130)
    return "".join(
        [
            field(palette.light),
            circle(sun, 62, dice.roll(22, 34), palette.strong),
            shape(
                f"M-20 150L{peak - 60} 70L{peak} 132L{peak + 46} 84L220 160V200H-20Z", palette.deep
            ),
            shape(f"M-20 200L{peak} 96L220 200Z", palette.dark),
            shape(
                f"M{peak} 96L{peak - 19} 116L{peak - 4} 112L{peak + 6} 122L{peak + 19} 112Z",
                palette.pale,
            ),
            line("M96 200C60 180 140 172 104 150", palette.strong, 5),
        ]
    )


def draw_animation(palette: Palette, dice: Dice) -> str:
    """A ball that bounces through its own key frames."""
    size, fills = dice.roll(15, 20), (palette.deep, palette.strong, palette.dark)
    frames = [
        (18 + 30 * step, 150 - abs(math.sin(math.pi * (step + 0.5) / 2.6)) * 100, step)
        for step in range(6)
    ]
    return "".join(
        [
            field(palette.light),
            box(0, 168, 200, 32, palette.strong),
            *(ring(x, y, size, palette.deep, 2) for x, y, _ in frames[:-1]),
            *(circle(x, y, size * 0.35, fills[step % 3]) for x, y, step in frames[:-1]),
            circle(frames[-1][0], frames[-1][1], size, palette.dark),
            circle(frames[-1][0] - 5, frames[-1][1] - 6, size * 0.25, palette.light),
        ]
    )


def draw_biography(palette: Palette, dice: Dice) -> str:
    """A head and shoulders, in two halves."""
    ground, half = ("light", "deep") if dice.roll(0, 1) else ("deep", "light")
    return "".join(
        [
            field(getattr(palette, ground)),
            box(100, 0, 100, 200, palette.strong),
            shape("M100 46A40 40 0 0 0 100 126Z", palette.dark),
            shape("M100 46A40 40 0 0 1 100 126Z", palette.pale),
            shape("M28 200A72 62 0 0 1 100 138V200Z", palette.dark),
            shape("M172 200A72 62 0 0 0 100 138V200Z", palette.pale),
            circle(dice.roll(22, 46), dice.roll(24, 40), 9, getattr(palette, half)),
        ]
    )


def draw_comedy(palette: Palette, dice: Dice) -> str:
    """A face that laughs, behind round spectacles or a hat."""
    tilt = dice.roll(-14, 14)
    hat = dice.roll(0, 1)
    return "".join(
        [
            field(palette.strong),
            circle(dice.roll(20, 40), dice.roll(24, 44), 14, palette.light),
            circle(dice.roll(160, 182), dice.roll(140, 170), 20, palette.deep),
            f'<g transform="rotate({tilt} 100 110)">',
            circle(100, 112, 62, palette.light),
            circle(78, 100, 9, palette.dark),
            circle(122, 100, 9, palette.dark),
            shape("M64 120H136A36 36 0 0 1 64 120Z", palette.dark),
            shape("M84 148A22 12 0 0 1 118 147A36 36 0 0 1 84 148Z", palette.strong),
            *(
                [box(44, 56, 112, 9, palette.deep), box(66, 10, 68, 50, palette.deep)]
                if hat
                else [ring(78, 100, 19, palette.deep, 5), ring(122, 100, 19, palette.deep, 5)]
            ),
            "</g>",
        ]
    )


def draw_crime(palette: Palette, dice: Dice) -> str:
    """A long shadow under a street lamp."""
    lamp = dice.roll(46, 78)
    return "".join(
        [
            field(palette.dark),
            shape(f"M{lamp} 34L{lamp - 90} 200H{lamp + 120}Z", palette.light),
            box(lamp - 3, 30, 6, 170, palette.deep),
            shape(f"M{lamp - 18} 36A18 18 0 0 1 {lamp + 18} 36Z", palette.strong),
            shape("M128 200L122 132Q140 114 158 132L152 200Z", palette.strong),
            circle(140, 108, 14, palette.strong),
            shape("M112 102H168L160 96H156L150 84H130L124 96H120Z", palette.deep),
        ]
    )


def draw_documentary(palette: Palette, dice: Dice) -> str:
    """Halftone dots that grow, as in a printed photograph."""
    x, y = dice.roll(50, 150), dice.roll(50, 150)
    dots = []
    for row in range(9):
        for column in range(9):
            left, top = 12 + column * 22, 12 + row * 22
            size = 11.5 - math.hypot(left - x, top - y) / 15
            if size > 1:
                dots.append(circle(left, top, round(size, 1), palette.dark))
    return "".join([field(palette.light), circle(x, y, 58, palette.strong), *dots])


def draw_drama(palette: Palette, dice: Dice) -> str:
    """One of four compositions: halves, a window, a stair, a tree."""
    drawing = dice.roll(0, 3)
    if drawing == 0:
        return "".join(
            [
                field(palette.light),
                shape("M100 20A80 80 0 0 0 100 180Z", palette.strong),
                shape(f"M100 {20 + dice.roll(10, 30)}A70 70 0 0 1 100 190Z", palette.deep),
                circle(dice.roll(76, 124), dice.roll(70, 130), 17, palette.dark),
            ]
        )
    if drawing == 1:
        column, row = dice.roll(0, 2), dice.roll(0, 2)
        panes = [
            box(
                24 + 52 * x,
                24 + 54 * y,
                46,
                48,
                palette.strong if (x, y) == (column, row) else palette.light,
            )
            for x in range(3)
            for y in range(3)
        ]
        x, y = 47 + 52 * column, 48 + 54 * row
        figure = [
            circle(x, y - 6, 7, palette.dark),
            shape(f"M{x - 13} {y + 24}A13 20 0 0 1 {x + 13} {y + 24}Z", palette.dark),
        ]
        return "".join([field(palette.deep), *panes, *figure])
    if drawing == 2:
        steps = [
            box(28 * n, 172 - 24 * n, 200, 24, fill)
            for n, fill in enumerate((palette.deep, palette.strong) * 3)
        ]
        x = 28 * dice.roll(1, 4) + 14
        y = 172 - 24 * ((x - 14) // 28)
        return "".join(
            [
                field(palette.light),
                circle(dice.roll(34, 70), dice.roll(36, 60), 20, palette.strong),
                *steps,
                box(x - 4, y - 26, 8, 26, palette.dark),
                circle(x, y - 32, 7, palette.dark),
            ]
        )
    crown = dice.roll(-16, 16)
    return "".join(
        [
            field(palette.strong),
            shape("M0 168Q100 140 200 168V200H0Z", palette.deep),
            line(f"M100 170Q96 120 {100 + crown} 84", palette.dark, 7),
            circle(100 + crown, 72, 44, palette.light),
            circle(64 + crown, 92, 24, palette.light),
            circle(138 + crown, 96, 20, palette.pale),
            circle(150, 160, 4, palette.dark),
            box(148, 162, 4, 14, palette.dark),
        ]
    )


def draw_family(palette: Palette, dice: Dice) -> str:
    """Balloons over a house."""
    sway = dice.roll(-12, 12)
    balloons = ((60, 60, palette.light), (100, 40, palette.pale), (140, 64, palette.deep))
    return "".join(
        [
            field(palette.strong),
            *(line(f"M100 142L{x + sway} {y}", palette.dark, 1.5) for x, y, _ in balloons),
            *(circle(x + sway, y, 25, fill) for x, y, fill in balloons),
            box(72, 152, 56, 48, palette.light),
            shape("M62 154L100 120L138 154Z", palette.dark),
            box(92, 172, 16, 28, palette.deep),
        ]
    )


def draw_fantasy(palette: Palette, dice: Dice) -> str:
    """A castle against the moon."""
    moon = dice.roll(60, 140)
    stars = [
        star(dice.roll(8, 192), dice.roll(8, 110), dice.roll(3, 6), palette.light, 4)
        for _ in range(7)
    ]
    towers = []
    for x, top, width in ((52, 108, 22), (84, 78, 30), (124, 100, 24)):
        middle = x + width // 2
        towers += [
            box(x, top, width, 100, palette.dark),
            shape(f"M{x - 5} {top}L{middle} {top - 32}L{x + width + 5} {top}Z", palette.strong),
            box(middle - 3, top + 14, 6, 12, palette.light),
        ]
    return "".join(
        [
            field(palette.deep),
            *stars,
            circle(moon, 84, 50, palette.light),
            *towers,
            shape("M0 176Q100 150 200 176V200H0Z", palette.strong),
        ]
    )


def draw_film_noir(palette: Palette, dice: Dice) -> str:
    """A profile behind a blind."""
    gap = dice.roll(20, 24)
    return "".join(
        [
            field(palette.light),
            shape(
                "M70 200V168Q44 150 52 112L44 100L54 92Q56 50 100 50Q146 52 144 104Q140 138 124 150"
                "L130 168Q160 176 170 200Z",
                palette.dark,
            ),
            shape(
                "M36 70Q100 44 166 74L172 64L150 56Q142 18 100 20Q66 22 62 52L34 60Z",
                palette.strong,
            ),
            *(
                f'<rect x="0" y="{y}" width="200" height="8" fill="{palette.deep}"/>'
                for y in range(dice.roll(4, 12), 200, gap)
            ),
        ]
    )


def draw_history(palette: Palette, dice: Dice) -> str:
    """Columns under a pediment, one of them broken."""
    broken = dice.roll(0, 3)
    columns = []
    for column in range(4):
        x, top = 30 + 39 * column, 118 if column == broken else 78
        columns.append(box(x, top, 23, 180 - top, palette.pale))
        columns += [box(x + 5 + 6 * flute, top, 2, 180 - top, palette.deep) for flute in range(3)]
    return "".join(
        [
            field(palette.strong),
            circle(dice.roll(30, 170), 40, 26, palette.light),
            shape("M14 66L100 22L186 66Z", palette.pale),
            box(20, 66, 160, 10, palette.deep),
            *columns,
            box(10, 180, 180, 20, palette.deep),
        ]
    )


def draw_horror(palette: Palette, dice: Dice) -> str:
    """Teeth, above and below, and an eye or the moon between them."""
    teeth = dice.roll(5, 7)
    width = 200 / teeth
    upper = "".join(
        f"L{width * (tooth + 0.5):.0f} {dice.roll(52, 78)}L{width * (tooth + 1):.0f} 30"
        for tooth in range(teeth)
    )
    lower = "".join(
        f"L{width * (tooth + 0.5):.0f} {dice.roll(126, 150)}L{width * (tooth + 1):.0f} 174"
        for tooth in range(teeth)
    )
    return "".join(
        [
            field(palette.dark),
            circle(100, 101, 38, palette.strong),
            shape("M66 101Q100 66 134 101Q100 136 66 101Z", palette.light),
            circle(100, 101, 13, palette.dark),
            shape(f"M0 0V30{upper}V0Z", palette.deep),
            shape(f"M0 200V174{lower}V200Z", palette.deep),
        ]
    )


def draw_music(palette: Palette, dice: Dice) -> str:
    """A record and its arm, before the bars of a sound."""
    bars = []
    for bar in range(10):
        height = dice.roll(30, 150)
        bars.append(box(6 + bar * 19.4, 200 - height, 13, height, palette.strong))
    return "".join(
        [
            field(palette.light),
            *bars,
            circle(100, 96, 66, palette.dark),
            *(ring(100, 96, radius, palette.deep, 1.5) for radius in (56, 47, 38)),
            circle(100, 96, 26, palette.strong),
            circle(100, 96, 5, palette.light),
            line("M176 20L164 76L136 112", palette.deep, 6),
        ]
    )


def draw_mystery(palette: Palette, dice: Dice) -> str:
    """A keyhole, and what looks through it."""
    look = dice.roll(-9, 9)
    return "".join(
        [
            field(palette.deep),
            *(ring(100, 84, radius, palette.strong, 3) for radius in (150, 122, 98)),
            shape("M76 108L60 186H140L124 108Z", palette.light),
            circle(100, 82, 48, palette.light),
            shape("M62 82Q100 48 138 82Q100 116 62 82Z", palette.pale),
            circle(100 + look, 82, 17, palette.strong),
            circle(100 + look, 82, 8, palette.dark),
        ]
    )


def draw_romance(palette: Palette, dice: Dice) -> str:
    """Two discs that meet."""
    near, height = dice.roll(30, 40), dice.roll(-18, 18)
    left, right = 100 - near, 100 + near
    return "".join(
        [
            field(palette.light),
            circle(left, 100 - height, 62, palette.strong),
            circle(right, 100 + height, 62, palette.deep),
            f'<circle cx="{right}" cy="{100 + height}" r="62" fill="{palette.strong}" '
            'fill-opacity=".45"/>',
            shape(
                "M100 122C70 102 78 80 90 82Q98 83 100 91Q102 83 110 82C122 80 130 102 100 122Z",
                palette.pale,
            ),
        ]
    )


def draw_science_fiction(palette: Palette, dice: Dice) -> str:
    """A planet with its ring, and a small ship that leaves."""
    tilt, size = dice.roll(-28, 28), dice.roll(40, 52)
    stars = [circle(dice.roll(6, 194), dice.roll(6, 194), 1.6, palette.light) for _ in range(12)]
    return "".join(
        [
            field(palette.dark if dice.roll(0, 1) else palette.deep),
            *stars,
            f'<g transform="rotate({tilt} 100 104)">',
            circle(100, 104, size, palette.strong),
            shape(f"M{100 - size} 104A{size} {size} 0 0 0 {100 + size} 104Z", palette.light),
            f'<ellipse cx="100" cy="104" rx="{size + 34}" ry="13" fill="none" '
            f'stroke="{palette.pale}" stroke-width="6"/>',
            shape(f"M{100 - size} 104A{size} {size} 0 0 1 {100 + size} 104Z", palette.strong),
            "</g>",
            shape("M160 52L176 26L172 58L164 62Z", palette.pale),
            line("M162 62L140 92", palette.strong, 2),
        ]
    )


def draw_short(palette: Palette, dice: Dice) -> str:
    """A strip of film with only a few frames."""
    lit = dice.roll(0, 2)
    frames = [
        box(70, 22 + 56 * n, 60, 44, palette.strong if n == lit else palette.light)
        for n in range(3)
    ]
    holes = [box(x, 12 + 20 * n, 9, 10, palette.light) for x in (54, 137) for n in range(9)]
    tilt = dice.roll(-10, 10)
    return "".join(
        [
            field(palette.light),
            circle(dice.roll(30, 170), dice.roll(40, 160), 74, palette.strong),
            f'<g transform="rotate({tilt} 100 100)">',
            box(46, -30, 108, 260, palette.dark),
            *holes,
            *frames,
            circle(100, 44 + 56 * lit, 12, palette.dark),
            "</g>",
        ]
    )


def draw_sport(palette: Palette, dice: Dice) -> str:
    """The lanes of a track, and who leads on it."""
    lanes = [ring(0, 200, radius, palette.pale, 3) for radius in range(60, 240, 30)]
    lead = dice.roll(35, 55)
    x, y = 165 * math.cos(math.radians(lead)), 200 - 165 * math.sin(math.radians(lead))
    return "".join(
        [
            field(palette.deep),
            circle(0, 200, 210, palette.strong),
            *lanes,
            circle(0, 200, 58, palette.light),
            circle(round(x), round(y), 14, palette.dark),
            circle(38, 70, 8, palette.dark),
            circle(104, 178, 8, palette.dark),
        ]
    )


def draw_thriller(palette: Palette, dice: Dice) -> str:
    """Circles that draw one in, and somebody who falls."""
    x, y = dice.roll(74, 126), dice.roll(74, 126)
    fills = (palette.strong, palette.light, palette.deep)
    return "".join(
        [
            field(palette.light),
            *(circle(x + 3 * n, y + 2 * n, 138 - 22 * n, fills[n % 3]) for n in range(6)),
            f'<g transform="translate({x} {y}) rotate({dice.roll(20, 160)})" fill="{palette.dark}">'
            '<circle cx="0" cy="-19" r="7"/>'
            '<path d="M-4-12H4L20-24L22-20L7-2L14 20L9 22L0 4L-12 20L-16 17L-6-2L-22-14L-19-18Z"/>',
            "</g>",
        ]
    )


def draw_war(palette: Palette, dice: Dice) -> str:
    """Searchlights over a ruined skyline."""
    beams = [
        shape(f"M{foot} 190L{foot + lean - 17} -10H{foot + lean + 17}Z", palette.light)
        for foot, lean in ((40, dice.roll(10, 60)), (160, -dice.roll(10, 70)))
    ]
    skyline, x = "M0 200V160", 0
    while x < 200:
        width, height = dice.roll(16, 30), dice.roll(126, 172)
        skyline += f"V{height}L{x + width} {height - dice.roll(-10, 10)}"
        x += width
    return "".join(
        [
            field(palette.deep),
            *beams,
            circle(dice.roll(70, 130), 52, 15, palette.strong),
            shape(f"{skyline}V200Z", palette.dark),
            box(0, 188, 200, 12, palette.strong),
        ]
    )


def draw_western(palette: Palette, dice: Dice) -> str:
    """The sun behind a mesa, and a cactus."""
    sun, cactus = dice.roll(60, 140), dice.roll(34, 60)
    return "".join(
        [
            field(palette.light),
            *(ring(sun, 118, radius, palette.strong, 5) for radius in (78, 66)),
            circle(sun, 118, 54, palette.strong),
            shape("M96 172L108 122H124L128 112H166L170 126H182L200 172Z", palette.deep),
            box(0, 168, 200, 32, palette.dark),
            line(f"M{cactus} 186V104", palette.dark, 13),
            line(
                f"M{cactus - 24} 122V142H{cactus}M{cactus + 24} 112V150H{cactus}", palette.dark, 9
            ),
        ]
    )


# The rarer a genre, the more it says: a film's motif is that of its first genre in this order.
MOTIFS: dict[str, Motif] = {
    "western": draw_western,
    "science fiction": draw_science_fiction,
    "animation": draw_animation,
    "horror": draw_horror,
    "documentary": draw_documentary,
    "sport": draw_sport,
    "film noir": draw_film_noir,
    "musical": draw_music,
    "music": draw_music,
    "war": draw_war,
    "fantasy": draw_fantasy,
    "mystery": draw_mystery,
    "adventure": draw_adventure,
    "crime": draw_crime,
    "biography": draw_biography,
    "history": draw_history,
    "thriller": draw_thriller,
    "action": draw_action,
    "family": draw_family,
    "comedy": draw_comedy,
    "romance": draw_romance,
    "short": draw_short,
    "drama": draw_drama,
}


def choose_motif(genres: tuple[str, ...]) -> Motif:
    """Return the motif that says most about these genres; drama's where none is known."""
    known = {genre.casefold() for genre in genres}
    return next((MOTIFS[name] for name in MOTIFS if name in known), draw_drama)
