"""The critical path: what the end of a trace waited for."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.console.critical_path import find_critical_path
from xray_local.console.intervals import find_interval
from xray_local.traces.trees import Element, build_tree, walk_tree

UNTIL = NOON + 100


def make(name: str, start: float, end: float | None, *children: dict[str, Any]) -> dict[str, Any]:
    return make_subsegment(
        name,
        start_time=NOON + start,
        end_time=None if end is None else NOON + end,
        subsegments=list(children),
    )


def follow(
    *children: dict[str, Any], end: float | None = 10
) -> dict[str, list[tuple[float, float]]]:
    (root,) = build_tree(
        [
            make_segment(
                name="root",
                end_time=None if end is None else NOON + end,
                subsegments=list(children),
            )
        ]
    )
    return {
        element.content["name"]: [(each.start - NOON, each.end - NOON) for each in intervals]
        for element, intervals in find_critical_path(root, UNTIL).items()
    }


def test_alone() -> None:
    assert follow() == {"root": [(0, 10)]}


def test_one_after_the_other() -> None:
    path = follow(make("a", 1, 4), make("b", 5, 9))

    assert path == {"root": [(9, 10), (4, 5), (0, 1)], "a": [(1, 4)], "b": [(5, 9)]}


def test_of_those_at_the_same_time_the_last_to_end() -> None:
    path = follow(make("short", 1, 4), make("long", 1, 9))

    assert path == {"root": [(9, 10), (0, 1)], "long": [(1, 9)]}


def test_who_was_still_running_did_not_start_it() -> None:
    """At 5, `early` was running: `last` did not wait for it. What ended before is `first`."""
    path = follow(make("first", 1, 3), make("early", 2, 6), make("last", 5, 9))

    assert path == {"root": [(9, 10), (3, 5), (0, 1)], "last": [(5, 9)], "first": [(1, 3)]}


def test_down_to_the_leaves() -> None:
    path = follow(make("view", 1, 9, make("query", 2, 4), make("render", 4, 8)))

    assert path["view"] == [(8, 9), (1, 2)]
    assert path["query"] == [(2, 4)]
    assert path["render"] == [(4, 8)]


def test_of_two_that_end_together_the_longer() -> None:
    assert follow(make("short", 5, 9), make("long", 1, 9)).keys() == {"root", "long"}


def test_asynchronous_work_gives_way() -> None:
    path = follow(make("view", 1, 9), make("background", 5, 30))

    assert path == {"root": [(0, 1)], "view": [(1, 9)], "background": [(9, 10)]}


def test_a_clock_that_differs_does_not_hide_the_callee() -> None:
    path = follow(make("call", 2, 8, make("callee", 3, 8.5, make("query", 4, 7))))

    assert path["callee"] == [(7, 8), (3, 4)]
    assert path["query"] == [(4, 7)]
    assert path["call"] == [(2, 3)]


def test_before_the_parent_and_after_it() -> None:
    path = follow(make("early", -5, 2), make("before", -5, -1), make("after", 11, 12))

    assert path == {"root": [(2, 10)], "early": [(0, 2)]}


def test_in_progress() -> None:
    path = follow(make("done", 1, 4), make("open", 5, None), end=None)

    assert path == {"root": [(4, 5), (0, 1)], "open": [(5, 100)], "done": [(1, 4)]}


def test_no_time_at_all() -> None:
    assert follow(make("a", 0, 0), end=0) == {}
    assert follow(make("a", 5, 5)) == {"root": [(0, 10)]}


def test_no_start() -> None:
    (root,) = build_tree([make_segment(start_time="x")])

    assert find_critical_path(root, UNTIL) == {}


def test_deep() -> None:
    inner = make("leaf", 1, 9)
    for _ in range(3000):
        inner = make("step", 1, 9, inner)
    (root,) = build_tree([make_segment(end_time=NOON + 10, subsegments=[inner])])

    assert len(find_critical_path(root, UNTIL)) == 3002


whens = st.tuples(st.integers(-3, 13), st.integers(0, 12), st.booleans())
trees = st.recursive(
    st.builds(lambda when: (when, []), whens),
    lambda children: st.tuples(whens, st.lists(children, max_size=4)),
    max_leaves=20,
)


def plant(tree: Any) -> dict[str, Any]:
    (start, length, is_open), children = tree
    return make("x", start, None if is_open else start + length, *map(plant, children))


def build(children: list[Any], end: float) -> Element:
    (root,) = build_tree(
        [make_segment(end_time=NOON + end, subsegments=[plant(child) for child in children])]
    )
    return root


@given(st.lists(trees, max_size=5), st.integers(1, 20))
def test_each_moment_of_the_root_is_on_the_path_once(children: list[Any], end: int) -> None:
    root = build(children, end)

    path = find_critical_path(root, UNTIL)

    found = [each for intervals in path.values() for each in intervals]
    intervals = sorted(found, key=lambda each: each.start)
    assert intervals[0].start == NOON
    assert intervals[-1].end == NOON + end
    assert all(one.end == other.start for one, other in pairwise(intervals))
    assert all(each.seconds > 0 for each in intervals)


@given(st.lists(trees, max_size=5), st.integers(1, 20))
def test_what_is_on_the_path_ran_then(children: list[Any], end: int) -> None:
    root = build(children, end)
    known = {element for element, _ in walk_tree([root])}

    for element, intervals in find_critical_path(root, UNTIL).items():
        assert element in known
        whole = find_interval(element, UNTIL)
        assert whole
        for each in intervals:
            assert whole.start <= each.start < each.end <= whole.end
