"""The screens of insights."""

import html
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.xray_local.conftest import Console, Store
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    send_all,
)
from tests.xray_local.made import make_segment, make_subsegment
from tests.xray_local.program import Program
from xray_local.console.insights_page import InsightLine


def choose_minute(minutes_ago: int = 5) -> float:
    """Return a moment within a minute, as long ago."""
    return time.time() // 60 * 60 - 60 * minutes_ago + 30


def make_visit(start: float, *, fault: bool, name: str = "front") -> dict[str, Any]:
    """Return a request that asked a table, which may have failed."""
    call = make_subsegment(
        "DynamoDB",
        namespace="aws",
        aws={"table_name": "Films"},
        start_time=start,
        fault=fault or None,
    )
    return make_segment(name=name, start_time=start, fault=fault or None, subsegments=[call])


def make_incident(moment: float, name: str = "front") -> list[dict[str, Any]]:
    """Return two bad minutes, of 12 requests and of 9."""
    return [
        *[make_visit(moment, fault=number < 8, name=name) for number in range(12)],
        *[make_visit(moment - 120, fault=number < 6, name=name) for number in range(9)],
        *[make_visit(moment - 900, fault=False, name=name) for _ in range(60)],
    ]


@pytest.fixture
def incident(store: Store) -> float:
    moment = choose_minute()
    store(*make_incident(moment))
    return moment


def list_summaries(console: Console, group: str = "Default", hours: int = 1) -> Any:
    now = time.time()
    fields = {"StartTime": now - 3600 * hours, "EndTime": now, "GroupName": group}
    return console.post("/InsightSummaries", fields).json()["InsightSummaries"]


def list_lines(console: Console, query: str = "") -> list[InsightLine]:
    context = console.get(f"/insights?{query}").context
    return [*context["active"], *context["closed"]]


def test_insights_are_those_of_the_api(console: Console, incident: float) -> None:
    (line,) = list_lines(console)

    (told,) = list_summaries(console)
    assert line.id == told["InsightId"]
    assert (line.insight.start, line.insight.end) == (told["StartTime"], told["EndTime"])
    assert line.state == told["State"].lower() == "active"
    assert line.summary == told["Summary"]
    assert line.insight.root_cause.to_api() == told["RootCauseServiceId"]
    for share, statistics in (
        (line.cause, told["RootCauseServiceRequestImpactStatistics"]),
        (line.client, told["ClientRequestImpactStatistics"]),
    ):
        assert share.impact.faults == statistics["FaultCount"] == 14
        assert share.impact.total == statistics["TotalCount"] == 21
    page = console.page("/insights")
    assert html.escape(told["Summary"]) in page
    assert "14 of 21" in page


def test_one_insight_is_that_of_the_api(console: Console, incident: float) -> None:
    (line,) = list_lines(console)

    context = console.get(f"/insights/{line.id}").context

    asked = {"InsightId": line.id}
    events = console.post("/InsightEvents", asked).json()["InsightEvents"]
    assert [
        (event.time, cause.impact.faults, cause.impact.total, client.impact.faults)
        for event, cause, client in context["line"].events
    ] == [
        (
            each["EventTime"],
            each["RootCauseServiceRequestImpactStatistics"]["FaultCount"],
            each["RootCauseServiceRequestImpactStatistics"]["TotalCount"],
            each["ClientRequestImpactStatistics"]["FaultCount"],
        )
        for each in events
    ]
    assert len(events) == 2
    graph = console.post(
        "/InsightImpactGraph",
        asked | {"StartTime": line.insight.start, "EndTime": line.insight.end},
    ).json()["Services"]
    names = {each["ReferenceId"]: (each["Name"], each.get("Type")) for each in graph}
    drawing = context["map"]
    assert {(node.service.name, node.service.type) for node in drawing.nodes} == set(names.values())
    assert {(edge.source.name, edge.target.name) for edge in drawing.edges} == {
        (each["Name"], names[edge["ReferenceId"]][0]) for each in graph for edge in each["Edges"]
    }


def test_the_timeline_has_what_was_before(console: Console, incident: float) -> None:
    (line,) = list_lines(console)

    timeline = console.get(f"/insights/{line.id}").context["timeline"]

    faults = {column.low: column.label for column in timeline.columns if column.kind == "fault"}
    assert sorted(faults) == [incident - 30 - 120, incident - 30]
    assert "8 fault" in faults[incident - 30]
    # What worked a quarter of an hour earlier is beyond what is drawn.
    assert all(column.low >= line.insight.start - 660 for column in timeline.columns)


def test_links_lead_to_the_failed_traces(console: Console, incident: float) -> None:
    (line,) = list_lines(console)

    page = console.page(f"/insights/{line.id}")

    link = re.search(r'href="(/traces\?[^"]*)">The failed traces', page)
    assert link
    assert len(console.get(html.unescape(link[1])).context["lines"]) == 14
    nodes = re.findall(r'<a href="(/\?[^"]*)"', page)
    chosen = console.get(html.unescape(nodes[-1])).context["portrait"]
    assert chosen.statistics.total == 21


def test_closed(console: Console, store: Store) -> None:
    store(*make_incident(choose_minute(30)))

    context = console.get("/insights").context

    assert (len(context["active"]), len(context["closed"])) == (0, 1)


def test_at_other_times(console: Console, store: Store) -> None:
    store(*make_incident(choose_minute(180)))

    assert list_lines(console) == []
    assert "There is 1 at other times" in console.page("/insights")
    assert len(list_lines(console, "range=6h")) == 1
    assert len(list_summaries(console, hours=6)) == 1


def test_of_a_group(console: Console, incident: float) -> None:
    configuration = {"InsightsEnabled": True}
    console.post(
        "/CreateGroup",
        {
            "GroupName": "fronts",
            "FilterExpression": 'service("front")',
            "InsightsConfiguration": configuration,
        },
    )

    (line,) = list_lines(console, "group=fronts")

    (told,) = list_summaries(console, "fronts")
    assert line.id == told["InsightId"]
    assert line.id != list_lines(console)[0].id
    assert "fronts" in console.page(f"/insights/{line.id}?group=fronts")


def test_of_a_group_without_insights(console: Console, incident: float) -> None:
    console.post("/CreateGroup", {"GroupName": "off", "FilterExpression": "fault"})

    page = console.page("/insights?group=off")

    assert "Insights are off for the group" in page
    assert 'href="/groups?group=off&amp;edit=off"' in page


@pytest.mark.parametrize("insight_id", ["nothing", "00000000-0000-5000-8000-000000000000"])
def test_an_insight_that_is_not_there(console: Console, insight_id: str) -> None:
    assert "This insight is not here" in console.page(f"/insights/{insight_id}", 404)


def test_hostile_names_are_text(console: Console, store: Store) -> None:
    # Of a name X-Ray leaves out what is odd; of the name of a table it does not.
    hostile = "<script>alert('x')</script>"
    moment = choose_minute()
    call = make_subsegment(
        "DynamoDB", namespace="aws", aws={"table_name": hostile}, start_time=moment, fault=True
    )
    store(*[make_segment(start_time=moment, fault=True, subsegments=[call]) for _ in range(9)])

    (line,) = list_lines(console)
    for path in ("/insights", f"/insights/{line.id}"):
        page = console.page(path)
        assert "<script>alert" not in page
        assert html.escape(hostile) in page


@pytest.fixture(scope="module")
def insight(xray: Program) -> str:
    """The path of an insight of the program."""
    send_all(xray, *make_incident(choose_minute(), "shop"))
    found = re.search(r"/insights/[0-9a-f-]{36}", xray.fetch("/insights"))
    assert found
    return found[0]


def test_accessible_and_fits(each_page: Page, xray: Program, insight: str) -> None:
    for path in ("/insights", "/insights?start=1&end=60", insight):
        each_page.goto(f"{xray.url}{path}")

        check_steady(each_page)
        check_accessible(each_page)
        check_fits(each_page)


def test_from_the_list_to_the_traces(page: Page, xray: Program, insight: str) -> None:
    page.goto(f"{xray.url}/traces")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/insights")

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{insight}")
    expect(page.get_by_role("img", name="Requests of Films")).to_be_visible()
    page.get_by_role("link", name="The failed traces").click()

    expect(page.locator("tbody tr[data-row]")).to_have_count(14)


def test_a_filter_that_does_not_narrow_them_is_told(console: Console) -> None:
    page = console.page("/insights?range=6h&filter=fault")

    assert 'the filter <code class="untrusted">fault</code> does not narrow them' in page
    assert '<a href="?range=6h">Drop the filter</a>' in page
    assert "does not narrow" not in console.page("/insights")
