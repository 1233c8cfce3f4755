"""The flame graph: work by what called what."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray_local.console.test_comparison import build, forests, make, plant
from tests.xray_local.made import make_segment
from xray_local.console.flame import FRAMES_MAX, DrawnFrame, draw_flame
from xray_local.console.outline import outline
from xray_local.traces.trees import build_tree


def describe(drawn: DrawnFrame) -> tuple[str, int, float, float]:
    return drawn.frame.operation.name, drawn.y // 22, drawn.x, drawn.width


def test_what_did_the_same_is_one_frame() -> None:
    a = [make("a", at, at + 1, make("b", at, at + 0.5)) for at in range(4)]

    flame = draw_flame(build(*a, end=8))

    assert [describe(each) for each in flame.drawn] == [
        ("site", 0, 0, 100),
        ("a", 1, 0, 50),
        ("b", 2, 0, 25),
    ]
    assert [frame.count for frame in flame.frames] == [1, 4, 4]
    assert [frame.own_ms for frame in flame.frames] == [4000, 2000, 2000]
    assert flame.total_ms == 8000
    assert flame.height == 66


def test_the_longest_stands_for_its_frame() -> None:
    short, long = make("a", 0, 1), make("a", 1, 5)

    flame = draw_flame(build(short, long))

    longest = flame.drawn[1].frame.longest
    assert longest
    assert longest.element.id == long["id"]


def test_work_at_the_same_time_counts_each_time() -> None:
    flame = draw_flame(build(make("a", 0, 10), make("b", 0, 10)))

    assert flame.total_ms == 20_000
    assert [describe(each)[2:] for each in flame.drawn] == [(0, 100), (0, 50), (50, 50)]


def test_a_chosen_frame_is_as_wide_as_all() -> None:
    inner = make("b", 1, 2, make("c", 1, 2))

    flame = draw_flame(build(make("a", 0, 4, inner)), inner["id"])

    assert [(*describe(each), each.is_above) for each in flame.drawn] == [
        ("site", 0, 0, 100, True),
        ("a", 1, 0, 100, True),
        ("b", 2, 0, 100, False),
        ("c", 3, 0, 100, False),
    ]
    assert flame.left_out == 0


def test_what_is_too_narrow_is_left_out() -> None:
    flame = draw_flame(build(make("a", 0, 0.001), make("b", 1, 2)))

    assert [each.frame.operation.name for each in flame.drawn] == ["site", "b"]
    assert flame.left_out == 1


def test_no_time_at_all() -> None:
    flame = draw_flame(build(end=0))

    assert (list(flame.drawn), flame.height, flame.total_ms) == ([], 0, 0)
    assert flame.left_out == 1


def test_a_fault_shows() -> None:
    (root,) = build_tree([make_segment(fault=True)])

    assert draw_flame(outline([root])).drawn[0].frame.has_fault


def test_very_many_frames() -> None:
    children = [make(f"step {number}", 0, 10) for number in range(999)]

    assert len(draw_flame(build(*children)).drawn) <= FRAMES_MAX


@given(forests, st.integers(0, 10))
def test_frames_never_overlap(forest: list[Any], chosen: int) -> None:
    whole = build(*map(plant, forest))
    element = whole.places[chosen % len(whole.places)].element

    drawn = draw_flame(whole, element.id).drawn

    for one in drawn:
        assert one.x >= 0
        assert one.x + one.width <= 100 + 1e-6
        if one.frame.parent and not one.is_above:
            (parent,) = (each for each in drawn if each.frame is one.frame.parent)
            assert one.x >= parent.x - 1e-6
            assert one.x + one.width <= parent.x + parent.width + 1e-6
        for other in drawn:
            if other is not one and other.y == one.y:
                assert other.x >= one.x + one.width - 1e-6 or one.x >= other.x + other.width - 1e-6


@given(forests)
def test_own_times_add_up(forest: list[Any]) -> None:
    flame = draw_flame(build(*map(plant, forest)))

    assert sum(frame.own_ms for frame in flame.frames) == pytest.approx(flame.total_ms)
