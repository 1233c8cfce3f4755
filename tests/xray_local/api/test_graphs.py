"""GetServiceGraph, GetTraceGraph and GetTimeSeriesServiceStatistics."""

import time
from typing import Any

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import (
    NOON,
    make_late,
    make_segment,
    make_subsegment,
    make_trace_id,
    wait_until,
)
from tests.xray_local.program import Program
from xray_local.api import graphs
from xray_local.graph import links, sources

MINUTE = NOON // 60 * 60
RANGE = {"StartTime": MINUTE, "EndTime": MINUTE + 600}


def ask(console: Console, path: str, **fields: Any) -> dict[str, Any]:
    response = console.post(path, RANGE | fields)
    assert response.status_code == 200, response.content
    return dict(response.json())


def refuse(console: Console, path: str, **fields: Any) -> str:
    """Return why the request is not answered."""
    response = console.post(path, RANGE | fields)
    assert response.status_code == 400, response.content
    assert response.headers["x-amzn-ErrorType"] == "InvalidRequestException"
    return str(response.json()["Message"])


def name_services(answer: dict[str, Any]) -> list[str]:
    """Return the names, without those of clients."""
    return [each["Name"] for each in answer["Services"] if each.get("Type") != "client"]


def make_front(**fields: Any) -> dict[str, Any]:
    """Return a segment of 0.5 s that calls a table for 0.1 s."""
    start = fields.get("start_time", NOON)
    table = make_subsegment(
        "DynamoDB",
        namespace="aws",
        aws={"table_name": "Movies"},
        start_time=start,
        end_time=start + 0.1,
    )
    return make_segment(
        **{"name": "front", "start_time": start, "end_time": start + 0.5, "subsegments": [table]}
        | fields
    )


def test_boto3_gets_the_graph_of_a_range(client: Any, shared_xray: Program) -> None:
    now = time.time()
    front = make_front(name=f"front {now}", start_time=now)
    shared_xray.send(front)
    paginator = client.get_paginator("get_service_graph")

    def get_services() -> Any:
        pages = paginator.paginate(StartTime=now - 60, EndTime=now + 60).build_full_result()
        names = (front["name"], "Movies")
        found = {each.get("Type"): each for each in pages["Services"] if each["Name"] in names}
        # Other tests store traces with the same table.
        return None in found and found

    by_type = wait_until(get_services)

    root, table, caller = by_type[None], by_type["AWS::DynamoDB::Table"], by_type["client"]
    assert (root["Root"], root["State"], table["State"]) == (True, "active", "unknown")
    assert caller["Edges"][0]["ReferenceId"] == root["ReferenceId"]
    assert root["Edges"][0]["ReferenceId"] == table["ReferenceId"]
    assert root["SummaryStatistics"]["OkCount"] == 1
    assert root["ResponseTimeHistogram"][0]["Value"] == pytest.approx(0.5, rel=0.11)


def test_boto3_gets_the_graph_of_traces(client: Any, shared_xray: Program) -> None:
    front = make_front()
    shared_xray.send(front)

    def get_services() -> Any:
        return client.get_trace_graph(TraceIds=[front["trace_id"], make_trace_id()])["Services"]

    services = wait_until(get_services)

    # Of single traces, times are exact.
    assert {each["StartTime"].timestamp() for each in services} == {NOON}
    assert {each["EndTime"].timestamp() for each in services} == {NOON + 0.5}
    assert sorted(each["Name"] for each in services) == ["Movies", "front", "front"]


def test_boto3_gets_time_series(client: Any, shared_xray: Program) -> None:
    now = time.time()
    name = f"series {now}"
    shared_xray.send(make_front(name=name, start_time=now))
    paginator = client.get_paginator("get_time_series_service_statistics")

    def get_rows() -> Any:
        return paginator.paginate(
            StartTime=now - 60,
            EndTime=now + 60,
            Period=60,
            EntitySelectorExpression=f'service("{name}")',
        ).build_full_result()["TimeSeriesServiceStatistics"]

    (row,) = wait_until(get_rows)

    assert row["Timestamp"].timestamp() == now // 60 * 60
    assert row["ServiceSummaryStatistics"]["TotalCount"] == 1
    assert row["ResponseTimeHistogram"][0]["Count"] == 1


def test_the_graph_has_what_began_in_the_range(console: Console, store: Store) -> None:
    store(
        make_segment(name="before", start_time=MINUTE - 1),
        make_segment(name="first", start_time=MINUTE),
        make_segment(name="last", start_time=MINUTE + 599),
        make_segment(name="after", start_time=MINUTE + 600),
    )

    answer = ask(console, "/ServiceGraph")

    assert name_services(answer) == ["first", "last"]
    assert (answer["StartTime"], answer["EndTime"]) == (MINUTE, MINUTE + 600)
    assert answer["ContainsOldGroupVersions"] is False


def test_a_range_counts_by_whole_minutes(console: Console, store: Store) -> None:
    store(make_segment(name="first", start_time=MINUTE + 5))

    fields = {"StartTime": MINUTE + 30, "EndTime": MINUTE + 40}

    assert name_services(ask(console, "/ServiceGraph", **fields)) == ["first"]
    services = ask(console, "/ServiceGraph", **fields)["Services"]
    assert {(each["StartTime"], each["EndTime"]) for each in services} == {(MINUTE, MINUTE + 60)}


def test_the_graph_of_an_hour_and_more_is_that_of_its_traces(
    console: Console, store: Store
) -> None:
    store(*[make_front(start_time=MINUTE + 600 * step) for step in range(30)])

    answer = ask(console, "/ServiceGraph", EndTime=MINUTE + 600 * 30)

    counts = {
        each["Name"]: each["SummaryStatistics"]["TotalCount"]
        for each in answer["Services"]
        if each.get("Type") != "client"
    }
    assert counts == {"front": 30, "Movies": 30}


def test_services_page_by_page(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "PAGE_SERVICES", 4)
    store(*[make_segment(name=f"service {number}") for number in range(5)])
    found: list[int] = []
    fields: dict[str, Any] = {}

    while True:
        answer = ask(console, "/ServiceGraph", **fields)
        found += [each["ReferenceId"] for each in answer["Services"]]
        if "NextToken" not in answer:
            break
        fields = {"NextToken": answer["NextToken"]}

    assert found == list(range(10))


def make_group(console: Console, name: str, expression: str) -> str:
    fields = {"GroupName": name, "FilterExpression": expression}
    return str(console.post("/CreateGroup", fields).json()["Group"]["GroupARN"])


def test_the_graph_of_a_group_is_that_of_the_traces_that_fit(
    console: Console, store: Store
) -> None:
    store(
        make_segment(name="slow", end_time=NOON + 9),
        make_segment(name="quick"),
        make_segment(name="slow before", start_time=MINUTE - 50, end_time=NOON),
    )
    arn = make_group(console, "slow", "responsetime > 5")

    assert name_services(ask(console, "/ServiceGraph", GroupName="slow")) == ["slow"]
    assert name_services(ask(console, "/ServiceGraph", GroupARN=arn)) == ["slow"]
    everything = ask(console, "/ServiceGraph", GroupName="Default")
    assert name_services(everything) == ["quick", "slow"]
    assert "Group not found" in refuse(console, "/ServiceGraph", GroupName="other")


def test_the_graph_of_a_group_is_made_of_its_newest_traces(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "GROUP_TRACES", 3)
    store(*[make_segment(name=f"service {step}", start_time=NOON + step) for step in range(5)])
    make_group(console, "all", "ok")

    answer = ask(console, "/ServiceGraph", GroupName="all")

    assert name_services(answer) == ["service 2", "service 3", "service 4"]


def make_linked(*, end_time: float = NOON + 0.4) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the sender of a message to a queue, and a function that received it at noon + 2."""
    call = make_subsegment(
        "SQS",
        namespace="aws",
        aws={"queue_url": "https://sqs/1/jobs"},
        start_time=NOON + 0.1,
        end_time=end_time,
    )
    sender = make_segment(name="front", end_time=NOON + 0.5, subsegments=[call])
    receiver = make_segment(
        name="worker",
        origin="AWS::Lambda::Function",
        start_time=NOON + 2,
        end_time=NOON + 3,
        fault=True,
        links=[{"trace_id": sender["trace_id"], "id": call["id"]}],
    )
    return sender, receiver


def find_link(answer: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    names = {each["ReferenceId"]: each["Name"] for each in answer["Services"]}
    ((source, edge),) = (
        (each["Name"], edge)
        for each in answer["Services"]
        for edge in each["Edges"]
        if edge.get("EdgeType") == "link"
    )
    return source, names[edge["ReferenceId"]], edge


def test_a_link_leads_from_the_queue_to_who_received(console: Console, store: Store) -> None:
    sender, receiver = make_linked()
    store(sender, receiver)

    for path, fields in (
        ("/ServiceGraph", {}),
        ("/TraceGraph", {"TraceIds": [receiver["trace_id"]]}),
    ):
        source, target, edge = find_link(ask(console, path, **fields))

        assert (source, target) == ("jobs", "worker")
        assert edge["SummaryStatistics"]["TotalCount"] == 1
        assert edge["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1
        assert edge["ResponseTimeHistogram"] == []
        (age,) = edge["ReceivedEventAgeHistogram"]
        assert (age["Count"], age["Value"]) == (1, pytest.approx(1.6, rel=0.11))


def test_a_link_to_a_segment_leads_from_its_service(console: Console, store: Store) -> None:
    sender, receiver = make_linked()
    receiver["links"] = [{"trace_id": sender["trace_id"], "id": sender["id"]}]
    store(sender, receiver)

    source, target, _ = find_link(ask(console, "/ServiceGraph"))

    assert (source, target) == ("front", "worker")


def test_a_link_whose_sender_is_not_here_is_not_drawn(console: Console, store: Store) -> None:
    _, receiver = make_linked()
    store(receiver)

    services = ask(console, "/ServiceGraph")["Services"]

    assert [edge for each in services for edge in each["Edges"] if "EdgeType" in edge] == []


def test_of_many_links_the_newest_are_drawn(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "LINKS_MAX", 3)
    for _ in range(5):
        store(*make_linked())

    _, _, edge = find_link(ask(console, "/ServiceGraph"))

    assert edge["SummaryStatistics"]["TotalCount"] == 3


def test_an_event_is_never_younger_than_nothing(console: Console, store: Store) -> None:
    store(*make_linked(end_time=NOON + 5))

    _, _, edge = find_link(ask(console, "/ServiceGraph"))

    assert edge["ReceivedEventAgeHistogram"] == [{"Value": 0, "Count": 1}]


SERIES = "/TimeSeriesServiceStatistics"


def get_rows(console: Console, **fields: Any) -> list[dict[str, Any]]:
    rows = ask(console, SERIES, **fields)["TimeSeriesServiceStatistics"]
    assert isinstance(rows, list)
    return rows


def test_without_an_expression_each_request_of_a_client_counts_once(
    console: Console, store: Store
) -> None:
    """Grafana takes the sum for the number of traces."""
    store(make_front(), make_front())

    (row,) = get_rows(console)

    assert row["Timestamp"] == MINUTE
    assert row["EdgeSummaryStatistics"]["TotalCount"] == 2  # and none of the calls of the table
    assert row["EdgeSummaryStatistics"]["TotalResponseTime"] == pytest.approx(1.0)
    assert "ServiceSummaryStatistics" not in row


@pytest.mark.parametrize(
    ("expression", "kind", "count", "seconds"),
    [
        ('service("front")', "Service", 2, 1.0),
        ('service("Movies")', "Service", 2, 0.2),
        ('service(id(type: "AWS::DynamoDB::Table"))', "Service", 2, 0.2),
        ('id(name: "Movies", type: "AWS::DynamoDB::Table")', "Service", 2, 0.2),
        ('service("front") OR service("Movies")', "Service", 4, 1.2),
        ('edge("front", "Movies")', "Edge", 2, 0.2),
        ('EDGE("front", id(type: "AWS::DynamoDB::Table"))', "Edge", 2, 0.2),
        ('edge(id(type: "client"), "front")', "Edge", 2, 1.0),
        ('edge(id(type: "client"), "front") OR edge("front", "Movies")', "Edge", 4, 1.2),
        ("service()", "Service", 4, 1.2),
        ("edge()", "Edge", 4, 1.2),
    ],
)
def test_what_an_expression_chooses(
    console: Console, store: Store, expression: str, kind: str, count: int, seconds: float
) -> None:
    store(make_front(), make_front(), make_segment(name="other", start_time=MINUTE + 900))

    (row,) = get_rows(console, EntitySelectorExpression=expression)

    statistics = row[f"{kind}SummaryStatistics"]
    assert statistics["TotalCount"] == count
    assert statistics["TotalResponseTime"] == pytest.approx(seconds)
    assert sum(each["Count"] for each in row["ResponseTimeHistogram"]) == count


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("fault", "character 1: expected service(...), edge(..., ...) or id(...)"),
        ('service("front") { fault }', "character 18: expected OR or the end"),
        ('service("a") AND service("b")', "character 14: expected OR or the end"),
        ('service("a") OR edge("a", "b")', "character 17: expected service(...) or id(...)"),
        ('edge("a", "b") OR service("a")', "character 19: expected edge(...)"),
        ("service(", "expected the name of a service"),
    ],
)
def test_expressions_that_choose_nothing_that_has_a_series(
    console: Console, expression: str, reason: str
) -> None:
    assert reason in refuse(console, SERIES, EntitySelectorExpression=expression)


def test_a_services_series_is_its_own_and_an_edges_its_callers(
    console: Console, store: Store
) -> None:
    call = make_subsegment("api", namespace="remote", end_time=NOON + 0.5)
    root = make_segment(name="front", subsegments=[call])
    store(root, make_segment(name="api", parent_id=call["id"], trace_id=root["trace_id"]))

    (own,) = get_rows(console, EntitySelectorExpression='service("api")')
    (seen,) = get_rows(console, EntitySelectorExpression='edge("front", "api")')

    assert own["ServiceSummaryStatistics"]["TotalResponseTime"] == pytest.approx(0.1)
    assert own["ServiceSummaryStatistics"]["TotalCount"] == 1
    assert seen["EdgeSummaryStatistics"]["TotalResponseTime"] == pytest.approx(0.5)


def test_a_service_that_nobody_knows_has_no_rows(console: Console, store: Store) -> None:
    store(make_front())

    assert get_rows(console, EntitySelectorExpression='service("x")') == []


@pytest.mark.parametrize(("period", "counts"), [(60, [2, 1]), (300, [3]), (3600, [1, 3])])
def test_periods(console: Console, store: Store, period: int, counts: list[int]) -> None:
    hour = MINUTE // 3600 * 3600
    store(
        make_segment(start_time=hour - 30),
        make_segment(start_time=hour),
        make_segment(start_time=hour + 59),
        make_segment(start_time=hour + 240),
    )
    start = hour - 60 if period == 3600 else hour

    rows = get_rows(console, StartTime=start, EndTime=hour + 600, Period=period)

    assert [row["EdgeSummaryStatistics"]["TotalCount"] for row in rows] == counts
    assert all(row["Timestamp"] % period == 0 for row in rows)


def test_the_series_of_a_group(console: Console, store: Store) -> None:
    store(make_segment(end_time=NOON + 9), make_segment(), make_segment())
    make_group(console, "slow", "responsetime > 5")

    (row,) = get_rows(console, GroupName="slow", EntitySelectorExpression='service("movies")')

    assert row["ServiceSummaryStatistics"]["TotalCount"] == 1


def test_series_page_by_page(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "PAGE_ROWS", 3)
    store(*[make_segment(start_time=MINUTE + 60 * step) for step in range(8)])
    times: list[float] = []
    fields: dict[str, Any] = {}

    while True:
        answer = ask(console, SERIES, **fields)
        times += [row["Timestamp"] for row in answer["TimeSeriesServiceStatistics"]]
        if "NextToken" not in answer:
            break
        fields = {"NextToken": answer["NextToken"]}

    assert times == [MINUTE + 60 * step for step in range(8)]


def test_what_arrives_between_pages_moves_no_period(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "PAGE_ROWS", 2)
    store(*[make_segment(start_time=MINUTE + 60 * step) for step in range(2, 6)])

    first = ask(console, SERIES)
    store(make_segment(start_time=MINUTE))
    second = ask(console, SERIES, NextToken=first["NextToken"])

    times = [
        row["Timestamp"] for page in (first, second) for row in page["TimeSeriesServiceStatistics"]
    ]
    assert times == [MINUTE + 60 * step for step in range(2, 6)]


def test_a_forecast_is_what_the_hour_before_makes_of_it(console: Console, store: Store) -> None:
    faults = [make_segment(start_time=MINUTE - 60 * step, fault=True) for step in range(1, 61)]
    store(*faults, make_segment(start_time=MINUTE, origin="AWS::EC2::Instance"))
    store(
        *[
            make_segment(start_time=MINUTE - 60 * n, origin="AWS::EC2::Instance", fault=True)
            for n in range(1, 61)
            for _ in range(2)
        ]
    )

    (row,) = get_rows(
        console,
        EntitySelectorExpression='service(id(name: "movies", type: "AWS::EC2::Instance"))',
        ForecastStatistics=True,
    )

    # Two faults a minute, every minute of the hour before: two are to be expected.
    assert row["ServiceForecastStatistics"] == {"FaultCountHigh": 2, "FaultCountLow": 2}


@pytest.mark.parametrize("expression", [None, 'service("movies")', 'edge("a", "b")'])
def test_a_forecast_needs_an_id(console: Console, expression: str | None) -> None:
    fields = {"EntitySelectorExpression": expression, "ForecastStatistics": True}

    assert "with name and type" in refuse(console, SERIES, **fields)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/ServiceGraph", {"StartTime": None}),
        ("/ServiceGraph", {"EndTime": "now"}),
        ("/ServiceGraph", {"StartTime": MINUTE + 1000}),
        ("/ServiceGraph", {"EndTime": 1e300}),
        ("/ServiceGraph", {"StartTime": -1}),
        ("/ServiceGraph", {"NextToken": "x"}),
        ("/ServiceGraph", {"NextToken": "-1"}),
        ("/ServiceGraph", {"GroupName": ""}),
        ("/ServiceGraph", {"GroupName": "x" * 33}),
        ("/TraceGraph", {"TraceIds": None}),
        ("/TraceGraph", {"TraceIds": ["1-2-3"]}),
        (SERIES, {"Period": 61}),
        (SERIES, {"Period": 0}),
        (SERIES, {"Period": 86_460}),
        (SERIES, {"Period": "60"}),
        (SERIES, {"EntitySelectorExpression": ""}),
        (SERIES, {"EntitySelectorExpression": f'service("{"x" * 500}")'}),
        (SERIES, {"ForecastStatistics": "yes"}),
        (SERIES, {"NextToken": "1000"}),
    ],
)
def test_requests_that_cannot_be_answered(
    console: Console, path: str, fields: dict[str, Any]
) -> None:
    assert refuse(console, path, **fields)


def test_nothing_is_stored(console: Console) -> None:
    assert ask(console, "/ServiceGraph")["Services"] == []
    assert ask(console, "/TraceGraph", TraceIds=[make_trace_id()])["Services"] == []
    assert get_rows(console) == []
    assert ask(console, "/ServiceGraph", StartTime=0, EndTime=4e9)["Services"] == []


def test_a_trace_of_subsegments_alone(console: Console, store: Store) -> None:
    store(make_late(make_segment(), name="S3", namespace="aws"))

    assert name_services(ask(console, "/ServiceGraph")) == ["S3"]


def test_the_bounds_are_not_tiny() -> None:
    assert graphs.PAGE_SERVICES >= 10_000
    assert graphs.PAGE_ROWS >= 1000
    assert sources.GROUP_TRACES >= 1000
    assert links.LINKS_MAX >= 100


def test_a_link_to_a_call_that_came_late(console: Console, store: Store) -> None:
    sender = make_segment(name="front")
    step = make_late(sender, name="step")
    receiver = make_segment(
        name="worker",
        start_time=NOON + 2,
        links=[{"trace_id": sender["trace_id"], "id": step["id"]}],
    )
    store(step, sender, receiver)

    source, target, _ = find_link(ask(console, "/ServiceGraph"))

    assert (source, target) == ("front", "worker")


def test_of_one_trace_a_hundred_links_are_drawn(console: Console, store: Store) -> None:
    sender = make_segment(name="front", subsegments=[make_subsegment() for _ in range(110)])
    links = [{"trace_id": sender["trace_id"], "id": each["id"]} for each in sender["subsegments"]]
    trace_id = make_trace_id()
    store(
        sender,
        *[
            make_segment(name="worker", trace_id=trace_id, links=links[first : first + 20])
            for first in range(0, 110, 20)
        ],
    )

    _, _, edge = find_link(ask(console, "/TraceGraph", TraceIds=[trace_id]))

    assert edge["SummaryStatistics"]["TotalCount"] == 100
