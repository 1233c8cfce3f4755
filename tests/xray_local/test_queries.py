"""The list of traces: its order, its ranges, its pages."""

import base64
import sqlite3

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_segment, make_trace_id
from xray_local.errors import InvalidRequest
from xray_local.queries import Cursor, RangeType, TimeRange, get_counts, list_traces


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
