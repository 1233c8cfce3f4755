"""The list of traces: its order, its ranges, its pages."""

import base64
import sqlite3
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import (
    NOON,
    make_request,
    make_segment,
    make_subsegment,
    make_trace_id,
)
from xray_local.errors import InvalidRequest
from xray_local.filters import read_filter
from xray_local.store.queries import (
    Cursor,
    RangeType,
    Strategy,
    TimeRange,
    get_counts,
    list_fitting,
    list_traces,
    share_of,
)


def list_ids(connection: sqlite3.Connection, start: float, end: float, kind: str) -> list[str]:
    page = list_traces(connection, time_range=TimeRange(start, end, RangeType(kind)))
    return [summary["Id"] for summary in page.summaries]


def test_newest_first(connection: sqlite3.Connection, store: Store) -> None:
    starts = [NOON + 1, NOON + 3, NOON + 2]

    store(*[make_segment(start_time=start) for start in starts])

    page = list_traces(connection)
    assert [summary["StartTime"] for summary in page.summaries] == sorted(starts, reverse=True)
    assert page.root_names == ("movies",) * 3
    assert page.next_token is None


def test_pages_repeat_and_lose_nothing(connection: sqlite3.Connection, store: Store) -> None:
    # Many at the very same moment: the start alone would not tell them apart.
    segments = [make_segment(start_time=NOON + number // 4) for number in range(25)]
    store(*segments)

    found: list[str] = []
    token = None
    while True:
        page = list_traces(connection, token=token, limit=4)
        found += [summary["Id"] for summary in page.summaries]
        token = page.next_token
        if token is None:
            break
        # New ones do not shift the pages that follow.
        store(make_segment(start_time=NOON + 1000))

    assert len(found) == 25
    assert set(found) == {segment["trace_id"] for segment in segments}


def test_last_page_that_is_full(connection: sqlite3.Connection, store: Store) -> None:
    store(make_segment(), make_segment())

    assert list_traces(connection, limit=2).next_token is None


@pytest.mark.parametrize(
    ("kind", "start", "end", "is_in"),
    [
        # The time in the id is NOON; it lasts from NOON + 10 to NOON + 20.
        ("TraceId", NOON, NOON + 1, True),
        ("TraceId", NOON - 1, NOON, False),
        ("TraceId", NOON + 10, NOON + 20, False),
        ("Event", NOON + 15, NOON + 16, True),
        ("Event", NOON + 20, NOON + 21, True),
        ("Event", NOON, NOON + 10, False),
        ("Event", NOON, NOON + 10.5, True),
        ("Event", NOON + 20.5, NOON + 30, False),
        ("Service", NOON + 20, NOON + 21, True),
        ("Service", NOON + 19, NOON + 20, False),
        ("Service", NOON, NOON + 15, False),
    ],
)
def test_ranges(
    connection: sqlite3.Connection,
    store: Store,
    kind: str,
    start: float,
    end: float,
    is_in: bool,
) -> None:
    trace_id = make_trace_id(NOON)
    store(make_segment(trace_id=trace_id, start_time=NOON + 10, end_time=NOON + 20))

    assert list_ids(connection, start, end, kind) == ([trace_id] if is_in else [])


@pytest.mark.parametrize("ahead_seconds", [-30 * 24 * 3600, -1, 0, 300])
def test_the_time_in_an_id_may_be_far_from_the_start(
    connection: sqlite3.Connection, store: Store, ahead_seconds: int
) -> None:
    time = NOON + ahead_seconds
    trace_id = make_trace_id(time)
    store(make_segment(trace_id=trace_id, start_time=NOON))

    assert list_ids(connection, time, time + 1, "TraceId") == [trace_id]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "é",
        "\ud800",
        "!!!!",
        "bnVsbA",
        "W10",
        "WzEsMl0",
        "W3RydWUsICJhIl0",
        base64.urlsafe_b64encode(b"[1e999, 2]").decode(),
        base64.urlsafe_b64encode(b'[1, "\\ud800"]').decode(),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_cursor_decode_bad(token: str) -> None:
    with pytest.raises(InvalidRequest, match="Expected a token that an earlier page gave, got '"):
        Cursor.decode(token)


def test_cursor_there_and_back() -> None:
    cursor = Cursor(NOON + 0.123456, 7, NOON)

    assert Cursor.decode(cursor.encode()) == cursor


def test_get_counts_before_anything(connection: sqlite3.Connection) -> None:
    assert set(get_counts(connection).values()) == {0}


def list_with(
    connection: sqlite3.Connection, strategy: Strategy, **options: Any
) -> tuple[list[str], int]:
    """Return the ids on all pages, and how many traces were looked at."""
    found: list[str] = []
    processed = 0
    token = None
    while True:
        page = list_traces(connection, strategy=strategy, token=token, limit=7, **options)
        found += [summary["Id"] for summary in page.summaries]
        processed += page.processed
        token = page.next_token
        if token is None:
            return found, processed


def test_no_more_documents_are_asked_than_takes_a_moment(
    connection: sqlite3.Connection, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        http = make_request("/odd" if number % 2 else "/even", 200)
        root = make_segment(start_time=NOON + number, http=http)
        below = {"trace_id": root["trace_id"], "parent_id": root["id"], "start_time": NOON + number}
        store(root, make_segment(name="api", http=http, **below))

    def find(expression: str, most: int = 100) -> list[float]:
        chosen = read_filter(expression)
        fitting = list_fitting(connection, NOON, NOON + 10, chosen, most)
        return [spot.start_time - NOON for spot in fitting.spots]

    asks = 'service("api") { http.url = "/odd" }'
    assert find(asks) == [9, 7, 5, 3, 1]
    assert find(asks, 2) == [9, 7]
    monkeypatch.setattr("xray_local.store.queries.ASKED_MAX", 4)
    assert find(asks) == [9, 7]
    # Of the root, the row of the trace tells.
    assert find('service("movies") { http.url = "/odd" }') == [9, 7, 5, 3, 1]


def test_what_has_failed_among_all_that_fit(
    connection: sqlite3.Connection, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(
        *[
            make_segment(
                start_time=NOON + number,
                error=number % 3 == 0,
                fault=number % 6 == 0,
                annotations={"a": 1},
                subsegments=[make_subsegment("S3", namespace="aws", http=make_request("/", 200))],
            )
            for number in range(10)
        ]
    )

    def find(expression: str, most: int) -> tuple[int, bool, list[int] | None]:
        fitting = list_fitting(connection, NOON, NOON + 10, read_filter(expression), most)
        return len(fitting.spots), fitting.is_all, fitting.failed

    failed = [10, 7, 4, 1]
    assert find("responsetime >= 0", 10) == (10, True, failed)
    # The index has the newest first: no more are read.
    assert find("responsetime >= 0", 9) == (9, False, None)
    # All that the terms find are read.
    assert find("annotation.a = 1", 3) == (3, False, failed)
    assert find("annotation.a = 1 AND responsetime < 0", 3) == (0, True, [])
    asks = 'service("S3") { http.method = "GET" }'
    assert find(asks, 10) == (10, True, failed)
    assert find(asks, 5) == (5, False, failed[:2])
    monkeypatch.setattr("xray_local.store.queries.ASKED_MAX", 7)
    assert find(asks, 10) == (7, False, failed[:3])
    monkeypatch.setattr("xray_local.store.queries.READ_MAX", 8)
    assert find("annotation.a = 1", 3) == (3, False, None)


def test_a_fixed_rate_always_chooses_the_same_traces(
    connection: sqlite3.Connection, store: Store
) -> None:
    segments = [make_segment(start_time=NOON + number) for number in range(200)]
    store(*segments)

    some, processed = list_with(connection, Strategy("FixedRate", 0.3))
    more, _ = list_with(connection, Strategy("FixedRate", 0.6))

    assert set(some) == {each["trace_id"] for each in segments if share_of(each["trace_id"]) < 0.3}
    assert set(some) < set(more)
    assert processed == 200
    assert list_with(connection, Strategy("FixedRate", 1))[0] == [
        each["trace_id"] for each in reversed(segments)
    ]
    assert list_with(connection, Strategy("FixedRate", 0))[0] == []


def test_a_partial_scan_looks_at_the_newest(connection: sqlite3.Connection, store: Store) -> None:
    segments = [
        make_segment(start_time=NOON + number, fault=number % 2 == 0 or None)
        for number in range(100)
    ]
    store(*segments)
    newest = [each["trace_id"] for each in reversed(segments)][:25]
    time_range = TimeRange(NOON, NOON + 100, RangeType.TRACE_ID)

    found, processed = list_with(connection, Strategy("PartialScan", 0.25), time_range=time_range)
    faulty, processed_of_all = list_with(
        connection, Strategy("PartialScan", 0.25), chosen=read_filter("fault")
    )

    assert (found, processed) == (newest, 25)
    assert (faulty, processed_of_all) == (newest[1::2], 25)
    assert list_with(connection, Strategy("PartialScan", 0))[0] == []


def test_a_partial_scan_ends_where_its_first_page_said(
    connection: sqlite3.Connection, store: Store
) -> None:
    store(*[make_segment(start_time=NOON + number) for number in range(20)])
    strategy = Strategy("PartialScan", 0.5)

    first = list_traces(connection, strategy=strategy, limit=8)
    store(*[make_segment(start_time=NOON + 100) for _ in range(20)])
    second = list_traces(connection, strategy=strategy, limit=8, token=first.next_token)

    assert [each["StartTime"] - NOON for each in second.summaries] == [11, 10]
    assert second.next_token is None


def test_the_matched_event_is_the_first_moment_in_the_range(
    connection: sqlite3.Connection, store: Store
) -> None:
    store(make_segment(start_time=NOON + 10, end_time=NOON + 20))

    for start, matched in ((NOON + 5, NOON + 10), (NOON + 15, NOON + 15)):
        time_range = TimeRange(start, NOON + 30, RangeType.EVENT)
        (summary,) = list_traces(connection, time_range=time_range).summaries
        assert summary["MatchedEventTime"] == matched
    (summary,) = list_traces(connection).summaries
    assert "MatchedEventTime" not in summary


def test_summaries_name_their_root_causes(connection: sqlite3.Connection, store: Store) -> None:
    store(make_segment(fault=True, error=True, subsegments=[make_subsegment()]))

    (summary,) = list_traces(connection).summaries

    for kind in ("FaultRootCauses", "ErrorRootCauses", "ResponseTimeRootCauses"):
        (cause,) = summary[kind]
        assert cause["Services"][0]["Name"] == "movies"
