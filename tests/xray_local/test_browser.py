"""The pages in a real browser: nothing missing, nothing refused, nothing that scrolls sideways."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import needs_chromium, run_chromium
from tests.xray_local.console.test_pages import make_hostile
from tests.xray_local.made import (
    make_id,
    make_late,
    make_request,
    make_segment,
    make_subsegment,
)
from tests.xray_local.program import Program, run_xray

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with run_chromium() as browser:
        yield browser


@pytest.fixture(params=[(1280, "light"), (375, "dark")], ids=["wide", "narrow"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails the test if the browser complains."""
    width, scheme = request.param
    complaints: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=True
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda failed: complaints.append(failed.url))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield page
    context.close()
    assert complaints == []


def check_fits(page: Page) -> None:
    # Without its style sheets it would be as wide as its longest word.
    page.wait_for_load_state()
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


@pytest.fixture(scope="module")
def shared_xray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One of these tests alone: what others send may fill the first page of the list."""
    with run_xray(tmp_path_factory.mktemp("xray")) as program:
        yield program


@pytest.fixture(scope="module")
def traces(shared_xray: Program) -> dict[str, dict[str, Any]]:
    now = time.time()
    failing = make_subsegment(
        "S3",
        namespace="aws",
        start_time=now,
        fault=True,
        cause={"exceptions": [{"id": make_id(), "type": "NoSuchKey", "message": "Gone."}]},
    )
    root = make_segment(
        start_time=now,
        http=make_request("http://site.local/a-failing-page/" + "long" * 60, 500),
        fault=True,
        user="ada",
        annotations={f"key_{number}": "value" * number for number in range(9)},
        subsegments=[failing],
    )
    hostile = make_hostile() | {"start_time": now - 1, "end_time": now}
    many = make_segment(name="many", start_time=now - 2, end_time=now)
    shared_xray.send(root, hostile, many)
    shared_xray.send(*[make_late(many, start_time=now) for _ in range(300)])
    found = {"root": root, "hostile": hostile, "many": many}
    for each in found.values():
        while each["trace_id"] not in shared_xray.fetch("/traces"):
            time.sleep(0.05)
    return found


def test_from_the_list_to_the_exception(
    page: Page, shared_xray: Program, traces: dict[str, dict[str, Any]]
) -> None:
    page.goto(f"{shared_xray.url}/traces")
    check_fits(page)

    # Beside the table stand the same addresses, to narrow it.
    page.locator("tbody").get_by_role("link", name="a-failing-page").first.click()
    check_fits(page)
    page.get_by_role("row", name="S3").get_by_role("link").first.press("Enter")

    page.get_by_role("heading", name="NoSuchKey").wait_for()
    check_fits(page)


def test_status(page: Page, shared_xray: Program) -> None:
    page.goto(f"{shared_xray.url}/status")

    assert page.get_by_role("heading", name="Refused documents").is_visible()
    check_fits(page)


def test_by_keyboard_alone(
    page: Page, shared_xray: Program, traces: dict[str, dict[str, Any]]
) -> None:
    page.goto(f"{shared_xray.url}/traces")

    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    for _ in range(50):
        page.keyboard.press("Tab")
        if "/traces/" in (page.locator(":focus").get_attribute("href") or ""):
            break
    page.keyboard.press("Enter")

    page.wait_for_url("**/traces/*")


def test_the_map_leads_to_the_traces_of_a_service(
    page: Page, shared_xray: Program, traces: dict[str, dict[str, Any]]
) -> None:
    page.goto(f"{shared_xray.url}/?range=5m")
    check_fits(page)
    ring = page.locator(".map .ring-fault").first
    assert ring.evaluate("ring => getComputedStyle(ring).stroke !== 'none'")

    page.locator(".map a", has_text="AWS::S3").first.focus()
    page.keyboard.press("Enter")

    page.get_by_role("link", name="View traces").click()
    page.wait_for_url("**/traces?*filter=*")
    assert page.get_by_role("link", name="a-failing-page").first.is_visible()
