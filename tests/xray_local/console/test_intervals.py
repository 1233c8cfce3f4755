"""When elements ran, and when they ran alone."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.console.intervals import Interval, find_interval, find_own, measure_own
from xray_local.traces.trees import Element, build_tree


def build_one(*children: tuple[float | None, float | None], **fields: Any) -> Element:
    subsegments = [
        make_subsegment(
            start_time=None if start is None else NOON + start,
            end_time=None if end is None else NOON + end,
        )
        for start, end in children
    ]
    (root,) = build_tree(
        [make_segment(**{"end_time": NOON + 10, "subsegments": subsegments} | fields)]
    )
    return root


def list_own(element: Element) -> list[tuple[float, float]]:
    return [(each.start - NOON, each.end - NOON) for each in find_own(element, NOON + 20)]


def test_alone() -> None:
    assert list_own(build_one()) == [(0, 10)]


def test_what_children_leave() -> None:
    assert list_own(build_one((2, 3), (2.5, 4), (6, 7))) == [(0, 2), (4, 6), (7, 10)]


def test_children_beyond_the_ends() -> None:
    assert list_own(build_one((-5, 1), (9, 30))) == [(1, 9)]
    assert list_own(build_one((-5, 30))) == []
    assert list_own(build_one((-5, -1), (11, 12))) == [(0, 10)]


def test_children_without_times() -> None:
    assert list_own(build_one((None, None), (8, None))) == [(0, 8)]


def test_no_start() -> None:
    element = build_one(start_time="x")

    assert find_interval(element, NOON) is None
    assert find_own(element, NOON) == []


def test_in_progress_until_the_end() -> None:
    interval = find_interval(build_one(end_time=None), NOON + 20)

    assert interval
    assert interval.seconds == 20


def test_an_end_before_the_start_is_no_length() -> None:
    interval = find_interval(build_one(end_time=NOON - 1), NOON + 20)

    assert interval == Interval(NOON, NOON)


times = st.integers(-5, 25)


@given(st.lists(st.tuples(times, times), max_size=8))
def test_own_time_is_what_no_child_covers(children: list[tuple[int, int]]) -> None:
    element = build_one(*children)

    seconds = {
        second
        for second in range(10)
        if not any(start <= second < max(start, end) for start, end in children)
    }

    assert measure_own(element, NOON + 20) == len(seconds)
    assert all(one[1] < other[0] for one, other in pairwise(list_own(element)))
