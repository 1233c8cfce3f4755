"""The motifs that are things and faces: eyes, records, letters, a ball."""

import math

from .poster_shapes import Dice, Palette, box, circle, field, line, ring, shape, star


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


def draw_animation(palette: Palette, dice: Dice) -> str:
    """A ball that bounces through its own key frames."""
    size, height = dice.roll(22, 27), dice.roll(84, 108)
    track = [
        (-8 + 9.4 * step, 150 - abs(math.sin(math.pi * step / 9)) * height * 0.9 ** (step // 3))
        for step in range(19)
    ]
    x, y = track[-1]
    return "".join(
        [
            field(palette.light),
            box(0, 168, 200, 32, palette.strong),
            *(
                f'<circle cx="{left:.0f}" cy="{top:.0f}" r="{size}" fill="{palette.deep}" '
                f'fill-opacity="{0.06 + step / 40:.2f}"/>'
                for step, (left, top) in enumerate(track[:-1])
            ),
            circle(round(x), round(y), size, palette.dark),
            circle(round(x) - 8, round(y) - 9, round(size * 0.25), palette.pale),
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
    """Two discs that meet, or a letter under its seal."""
    return (_draw_discs, _draw_letter)[dice.roll(0, 1)](palette, dice)


def _draw_discs(palette: Palette, dice: Dice) -> str:
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


def _draw_letter(palette: Palette, dice: Dice) -> str:
    return "".join(
        [
            field(palette.strong),
            circle(dice.roll(30, 60), dice.roll(30, 50), 22, palette.light),
            f'<g transform="rotate({dice.roll(-10, 10)} 100 110)">',
            box(26, 58, 148, 104, palette.pale),
            line("M26 162L84 104M174 162L116 104", palette.light, 4),
            shape("M26 58H174L100 122Z", palette.light),
            shape(
                "M100 142C64 118 74 94 88 96Q98 97 100 107Q102 97 112 96C126 94 136 118 100 142Z",
                palette.deep,
            ),
            "</g>",
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
