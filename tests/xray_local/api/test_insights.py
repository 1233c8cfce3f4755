"""The operations of insights."""

import time
from typing import Any

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import make_segment, make_subsegment, wait_until
from tests.xray_local.program import Program
from xray_local.api import insights

DAY = 86_400


def make_failing(start: float, *, name: str = "front", table: str = "Movies") -> dict[str, Any]:
    """Return a request that failed because a table did."""
    call = make_subsegment(
        "DynamoDB", namespace="aws", aws={"table_name": table}, start_time=start, fault=True
    )
    return make_segment(name=name, start_time=start, fault=True, subsegments=[call])


def make_working(start: float) -> dict[str, Any]:
    """Return a request that went well."""
    call = make_subsegment(
        "DynamoDB", namespace="aws", aws={"table_name": "Movies"}, start_time=start
    )
    return make_segment(name="front", start_time=start, subsegments=[call])


def choose_minute(minutes_ago: int = 5) -> float:
    """Return a moment within a minute, as long ago."""
    return time.time() // 60 * 60 - 60 * minutes_ago + 30


@pytest.fixture
def incident(store: Store) -> float:
    """A minute in which 8 of 12 requests failed; return a moment in it."""
    moment = choose_minute()
    store(*[make_failing(moment) for _ in range(8)])
    store(*[make_segment(name="front", start_time=moment) for _ in range(4)])
    return moment


def ask(console: Console, path: str, **fields: Any) -> dict[str, Any]:
    response = console.post(path, fields)
    assert response.status_code == 200, response.content
    return dict(response.json())


def refuse(console: Console, path: str, **fields: Any) -> str:
    response = console.post(path, fields)
    assert response.status_code == 400, response.content
    assert response.headers["x-amzn-ErrorType"] == "InvalidRequestException"
    return str(response.json()["Message"])


def list_summaries(console: Console, **fields: Any) -> list[dict[str, Any]]:
    now = time.time()
    times = {"StartTime": now - 3600, "EndTime": now, "GroupName": "Default"}
    summaries = ask(console, "/InsightSummaries", **times | fields)["InsightSummaries"]
    assert isinstance(summaries, list)
    return summaries


def test_boto3_goes_from_the_summary_to_the_graph(client: Any, shared_xray: Program) -> None:
    # A name of its own: other tests store what is no fault.
    moment, name = choose_minute(), f"front {time.time()}"
    shared_xray.send(*[make_failing(moment, name=name, table=name) for _ in range(9)])
    now = time.time()

    def find() -> Any:
        found = client.get_insight_summaries(
            GroupName="Default", StartTime=now - 3600, EndTime=now, States=["ACTIVE"]
        )["InsightSummaries"]
        return [
            each
            for each in found
            if each["RootCauseServiceId"]["Name"] == name
            and each["ClientRequestImpactStatistics"]["FaultCount"] == 9
        ]

    (summary,) = wait_until(find)
    insight = client.get_insight(InsightId=summary["InsightId"])["Insight"]
    (event,) = client.get_insight_events(InsightId=summary["InsightId"])["InsightEvents"]
    graph = client.get_insight_impact_graph(
        InsightId=summary["InsightId"], StartTime=now - 3600, EndTime=now
    )

    assert insight == {key: each for key, each in summary.items() if key != "LastUpdateTime"}
    assert event["RootCauseServiceRequestImpactStatistics"]["FaultCount"] == 9
    assert [each.get("Type") for each in graph["Services"]] == [
        None,
        "AWS::DynamoDB::Table",
        "client",
    ]


def test_a_summary_says_what_failed_and_whom_it_hit(console: Console, incident: float) -> None:
    (summary,) = list_summaries(console)

    minute = incident // 60 * 60
    table = {"Name": "Movies", "Names": ["Movies"], "Type": "AWS::DynamoDB::Table"}
    front = {"Name": "front", "Names": ["front"]}
    text = summary.pop("Summary")
    group = ask(console, "/GetGroup", GroupName="Default")["Group"]
    assert len(summary.pop("InsightId")) == 36
    assert summary == {
        "GroupARN": group["GroupARN"],
        "GroupName": "Default",
        "RootCauseServiceId": table,
        "Categories": ["FAULT"],
        "State": "ACTIVE",
        "StartTime": minute,
        "EndTime": minute + 60,
        "LastUpdateTime": minute + 60,
        "ClientRequestImpactStatistics": {"FaultCount": 8, "OkCount": 4, "TotalCount": 12},
        "RootCauseServiceRequestImpactStatistics": {
            "FaultCount": 8,
            "OkCount": 0,
            "TotalCount": 8,
        },
        "TopAnomalousServices": [{"ServiceId": table}, {"ServiceId": front}],
    }
    # Grafana shows the second sentence, and expects that there is one.
    assert text.split(".")[1].strip().startswith("Of the 8 requests")
    assert "Movies (AWS::DynamoDB::Table)" in text


def test_events_are_the_minutes_with_the_newest_first(console: Console, store: Store) -> None:
    now = choose_minute(0)
    for ago, count, maker in ((30, 200, make_working), (6, 8, make_failing), (4, 7, make_failing)):
        store(*[maker(now - 60 * ago) for _ in range(count)])
    (summary,) = list_summaries(console)
    fields: dict[str, Any] = {"InsightId": summary["InsightId"], "MaxResults": 1}
    found: list[dict[str, Any]] = []

    while True:
        answer = ask(console, "/InsightEvents", **fields)
        found += answer["InsightEvents"]
        if "NextToken" not in answer:
            break
        fields["NextToken"] = answer["NextToken"]

    assert [each["EventTime"] for each in found] == [
        summary["EndTime"],
        summary["EndTime"] - 120,
    ]
    assert [each["RootCauseServiceRequestImpactStatistics"]["FaultCount"] for each in found] == [
        7,
        8,
    ]
    assert found[0]["TopAnomalousServices"][0]["ServiceId"]["Name"] == "Movies"
    assert found[0]["Summary"] == ("Of 7 requests of the service that began it, 7 were faults.")


def test_pages(console: Console, store: Store) -> None:
    moment = choose_minute()
    store(
        *[make_segment(name=name, start_time=moment, fault=True) for name in "abc" for _ in "12345"]
    )
    now = time.time()
    fields: dict[str, Any] = {
        "StartTime": now - 3600,
        "EndTime": now,
        "GroupName": "Default",
        "MaxResults": 2,
    }
    pages: list[list[str]] = []

    while True:
        answer = ask(console, "/InsightSummaries", **fields)
        pages.append([each["RootCauseServiceId"]["Name"] for each in answer["InsightSummaries"]])
        if "NextToken" not in answer:
            break
        fields["NextToken"] = answer["NextToken"]

    assert [len(page) for page in pages] == [2, 1]
    assert sorted(name for page in pages for name in page) == ["a", "b", "c"]


def test_states(console: Console, store: Store, incident: float) -> None:
    past = choose_minute(120)
    store(*[make_segment(name="past", start_time=past, fault=True) for _ in range(9)])
    fields = {"StartTime": time.time() - DAY}

    found = {
        state: [
            each["RootCauseServiceId"]["Name"]
            for each in list_summaries(console, States=[state], **fields)
        ]
        for state in ("ACTIVE", "CLOSED")
    }

    assert found == {"ACTIVE": ["Movies"], "CLOSED": ["past"]}
    assert len(list_summaries(console, States=[], **fields)) == 2


def test_of_another_time(console: Console, incident: float) -> None:
    assert list_summaries(console, EndTime=incident - 60) == []
    assert list_summaries(console, StartTime=incident + 60) == []


def test_groups(console: Console, incident: float) -> None:
    for name, expression, has_insights in (
        ("failed", "fault", True),
        ("other", 'service("other")', True),
        ("without", "fault", False),
    ):
        ask(
            console,
            "/CreateGroup",
            GroupName=name,
            FilterExpression=expression,
            InsightsConfiguration={"InsightsEnabled": has_insights},
        )

    (summary,) = list_summaries(console, GroupName="failed")

    assert summary["GroupName"] == "failed"
    # The requests that went well do not belong to the group.
    assert summary["ClientRequestImpactStatistics"]["TotalCount"] == 8
    found = ask(console, "/Insight", InsightId=summary["InsightId"])["Insight"]
    assert found["GroupName"] == "failed"
    assert list_summaries(console, GroupName="other") == []
    assert list_summaries(console, GroupName="without") == []
    (own,) = list_summaries(console)
    assert own["InsightId"] != summary["InsightId"]


def test_the_graph_has_the_cause_and_who_calls_it(
    console: Console, store: Store, incident: float
) -> None:
    store(make_segment(name="other", start_time=incident))
    (summary,) = list_summaries(console)
    times = {"StartTime": incident - 600, "EndTime": incident + 600}

    graph = ask(console, "/InsightImpactGraph", InsightId=summary["InsightId"], **times)

    names = [each["Name"] for each in graph["Services"]]
    edges = [[edge["ReferenceId"] for edge in each["Edges"]] for each in graph["Services"]]
    assert names == ["front", "Movies", "front"]
    assert edges == [[1], [], [0]]
    assert (graph["StartTime"], graph["EndTime"]) == (times["StartTime"], times["EndTime"])
    assert graph["ServiceGraphStartTime"] == incident // 60 * 60


NOBODYS = "12345678-1234-5123-8123-123456789012"


@pytest.mark.parametrize("path", ["/Insight", "/InsightEvents", "/InsightImpactGraph"])
@pytest.mark.parametrize("insight_id", [None, "x", NOBODYS, f"{NOBODYS}\n", 1])
def test_ids_of_no_insight(console: Console, path: str, insight_id: Any) -> None:
    now = time.time()

    assert "InsightId" in refuse(
        console, path, InsightId=insight_id, StartTime=now - 60, EndTime=now
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"StartTime": None}, "StartTime"),
        ({"StartTime": time.time() - 31 * DAY}, "the last 30 days"),
        ({"GroupName": None}, "GroupName or GroupARN"),
        ({"GroupName": "other"}, "Group not found"),
        ({"States": ["ACTIVE", "CLOSED"]}, "at most 1"),
        ({"States": ["OPEN"]}, "ACTIVE, CLOSED"),
        ({"MaxResults": 0}, "at least 1"),
        ({"MaxResults": 101}, "at most 100"),
        ({"NextToken": "x"}, "NextToken"),
    ],
)
def test_summaries_that_cannot_be_answered(
    console: Console, fields: dict[str, Any], reason: str
) -> None:
    now = time.time()
    usual = {"StartTime": now - 3600, "EndTime": now, "GroupName": "Default"}

    assert reason in refuse(console, "/InsightSummaries", **usual | fields)


def test_a_graph_of_more_than_six_hours(console: Console) -> None:
    now = time.time()
    times = {"StartTime": now - 6 * 3600 - 1, "EndTime": now}

    assert "6 hours" in refuse(console, "/InsightImpactGraph", InsightId=NOBODYS, **times)


def test_at_most_50_events_a_page(console: Console) -> None:
    assert "at most 50" in refuse(console, "/InsightEvents", InsightId=NOBODYS, MaxResults=51)
    assert insights.EVENTS_MAX == 50
