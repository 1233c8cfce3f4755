"""What every page has, in a real browser: keys, the theme, the bar on top, and refreshing."""

import re
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    opened,
    send_all,
)
from tests.xray_local.made import make_request, make_segment
from tests.xray_local.program import Program


@pytest.fixture(scope="module", autouse=True)
def traces(xray: Program) -> list[dict[str, Any]]:
    now = time.time()
    made = [
        make_segment(
            name="films", start_time=now - number, http=make_request(f"http://a/{number}", 200)
        )
        for number in range(5)
    ]
    send_all(xray, *made)
    return made


@pytest.mark.parametrize("path", ["/traces", "/traces?range=7d", "/traces?filter=fault%20x"])
def test_accessible_and_fits(each_page: Page, xray: Program, path: str) -> None:
    response = each_page.goto(xray.url + path)
    assert response

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_keys_lead_to_screens(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces?range=6h")

    page.keyboard.press("g")
    page.keyboard.press("m")

    page.wait_for_url("**/?range=6h")


def test_keys_are_shown_and_closed(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check_accessible(page)
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_rows_by_keys(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile("/traces/1-"))


def test_a_letter_in_the_filter_is_no_key(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces")

    page.keyboard.press("/")
    page.keyboard.type("g m?")

    assert page.get_by_label("Filter", exact=True).input_value() == "g m?"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")


def test_the_theme_stays(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light") as page:
        page.goto(f"{xray.url}/traces")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")

        page.get_by_label("Theme").select_option("dark")
        page.reload()

        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
        assert page.get_by_label("Theme").input_value() == "dark"
        page.get_by_label("Theme").select_option("auto")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def test_a_range_by_its_ends(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces?range=24h&filter=ok")

    page.get_by_text("From … to", exact=True).click()
    page.get_by_label("From", exact=True).fill("2023-11-14T22:00:00")
    page.get_by_label("To", exact=True).fill("2023-11-14T23:00:00")
    page.locator(".panel").get_by_role("button", name="Show").click()

    page.wait_for_url("**start=2023-11-14T22*")
    assert "filter=ok" in page.url
    assert "range=" not in page.url
    page.get_by_role("link", name="1h", exact=True).click()
    page.wait_for_url(f"{xray.url}/traces?filter=ok")


class Halting(BaseHTTPRequestHandler):
    """Hands on what the program at `url` answers; a page halts where `mark` ends."""

    url = ""
    mark = b'<summary class="button">'

    def do_GET(self) -> None:
        with urllib.request.urlopen(self.url + self.path, timeout=10) as answer:
            body, kind = answer.read(), answer.headers["Content-Type"]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        before, mark, after = body.partition(self.mark)
        self.wfile.write(before + mark)
        if mark:
            # As long as a busy machine takes to draw what it has.
            time.sleep(0.3)
        self.wfile.write(after)

    def log_message(self, format: str, *args: Any) -> None: ...


def test_a_page_that_comes_in_parts_is_shown_as_a_whole(browser: Browser, xray: Program) -> None:
    """Else the range's button would stand beside the others until its words have come."""
    handler = type("HaltingBefore", (Halting,), {"url": xray.url})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with opened(browser, width=360, scheme="light") as page:
                page.goto(f"http://127.0.0.1:{server.server_port}/services?start=0&end=60")
                check_steady(page)
        finally:
            server.shutdown()


def test_without_scripts(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(f"{xray.url}/traces")

        assert not page.get_by_label("Theme").is_visible()
        page.get_by_label("Filter", exact=True).fill("fault")
        page.keyboard.press("Enter")
        page.wait_for_url("**filter=fault")
        page.get_by_role("link", name="Frozen").click()
        page.wait_for_url("**live=1")


def test_a_live_page_that_gets_no_answer_says_so(browser: Browser, xray: Program) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{xray.url}/traces?live=1")
    status = page.locator(".live")

    page.route("**/traces?live=1", lambda route: route.abort())
    page.clock.run_for(6000)
    expect(status).to_have_text("Live, but no answer")
    page.unroute("**/traces?live=1")
    page.clock.run_for(6000)
    expect(status).to_have_text("Live")

    context.close()


def test_a_live_page_rests_while_a_dialog_is_open(page: Page, xray: Program) -> None:
    asked: list[str] = []
    page.clock.install()
    page.goto(f"{xray.url}/traces?live=1")
    page.on("request", lambda request: asked.append(request.url))

    page.keyboard.press("?")
    page.clock.run_for(20_000)
    assert not [url for url in asked if url.endswith("live=1")]
    page.keyboard.press("Escape")
    with page.expect_response("**/traces?live=1"):
        page.clock.run_for(8000)
