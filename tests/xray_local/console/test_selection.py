"""What is chosen on the map, against what the X-Ray API says of the same."""

import html
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import make_request, make_segment, make_subsegment
from xray_local.console.selection import Portrait, choose_period

NOW = time.time()
START, END = int(NOW) // 60 * 60 - 1200, int(NOW) // 60 * 60
FRONT = {"node": "front", "type": "AWS::Lambda::Function"}


@pytest.fixture
def traces(store: Store) -> list[dict[str, Any]]:
    """Requests of twenty minutes: each fifth a fault, each seventh slow, each third throttled."""
    made = []
    for number in range(60):
        start = START + number * 20.0
        table = make_subsegment(
            "DynamoDB",
            namespace="aws",
            aws={"table_name": "Movies"},
            start_time=start,
            end_time=start + 0.05,
            **({"throttle": True, "error": True} if number % 3 == 0 else {}),
        )
        made.append(
            make_segment(
                name="front",
                origin="AWS::Lambda::Function",
                start_time=start,
                end_time=start + (0.9 if number % 7 == 0 else 0.1 + number / 1000),
                fault=number % 5 == 0 or None,
                http=make_request(f"http://site/{number}", 500 if number % 5 == 0 else 200),
                subsegments=[table],
            )
        )
    store(*made)
    return made


def choose(console: Console, **query: Any) -> Portrait:
    path = f"/?{urlencode({'start': START, 'end': END} | query)}"
    response = console.get(path)
    assert response.status_code == 200, response.content
    portrait: Portrait = response.context["portrait"]
    return portrait


def ask(console: Console, path: str, **fields: Any) -> dict[str, Any]:
    response = console.post(path, {"StartTime": START, "EndTime": END} | fields)
    assert response.status_code == 200, response.content
    return dict(response.json())


@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize(
    ("query", "selector"),
    [
        (FRONT, 'service(id(name: "front", type: "AWS::Lambda::Function"))'),
        ({"node": "Movies", "type": "AWS::DynamoDB::Table"}, 'service("Movies")'),
        (
            {
                "node": "Movies",
                "type": "AWS::DynamoDB::Table",
                "source": "front",
                "source_type": "AWS::Lambda::Function",
            },
            'edge("front", "Movies")',
        ),
        (
            FRONT | {"source": "front", "source_type": "client"},
            'edge(id(name: "front", type: "client"), "front")',
        ),
        (
            {"node": "front", "type": "client"},
            'edge(id(name: "front", type: "client"), "front")',
        ),
    ],
    ids=["service", "inferred", "edge", "client's edge", "client"],
)
def test_the_figures_are_those_of_the_api(
    console: Console, query: dict[str, str], selector: str
) -> None:
    portrait = choose(console, **query)
    rows = ask(console, "/TimeSeriesServiceStatistics", EntitySelectorExpression=selector)[
        "TimeSeriesServiceStatistics"
    ]

    kind = "EdgeSummaryStatistics" if selector.startswith("edge") else "ServiceSummaryStatistics"
    assert portrait.period_seconds == 60
    assert [
        (each.time, each.statistics.to_api(), each.statistics.histogram_to_api())
        for each in portrait.periods
        if each.statistics.total
    ] == [(row["Timestamp"], row[kind], row["ResponseTimeHistogram"]) for row in rows]
    assert portrait.statistics.total == sum(row[kind]["TotalCount"] for row in rows) == 60


@pytest.mark.usefixtures("traces")
def test_the_statistics_are_those_of_the_graph(console: Console) -> None:
    services = ask(console, "/ServiceGraph")["Services"]
    front = next(each for each in services if each.get("Root"))

    portrait = choose(console, **FRONT)

    assert portrait.statistics.to_api() == front["SummaryStatistics"]
    assert portrait.statistics.histogram_to_api() == front["ResponseTimeHistogram"]
    assert portrait.statistics.faults == 12


@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize("minutes", [0, 1])
def test_the_figures_of_a_group_are_those_of_the_api(console: Console, minutes: int) -> None:
    """Of a period in the middle of which the range begins, the charts show all."""
    console.post("/CreateGroup", {"GroupName": "quick", "FilterExpression": "responsetime < 0.5"})
    start = -(-START // 120) * 120 + 60 * minutes
    times = {"StartTime": start, "EndTime": start + 7200, "GroupName": "quick"}
    selector = 'service(id(name: "front", type: "AWS::Lambda::Function"))'

    portrait = choose(console, **FRONT, start=start, end=start + 7200, group="quick")
    rows = ask(
        *(console, "/TimeSeriesServiceStatistics"),
        **times,
        Period=120,
        EntitySelectorExpression=selector,
    )["TimeSeriesServiceStatistics"]
    services = ask(console, "/ServiceGraph", **times)["Services"]
    (node,) = [each for each in services if each["Name"] == "front" and each.get("Root")]

    assert portrait.period_seconds == 120
    assert [
        (each.time, each.statistics.to_api(), each.statistics.histogram_to_api())
        for each in portrait.periods
    ] == [
        (row["Timestamp"], row["ServiceSummaryStatistics"], row["ResponseTimeHistogram"])
        for row in rows
    ]
    assert portrait.statistics.to_api() == node["SummaryStatistics"]
    shown = sum(each.statistics.total for each in portrait.periods)
    assert (portrait.statistics.total < shown) is bool(minutes)


@pytest.mark.usefixtures("traces")
def test_the_slowest_and_the_failing_traces(console: Console) -> None:
    portrait = choose(console, **FRONT)

    assert [line.response_ms for line in portrait.slowest] == [pytest.approx(900)] * 5
    assert [line.flags[0] for line in portrait.failing] == ["fault"] * 5
    # The newest first.
    assert [line.title for line in portrait.failing] == ["/55", "/50", "/45", "/40", "/35"]


@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 60),
        ({"outcome": "fault"}, 12),
        ({"low": "0.5"}, 9),
        ({"high": "0.5"}, 51),
        ({"low": "0.5", "high": "1", "outcome": "fault"}, 2),
    ],
)
def test_narrowed_to_some_requests(console: Console, query: dict[str, str], count: int) -> None:
    portrait = choose(console, **FRONT, **query)

    found = ask(console, "/TraceSummaries", FilterExpression=portrait.traces)
    assert len(found["TraceSummaries"]) == count
    assert portrait.selection.is_narrowed is bool(query)


@pytest.mark.usefixtures("traces")
def test_columns_of_the_histogram_find_as_many_traces(console: Console) -> None:
    histogram = choose(console, **FRONT).histogram

    for column in histogram.columns:
        narrowed = choose(console, **FRONT, low=column.low, high=column.high)
        found = ask(console, "/TraceSummaries", FilterExpression=narrowed.traces)
        assert column.label.endswith(f": {len(found['TraceSummaries'])}")


def test_what_is_worse_than_before_is_said(console: Console, store: Store) -> None:
    for start, fault in ((START - 600, None), (START + 600, True)):
        for number in range(20):
            took = 0.5 if fault else 0.1
            store(
                make_segment(
                    name="front",
                    start_time=float(start + number),
                    end_time=start + number + took,
                    fault=fault if number % 2 else None,
                )
            )

    alarms = choose(console, node="front").alarms

    assert alarms == [
        "Faults: 50 % of the requests, 0 % in the time before.",
        "Slower: 95 of 100 within 511 ms, within 100 ms in the time before.",
    ]


@pytest.mark.usefixtures("traces")
def test_what_is_not_there(console: Console) -> None:
    page = console.page(f"/?start={START}&end={END}&node=nobody")

    assert "No request of it has ended" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("low=x", "Expected seconds as low, got 'x'"),
        ("high=-1", "Expected seconds as high, got '-1'"),
        ("outcome=bad", "Expected one of ok, error, throttle, fault as outcome, got 'bad'"),
    ],
)
def test_wrong_queries(console: Console, query: str, expected: str) -> None:
    assert expected in html.unescape(console.page(f"/?node=front&{query}", 400)).replace('"', "'")


@pytest.mark.parametrize(
    ("seconds", "period"),
    [(300, 60), (3600, 60), (6 * 3600, 360), (86_400, 3600), (7 * 86_400, 10_800)],
)
def test_periods_suit_the_range(seconds: float, period: int) -> None:
    assert choose_period(seconds) == period
