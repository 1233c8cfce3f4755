"""What some traces have in common."""

import sqlite3
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment
from xray_local.filters import read_filter
from xray_local.store.facets import count_facets
from xray_local.store.orders import Order
from xray_local.store.queries import (
    PAGE_TRACES,
    RangeType,
    TimeRange,
    count_traces,
    list_sure,
    list_traces,
)

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
    fitting = list_sure(connection, AROUND_NOON, None, 100)

    facets = count_facets(connection, fitting.numbers)

    assert fitting.is_all
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


def list_found(
    connection: sqlite3.Connection, expression: str | None, limit: int, most: int = 0
) -> tuple[list[int], bool, bool]:
    chosen = read_filter(expression) if expression else None
    found = list_sure(connection, AROUND_NOON, chosen, limit, most)
    return found.numbers, found.is_all, found.is_gapless


def test_numbers_are_of_the_newest_that_fit(connection: sqlite3.Connection, store: Store) -> None:
    store(*make_traces())

    assert list_found(connection, None, 5) == ([12, 11, 10, 9, 8], False, True)
    assert list_found(connection, "fault", 5) == ([12, 9, 6, 3], True, True)
    assert list_found(connection, "fault", 4) == ([12, 9, 6, 3], True, True)
    assert list_found(connection, "fault", 3) == ([12, 9, 6], False, True)


def test_what_only_documents_tell_is_not_counted(
    connection: sqlite3.Connection, store: Store
) -> None:
    store(*make_traces())
    expression = 'rootcause.fault.service { name = "site" }'

    assert list_found(connection, expression, 100) == ([], False, False)


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


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize(
    "expression", ["ok", 'annotation.word = "x"', 'service("api")', 'http.url CONTAINS "0"']
)
def test_what_is_known_to_fit_makes_the_same_pages(
    connection: sqlite3.Connection, store: Store, order: Order, expression: str
) -> None:
    store(*make_traces())
    chosen = read_filter(expression)
    fitting = list_sure(connection, AROUND_NOON, chosen, 2, 100)
    token: str | None = None

    for _ in range(PAGE_TRACES):
        options: dict[str, Any] = {"time_range": AROUND_NOON, "chosen": chosen, "token": token}
        page = list_traces(connection, **options, limit=5, order=order)
        assert page == list_traces(
            connection,
            **options,
            limit=5,
            order=order,
            among=fitting.numbers if fitting.is_all else None,
        )
        token = page.next_token
        if token is None:
            break


def test_where_all_is_read_more_numbers_are_told(
    connection: sqlite3.Connection, store: Store
) -> None:
    store(*make_traces())
    one = "annotation.number = 1"

    assert list_found(connection, one, 2) == ([12, 10], False, True)
    assert list_found(connection, one, 2, 5) == ([12, 10], False, True)
    assert list_found(connection, one, 2, 6) == ([12, 10, 8, 6, 4, 2], True, True)


@pytest.mark.parametrize("looked_at", [1, 3, 100])
@pytest.mark.parametrize("order", [Order.SLOWEST, Order.LOWEST_STATUS])
def test_what_is_common_is_found_among_the_first(
    connection: sqlite3.Connection,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    order: Order,
    looked_at: int,
) -> None:
    store(*make_traces())
    chosen = read_filter('http.url CONTAINS "0" AND responsetime >= 0')
    expected = [
        each["Id"]
        for each in list_traces(connection, order=order).summaries
        if each["Http"]["HttpURL"].endswith("0")
    ]
    monkeypatch.setattr("xray_local.store.scans.RANKED_LOOKED_AT", looked_at)

    page = list_traces(connection, chosen=chosen, order=order, limit=3)

    assert [each["Id"] for each in page.summaries] == expected[:3]
    assert page.next_token


def test_summaries_have_no_root_causes_where_nobody_asks(
    connection: sqlite3.Connection, store: Store
) -> None:
    store(*make_traces())

    (brief,) = list_traces(connection, limit=1, has_causes=False).summaries
    (whole,) = list_traces(connection, limit=1).summaries

    assert whole["FaultRootCauses"]
    assert brief == {key: value for key, value in whole.items() if "RootCauses" not in key}
