"""What stands out in a trace, and where its time went."""

from typing import Any

import pytest

from tests.xray_local.made import NOON, make_late, make_segment, make_subsegment
from xray_local.console.findings import (
    divide_path,
    find_oddities,
    list_queries,
    list_raised,
    list_same,
)
from xray_local.console.outline import Outline, outline
from xray_local.traces.trees import build_tree


def build(*children: dict[str, Any], **fields: Any) -> Outline:
    return outline(build_tree([make_segment(**{"subsegments": list(children)} | fields)]))


def make_query(text: str, seconds: float = 0.01) -> dict[str, Any]:
    sql = {"sanitized_query": text}
    return make_subsegment(namespace="remote", sql=sql, end_time=NOON + seconds)


def fail(kind: str, *children: dict[str, Any]) -> dict[str, Any]:
    cause = {"exceptions": [{"type": kind, "message": "no"}]}
    return make_subsegment(f"in {kind}", cause=cause, subsegments=list(children))


def test_twenty_times_the_same_query() -> None:
    queries = [make_query(f"SELECT a FROM b LIMIT {number}") for number in range(20)]  # noqa: S608
    twice = [make_query("SELECT 1 FROM c") for _ in range(2)]

    (same,) = list_same(build(*twice, *queries))

    assert same.count == 20
    assert same.operation.note == "SELECT a FROM b LIMIT ?"
    assert same.text == "SELECT a\nFROM b\nLIMIT ?"
    assert same.duration_ms == pytest.approx(200)
    assert same.places[0].element.id == queries[0]["id"]


def test_what_took_longest_comes_first() -> None:
    quick = [make_query("SELECT quick") for _ in range(9)]
    slow = [make_query("SELECT slow", 0.09) for _ in range(3)]

    notes = [each.operation.note for each in list_same(build(*quick, *slow))]

    assert notes == ["SELECT slow", "SELECT quick"]


def test_other_calls_that_come_again() -> None:
    aws = {"operation": "GetItem", "table_name": "Movies"}
    calls = [make_subsegment("DynamoDB", namespace="aws", aws=aws) for _ in range(3)]

    (same,) = list_same(build(*calls))

    assert (same.count, same.operation.kind) == (3, "aws")
    assert list_queries(build(*calls)) == []


def test_every_query_once() -> None:
    queries = list_queries(build(make_query("SELECT a"), make_query("SELECT b")))

    assert [(each.operation.note, each.count) for each in queries] == [
        ("SELECT a", 1),
        ("SELECT b", 1),
    ]


def test_exceptions_where_they_began() -> None:
    whole = build(fail("KeyError", fail("KeyError")), fail("ValueError"))

    raised = list_raised(whole)

    assert [(each.failure.type, len(each.places)) for each in raised] == [
        ("KeyError", 2),
        ("ValueError", 1),
    ]
    assert raised[0].places[0].depth == 2


def test_causes_of_any_type() -> None:
    children = [make_subsegment(cause=cause) for cause in ("x", {"exceptions": 1}, [], None)]

    assert list_raised(build(*children)) == []


def test_oddities() -> None:
    begun = make_segment(end_time=None, in_progress=True, start_time=NOON + 1)
    early = make_late(begun, start_time=NOON, end_time=NOON + 2)
    lost = make_late(begun, parent_id="0" * 16)
    late = make_late(early, id="a" * 16, start_time=NOON + 1, end_time=NOON + 5)

    oddities = find_oddities(outline(build_tree([begun, early, lost, late])))

    assert [place.element.id for place in oddities.open] == [begun["id"]]
    assert [place.element.id for place in oddities.orphans] == [lost["id"]]
    assert [place.element.id for place in oddities.skewed] == [early["id"]]
    assert [place.element.id for place in oddities.late] == [late["id"]]
    assert (oddities.lead_ms, oddities.lag_ms) == (1000, 3000)


def test_nothing_odd() -> None:
    oddities = find_oddities(build(make_subsegment()))

    assert not any((oddities.open, oddities.orphans, oddities.skewed, oddities.late))


def test_where_the_time_went() -> None:
    children = [
        make_query("SELECT 1", 6),
        make_subsegment("view", start_time=NOON + 6, end_time=NOON + 9),
    ]

    shares = divide_path(build(*children, end_time=NOON + 10))

    assert [(share.kind, share.ms, share.percent, share.x) for share in shares] == [
        ("sql", 6000, 60, 0),
        ("local", 3000, 30, 60),
        ("segment", 1000, 10, 90),
    ]


def test_no_time_at_all() -> None:
    assert divide_path(build(end_time=NOON)) == []
