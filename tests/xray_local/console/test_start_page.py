"""How to send a first segment, and what the screens show while nothing is stored."""

import html
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.xray_local.conftest import Console, Store
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    opened,
    send_all,
)
from tests.xray_local.made import make_segment
from tests.xray_local.program import Program
from xray_local.console.guides import LOOKING, SENDING, write_guide


@pytest.mark.parametrize("path", ["/start", "/", "/traces", "/services", "/live"])
def test_all_guides_with_the_address(console: Console, path: str) -> None:
    page = console.page(path)

    assert "Nothing has arrived yet" in page
    for guide in (*SENDING, LOOKING):
        for part in write_guide(guide, "127.0.0.1:2000").parts:
            assert html.escape(part.code) in page


def test_address_is_the_one_that_was_asked(console: Console) -> None:
    page = console.get("/start", headers={"Host": "localhost:4711"}).content.decode()

    assert "http://localhost:4711/v1/traces" in page
    assert "127.0.0.1:2000" not in page.replace("send to 127.0.0.1:2000 where", "")


def test_it_is_there_when_something_is_stored(console: Console, store: Store) -> None:
    store(make_segment())

    page = console.page("/start")

    assert "Send a segment</h2>" in page
    assert "my-django-site" in page


def test_accessible_and_fits(each_page: Page, xray: Program) -> None:
    each_page.goto(f"{xray.url}/start")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)
    each_page.get_by_text("OpenTelemetry, Node", exact=True).click()
    # One is open at a time.
    expect(each_page.get_by_text("At the end of settings.py")).to_be_hidden()
    check_accessible(each_page)
    check_fits(each_page)


def test_copy(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{xray.url}/start")

        page.get_by_role("button", name="Copy: Django, At the end of settings.py").click()

        expect(page.locator("details[open] button").last).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == write_guide(SENDING[0], xray.url.removeprefix("http://")).parts[1].code


def test_what_arrives_is_shown(browser: Browser, page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/start")
    expect(page.get_by_role("status")).to_have_text("Waiting for a segment…")
    with page.expect_response("**/counts"), opened(browser, width=1280, scheme="light") as other:
        other.goto(f"{xray.url}/traces?range=7d")
        with other.expect_response("**/counts"):
            pass
        send_all(xray, make_segment(start_time=time.time()))

        # The table takes the place of the guides by itself.
        expect(other.locator("tbody tr[data-row]").first).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("A segment has arrived.")
    page.get_by_role("link", name="Show the traces").click()
    page.wait_for_url("**/traces")


def test_without_scripts(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(f"{xray.url}/start")

        expect(page.get_by_text("Reload this page")).to_be_visible()
        expect(page.locator("[data-waits]")).to_be_hidden()
        page.get_by_text("Flask", exact=True).click()
        expect(page.get_by_text("my-flask-app")).to_be_visible()
