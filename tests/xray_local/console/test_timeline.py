"""Rows and bars of a timeline."""

from typing import Any

import pytest

from tests.xray_local.made import NOON, make_id, make_late, make_segment, make_subsegment
from xray_local.console.outline import Outline, outline
from xray_local.console.timeline import (
    Row,
    Shown,
    choose_found,
    choose_shown,
    draw_rows,
    list_ticks,
)
from xray_local.traces.trees import build_tree


def build(*documents: dict[str, Any]) -> Outline:
    return outline(build_tree(documents))


def draw(*documents: dict[str, Any]) -> list[Row]:
    whole = build(*documents)
    return draw_rows(whole, choose_shown(whole))


def draw_one(**fields: Any) -> Row:
    return draw(make_segment(subsegments=[make_subsegment(**fields)]))[1]


def names(shown: list[Shown]) -> list[str]:
    return [each.place.element.content["name"] for each in shown]


@pytest.fixture
def family() -> Outline:
    """Three generations: root, a with a1 and a2, b with b1."""

    def make(name: str, *children: dict[str, Any]) -> dict[str, Any]:
        return make_subsegment(name, id=f"{name:_<16}", subsegments=list(children))

    a = make("a", make("a1"), make("a2"))
    root = make_segment(name="root", id=f"{'root':_<16}", subsegments=[a, make("b", make("b1"))])
    return build(root)


def test_bars_on_a_common_scale() -> None:
    half = make_subsegment("half", start_time=NOON + 2, end_time=NOON + 4)
    root = make_segment(end_time=NOON + 4, subsegments=[half])

    rows = draw(root)

    assert [row.bar for row in rows] == ["M0 3h1000v10h-1000z", "M500 3h500v10h-500z"]
    assert [row.bar_own for row in rows] == ["M0 3h500v10h-500z", "M500 3h500v10h-500z"]
    assert [row.bar_path for row in rows] == ["M0 15h500", "M500 15h500"]
    assert [(row.offset_ms, row.duration_ms) for row in rows] == [(0, 4000), (2000, 2000)]
    assert [(row.own_ms, row.path_ms) for row in rows] == [(2000, 2000), (2000, 2000)]
    assert [(row.level, row.indent, row.below) for row in rows] == [(1, 0, 1), (2, 1, 0)]
    assert list_ticks(build(root)) == [0, 1000, 2000, 3000, 4000]


def test_gaps_are_seen() -> None:
    children = [make_subsegment(start_time=NOON + at, end_time=NOON + at + 1) for at in (1, 1.5, 6)]

    root = draw(make_segment(end_time=NOON + 10, subsegments=children))[0]

    assert root.bar_own == "M0 3h100v10h-100zM250 3h350v10h-350zM700 3h300v10h-300z"
    assert root.own_ms == 7500


def test_what_would_be_seen_as_one_is_one() -> None:
    children = [
        make_subsegment(start_time=NOON + at / 100, end_time=NOON + at / 100 + 0.005)
        for at in range(1000)
    ]

    root = draw(make_segment(end_time=NOON + 10, subsegments=children))[0]

    assert root.bar_own.count("M") == 1
    assert root.own_ms == pytest.approx(5000, abs=1)


def test_bars_that_would_be_too_narrow_to_see() -> None:
    short = make_subsegment(start_time=NOON + 100, end_time=NOON + 100)

    row = draw(make_segment(end_time=NOON + 100, subsegments=[short]))[1]

    assert row.bar == "M997 3h3v10h-3z"


def test_a_trace_without_length() -> None:
    (row,) = draw(make_segment(end_time=NOON))

    assert (row.bar, row.bar_path, row.duration_ms) == ("M0 3h3v10h-3z", "", 0)


def test_in_progress_reaches_as_far_as_is_known() -> None:
    begun = make_segment(in_progress=True, end_time=None)
    late = make_late(begun, start_time=NOON + 1, end_time=NOON + 2)

    root, _ = draw(begun, late)

    assert root.bar == "M0 3h1000v10h-1000z"
    assert root.duration_ms is None
    assert root.flags == ("in progress",)


def test_an_end_before_the_start() -> None:
    row = draw_one(start_time=NOON + 0.05, end_time=NOON)

    assert row.duration_ms == 0
    assert row.bar == "M500 3h3v10h-3z"


def test_times_that_are_none() -> None:
    row = draw_one(start_time="x", end_time=[])

    assert (row.offset_ms, row.duration_ms, row.bar) == (None, None, "")


def test_no_documents() -> None:
    assert draw() == []
    assert list_ticks(build()) == [0, 0, 0, 0, 0]


def test_indent_has_an_end() -> None:
    chain = [make_segment()]
    for _ in range(30):
        chain.append(make_late(chain[-1]))

    row = draw(*chain)[-1]

    assert (row.level, row.indent) == (31, 15)


def test_flags() -> None:
    row = draw_one(fault=True, error=True, throttle=True, in_progress=True)

    assert row.flags == ("fault", "error", "throttle", "in progress")


def test_flags_of_an_orphan() -> None:
    assert draw(make_late(make_segment()))[0].flags == ("orphan",)


@pytest.mark.parametrize(
    ("start", "end", "flags"),
    [
        (-0.002, 0.05, ("clock skew",)),
        (-0.0005, 0.05, ()),
        (0, 0.102, ("outlives parent",)),
        (0, 0.1005, ()),
        (-1, 1, ("clock skew",)),
    ],
)
def test_times_that_do_not_fit_the_parent(start: float, end: float, flags: tuple[str]) -> None:
    assert draw_one(start_time=NOON + start, end_time=NOON + end).flags == flags


def test_calls_are_counted() -> None:
    many = [make_subsegment(sql={"sanitized_query": f"SELECT {n}"}) for n in range(20)]
    once = make_subsegment(sql={"sanitized_query": "SELECT a"})

    rows = draw(make_segment(subsegments=[once, *many]))

    assert sorted(row.same_count for row in rows) == [0, 1] + [20] * 20


def test_everything_is_open(family: Outline) -> None:
    assert names(choose_shown(family)) == ["root", "a", "a1", "a2", "b", "b1"]


def test_levels(family: Outline) -> None:
    shown = choose_shown(family, levels=2)

    assert names(shown) == ["root", "a", "b"]
    assert [each.is_closed for each in shown] == [False, True, True]
    assert names(choose_shown(family, levels=1)) == ["root"]
    assert names(choose_shown(family, levels=3)) == names(choose_shown(family))


def test_toggled_is_the_other_way_round(family: Outline) -> None:
    a = f"{'a':_<16}"

    assert names(choose_shown(family, toggled={a})) == ["root", "a", "b", "b1"]
    assert names(choose_shown(family, 2, {a})) == ["root", "a", "a1", "a2", "b"]
    assert names(choose_shown(family, toggled={f"{'b1':_<16}", make_id()})) == names(
        choose_shown(family)
    )


def test_found_with_those_above(family: Outline) -> None:
    shown = choose_found(family, {3, 4})

    assert names(shown) == ["root", "a", "a2", "b"]
    assert [each.is_match for each in shown] == [False, False, True, True]
    assert choose_found(family, set()) == []
