"""The table of traces in a real browser."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    opened,
    send_all,
)
from tests.xray_local.console.test_pages import make_hostile
from tests.xray_local.made import make_request, make_segment
from tests.xray_local.program import Program


def make_visit(number: int, **fields: Any) -> dict[str, Any]:
    now = time.time() - number
    return make_segment(
        **{
            "name": "site",
            "start_time": now,
            "end_time": now + 0.01 * (number + 1),
            "http": make_request(f"http://site/films/{number}", 200),
            "annotations": {"route": "film", "number": number},
        }
        | fields
    )


@pytest.fixture(scope="module", autouse=True)
def traces(xray: Program) -> list[dict[str, Any]]:
    made = [
        *(make_visit(number) for number in range(6)),
        make_visit(7, fault=True, user="ada", http=make_request("http://site/broken", 500)),
        make_hostile() | {"start_time": time.time() - 8, "end_time": time.time()},
    ]
    send_all(xray, *made)
    return made


@pytest.fixture
def box(page: Page, xray: Program) -> Locator:
    """The filter of the table, which the page shows."""
    page.goto(f"{xray.url}/traces")
    return page.get_by_role("combobox", name="Filter")


def put_caret(box: Locator, place: int) -> None:
    box.evaluate("(input, place) => input.setSelectionRange(place, place)", place)


@pytest.mark.parametrize(
    "query",
    ["", "?filter=fault&sort=slowest", "?filter=fault+AND&live=1", "?filter=user+%3D+%22no%22"],
)
def test_accessible_and_fits(each_page: Page, xray: Program, query: str) -> None:
    each_page.goto(f"{xray.url}/traces{query}")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_the_filter_is_completed_by_keys_alone(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces")

    page.keyboard.press("/")
    page.keyboard.type("rout")
    expect(page.get_by_role("option", name="annotation.route")).to_be_visible()
    check_accessible(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("= ")
    expect(page.get_by_role("option", name='"film"')).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.get_by_role("option", name="AND")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")

    page.wait_for_url("**filter=annotation.route*")
    assert page.get_by_role("combobox", name="Filter").input_value() == 'annotation.route = "film"'
    expect(page.locator("[data-row]")).to_have_count(7)


def test_the_filter_is_completed_by_the_mouse_within_it(page: Page, box: Locator) -> None:

    box.fill(" AND ok")
    box.press("Home")
    page.keyboard.type("fau")
    page.get_by_role("option", name="fault").click()

    assert box.input_value() == "fault AND ok"


def test_what_was_typed_after_the_list_was_made_is_replaced(page: Page, box: Locator) -> None:
    box.fill(" AND ok")
    box.press("Home")
    box.press("ArrowDown")
    fault = page.get_by_role("option", name="fault")
    expect(fault).to_be_visible()

    page.route("**/completions*", lambda route: None)
    page.keyboard.type("fau")
    fault.click()

    assert box.input_value() == "fault AND ok"


@pytest.mark.parametrize("caret", [0, 8, 17])
def test_an_option_replaces_its_word_wherever_the_caret_is(
    page: Page, box: Locator, caret: int
) -> None:
    box.fill("ok AND  OR error")
    put_caret(box, 7)
    page.keyboard.type("fau")
    fault = page.get_by_role("option", name="fault")
    expect(fault).to_be_visible()

    put_caret(box, caret)
    fault.click()

    assert box.input_value() == "ok AND fault OR error"


@pytest.mark.parametrize(
    ("before", "after", "option", "expected"),
    [
        ("fa", "ult AND ok", "fault", "fault AND ok"),
        ("resp", "onsetime > 1", "responsetime", "responsetime > 1"),
        ("annotation.r", "oute = 1", "annotation.route", "annotation.route = 1"),
        ('user = "', 'ada" AND ok', '"ada"', 'user = "ada" AND ok'),
        ('user = "a', 'd\\"a" OK', '"ada"', 'user = "ada" OK'),
        ('user = "a', ' AND name = "x"', '"ada"', 'user = "ada" AND name = "x"'),
        ("responsetime <", "= 1", "<=", "responsetime <= 1"),
        ("serv", 'ice("site")', "service(", 'service("site")'),
        ("ok AND ", "error", "fault", "ok AND fault error"),
        ("annot", "ation[a.b] = 1", "annotation.route", "annotation.route = 1"),
        ('user = "a', 'da" AND name = "x', '"ada"', 'user = "ada" AND name = "x'),
    ],
)
def test_the_word_at_the_caret_is_replaced_as_a_whole(
    page: Page, box: Locator, before: str, after: str, option: str, expected: str
) -> None:
    box.fill(before + after)
    put_caret(box, len(before))
    box.press("ArrowDown")

    page.get_by_role("option").filter(has=page.get_by_text(option, exact=True)).first.click()

    assert box.input_value() == expected


@pytest.mark.parametrize(
    "edited",
    [
        "ok AND fau OR error AND x",
        "!ok AND fau OR error",
        "ok AND fau OR e",
        "ok",
        "ok AND fault AND x OR error",
        "ok AND fau OR error OR error",
    ],
)
def test_an_option_does_nothing_to_a_filter_that_is_another_by_now(
    page: Page, box: Locator, edited: str
) -> None:
    with page.expect_response("**/completions*"):
        box.fill("ok AND fau OR error")
    box.blur()
    box.focus()
    put_caret(box, 10)
    box.press("ArrowDown")
    fault = page.get_by_role("option", name="fault")
    expect(fault).to_be_visible()

    box.evaluate("(input, edited) => { input.value = edited }", edited)
    fault.click()

    assert box.input_value() == edited


def test_a_completion_can_be_undone(page: Page, box: Locator) -> None:
    box.press_sequentially("ok AND fau")
    page.get_by_role("option", name="fault").click()
    assert box.input_value() == "ok AND fault "

    box.press("Control+z")
    assert box.input_value() == "ok AND fau"
    box.press("Control+Shift+z")
    assert box.input_value() == "ok AND fault "


def test_escape_at_once_leaves_the_list_closed(page: Page, box: Locator) -> None:
    box.press_sequentially("fa")
    expect(page.get_by_role("option", name="fault")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    # Both within one task: the letter's list would have been asked for later.
    box.evaluate(
        """input => {
            input.value = "fau";
            input.dispatchEvent(new Event("input"));
            input.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
        }"""
    )
    page.wait_for_timeout(300)

    assert asked == []
    expect(page.get_by_role("option", name="fault")).to_be_hidden()


def test_nothing_is_offered_without_an_answer(page: Page, box: Locator) -> None:
    box.fill("fau")
    expect(page.get_by_role("option", name="fault")).to_be_visible()

    page.route("**/completions*", lambda route: route.fulfill(status=204))
    page.keyboard.type("l")

    expect(page.get_by_role("option", name="fault")).to_be_hidden()


def test_a_mistake_stands_under_its_word(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces?filter=duration+>+fast+AND+ok")

    assert page.locator("mark").inner_text() == "fast"
    assert page.get_by_role("alert").inner_text().count("expected a number, got 'fast'") == 1
    assert page.get_by_role("combobox", name="Filter").get_attribute("aria-invalid") == "true"


def test_a_facet_narrows_by_a_click(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces?range=15m")

    page.locator("#facets").get_by_role("link", name="ada").click()

    page.wait_for_url("**filter=user*")
    assert "range=15m" in page.url
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("#facets").get_by_role("link", name="ada").click()
    page.wait_for_url(f"{xray.url}/traces?range=15m")


def test_sorting_by_a_head(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces?filter=service(%22site%22)")

    page.get_by_role("link", name="Response time").click()
    page.wait_for_url("**sort=slowest*")

    assert "/broken" in page.locator("[data-row]").first.inner_text()
    head = page.get_by_role("columnheader", name="Response time")
    assert head.get_attribute("aria-sort") == "descending"
    page.get_by_role("link", name="Response time").click()
    page.wait_for_url("**sort=fastest*")
    assert "/films/0" in page.locator("[data-row]").first.inner_text()


def test_columns_are_chosen(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces")

    page.get_by_text("Columns", exact=True).click()
    check_accessible(page)
    page.get_by_label("Duration").check()
    page.get_by_label("Services").uncheck()
    page.locator(".columns").get_by_role("button", name="Show").click()

    page.wait_for_url("**columns=*")
    expect(page.get_by_role("columnheader", name="Duration")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Services")).to_have_count(0)


def test_two_are_compared_by_keys_alone(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces")
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()

    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Compare 2")).to_be_enabled()
    page.keyboard.press("c")

    page.wait_for_url(re.compile("/compare.*one=1-.*other=1-"))


def test_new_traces_are_followed_without_a_jump(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces?live=1&filter=service(%22live%22)+OR+service(%22site%22)")
    chosen = page.locator("[data-row]").nth(2)
    trace_id = chosen.get_attribute("id")
    chosen.get_by_role("checkbox").check()
    page.get_by_text("Table", exact=True)
    row = page.locator(f"[id='{trace_id}']")
    row.get_by_role("link").focus()
    before = page.locator("[data-row]").count()

    new = make_visit(0, name="live", annotations={})
    send_all(xray, new)
    expect(page.locator(f"[id='trace-{new['trace_id']}']")).to_be_visible(timeout=15_000)

    assert page.locator("[data-row]").count() == before + 1
    expect(row.get_by_role("checkbox")).to_be_checked()
    assert row.get_by_role("link").evaluate("link => link === document.activeElement")
    assert page.locator("[data-row]").first.get_attribute("id") == f"trace-{new['trace_id']}"


def test_three_that_are_chosen_stand_together(each_page: Page, xray: Program) -> None:
    each_page.goto(f"{xray.url}/traces")
    for number in range(3):
        each_page.locator("[data-row]").nth(number).get_by_role("checkbox").check()
    each_page.get_by_role("button", name="Compare 3").click()
    each_page.wait_for_url("**/chosen?*")

    assert each_page.locator("[data-row]").count() == 3
    check_accessible(each_page)
    check_fits(each_page)


def test_what_is_frozen_stays(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/traces")

    assert page.evaluate("document.body.dataset.refresh") is None
    page.keyboard.press("l")
    page.wait_for_url("**live=1")
    assert page.evaluate("document.body.dataset.refresh") == "5"


def test_without_scripts(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(f"{xray.url}/traces")
        page.get_by_role("link", name="Status", exact=True).last.click()
        page.wait_for_url("**sort=highest*")
        assert "500" in page.locator("[data-row]").first.inner_text()
        for number in (0, 1, 2):
            page.locator("[data-row]").nth(number).get_by_role("checkbox").check()
        page.get_by_role("button", name="Compare").click()
        page.wait_for_url("**/chosen?*")
        assert page.locator("[data-row]").count() == 3
