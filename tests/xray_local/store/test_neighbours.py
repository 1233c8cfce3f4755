"""The traces beside a trace in a list by time."""

import sqlite3
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_segment, make_trace_id
from xray_local.filters import read_filter
from xray_local.store.neighbours import Neighbours, find_neighbours
from xray_local.store.queries import RangeType, TimeRange, list_traces

RANGE = (NOON - 10, NOON + 100)


@pytest.fixture
def segments(store: Store) -> list[dict[str, Any]]:
    """Ten traces, some of which began at the same time."""
    segments = [
        make_segment(name="even" if number % 2 == 0 else "odd", start_time=NOON + number // 2 * 2)
        for number in range(10)
    ]
    store(*segments)
    return segments


@pytest.mark.parametrize("expression", [None, 'service("even")', "fault", "rootcause.json = #[]"])
def test_as_the_list_has_them(
    connection: sqlite3.Connection, segments: list[dict[str, Any]], expression: str | None
) -> None:
    chosen = read_filter(expression) if expression else None
    listed = list_traces(
        connection, time_range=TimeRange(*RANGE, RangeType.TRACE_ID), chosen=chosen
    )
    ids = [summary["Id"] for summary in listed.summaries]

    for number, trace_id in enumerate(ids):
        found = find_neighbours(connection, trace_id, *RANGE, chosen)
        assert found.newer == (ids[number - 1] if number else None)
        assert found.older == (ids[number + 1] if number + 1 < len(ids) else None)


def test_of_one_that_does_not_fit_itself(
    connection: sqlite3.Connection, segments: list[dict[str, Any]]
) -> None:
    found = find_neighbours(
        connection, segments[5]["trace_id"], *RANGE, read_filter('service("even")')
    )

    assert found == Neighbours(segments[6]["trace_id"], segments[4]["trace_id"])


def test_only_in_the_range(connection: sqlite3.Connection, segments: list[dict[str, Any]]) -> None:
    found = find_neighbours(connection, segments[0]["trace_id"], NOON + 5, NOON + 7)

    assert found == Neighbours(segments[6]["trace_id"], None)


def test_unknown(connection: sqlite3.Connection) -> None:
    assert find_neighbours(connection, make_trace_id(), *RANGE) == Neighbours()


@pytest.mark.parametrize("place", [0, 250, 499])
def test_no_more_is_looked_at_than_needed(
    connection: sqlite3.Connection, store: Store, place: int
) -> None:
    segments = [make_segment(start_time=NOON + number / 10) for number in range(500)]
    store(*segments)
    steps: list[None] = []
    connection.set_progress_handler(lambda: steps.append(None), 1)

    find_neighbours(connection, segments[place]["trace_id"], *RANGE)

    # Fewer of SQLite's steps than it takes for one look at each trace.
    assert len(steps) < 500
