"""What some traces have in common."""

import sqlite3
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment
from xray_local.filters import read_filter
from xray_local.store.facets import count_facets
from xray_local.store.queries import (
    PAGE_TRACES,
    RangeType,
    TimeRange,
    count_traces,
    list_numbers,
    list_traces,
)
from xray_local.store.scans import Order

AROUND_NOON = TimeRange(NOON - 100, NOON + 1000, RangeType.EVENT)


def make_traces() -> list[dict[str, Any]]:
    return [
        make_segment(
            name="site",
            start_time=NOON + number,
            end_time=NOON + number + number % 7 / 10,
            http=make_request(f"http://a/{number % 3}", (200, 404, 500)[number % 3]),
            fault=True if number % 3 == 2 else None,
            user="ada" if number % 2 else None,
            annotations={"number": number % 2, "flag": bool(number % 2), "word": "x"},
            subsegments=[make_subsegment("api", namespace="remote") for _ in range(2)],
        )
        for number in range(12)
    ]


def test_facets(connection: sqlite3.Connection, store: Store) -> None:
    store(*make_traces())
    numbers, are_all = list_numbers(connection, AROUND_NOON, None, 100)

    facets = count_facets(connection, numbers)

    assert are_all
    assert facets.urls == {"http://a/0": 4, "http://a/1": 4, "http://a/2": 4}
    assert facets.methods == {"GET": 12}
    assert facets.statuses == {200: 4, 404: 4, 500: 4}
    assert facets.users == {"ada": 6}
    assert facets.services == {"site": 12, "api": 12}
    assert facets.annotations == {
        "number": {(False, 0): 6, (False, 1): 6},
        "flag": {(True, False): 6, (True, True): 6},
        "word": {(False, "x"): 12},
    }


def test_numbers_are_of_the_newest_that_fit(connection: sqlite3.Connection, store: Store) -> None:
    store(*make_traces())

    newest, are_all = list_numbers(connection, AROUND_NOON, None, 5)
    faults, are_all_faults = list_numbers(connection, AROUND_NOON, read_filter("fault"), 5)

    assert (newest, are_all) == ([12, 11, 10, 9, 8], False)
    assert (faults, are_all_faults) == ([12, 9, 6, 3], True)
    assert list_numbers(connection, AROUND_NOON, read_filter("fault"), 4) == (faults, True)
    assert list_numbers(connection, AROUND_NOON, read_filter("fault"), 3) == (faults[:3], False)


def test_what_only_documents_tell_is_not_counted(
    connection: sqlite3.Connection, store: Store
) -> None:
    store(*make_traces())
    chosen = read_filter('rootcause.fault.service { name = "site" }')

    assert list_numbers(connection, AROUND_NOON, chosen, 100) == ([], False)


def test_traces_are_counted(connection: sqlite3.Connection, store: Store) -> None:
    store(*make_traces())

    assert count_traces(connection, AROUND_NOON) == 12
    assert count_traces(connection, TimeRange(NOON + 6.05, NOON + 8, RangeType.EVENT)) == 2


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize(
    "expression",
    [None, "fault", 'annotation.word = "x"', 'service("api")', 'http.url CONTAINS "0"'],
)
def test_every_order_has_each_trace_once(
    connection: sqlite3.Connection, store: Store, order: Order, expression: str | None
) -> None:
    store(*make_traces())
    chosen = read_filter(expression) if expression else None
    expected = list_traces(connection, time_range=AROUND_NOON, chosen=chosen).summaries
    token, found = None, []

    for _ in range(PAGE_TRACES):
        page = list_traces(
            connection, time_range=AROUND_NOON, chosen=chosen, token=token, limit=5, order=order
        )
        found += page.summaries
        token = page.next_token
        if token is None:
            break

    read = {
        "start_time": lambda summary: summary["StartTime"],
        "response_time": lambda summary: summary["ResponseTime"],
        "COALESCE(http_status, 0)": lambda summary: summary["Http"]["HttpStatus"],
    }[order.column]
    places = [read(summary) for summary in found]
    assert places == sorted(places, reverse=order.direction == "DESC")
    assert sorted(each["Id"] for each in found) == sorted(each["Id"] for each in expected)
    assert len(found) == len({each["Id"] for each in found})
