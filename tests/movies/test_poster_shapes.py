import pytest

from movies.poster_shapes import Dice, Palette, measure_luminance, star


def test_dice_fall_the_same_way_for_the_same_text() -> None:
    first, second, other = Dice("a"), Dice("a"), Dice("b")

    rolls = [first.roll(0, 99) for _ in range(40)]
    assert [second.roll(0, 99) for _ in range(40)] == rolls
    assert [other.roll(0, 99) for _ in range(40)] != rolls


def test_dice_stay_within_their_bounds() -> None:
    rolls = {Dice(str(seed)).roll(-2, 2) for seed in range(200)}

    assert rolls == {-2, -1, 0, 1, 2}


def test_dice_take_any_text() -> None:
    assert Dice("\ud800").roll(1, 1) == 1


@pytest.mark.parametrize(
    ("colour", "luminance"), [("#000000", 0), ("#ffffff", 1), ("#ff0000", 0.2126)]
)
def test_measure_luminance(colour: str, luminance: float) -> None:
    assert measure_luminance(colour) == pytest.approx(luminance)


@pytest.mark.parametrize(("paper", "ink"), [("#000000", "#ffffff"), ("#ffffff", "#000000")])
def test_palette_knows_its_dark_and_its_pale(paper: str, ink: str) -> None:
    palette = Palette(paper, ink, "#111111", "#222222", "#333333")

    assert (palette.dark, palette.pale) == ("#000000", "#ffffff")


def test_star_has_its_points() -> None:
    assert star(0, 0, 10, "#fff", points=7).count("L") == 13
