"""Two traces, compared."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.console import comparison
from xray_local.console.comparison import Comparison, Pair, compare
from xray_local.console.outline import Outline, outline
from xray_local.traces.trees import build_tree


def make(name: str, start: float, end: float, *children: dict[str, Any]) -> dict[str, Any]:
    return make_subsegment(
        name, start_time=NOON + start, end_time=NOON + end, subsegments=list(children)
    )


def build(*children: dict[str, Any], end: float = 10, name: str = "site") -> Outline:
    return outline(
        build_tree([make_segment(name=name, end_time=NOON + end, subsegments=list(children))])
    )


def list_pairs(comparison: Comparison) -> list[tuple[str, int, str]]:
    """Return name, depth and where each is: both, A or B."""
    return [(pair.operation.name, pair.depth, _place(pair)) for pair in comparison.pairs]


def _place(pair: Pair) -> str:
    if pair.one is None:
        return "B"
    return "A" if pair.other is None else "both"


def test_the_same_trace() -> None:
    trace = build(make("a", 1, 3, make("b", 1, 2)), make("a", 4, 6))

    comparison = compare(trace, trace)

    assert {place for _, _, place in list_pairs(comparison)} == {"both"}
    assert all(pair.one is pair.other for pair in comparison.pairs)
    assert all(pair.difference_ms == 0 and pair.ratio == 1 for pair in comparison.pairs)
    assert comparison.difference_ms == 0
    assert all(step.difference_ms == 0 and step.more == 0 for step in comparison.steps)


def test_slower() -> None:
    comparison = compare(build(make("a", 1, 3)), build(make("a", 1, 7), end=14))

    root, a = comparison.pairs
    assert (root.one_ms, root.other_ms, root.difference_ms, root.ratio) == (
        10_000,
        14_000,
        4000,
        1.4,
    )
    assert (a.difference_ms, a.ratio, a.difference) == (4000, 3, "+4.00 s")
    assert (comparison.difference_ms, comparison.ratio) == (4000, 1.4)
    assert [(step.operation.name, step.difference_ms) for step in comparison.steps] == [
        ("a", 4000),
        ("site", 0),
    ]


def test_only_in_one_with_all_that_is_below() -> None:
    one = build(make("a", 1, 2), make("b", 3, 4, make("c", 3, 4)))
    other = build(make("d", 1, 2), make("a", 3, 4, make("e", 3, 4)))

    comparison = compare(one, other)

    assert list_pairs(comparison) == [
        ("site", 0, "both"),
        ("d", 1, "B"),
        ("a", 1, "both"),
        ("e", 2, "B"),
        ("b", 1, "A"),
        ("c", 2, "A"),
    ]
    assert (comparison.only_one, comparison.only_other) == (2, 2)
    assert comparison.pairs[1].ratio is None
    assert comparison.pairs[1].difference_ms == 1000
    assert comparison.pairs[4].difference_ms == -1000


def test_by_occurrence() -> None:
    one = build(make("a", 0, 1), make("a", 1, 3))
    other = build(make("a", 0, 2), make("a", 2, 3), make("a", 3, 4))

    comparison = compare(one, other)

    assert [
        (pair.occurrence, _place(pair), pair.difference_ms) for pair in comparison.pairs[1:]
    ] == [
        (1, "both", 1000),
        (2, "both", -1000),
        (3, "B", 1000),
    ]
    assert [step.more for step in comparison.steps if step.operation.name == "a"] == [1]


def test_what_did_something_else_is_no_pair() -> None:
    def call(operation: str) -> dict[str, Any]:
        return make_subsegment("DynamoDB", namespace="aws", aws={"operation": operation})

    comparison = compare(build(call("GetItem")), build(call("Query")))

    assert [_place(pair) for pair in comparison.pairs] == ["both", "B", "A"]


def test_roots_are_paired_whatever_they_are_called() -> None:
    comparison = compare(build(make("a", 1, 2), name="blue"), build(make("a", 1, 2), name="green"))

    assert [_place(pair) for pair in comparison.pairs] == ["both", "both"]
    assert comparison.pairs[0].operation.name == "blue"


def test_no_time_at_all() -> None:
    assert compare(build(end=0), build(end=0)).ratio is None


def test_called_twenty_times_more() -> None:
    queries = [make("query", at, at + 0.9) for at in range(21)]

    comparison = compare(build(queries[0], end=1), build(*queries, end=21))

    step = comparison.steps[0]
    assert (step.operation.name, step.one_count, step.other_count, step.more) == (
        "query",
        1,
        21,
        20,
    )
    assert step.difference_ms == pytest.approx(18_000)


names = st.sampled_from("abc")
whens = st.tuples(names, st.integers(0, 8), st.integers(0, 8))
trees = st.recursive(
    st.builds(lambda when: (when, []), whens),
    lambda children: st.tuples(whens, st.lists(children, max_size=4)),
    max_leaves=15,
)
forests = st.lists(trees, max_size=4)


def plant(tree: Any) -> dict[str, Any]:
    (name, start, length), children = tree
    return make(name, start, start + length, *map(plant, children))


@given(forests, forests)
def test_every_element_once_below_its_parent(one: list[Any], other: list[Any]) -> None:
    traces = build(*map(plant, one)), build(*map(plant, other), end=12)

    pairs = compare(*traces).pairs

    for trace, found in zip(
        traces, ([pair.one for pair in pairs], [pair.other for pair in pairs]), strict=True
    ):
        elements = [element for element in found if element is not None]
        assert len(elements) == len(trace.places)
        assert set(elements) == {place.element for place in trace.places}
    above: list[Pair] = []
    for pair in pairs:
        del above[pair.depth :]
        parent = above[-1] if above else None
        for mine, theirs in (
            (pair.one, parent.one if parent else None),
            (pair.other, parent.other if parent else None),
        ):
            assert mine is None or mine.parent is theirs
        above.append(pair)


@given(forests, forests)
def test_the_other_way_round_is_the_opposite(one: list[Any], other: list[Any]) -> None:
    first, second = build(*map(plant, one)), build(*map(plant, other), end=12)

    there, back = compare(first, second), compare(second, first)

    assert {(pair.one, pair.other) for pair in there.pairs} == {
        (pair.other, pair.one) for pair in back.pairs
    }
    assert there.difference_ms == -back.difference_ms
    assert {(step.operation, step.difference_ms, step.more) for step in there.steps} == {
        (step.operation, -step.difference_ms, -step.more) for step in back.steps
    }


@given(forests, forests)
def test_the_steps_add_up_to_the_difference(one: list[Any], other: list[Any]) -> None:
    comparison = compare(build(*map(plant, one)), build(*map(plant, other), end=12))

    together = sum(step.difference_ms for step in comparison.steps)

    assert together == pytest.approx(comparison.difference_ms)


@given(forests, forests)
def test_what_is_alike_is_paired_like_all_else(one: list[Any], other: list[Any]) -> None:
    # Most of two at random have little in common: beside another, each is beside itself, too.
    first, second = build(*map(plant, one)), build(*map(plant, other), end=12)
    again = build(*map(plant, one), end=11)

    for traces in ((first, second), (first, again), (first, first)):
        quickly = compare(*traces).pairs
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(comparison, "_match_alike", lambda *_: None)
            assert compare(*traces).pairs == quickly
