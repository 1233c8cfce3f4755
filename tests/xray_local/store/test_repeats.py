"""Traces that call a service again and again."""

import sqlite3

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.store.repeats import list_busiest

# How often each trace calls, in the order of their numbers, which begin with 1.
CALLS = (5, 20, 1, 20, 4, 7)


def store_traces(store: Store) -> None:
    for number, count in enumerate(CALLS):
        calls = [make_subsegment("db", namespace="remote", start_time=NOON) for _ in range(count)]
        others = [make_subsegment("api", namespace="remote", start_time=NOON) for _ in range(2)]
        store(make_segment(start_time=NOON + number, subsegments=[*calls, *others]))


def test_the_busiest(connection: sqlite3.Connection, store: Store) -> None:
    store_traces(store)

    # Of two that call as often, the last.
    assert list_busiest(connection, range(1, 7), 5, 20) == [4, 6, 1]
    assert list_busiest(connection, [1, 2, 3], 5, 20) == [2, 1]
    assert list_busiest(connection, range(1, 7), 8, 20) == [4]
    assert list_busiest(connection, range(1, 7), 21, 20) == []
    assert list_busiest(connection, [], 5, 20) == []


def test_no_more_than_are_enough(connection: sqlite3.Connection, store: Store) -> None:
    store_traces(store)

    assert list_busiest(connection, range(1, 7), 5, 1) == [4]
    assert list_busiest(connection, range(1, 7), 5, 2) == [4, 6]
