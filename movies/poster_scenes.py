"""The motifs that are places: mountains, stages, streets, planets."""

from .poster_shapes import Dice, Palette, box, circle, field, line, ring, shape, star


def draw_adventure(palette: Palette, dice: Dice) -> str:
    """Mountains behind mountains and a road, or a ship under sail."""
    return (_draw_mountains, _draw_ship)[dice.roll(0, 1)](palette, dice)


def _draw_mountains(palette: Palette, dice: Dice) -> str:
    sun, peak = dice.roll(40, 160), dice.roll(70, 130)
    ridge = f"M-20 150L{peak - 60} 70L{peak} 132L{peak + 46} 84L220 160V200H-20Z"
    snow = f"M{peak} 96L{peak - 19} 116L{peak - 4} 112L{peak + 6} 122L{peak + 19} 112Z"
    return "".join(
        [
            field(palette.light),
            circle(sun, 62, dice.roll(22, 34), palette.strong),
            shape(ridge, palette.deep),
            shape(f"M-20 200L{peak} 96L220 200Z", palette.dark),
            shape(snow, palette.pale),
            line("M96 200C60 180 140 172 104 150", palette.strong, 5),
        ]
    )


def _draw_ship(palette: Palette, dice: Dice) -> str:
    lean = dice.roll(-9, 9)
    waves = "".join(f"q10 {-dice.roll(8, 16)} 20 0" for _ in range(11))
    return "".join(
        [
            field(palette.light),
            circle(dice.roll(40, 160), dice.roll(50, 90), dice.roll(28, 40), palette.strong),
            f'<g transform="rotate({lean} 100 160)">',
            box(98, 30, 5, 122, palette.dark),
            shape("M106 40Q166 84 160 132H106Z", palette.pale),
            shape("M94 56Q56 90 52 132H94Z", palette.deep),
            shape("M38 142H166L146 176H58Z", palette.dark),
            "</g>",
            shape(f"M-10 172{waves}V200H-10Z", palette.deep),
        ]
    )


def draw_crime(palette: Palette, dice: Dice) -> str:
    """Somebody under a street lamp, or a fingerprint."""
    return (_draw_lamp, _draw_fingerprint)[dice.roll(0, 1)](palette, dice)


def _draw_lamp(palette: Palette, dice: Dice) -> str:
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


def _draw_fingerprint(palette: Palette, dice: Dice) -> str:
    tilt = dice.roll(-24, 24)
    ridges = [
        f'<ellipse cx="100" cy="{104 + 3 * ridge}" rx="{9 + 10 * ridge}" ry="{14 + 12 * ridge}" '
        f'fill="none" stroke="{palette.dark}" stroke-width="5" '
        f'stroke-dasharray="{60 + 25 * ridge} {dice.roll(8, 20)}"/>'
        for ridge in range(6)
    ]
    return "".join(
        [
            field(palette.light),
            circle(100, 110, 92, palette.strong),
            f'<g transform="rotate({tilt} 100 100)">',
            *ridges,
            "</g>",
        ]
    )


def draw_drama(palette: Palette, dice: Dice) -> str:
    """One of four compositions: two halves, a window, a stair, a tree."""
    return (_draw_halves, _draw_window, _draw_stair, _draw_tree)[dice.roll(0, 3)](palette, dice)


def _draw_halves(palette: Palette, dice: Dice) -> str:
    return "".join(
        [
            field(palette.light),
            shape("M100 20A80 80 0 0 0 100 180Z", palette.strong),
            shape(f"M100 {20 + dice.roll(10, 30)}A70 70 0 0 1 100 190Z", palette.deep),
            circle(dice.roll(76, 124), dice.roll(70, 130), 17, palette.dark),
        ]
    )


def _draw_window(palette: Palette, dice: Dice) -> str:
    lit = (dice.roll(0, 2), dice.roll(0, 2))
    panes = [
        box(24 + 52 * x, 24 + 54 * y, 46, 48, palette.strong if (x, y) == lit else palette.light)
        for x in range(3)
        for y in range(3)
    ]
    x, y = 47 + 52 * lit[0], 48 + 54 * lit[1]
    figure = [
        circle(x, y - 6, 7, palette.dark),
        shape(f"M{x - 13} {y + 24}A13 20 0 0 1 {x + 13} {y + 24}Z", palette.dark),
    ]
    return "".join([field(palette.deep), *panes, *figure])


def _draw_stair(palette: Palette, dice: Dice) -> str:
    fills = (palette.deep, palette.strong) * 3
    steps = [box(28 * step, 172 - 24 * step, 200, 30, fill) for step, fill in enumerate(fills)]
    step = dice.roll(1, 4)
    x, y = 28 * step + 14, 172 - 24 * step
    return "".join(
        [
            field(palette.light),
            circle(dice.roll(34, 70), dice.roll(36, 60), 20, palette.strong),
            *steps,
            box(x - 4, y - 26, 8, 26, palette.dark),
            circle(x, y - 32, 7, palette.dark),
        ]
    )


def _draw_tree(palette: Palette, dice: Dice) -> str:
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


def draw_musical(palette: Palette, dice: Dice) -> str:
    """A stage between its curtains."""
    folds = []
    for fold in range(3):
        folds += [
            shape(
                f"M{22 * fold} 0H{22 * fold + 22}Q{26 * fold + 14} 120 {14 * fold + 16} 186"
                f"H{14 * fold}Z",
                palette.strong if fold % 2 == 0 else palette.dark,
            )
        ]
    half = "".join(folds)
    return "".join(
        [
            field(palette.deep),
            shape(f"M{dice.roll(86, 114)} -10L46 186H154Z", palette.light),
            f'<ellipse cx="100" cy="176" rx="56" ry="12" fill="{palette.pale}"/>',
            star(100, dice.roll(96, 116), dice.roll(26, 34), palette.strong),
            half,
            f'<g transform="translate(200 0) scale(-1 1)">{half}</g>',
            shape(
                "M0 0H200V22Q183 40 166 22Q150 40 133 22Q117 40 100 22Q83 40 66 22"
                "Q50 40 33 22Q17 40 0 22Z",
                palette.strong,
            ),
            box(0, 186, 200, 14, palette.dark),
        ]
    )


def draw_science_fiction(palette: Palette, dice: Dice) -> str:
    """A planet with its ring, or a visitor with a beam."""
    return (_draw_planet, _draw_visitor)[dice.roll(0, 1)](palette, dice)


def _draw_planet(palette: Palette, dice: Dice) -> str:
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


def _draw_visitor(palette: Palette, dice: Dice) -> str:
    x = dice.roll(80, 120)
    stars = [circle(dice.roll(6, 194), dice.roll(6, 130), 1.6, palette.light) for _ in range(10)]
    return "".join(
        [
            field(palette.deep),
            *stars,
            shape(f"M{x - 26} 80L{x - 74} 190H{x + 74}L{x + 26} 80Z", palette.light),
            shape(f"M{x - 28} 66A28 28 0 0 1 {x + 28} 66Z", palette.pale),
            f'<ellipse cx="{x}" cy="72" rx="70" ry="15" fill="{palette.strong}"/>',
            *(circle(x + step, 74, 4, palette.pale) for step in (-44, -15, 15, 44)),
            shape("M0 178Q60 160 110 176T200 170V200H0Z", palette.dark),
            circle(x, 158, 5, palette.dark),
            box(x - 3, 162, 6, 16, palette.dark),
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
