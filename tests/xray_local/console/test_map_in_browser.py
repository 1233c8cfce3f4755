"""The map in a real browser, as somebody who has never seen it would use it."""

import random
import re
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.xray_local.answers import watch
from tests.xray_local.conftest import make_client
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    opened,
    send_all,
)
from tests.xray_local.made import make_id, make_request, make_segment, make_subsegment
from tests.xray_local.program import Program

QUERY = "SELECT id, title FROM reviews WHERE movie_id = %s"
NODE = urlencode({"node": "movies", "type": "AWS::Lambda::Function"})
TABLE = urlencode({"node": "Films", "type": "AWS::DynamoDB::Table"})


def make_visit(path: str, seconds: float, **fields: Any) -> list[dict[str, Any]]:
    """Return the segments of a request: the API's, and the function's with its calls."""
    start = time.time() - 30
    status = 500 if fields.get("fault") else 200
    queries = fields.pop("queries", 1)
    calls = [
        make_subsegment(
            "DynamoDB",
            namespace="aws",
            aws={"table_name": "Films", "operation": "Query"},
            start_time=start,
            end_time=start + seconds * 0.8,
        ),
        make_subsegment(
            "S3",
            namespace="aws",
            aws={"bucket_name": "posters", "operation": "GetObject"},
            start_time=start,
            end_time=start + 0.004,
        ),
        *(
            make_subsegment(
                "db@sql.local",
                namespace="remote",
                start_time=start,
                end_time=start + 0.001,
                sql={"sanitized_query": QUERY, "database_type": "PostgreSQL"},
            )
            for _ in range(queries)
        ),
    ]
    invoke = make_subsegment(
        "Lambda", namespace="aws", start_time=start, end_time=start + seconds + 0.01
    )
    api = make_segment(
        name="movies-api/dev",
        origin="AWS::ApiGateway::Stage",
        start_time=start,
        end_time=start + seconds + 0.02,
        http=make_request(f"https://movies.local{path}", status),
        fault=fields.get("fault"),
        subsegments=[invoke],
    )
    function = make_segment(
        name="movies",
        origin="AWS::Lambda::Function",
        trace_id=api["trace_id"],
        parent_id=invoke["id"],
        start_time=start,
        end_time=start + seconds,
        http=make_request(f"https://movies.local{path}", status),
        subsegments=calls,
        **fields,
    )
    return [api, function]


@pytest.fixture(scope="module", autouse=True)
def traces(xray: Program) -> None:
    cause = {"exceptions": [{"id": make_id(), "type": "ValueError", "message": "No such poster."}]}
    documents: list[dict[str, Any]] = []
    for number in range(6):
        documents += make_visit("/films", 0.05 + number / 1000)
        documents += make_visit("/posters", 0.02, fault=True, cause=cause)
    documents += make_visit("/films", 1.5)
    documents += make_visit("/reviews", 0.06, queries=20)
    send_all(xray, *documents)


@pytest.mark.parametrize(
    "query",
    [
        "",
        NODE,
        urlencode({"node": "movies", "type": "AWS::Lambda::Function", "source": "movies-api/dev"}),
        "focus=movies&focus_type=AWS%3A%3ALambda%3A%3AFunction",
        "start=0&end=60",
    ],
)
def test_accessible_and_fits(each_page: Page, xray: Program, query: str) -> None:
    each_page.goto(f"{xray.url}/?{query}")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_which_service_is_slowest(page: Page, xray: Program) -> None:
    page.goto(xray.url)

    first = page.locator("section", has_text="Slowest services").get_by_role("listitem").first
    expect(first).to_contain_text("movies-api/dev")
    # Which of those that it waits for?
    page.get_by_role("link", name=re.compile(r"^Films \(AWS::DynamoDB")).click()

    expect(page.get_by_role("heading", name=re.compile("Films"))).to_be_visible()
    expect(page.get_by_role("complementary")).to_contain_text("p99")


def test_which_route_fails_and_with_which_exception(page: Page, xray: Program) -> None:
    page.goto(xray.url)

    failing = page.locator("section", has_text="Failing routes").get_by_role("listitem").first
    expect(failing).to_contain_text("GET /posters")
    expect(failing).to_contain_text("6 faults")
    expect(failing).to_contain_text("ValueError: No such poster. in movies")
    failing.get_by_role("link", name="ValueError").click()

    expect(page).to_have_url(re.compile("/traces/1-"))
    expect(page.locator("main")).to_contain_text("No such poster.")


def test_which_query_is_run_twenty_times(page: Page, xray: Program) -> None:
    page.goto(xray.url)

    repeated = page.locator("section", has_text="Repeated calls").get_by_role("listitem").first
    expect(repeated).to_contain_text("SELECT id, title FROM reviews WHERE movie_id = ?")
    expect(repeated).to_contain_text("in GET /reviews")
    repeated.get_by_role("link", name="20 times the same query").click()

    expect(page).to_have_url(re.compile("/traces/1-"))
    expect(page.locator("main")).to_contain_text("20 times the same")


def test_what_makes_a_slow_request_slow(page: Page, xray: Program) -> None:
    page.goto(xray.url)

    spread = page.locator("section", has_text="Sometimes slow").get_by_role("listitem").first
    expect(spread).to_contain_text("GET /films")
    spread.get_by_role("link", name="Compare a fast and a slow one").click()

    expect(page).to_have_url(re.compile("/compare"))
    expect(page.locator("main")).to_contain_text("slower")
    expect(page.locator("main")).to_contain_text("DynamoDB")


def test_the_tables_agree_with_boto3(page: Page, xray: Program) -> None:
    client = watch(make_client(xray.url))
    start, end = int(time.time()) // 60 * 60 - 600, int(time.time()) // 60 * 60 + 60
    services = client.get_service_graph(StartTime=start, EndTime=end)["Services"]
    client.close()

    page.goto(f"{xray.url}/?start={start}&end={end}")

    shown = {}
    for row in page.locator("table.services tbody tr").all():
        name, _, requests, _, _, outcome = (
            cell.inner_text() for cell in row.locator("th, td").all()
        )
        shown[name] = int(requests.split()[0].replace(",", "")), "fault" in outcome
    assert shown == {
        each["Name"]: (
            each["SummaryStatistics"]["TotalCount"],
            each["SummaryStatistics"]["FaultStatistics"]["TotalCount"] > 0,
        )
        for each in services
        if each["Type"] != "client"
    }
    assert shown["movies"] >= (14, True)


def test_a_part_of_the_histogram_leads_to_its_traces(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/?{NODE}")

    drawing = page.locator("svg[data-brush]")
    drawing.scroll_into_view_if_needed()
    box = drawing.locator(".column").last.bounding_box()
    assert box
    page.mouse.move(box["x"] - 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.get_by_role("link", name="View these traces").first.click()

    expect(page).to_have_url(re.compile("responsetime"))
    expect(page.locator("tbody tr")).to_have_count(1)


def test_nodes_stay_where_they_are_while_it_refreshes(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/?live=1&range=15m")
    places = "[...document.querySelectorAll('.node')].map((each) => each.getAttribute('transform'))"
    before = page.evaluate(places)
    node = page.locator(".map a[data-name]").nth(1)
    node.focus()
    focused = page.evaluate("document.activeElement.id")

    send_all(xray, *make_visit("/films", 0.05))
    refreshed = "new Promise((done) => document.addEventListener('console:refreshed', done))"
    page.evaluate(f"{refreshed}.then(() => true)")

    expect(page.locator("table.services")).to_contain_text(re.compile("movies"))
    assert page.evaluate(places) == before
    assert page.evaluate("document.activeElement.id") == focused
    check_steady(page)


def test_zoom_and_find(page: Page, xray: Program) -> None:
    page.goto(xray.url)
    width = "document.querySelector('.map > svg').getBoundingClientRect().width"
    before = page.evaluate(width)

    page.keyboard.press("+")
    assert page.evaluate(width) > before
    page.keyboard.press("0")
    assert page.evaluate(width) == before

    for _ in range(6):
        page.keyboard.press("-")
    smaller = page.evaluate(width)
    page.goto(f"{xray.url}/?{NODE}")
    assert page.evaluate(width) == smaller < before
    page.goto(f"{xray.url}/?focus=posters&focus_type=AWS::S3::Bucket")
    node = page.locator(".map a[data-name]").first.bounding_box()
    assert node
    assert node["height"] > 54
    page.goto(xray.url)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("find a service")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.type("posters")
    assert page.locator(".map a[data-state=dim]").count() == 5
    assert page.locator(".map a[data-name]:not([data-state=dim])").count() == 1


def test_a_hundred_services_can_be_read(page: Page, xray: Program) -> None:
    chosen = random.Random(2)
    start = time.time() - 7200
    documents: list[dict[str, Any]] = []
    for number in range(1, 100):
        call = make_subsegment(
            f"service-{number}", namespace="remote", start_time=start, end_time=start + 0.01
        )
        front = make_segment(
            name=f"service-{chosen.randrange(number)}", start_time=start, subsegments=[call]
        )
        back = {"name": f"service-{number}", "trace_id": front["trace_id"]}
        documents += [front, make_segment(**back, parent_id=call["id"], start_time=start)]
    send_all(xray, *documents)

    answer = page.goto(f"{xray.url}/?range=24h&node=service-70")

    assert answer
    assert int(answer.all_headers()["content-length"]) < 50_000
    drawing, box = page.locator("#map").bounding_box(), page.locator(".map").bounding_box()
    assert drawing
    assert box
    assert drawing["width"] >= 0.6 * float(page.locator("#map").get_attribute("data-width") or 0)
    # It is scrolled to what is chosen.
    node = page.locator(".map a[aria-current]").bounding_box()
    assert node
    assert box["y"] < node["y"] < box["y"] + box["height"]
    check_fits(page)
    check_accessible(page)
    # Of all the calls those of what has the focus stand out.
    page.locator(".map a[data-name^='service-70 ']").focus()
    names = page.locator(".map a[data-state=near] title").all_text_contents()
    assert names
    assert all("service-70" in name for name in names)
    # What is found is where it can be seen.
    page.get_by_role("searchbox", name="Find services").fill("service-42")
    node = page.locator(".map a[data-name^='service-42 ']").bounding_box()
    assert node
    assert box["y"] < node["y"] < box["y"] + box["height"]


def test_focus_on_a_node_and_back(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/?{TABLE}")

    page.get_by_role("link", name="Focus on it").click()
    expect(page.locator(".map a[data-name]")).to_have_count(2)
    page.get_by_role("link", name="Show all services").click()

    expect(page.locator(".map a[data-name]")).to_have_count(6)
    page.go_back()
    expect(page.locator(".map a[data-name]")).to_have_count(2)


def test_without_scripts(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(xray.url)
        page.get_by_role("searchbox", name="Find services").fill("posters")
        page.get_by_role("button", name="Find").click()
        expect(page.locator(".map .node.dim")).to_have_count(5)

        page.goto(f"{xray.url}/?{NODE}")
        page.get_by_label("Longer than, in seconds", exact=True).fill("1")
        page.get_by_role("button", name="Choose").click()
        page.get_by_role("link", name="View these traces").first.click()
        expect(page.locator("tbody tr")).to_have_count(1)
