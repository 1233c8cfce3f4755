"""The page that compares two traces, in a browser."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import needs_chromium
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    send_all,
)
from tests.xray_local.console.test_compare_page import make_films
from tests.xray_local.console.test_pages import make_hostile
from tests.xray_local.made import make_trace_id
from tests.xray_local.program import Program

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def ids(xray: Program) -> list[str]:
    """The ids of a quick trace, a slow one, and one made by a stranger."""
    traces: list[dict[str, Any]] = [make_films(1), make_films(21), make_hostile()]
    for trace in traces:
        trace["trace_id"] = make_trace_id(time.time())
    send_all(xray, *traces)
    return [trace["trace_id"] for trace in traces]


def test_what_the_difference_is(each_page: Page, xray: Program, ids: list[str]) -> None:
    each_page.goto(f"{xray.url}/compare?one={ids[0]}&other={ids[1]}")

    expect(each_page.get_by_text("B is 800 ms slower than A")).to_be_visible()
    check_accessible(each_page)
    check_fits(each_page)
    check_steady(each_page)


def test_strangers(each_page: Page, xray: Program, ids: list[str]) -> None:
    each_page.goto(f"{xray.url}/compare?one={ids[0]}&other={ids[2]}")

    check_accessible(each_page)
    check_fits(each_page)


def test_from_one_trace_to_the_comparison(page: Page, xray: Program, ids: list[str]) -> None:
    page.goto(f"{xray.url}/traces/{ids[0]}")

    page.get_by_role("link", name="Compare", exact=True).click()
    check_accessible(page)
    check_fits(page)
    page.get_by_role("row").get_by_role("link").first.click()
    expect(page.get_by_text("slower than A")).to_be_visible()
    page.get_by_role("link", name="only in B").click()
    expect(page.get_by_role("row", name="only in B")).to_have_count(20)
    page.get_by_role("row", name="only in B").first.get_by_role("link").click()
    expect(page.locator(".pane h2")).to_contain_text("DynamoDB")
    page.go_back()
    page.get_by_role("link", name="Swap").click()
    expect(page.get_by_text("quicker than A")).to_be_visible()
