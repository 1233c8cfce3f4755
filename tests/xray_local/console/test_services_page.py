"""The screen of services and routes."""

import html
import time
from typing import Any

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import make_id, make_request, make_segment, make_subsegment
from xray_local.console import services_page
from xray_local.console.services_page import Line
from xray_local.graph import sources

START = int(time.time()) // 60 * 60 - 600
END = START + 600
RANGE = f"start={START}&end={END}"


def make_visit(path: str, seconds: float, at: float = 0.0, **fields: Any) -> dict[str, Any]:
    start = START + at
    return make_segment(
        **{
            "name": "site",
            "origin": "AWS::Lambda::Function",
            "start_time": start,
            "end_time": start + seconds,
            "http": make_request(f"http://site.local{path}", 500 if fields.get("fault") else 200),
        }
        | fields
    )


def open_lines(console: Console, query: str = RANGE) -> tuple[list[Line], list[Line]]:
    response = console.get(f"/services?{query}")
    assert response.status_code == 200, response.content
    return response.context["services"], response.context["routes"]


def test_services_are_counted_as_the_api_counts_them(console: Console, store: Store) -> None:
    for number in range(40):
        start = START + number * 10.0
        table = make_subsegment(
            "DynamoDB",
            namespace="aws",
            aws={"table_name": "Films"},
            start_time=start,
            end_time=start + 0.02,
        )
        fault = True if number % 4 == 0 else None
        store(make_visit("/", 0.1 + number / 100, number * 10.0, fault=fault, subsegments=[table]))

    services, _ = open_lines(console)

    told = console.post("/ServiceGraph", {"StartTime": START, "EndTime": END}).json()["Services"]
    assert {
        line.name: (line.statistics.to_api(), line.statistics.histogram_to_api())
        for line in services
    } == {
        each["Name"]: (each["SummaryStatistics"], each["ResponseTimeHistogram"])
        for each in told
        if each["Type"] != "client"
    }
    site = next(line for line in services if line.name == "site")
    assert (site.per_minute, site.fault_percent, site.error_percent) == (4, 25, 0)


def test_routes_with_their_figures(console: Console, store: Store) -> None:
    for number in range(10):
        store(make_visit(f"/films/{number}", 0.1))
    store(
        make_visit("/search?q=a", 0.2),
        make_visit("/search?q=b", 0.4, fault=True),
        make_visit("/search?q=c", 0.6, error=True, annotations={"route": "search"}),
        make_visit("/open", 0, end_time=None, in_progress=True),
    )

    _, routes = open_lines(console)

    assert [
        (line.name, line.statistics.total, line.fault_percent, round(line.average_ms))
        for line in routes
    ] == [
        ("GET /films/{id}", 10, 0, 100),
        ("GET /search", 2, 50, 300),
        ("GET search", 1, 0, 600),
        ("GET /open", 0, 0, 0),
    ]
    assert routes[0].per_minute == 1
    assert routes[2].error_percent == 100
    for line in routes[:3]:
        found = console.post(
            "/TraceSummaries",
            {"StartTime": START, "EndTime": END, "FilterExpression": line.traces},
        ).json()["TraceSummaries"]
        assert len(found) >= line.statistics.total


def test_of_many_traces_the_newest_are_told(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_page, "ROUTED_TRACES", 5)
    store(*[make_visit(f"/{number}", 0.1, number * 60.0) for number in range(10)])

    page = console.page(f"/services?{RANGE}")
    _, routes = open_lines(console)

    assert "Of the newest 5 of 10 traces." in page
    assert routes[0].statistics.total == 5
    # From the fifth newest to the end of the range.
    assert routes[0].per_minute == pytest.approx(1)


def test_what_the_time_was_spent_on(console: Console, store: Store) -> None:
    def call(name: str, start: float, end: float, **fields: Any) -> dict[str, Any]:
        return make_subsegment(name, start_time=START + start, end_time=START + end, **fields)

    subsegments = [
        call("db", 0.0, 0.2, namespace="remote", sql={"sanitized_query": "SELECT 1"}),
        call("page.html", 0.2, 0.3),
        call("S3", 0.3, 0.6, namespace="aws", aws={"bucket_name": "posters"}),
        call("api.local", 0.6, 0.7, namespace="remote"),
    ]
    store(make_visit("/", 1.0, subsegments=subsegments))

    services, routes = open_lines(console)

    site = next(line for line in services if line.name == "site")
    for line in (site, routes[0]):
        assert [(share.kind, round(share.percent)) for share in line.shares] == [
            ("local", 30),
            ("sql", 20),
            ("template", 10),
            ("aws", 30),
            ("remote", 10),
        ]
    page = console.page(f"/services?{RANGE}")
    assert 'aria-label="own code 30 %, SQL 20 %, templates 10 %' in page


def test_trends_against_the_time_before(console: Console, store: Store) -> None:
    store(make_visit("/", 0.1, -300), make_visit("/", 0.5, 300))

    services, _ = open_lines(console)

    assert services[0].trend == "5.1 times slower"
    assert services[0].spark is not None
    assert services[0].spark.words.startswith("Requests over time: 1, at most")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("name", ["a", "b", "c"]),
        ("requests", ["c", "a", "b"]),
        ("average", ["b", "c", "a"]),
        ("p99", ["b", "c", "a"]),
        ("faults", ["a", "b", "c"]),
    ],
)
def test_sorted(console: Console, store: Store, order: str, expected: list[str]) -> None:
    store(
        make_visit("/", 0.1, name="a", fault=True),
        make_visit("/", 0.9, name="b"),
        make_visit("/", 0.3, name="c"),
        make_visit("/", 0.3, name="c"),
    )

    services, _ = open_lines(console, f"{RANGE}&sort={order}")

    assert [line.name for line in services] == expected


def test_a_wrong_order(console: Console) -> None:
    page = console.page("/services?sort=x", 400)

    assert "Expected name or one of requests, average" in html.unescape(page)


def test_a_filter_and_a_group(console: Console, store: Store) -> None:
    store(make_visit("/", 0.1, name="a"), make_visit("/", 0.1, name="b", id=make_id()))

    services, routes = open_lines(console, f'{RANGE}&filter=service("a")')

    assert [line.name for line in services] == ["a"]
    assert [line.type for line in routes] == ["a"]
    assert sum(services[0].statistics.histogram.values()) == 1


def test_what_has_not_ended_has_no_times(console: Console, store: Store) -> None:
    store(make_visit("/", 0.1, end_time=None, in_progress=True))

    assert "0.00 ms" not in console.page(f"/services?{RANGE}")
    assert [line.is_timed for line in open_lines(console)[0]] == [False]


def test_nothing(console: Console, store: Store) -> None:
    assert "Nothing has arrived yet" in console.page("/services")
    store(make_visit("/", 0.1))
    assert "Nothing has been traced in the last 5 minutes" in console.page("/services?range=5m")


def test_of_many_traces_that_fit_the_newest_are_counted(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sources, services_page):
        monkeypatch.setattr(module, "GROUP_TRACES", 5)
    store(*[make_visit(f"/{number}", 0.1, number * 60.0) for number in range(10)])

    page = console.page(f"/services?{RANGE}&filter=ok")
    services, routes = open_lines(console, f"{RANGE}&filter=ok")

    assert (
        "and fit, the newest 5 at most (where only documents tell, those of 400 are asked), as"
        in page
    )
    assert "Of the newest 5 traces that fit." in page
    assert [line.statistics.total for line in (*services, *routes)] == [5, 5]
