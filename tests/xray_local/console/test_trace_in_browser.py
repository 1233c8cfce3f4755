"""The page of one trace in a browser."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import needs_chromium
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    opened,
    send_all,
)
from tests.xray_local.console.test_pages import HOSTILE, make_hostile
from tests.xray_local.made import (
    make_late,
    make_request,
    make_segment,
    make_subsegment,
    make_trace_id,
)
from tests.xray_local.program import Program
from xray_local.console.trace_query import VIEWS

pytestmark = needs_chromium

MANY = 1000


def make_query(at: float, number: int) -> dict[str, Any]:
    sql = {"sanitized_query": f"SELECT title FROM reviews WHERE film = {number}"}  # noqa: S608
    return make_subsegment("db", namespace="remote", sql=sql, start_time=at, end_time=at + 0.002)


@pytest.fixture(scope="module")
def traces(xray: Program) -> dict[str, dict[str, Any]]:
    now = time.time() - 60
    stack = [{"path": "movies/remote.py", "line": 57, "label": "fetch"}]
    cause = {"exceptions": [{"type": "BadGateway", "message": "<b>Gone.</b>", "stack": stack}]}
    call = make_subsegment(
        "remote.site", namespace="remote", start_time=now, fault=True, cause=cause
    )
    queries = [make_query(now + number / 200, number) for number in range(20)]
    view = make_subsegment("view", start_time=now, subsegments=[*queries, call])
    failing = make_segment(
        start_time=now,
        fault=True,
        http=make_request("http://site.local/films/" + "long" * 60, 500),
        subsegments=[view],
        metadata={"default": {"template": "films.html"}},
        aws={"cloudwatch_logs": [{"log_group": "/aws/lambda/movies"}]},
    )
    begun = make_segment(name="begun", start_time=now, end_time=None, in_progress=True)
    lost = make_late(begun, parent_id="0" * 16, start_time=now - 1, end_time=now + 1)
    hostile = make_hostile() | {"start_time": now, "end_time": now + 1}
    hostile["trace_id"] = make_trace_id(now)
    inner = make_subsegment(HOSTILE, start_time=now, sql={"sanitized_query": HOSTILE})
    hostile["subsegments"] = [inner]
    many = make_segment(name="many", start_time=now, end_time=now + 10)
    late = [
        make_late(many, name=f"late {n}", start_time=now + n / 100, end_time=now + n / 100 + 0.01)
        for n in range(MANY)
    ]
    send_all(xray, failing, begun, lost, hostile, many)
    for first in range(0, MANY, 100):
        send_all(xray, *late[first : first + 100])
    return {"failing": failing, "begun": begun, "hostile": hostile, "many": many}


@pytest.fixture
def url(xray: Program, traces: dict[str, dict[str, Any]]) -> str:
    return f"{xray.url}/traces/{traces['failing']['trace_id']}"


def row(page: Page, name: str) -> Any:
    return page.locator(".timeline [data-row]", has=page.get_by_text(name, exact=True)).first


@pytest.mark.parametrize("name", ["failing", "begun", "hostile", "many"])
def test_every_trace_fits_and_is_accessible(
    each_page: Page, xray: Program, traces: dict[str, dict[str, Any]], name: str
) -> None:
    trace = traces[name]

    each_page.goto(f"{xray.url}/traces/{trace['trace_id']}?element={trace['id']}")

    each_page.locator(".pane").wait_for()
    check_accessible(each_page)
    check_fits(each_page)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(each_page: Page, url: str, view: str) -> None:
    each_page.goto(f"{url}?view={view}")

    check_accessible(each_page)
    check_fits(each_page)


def test_bars_are_drawn(page: Page, url: str) -> None:
    page.goto(url)

    boxes = [bar.bounding_box() for bar in page.locator("svg.bar path.own").all()]
    fills = page.locator("svg.bar path.own").evaluate_all(
        "bars => bars.map(bar => getComputedStyle(bar).fill)"
    )

    # The queries and the call; they leave nothing to the view, nor it to the segment.
    assert len(boxes) == 21
    assert all(box and box["width"] >= 1 and box["height"] > 8 for box in boxes)
    assert "rgb(0, 0, 0)" not in fills


def test_an_element_and_back(page: Page, url: str, traces: dict[str, dict[str, Any]]) -> None:
    call = traces["failing"]["subsegments"][0]["subsegments"][-1]
    page.goto(url)

    row(page, "remote.site").get_by_role("link").first.click()

    expect(page.get_by_role("heading", name="BadGateway")).to_be_visible()
    expect(page.get_by_text("movies/remote.py:57").last).to_be_visible()
    assert page.url == f"{url}?element={call['id']}"
    expect(row(page, "remote.site")).to_have_attribute("aria-selected", "true")
    row(page, "view").get_by_role("link").first.click()
    expect(page.locator(".pane h2")).to_contain_text("view")
    page.go_back()
    expect(page.locator(".pane h2")).to_contain_text("remote.site")
    expect(row(page, "remote.site")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.locator(".pane")).to_have_count(0)
    page.go_forward()
    expect(page.locator(".pane h2")).to_contain_text("remote.site")
    page.reload()
    expect(page.locator(".pane h2")).to_contain_text("remote.site")
    page.get_by_role("link", name="Close the details").click()
    expect(page.locator(".pane")).to_have_count(0)
    assert page.url == url


def test_closing_and_opening(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(".timeline [data-row]")).to_have_count(23)

    row(page, "view").locator(".twist").click()

    expect(page.locator(".timeline [data-row]")).to_have_count(2)
    expect(row(page, "view")).to_have_attribute("aria-expanded", "false")
    assert "toggle=" in page.url
    page.reload()
    expect(page.locator(".timeline [data-row]")).to_have_count(2)
    page.go_back()
    expect(page.locator(".timeline [data-row]")).to_have_count(23)


def test_keys(page: Page, url: str) -> None:
    page.goto(url)
    focused = page.locator("[data-row]:focus-within .label")

    page.keyboard.press("j")
    expect(focused).to_contain_text("movies")
    page.keyboard.press("ArrowDown")
    expect(focused).to_contain_text("view")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".timeline [data-row]")).to_have_count(2)
    expect(focused).to_contain_text("view")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".timeline [data-row]")).to_have_count(23)
    expect(focused).to_contain_text("view")
    page.keyboard.press("ArrowRight")
    expect(focused).to_contain_text("db")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_contain_text("view")
    page.keyboard.press("End")
    expect(focused).not_to_contain_text("view")
    page.keyboard.press("Home")
    expect(focused).to_contain_text("movies")
    page.keyboard.press("k")
    expect(focused).to_contain_text("movies")
    page.keyboard.press("Enter")
    expect(page.locator(".pane h2")).to_contain_text("movies")
    expect(focused).to_contain_text("movies")
    page.keyboard.press("Escape")
    expect(page.locator(".pane")).to_have_count(0)
    expect(focused).to_contain_text("movies")


def test_to_the_newer_trace_and_back(page: Page, url: str) -> None:
    page.goto(url)

    page.keyboard.press("[")
    page.wait_for_url(lambda address: "/traces/" in address and address != url)
    page.keyboard.press("]")

    page.wait_for_url(url)


def test_one_stop_for_the_tabulator(page: Page, url: str) -> None:
    page.goto(url)

    stops = page.locator('.timeline a:not([tabindex="-1"])')

    expect(stops).to_have_count(1)


def test_twenty_times_the_same_query(page: Page, url: str) -> None:
    page.goto(url)

    page.get_by_role("link", name="20 times the same query").click()

    expect(page.get_by_text("20 of 23 fit: the same call")).to_be_visible()
    expect(page.locator(".timeline [data-row]:not(.above)")).to_have_count(20)
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".timeline [data-row]")).to_have_count(23)


def test_finding(page: Page, url: str) -> None:
    page.goto(url)

    page.keyboard.press("/")
    page.keyboard.type("badgateway")
    page.keyboard.press("Enter")

    expect(page.get_by_text("1 of 23 fits")).to_be_visible()
    assert "find=badgateway" in page.url
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.go_back()
    expect(page.locator(".timeline [data-row]")).to_have_count(23)


def test_views_and_back(page: Page, url: str) -> None:
    page.goto(url)

    page.get_by_role("link", name="Flame graph").click()
    page.locator(".flame a", has_text="remote.site").click()
    expect(page.locator(".pane h2")).to_contain_text("remote.site")
    page.get_by_role("link", name="Table", exact=True).click()
    page.get_by_role("link", name="Self time").click()
    expect(page.locator('th[aria-sort="descending"]')).to_contain_text("Self time")
    expect(page.locator("tr.chosen")).to_contain_text("remote.site")
    page.get_by_role("link", name="Logs").click()
    expect(page.get_by_text("aws logs start-query")).to_be_visible()
    for _ in range(5):
        page.go_back()
        page.wait_for_timeout(50)
    expect(page.locator(".timeline [data-row]")).to_have_count(23)


def test_copying(page: Page, url: str, traces: dict[str, dict[str, Any]]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{url}?element={traces['failing']['id']}")

    page.get_by_text("Raw JSON").click()
    page.locator(".raw").get_by_role("button", name="Copy").click()

    expect(page.locator(".raw").get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert traces["failing"]["id"] in copied


def test_rows_come_as_they_are_scrolled_to(
    page: Page, xray: Program, traces: dict[str, dict[str, Any]]
) -> None:
    page.goto(f"{xray.url}/traces/{traces['many']['trace_id']}")
    height = page.evaluate("document.documentElement.scrollHeight")
    assert page.locator(".timeline [data-row]").count() < 500

    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")

    expect(page.get_by_text("late 999", exact=True)).to_be_visible()
    assert page.locator(".rows-left").count() > 0
    assert page.evaluate("document.documentElement.scrollHeight") == height
    check_steady(page)


def test_the_row_of_an_element_is_seen(
    each_page: Page, xray: Program, traces: dict[str, dict[str, Any]]
) -> None:
    each_page.goto(f"{xray.url}/traces/{traces['many']['trace_id']}?find=late+500")
    row(each_page, "late 500").get_by_role("link").first.click()
    expect(each_page.locator(".pane h2")).to_contain_text("late 500")
    element = re.search(r"element=(\w+)", each_page.url)
    assert element

    each_page.goto(f"{xray.url}/traces/{traces['many']['trace_id']}?element={element[1]}")

    expect(row(each_page, "late 500")).to_be_in_viewport()


def test_keys_beyond_a_page_of_rows(
    page: Page, xray: Program, traces: dict[str, dict[str, Any]]
) -> None:
    page.goto(f"{xray.url}/traces/{traces['many']['trace_id']}?element={traces['many']['id']}")
    row(page, "late 58").get_by_role("link").first.focus()
    expect(row(page, "late 59")).to_be_attached()

    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-row]:focus-within .label")).to_contain_text("late 59")
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-row]:focus-within .label")).to_contain_text("late 58")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-row]:focus-within .label")).to_contain_text("many")


def test_nothing_moves(page: Page, url: str) -> None:
    page.goto(url)

    check_steady(page)


def test_without_scripts(browser: Browser, url: str) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(url)
        row(page, "view").locator(".twist").click()
        expect(page.locator(".timeline [data-row]")).to_have_count(2)
        row(page, "view").get_by_role("link").first.click()
        expect(page.locator(".pane h2")).to_contain_text("view")
        page.get_by_role("link", name="Flame graph").click()
        expect(page.locator(".flame")).to_be_visible()


def test_in_progress_until_it_has_ended(page: Page, xray: Program) -> None:
    now = time.time()
    begun = make_segment(name="slow", start_time=now, end_time=None, in_progress=True)
    send_all(xray, begun)
    page.goto(f"{xray.url}/traces/{begun['trace_id']}?live=1")
    expect(page.locator("#facts")).to_contain_text("in progress")

    done = {key: value for key, value in begun.items() if key != "in_progress"}
    send_all(xray, done | {"end_time": now + 1.5})

    expect(page.locator("#facts")).to_contain_text("1.50 s")
