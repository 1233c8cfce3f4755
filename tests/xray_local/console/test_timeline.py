"""Rows, bars and queries of a timeline."""

from typing import Any

import pytest

from tests.xray_local.made import NOON, make_late, make_request, make_segment, make_subsegment
from xray_local.console.timeline import Row, Timeline, draw_timeline
from xray_local.traces.trees import build_tree


def draw(*documents: dict[str, Any]) -> Timeline:
    return draw_timeline(build_tree(documents))


def draw_one(**fields: Any) -> Row:
    return draw(make_segment(subsegments=[make_subsegment(**fields)])).rows[1]


def test_bars_on_a_common_scale() -> None:
    half = make_subsegment("half", start_time=NOON + 2, end_time=NOON + 4)
    root = make_segment(end_time=NOON + 4, subsegments=[half])

    timeline = draw(root)

    assert [(row.bar_x, row.bar_width) for row in timeline.rows] == [(0, 1000), (500, 500)]
    assert [(row.offset_ms, row.duration_ms) for row in timeline.rows] == [(0, 4000), (2000, 2000)]
    assert [(row.level, row.indent) for row in timeline.rows] == [(1, 0), (2, 1)]
    assert timeline.ticks_ms == [0, 1000, 2000, 3000, 4000]
    assert timeline.start == NOON


def test_bars_that_would_be_too_narrow_to_see() -> None:
    short = make_subsegment(start_time=NOON + 100, end_time=NOON + 100)

    row = draw(make_segment(end_time=NOON + 100, subsegments=[short])).rows[1]

    assert (row.bar_x, row.bar_width) == (997, 3)


def test_a_trace_without_length() -> None:
    (row,) = draw(make_segment(end_time=NOON)).rows

    assert (row.bar_x, row.bar_width, row.duration_ms) == (0, 3, 0)


def test_in_progress_reaches_as_far_as_is_known() -> None:
    begun = make_segment(in_progress=True, end_time=None)
    late = make_late(begun, start_time=NOON + 1, end_time=NOON + 2)

    root, _ = draw(begun, late).rows

    assert root.bar_width == 1000
    assert root.duration_ms is None
    assert root.flags == ("in progress",)


def test_an_end_before_the_start() -> None:
    row = draw_one(start_time=NOON + 0.05, end_time=NOON)

    assert row.duration_ms == 0
    assert row.bar_width == 3


def test_times_that_are_none() -> None:
    row = draw_one(start_time="x", end_time=[])

    assert (row.offset_ms, row.duration_ms, row.bar_width) == (None, None, 0)


def test_no_documents() -> None:
    timeline = draw()

    assert (timeline.rows, timeline.start, timeline.duration_ms) == ((), None, 0)


def test_indent_has_an_end() -> None:
    chain = [make_segment()]
    for _ in range(30):
        chain.append(make_late(chain[-1]))

    row = draw(*chain).rows[-1]

    assert (row.level, row.indent) == (31, 15)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "local"),
        ({"namespace": "aws"}, "aws"),
        ({"namespace": "remote"}, "remote"),
        ({"namespace": "remote", "sql": {}}, "sql"),
        ({"namespace": '"><script>'}, "local"),
        ({"namespace": ["aws"]}, "local"),
    ],
)
def test_kinds(fields: dict[str, Any], kind: str) -> None:
    assert draw_one(**fields).kind == kind


def test_flags() -> None:
    row = draw_one(fault=True, error=True, throttle=True, in_progress=True)

    assert row.flags == ("fault", "error", "throttle", "in progress")


def test_flags_of_an_orphan() -> None:
    assert draw(make_late(make_segment())).rows[0].flags == ("orphan",)


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({}, ""),
        ({"http": make_request("http://a/b", 200)}, "GET http://a/b"),
        ({"aws": {"operation": "PutItem", "table_name": "Movies"}}, "PutItem Movies"),
        ({"aws": {"operation": "GetObject", "bucket_name": "b", "key": "k"}}, "GetObject b k"),
        ({"aws": {"xray": {}}, "http": make_request("/", 1)}, "GET /"),
        ({"sql": {"sanitized_query": "SELECT\n  1"}}, "SELECT 1"),
        ({"http": 3, "aws": "x", "sql": [], "name": 1}, ""),
    ],
)
def test_notes(fields: dict[str, Any], note: str) -> None:
    assert draw_one(**fields).note == note


def test_queries_are_counted() -> None:
    many = [make_subsegment(sql={"sanitized_query": "SELECT a"}) for _ in range(20)]
    once = make_subsegment(sql={"sanitized_query": "SELECT b"}, end_time=None)

    timeline = draw(make_segment(subsegments=[once, *many]))

    assert [(query.text, query.count) for query in timeline.queries] == [
        ("SELECT a", 20),
        ("SELECT b", 1),
    ]
    assert timeline.queries[0].duration_ms == pytest.approx(2000)
    assert sorted(row.query_count for row in timeline.rows) == [0, 1] + [20] * 20
