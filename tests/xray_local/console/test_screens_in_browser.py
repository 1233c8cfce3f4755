"""Every screen in a real browser, by the keyboard alone, and without scripts."""

import random
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.xray_local.console.browser import opened, send_all
from tests.xray_local.console.test_walk import make_trace
from tests.xray_local.program import Program

TRACES = 12
NODE = "node=films&type=AWS%3A%3ALambda%3A%3AFunction"
SCREENS = (
    "/",
    f"/?{NODE}",
    "/traces",
    "/traces/ID",
    "/traces/ID?view=flame",
    "/traces/ID?view=table",
    "/compare?one=ID&other=OTHER",
    "/services",
    "/live?paused=1",
    "/analytics",
    "/insights",
    "/sampling",
    "/sampling?new=1",
    "/groups",
    "/groups?new=1",
    "/settings",
    "/settings?clear=1",
    "/start",
)
# What the tabulator stops at, in the order of the document; and all that can be clicked. Of radio
# buttons and of a timeline's rows it stops at one, and arrows lead on.
LISTS = """() => {
  const isSeen = (each) => each.checkVisibility({ visibilityProperty: true });
  const all = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")];
  window.stops = all.filter((each) =>
    isSeen(each) && each.tabIndex >= 0 && !each.disabled && !each.closest("dialog:not([open])"));
  const reached = new Set(window.stops.map((each) => each.getAttribute("href")));
  const rows = (each) => each.closest(".timeline [data-row]");
  window.lost = all.filter((each) =>
    isSeen(each) && each.tabIndex < 0 && !each.disabled && !rows(each) &&
    each.matches("a, button, summary") &&
    !(each.hasAttribute("href") && reached.has(each.getAttribute("href"))));
  window.walked = [];
  document.addEventListener("focusin", (event) => window.walked.push(event.target));
  const say = (each) => each.outerHTML.slice(0, 120);
  return [window.stops.length, window.lost.map(say)];
}"""
WALKED = """() => {
  const say = (each) => each.outerHTML.slice(0, 120);
  const walked = [...new Set(window.walked)];
  const missed = window.stops.filter((each) => !walked.includes(each));
  const isBefore = (one, other) =>
    one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
  const jumps = walked.slice(1).filter((each, place) => !isBefore(walked[place], each));
  return [missed.map(say), jumps.map(say), window.walked.length > walked.length];
}"""
# What looks the same with the focus as without it.
UNSEEN = """() => {
  const look = (element) => JSON.stringify([element, ...element.querySelectorAll("*")].flatMap(
    (each) => [null, "::after"].map((part) => {
      const style = getComputedStyle(each, part);
      return [style.outlineStyle, style.outlineWidth, style.stroke, style.strokeWidth,
        style.boxShadow, style.textDecorationLine];
    })));
  const unseen = [];
  for (const element of window.stops) {
    document.activeElement.blur();
    const before = look(element);
    element.focus();
    if (look(element) === before) unseen.push(element.outerHTML.slice(0, 120));
  }
  return unseen;
}"""
KEYS = """() => {
  const keys = [...document.querySelectorAll("[data-key]")].filter(
    (each) => each.checkVisibility() && each.matches("a[href], button:enabled"));
  const shown = [...document.querySelectorAll("#keys kbd")].filter(
    (each) => each.checkVisibility()).map((each) => each.textContent);
  return [[...new Set(keys.map((each) => each.dataset.key))], shown];
}"""
WITHOUT_SCRIPTS = """() => {
  [...document.querySelectorAll("input[name=trace]")].slice(0, 2).forEach(
    (each) => (each.checked = true));
  const isSeen = (each) => each.checkVisibility();
  const say = (each) => each.outerHTML.slice(0, 120);
  const seen = (selector) => [...document.querySelectorAll(selector)].filter(isSeen);
  const submits = (form) => [...form.elements].some(
    (each) => isSeen(each) && each.matches("button:not([type=button])"));
  return {
    "do nothing": seen("button, input, select, textarea").filter((each) =>
      each.form === null || each.type === "button").map(say),
    "cannot be sent": seen("form").filter((each) => !submits(each)).map(say),
    "forms": [...document.querySelectorAll("form")].filter(
      (each) => each.method === "get").map((each) =>
      `${each.action.split("?")[0]}?${new URLSearchParams(new FormData(each))}`),
  };
}"""


@pytest.fixture(scope="module")
def ids(xray: Program) -> list[str]:
    """The ids of the traces that are stored."""
    rng = random.Random(3)
    made = [make_trace(number, rng) for number in range(TRACES)]
    documents: list[dict[str, Any]] = [each for documents in made for each in documents]
    send_all(xray, *documents)
    return [documents[0]["trace_id"] for documents in made]


@pytest.fixture
def link(request: pytest.FixtureRequest, xray: Program, ids: list[str]) -> str:
    path = str(request.param).replace("ID", ids[7]).replace("OTHER", ids[4])
    return f"{xray.url}{path}"


@pytest.mark.parametrize("link", SCREENS, indirect=True, ids=SCREENS)
def test_by_the_keyboard_alone(page: Page, link: str) -> None:
    page.goto(link)
    count, lost = page.evaluate(LISTS)
    assert lost == []

    for _ in range(count + 2):
        page.keyboard.press("Tab")
    missed, jumps, is_round = page.evaluate(WALKED)
    assert missed == [], "The tabulator does not reach them."
    # From the last on to the first.
    assert jumps == [], "The tabulator goes back to them."
    assert is_round, "The tabulator does not leave the page."
    assert page.evaluate(UNSEEN) == []

    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    here, shown = page.evaluate(KEYS)
    assert {part for key in here for part in key.split()} <= set(shown)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    has_rows = page.locator("[data-row] :is(a[href], button, summary)").count() > 0
    assert ("j" in shown) == (page.locator("[data-row]").count() > 0)
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('[data-row]') !== null") == has_rows


@pytest.mark.parametrize("link", SCREENS, indirect=True, ids=SCREENS)
def test_without_scripts(browser: Browser, link: str) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(link)

        found = page.evaluate(WITHOUT_SCRIPTS)
        assert found["do nothing"] == []
        assert found["cannot be sent"] == []
        for form in set(found["forms"]):
            assert page.request.get(form).ok, form
        text = page.locator("main").inner_text()
        assert len(text) > 100
        assert not re.search("loading|waiting|undefined", text, re.IGNORECASE)


def test_a_part_of_a_chart_by_keys(page: Page, xray: Program, ids: list[str]) -> None:
    page.goto(f"{xray.url}/analytics")
    drawing = page.locator("svg[data-brush]").last
    ends = drawing.locator(".column").evaluate_all(
        "(all) => all.map((each) => [each.dataset.low, each.dataset.high])"
    )

    drawing.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(drawing.locator(".brush")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(drawing.locator(".brush")).to_have_count(0)
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile("a_low="))
    chosen = [page.locator(f"[name=a_{end}]").last.input_value() for end in ("low", "high")]
    assert list(map(float, chosen)) == [float(ends[-2][0]), float(ends[-1][1])]
