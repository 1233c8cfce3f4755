"""The screen of the last minute."""

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
from tests.xray_local.made import make_request, make_segment
from tests.xray_local.program import Program


def make_visit(seconds_ago: float, seconds: float = 0.1, **fields: Any) -> dict[str, Any]:
    start = time.time() - seconds_ago
    return make_segment(
        **{
            "name": "site",
            "start_time": start,
            "end_time": start + seconds,
            "http": make_request("http://site/now", 200),
        }
        | fields
    )


def test_what_began_within_the_minute(console: Console, store: Store) -> None:
    store(
        *[make_visit(number + 1) for number in range(6)],
        make_visit(2, 0.5, fault=True),
        make_visit(2, 0.3, error=True),
        make_visit(1, end_time=None, in_progress=True),
        make_visit(90),
    )

    context = console.get("/live").context

    assert (context["figures"].total, context["open"]) == (8, 1)
    assert [(arc.kind, round(arc.length)) for arc in context["figures"].arcs] == [
        ("ok", 75),
        ("error", 12),
        ("fault", 12),
    ]
    assert len(context["lines"]) == 9
    drawn = {
        kind: sum(
            1 for column in context["requests"].columns if column.kind == kind and column.height
        )
        for kind in ("ok", "error", "fault")
    }
    assert drawn == {"ok": 6, "error": 1, "fault": 1}


def test_only_what_fits(console: Console, store: Store) -> None:
    store(make_visit(3), make_visit(3, fault=True))

    context = console.get("/live?filter=fault").context

    assert context["figures"].total == len(context["lines"]) == 1


def test_paused(console: Console, store: Store) -> None:
    store(make_visit(3))

    assert 'data-refresh="1"' in console.page("/live")
    assert "data-refresh" not in console.page("/live?paused=1")


def test_nothing(console: Console, store: Store) -> None:
    assert "Nothing has arrived yet" in console.page("/live")
    store(make_visit(300))
    assert "Nothing has begun in the last minute." in console.page("/live")


@pytest.fixture(scope="module")
def running(xray: Program) -> Program:
    send_all(xray, make_visit(5), make_visit(20, fault=True))
    return xray


def test_accessible_and_fits(each_page: Page, running: Program) -> None:
    each_page.goto(f"{running.url}/live?paused=1")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_what_arrives_appears_by_itself(page: Page, running: Program) -> None:
    page.goto(f"{running.url}/live")
    arrived = make_visit(0, http=make_request("http://site/just-now", 200))
    send_all(running, arrived)

    expect(page.locator("#newest")).to_contain_text("/just-now")
    check_steady(page)

    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_role("link", name="Go on")).to_be_visible()
    send_all(running, make_visit(0, http=make_request("http://site/later", 200)))
    page.wait_for_timeout(1500)
    expect(page.locator("#newest")).not_to_contain_text("/later")
