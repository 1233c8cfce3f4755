"""The console in Debian's Chromium: pages that fail a test when the browser complains.

Every test under tests/xray_local/console can ask for `page`, `each_page` and `xray`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.chromium import CHROMIUM, run_chromium
from tests.processes import ROOT
from tests.xray_local.made import wait_until
from tests.xray_local.program import Program, run_xray

# How long a page may take to show what is expected, beside other tests on the same cores.
expect.set_options(timeout=30_000)
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# The narrowest and the widest that a page has to fit.
WIDTHS = (360, 768, 1280, 2560)
SHIFTS = """
window.shifts = 0;
window.shifted = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifts += entry.value;
    for (const { node, previousRect, currentRect } of entry.sources) {
      const [before, after] = [previousRect, currentRect].map((each) => JSON.stringify(each));
      window.shifted.push(`${node?.outerHTML?.slice(0, 80)}: ${before} -> ${after}`);
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: Playwright's loop would be in the way of tests that run their own."""
    if CHROMIUM is None:
        pytest.skip("Install chromium to test the pages in it.")
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page 1280 wide, in the light, that fails the test if the browser complains."""
    with opened(browser, width=1280, scheme="light") as page:
        yield page


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["wide", "narrow"])
def each_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The same test wide in the light, and narrow in the dark."""
    width, scheme = request.param
    with opened(browser, width=width, scheme=scheme) as page:
        yield page


@contextmanager
def opened(
    browser: Browser, *, width: int, scheme: Any, has_scripts: bool = True
) -> Iterator[Page]:
    """Open a page that fails at the end if there was an error, a warning, or a failed request."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=has_scripts,
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def complain_of(failed: Request) -> None:
        # Who leaves a page ends what it was still asking for.
        if failed.failure != "net::ERR_ABORTED":
            complaints.append(f"{failed.url}: {failed.failure}")

    page.on("requestfailed", complain_of)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    try:
        yield page
    finally:
        context.close()
    assert complaints == [], complaints


@pytest.fixture(scope="module")
def xray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A local X-Ray of the module's own."""
    with run_xray(tmp_path_factory.mktemp("xray")) as program:
        yield program


def send_all(program: Program, *documents: dict[str, Any]) -> None:
    """Send documents, and wait until all of them are stored."""
    before = _count(program)
    program.send(*documents)
    wait_until(lambda: _count(program) >= before + len(documents))


def _count(program: Program) -> int:
    counts = program.counts()
    return counts["stored"] + counts["replaced"] + counts["refused"]


def check_accessible(page: Page) -> None:
    """Hold that axe-core finds nothing that keeps people from using the page."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed; install Node 20 or newer with npm, then: npm ci")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    violations = page.evaluate("axe.run().then((found) => found.violations)")
    assert [
        (each["id"], each["help"], [node["html"] for node in each["nodes"]]) for each in violations
    ] == []


def check_fits(page: Page) -> None:
    """Hold that the page does not scroll sideways at any width it has to fit."""
    height = (page.viewport_size or {"height": 900})["height"]
    size = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("""
            [...document.querySelectorAll("body *")]
              .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
              .map((each) => each.outerHTML.slice(0, 120)).slice(0, 5)
        """)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, wide)
    if size:
        page.set_viewport_size(size)


def check_steady(page: Page) -> None:
    """Hold that nothing on the page has moved by itself since it was opened."""
    # A shift is told after the next frame.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    shifts, shifted = page.evaluate("[window.shifts, window.shifted]")
    if shifts >= 0.01:
        pytest.fail(f"{page.url} moved by {shifts:.3f}: {shifted}")


def wait_for_text(program: Program, path: str, text: str, timeout_seconds: float = 10) -> None:
    """Wait until a page that the program serves has the text."""
    deadline = time.monotonic() + timeout_seconds
    while text not in program.fetch(path):
        assert time.monotonic() < deadline, f"{text!r} is not on {path}."
        time.sleep(0.05)
