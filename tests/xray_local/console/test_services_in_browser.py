"""Services and routes in a real browser."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    send_all,
)
from tests.xray_local.made import make_request, make_segment, make_subsegment
from tests.xray_local.program import Program


@pytest.fixture(scope="module", autouse=True)
def traces(xray: Program) -> None:
    now = time.time() - 60
    documents = [
        make_segment(
            name=name,
            start_time=now,
            end_time=now + seconds,
            http=make_request(f"http://{name}/list", 200),
            subsegments=[
                make_subsegment("S3", namespace="aws", start_time=now, end_time=now + seconds / 2)
            ],
        )
        for name, seconds in (("quick", 0.1), ("quick", 0.12), ("slow", 2.0))
    ]
    send_all(xray, *documents)


@pytest.mark.parametrize("query", ["", "start=0&end=60"])
def test_accessible_and_fits(each_page: Page, xray: Program, query: str) -> None:
    each_page.goto(f"{xray.url}/services?{query}")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_sort_and_go_to_the_traces(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/services")
    first = page.locator("table.routes tbody tr").first
    expect(first).to_contain_text("quick")

    page.locator("table.routes").get_by_role("link", name="p95").click()
    expect(first).to_contain_text("slow")
    first.get_by_role("link").first.click()

    expect(page).to_have_url(re.compile("/traces"))
    expect(page.locator("tbody tr")).to_have_count(1)


def test_from_a_service_to_the_map(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/services")

    page.get_by_role("link", name="slow on the map").click()

    expect(page.get_by_role("complementary")).to_contain_text("slow")
