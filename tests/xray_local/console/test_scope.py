"""What a page is about: its range, group and filter."""

import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.test import RequestFactory

from tests.xray_local.conftest import Console
from tests.xray_local.made import NOON
from xray_local.console.scope import RANGES, Scope, read_scope
from xray_local.errors import InvalidRequest
from xray_local.filters import BadFilter


@pytest.fixture
def read(console: Console) -> Any:
    """A function that reads the scope of a query at noon."""
    console.post("/CreateGroup", {"GroupName": "broken", "FilterExpression": "fault"})

    def read(query: str = "") -> Scope:
        request = RequestFactory().get(f"/traces?{query}", **console._environ)
        return read_scope(request, now=NOON)

    return read


def test_without_a_query(read: Any) -> None:
    scope = read()

    assert (scope.start, scope.end, scope.words) == (NOON - 3600, NOON, "the last hour")
    assert scope.read_filter() is None
    assert scope.here() == "?"
    assert scope.link("/live") == "/live"


@pytest.mark.parametrize("name", RANGES)
def test_a_range_up_to_now(read: Any, name: str) -> None:
    scope = read(f"range={name}")

    assert (scope.end, scope.seconds) == (NOON, RANGES[name][0])
    assert read(scope.here().removeprefix("?")) == scope


def test_a_range_by_its_ends(read: Any) -> None:
    scope = read("start=1699999000.5&end=1700000000&live=1")

    assert (scope.start, scope.end, scope.range) == (1_699_999_000.5, NOON, "")
    assert not scope.is_live
    assert scope.here() == "?start=1699999000.5&end=1700000000"


def test_a_range_as_a_form_sends_it(read: Any) -> None:
    scope = read("start=2023-11-14T22:00&end=2023-11-14T22:00:30")

    assert scope.start == datetime(2023, 11, 14, 22).timestamp()
    assert scope.seconds == 30


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("range=2h", "Expected one of 5m, 15m, 1h, 6h, 24h, 7d as range, got '2h'"),
        ("start=1", "Expected both start and end, or neither"),
        ("end=1", "Expected both start and end, or neither"),
        ("start=2&end=1", "Expected a start before the end, got '2' and '1'"),
        ("start=1&end=1", "Expected a start before the end"),
        ("start=x&end=1", "as start, got 'x'"),
        ("start=nan&end=1", "as start, got 'nan'"),
        ("start=-1&end=1", "as start, got '-1'"),
        ("start=1&end=1e300", "as end, got '1e300'"),
        ("start=1&end=0001-01-01T00:00", "as end, got '0001"),
        ("live=yes", "Expected 1 or 0 as live, got 'yes'"),
        ("group=none", "Expected one of 'Default', 'broken' as group, got 'none'"),
    ],
)
def test_what_is_refused(read: Any, console: Console, query: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^Expected") as refused:
        read(query)

    assert reason in str(refused.value)
    assert "This link does not lead anywhere" in console.page(f"/traces?{query}", 400)


def test_group_and_filter_hold_both(read: Any) -> None:
    scope = read("group=broken&filter=ok OR error")

    assert scope.expression == '(group.name = "broken") AND (ok OR error)'
    assert scope.read_filter()
    assert read("group=broken").expression == 'group.name = "broken"'
    assert read("filter= ok ").expression == "ok"


def test_a_mistake_is_at_its_place_in_the_filter(read: Any) -> None:
    with pytest.raises(BadFilter, match="at character 12") as mistake:
        read("group=broken&filter=duration > fast").read_filter()

    assert mistake.value.position == 12


def test_a_filter_that_ends_the_parentheses(read: Any) -> None:
    """Not by a trick either does a filter reach beyond its group."""
    with pytest.raises(BadFilter):
        read("group=broken&filter=ok) OR (ok").read_filter()


def test_links_carry_what_the_page_is_about(read: Any) -> None:
    scope = read("range=6h&group=broken&filter=a%3D%22%26%22&live=1&columns=url&after=x")

    assert dict(parse_qsl(scope.link("/traces").partition("?")[2])) == {
        "range": "6h",
        "group": "broken",
        "filter": 'a="&"',
        "live": "1",
    }
    assert "columns" in scope.here()
    assert "after" not in scope.here()
    assert "after=y" in scope.here(after="y")
    assert "filter" not in scope.link("/traces", filter=None)


def test_a_range_replaces_ends_and_ends_a_range(read: Any) -> None:
    assert read("start=1&end=2").here(range="5m") == "?range=5m"
    assert read("start=1&end=2").here(range="1h") == "?"
    assert read("range=6h&live=1").here(start=1, end=2.25) == "?start=1&end=2.25"
    assert read("range=5m").here(end=NOON - 1) == f"?start={NOON - 300:.0f}&end={NOON - 1:.0f}"


def test_forms_send_along_what_they_do_not_ask(read: Any) -> None:
    scope = read("range=6h&filter=ok&columns=url&after=x")

    assert dict(scope.fields()) == {"columns": "url", "range": "6h", "filter": "ok"}
    assert dict(scope.fields("filter", "range")) == {"columns": "url"}


def test_now_is_the_clock(console: Console) -> None:
    before = time.time()

    assert before <= console.get("/traces").context["scope"].end <= time.time()
