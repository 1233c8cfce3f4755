"""What to look at first."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import make_id, make_request, make_segment, make_subsegment
from xray_local.console.leads import REPEATED_LEAST, Leads, find_leads
from xray_local.console.scope import Scope
from xray_local.graph.sources import find_fitting

Find = Callable[..., Leads]


@pytest.fixture
def find(connection: sqlite3.Connection) -> Find:
    def find(expression: str = "") -> Leads:
        now = time.time()
        scope = Scope(now - 60, now + 60, filter=expression)
        fitting = find_fitting(connection, scope.start, scope.end, scope.read_filter())
        return find_leads(connection, scope, fitting)

    return find


def make_request_of(url: str, status: int = 200, **fields: Any) -> dict[str, Any]:
    return make_segment(
        name="site", start_time=time.time(), http=make_request(url, status), **fields
    )


def make_exception(name: str, message: str) -> dict[str, Any]:
    return {"exceptions": [{"id": make_id(), "type": name, "message": message}]}


def test_routes_that_fail_with_their_exceptions(find: Find, store: Store) -> None:
    for number in (1, 2, 3):
        cause = make_exception("ValueError", "No size.")
        work = make_subsegment("work", start_time=time.time(), fault=True, cause=cause)
        store(
            make_request_of(f"http://site/films/{number}", 500, fault=True, subsegments=[work]),
            make_request_of("http://site/gone", 404, error=True),
        )
    store(make_request_of("http://site/well"))

    failing = find().failing

    assert [
        (each.route.label, each.flag, each.count, each.place, each.type, each.message)
        for each in failing
    ] == [
        ("GET /films/{id}", "fault", 3, "site", "ValueError", "No size."),
        ("GET /gone", "error", 3, "site", "", ""),
    ]
    assert failing[0].expression.startswith('fault AND service("site") AND ')


def test_the_exception_of_a_service_behind_a_call_that_knows_none(find: Find, store: Store) -> None:
    now = time.time()
    call = make_subsegment("Lambda", namespace="aws", start_time=now)
    gateway = make_segment(name="gateway", start_time=now, fault=True, subsegments=[call])
    function = make_segment(
        name="function",
        trace_id=gateway["trace_id"],
        parent_id=call["id"],
        start_time=now,
        fault=True,
        cause=make_exception("KeyError", "'title'"),
    )
    store(gateway, function)

    (failing,) = find().failing

    assert (failing.place, failing.type, failing.message) == ("function", "KeyError", "'title'")


def make_queries(count: int) -> list[dict[str, Any]]:
    now = time.time()
    return [
        make_subsegment(
            "db",
            namespace="remote",
            start_time=now,
            end_time=now + 0.002,
            sql={"sanitized_query": " ".join(["SELECT a FROM t LIMIT", str(number)])},
        )
        for number in range(count)
    ]


def test_a_query_that_comes_again_and_again(find: Find, store: Store) -> None:
    most = make_request_of("http://site/list", subsegments=make_queries(20))
    store(
        make_request_of("http://site/list", subsegments=make_queries(7)),
        most,
        make_request_of("http://site/few", subsegments=make_queries(REPEATED_LEAST - 1)),
    )

    (repeated,) = find().repeated

    assert repeated.count == 20
    assert repeated.operation.note == "SELECT a FROM t LIMIT ?"
    assert repeated.duration_ms == pytest.approx(40, abs=0.1)
    assert repeated.trace_id == most["trace_id"]
    assert repeated.route.label == "GET /list"


def test_a_query_that_came_again_long_ago(
    find: Find, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xray_local.console.leads.SAMPLE_TRACES", 2)
    now = time.time()
    long_ago = make_segment(
        name="site",
        start_time=now - 30,
        end_time=now - 20,
        http=make_request("http://site/list", 200),
        subsegments=make_queries(20),
    )
    store(long_ago, *(make_request_of("http://site/list", end_time=now + 0.1) for _ in range(5)))

    leads = find()

    assert [(each.count, each.trace_id) for each in leads.repeated] == [(20, long_ago["trace_id"])]
    assert (leads.looked_at, leads.among) == (2, 6)
    # Of the newest alone.
    assert list(leads.spreads) == []
    assert list(find("http.status = 500").repeated) == []


def test_a_fast_and_a_slow_request_of_the_same_route(find: Find, store: Store) -> None:
    now = time.time()
    fast, middle, slow = (
        make_request_of("http://site/sometimes", end_time=now + seconds)
        for seconds in (0.1, 0.2, 0.9)
    )
    store(
        middle,
        slow,
        fast,
        make_request_of("http://site/always", end_time=now + 0.1),
        make_request_of("http://site/always", end_time=now + 0.11),
    )

    (spread,) = find().spreads

    assert (spread.fast_id, spread.slow_id) == (fast["trace_id"], slow["trace_id"])
    assert spread.factor == pytest.approx(9, rel=0.05)


def test_one_request_does_not_differ_from_itself(find: Find, store: Store) -> None:
    start = time.time()
    request = make_request("http://site/at-once", 200)
    store(make_segment(start_time=start, end_time=start, http=request))

    assert list(find().spreads) == []


def test_only_what_fits_the_filter(find: Find, store: Store) -> None:
    store(
        make_request_of("http://site/a", 500, fault=True),
        make_request_of("http://site/b", 500, fault=True),
    )

    leads = find('http.url ENDSWITH "a"')

    assert [each.route.label for each in leads.failing] == ["GET /a"]
    assert leads.looked_at == 1


def test_nothing_stored(find: Find) -> None:
    assert find() == Leads([], [], [], 0)
