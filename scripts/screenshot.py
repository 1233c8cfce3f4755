"""`make screenshot`: draw docs/screenshot.png, the catalogue beside the trace of that very page.

Runs a stack of its own with data of its own, on the usual ports where they are free since the
picture shows them, and looks at it with Chromium.
"""

import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, ViewportSize, sync_playwright

from scripts.ports import find_free_port
from scripts.stack import ROOT, Stack, answers

PICTURE = ROOT / "docs" / "screenshot.png"
SIZE = ViewportSize(width=1100, height=760)  # of each of the two pages, in CSS pixels
GAP_PIXELS = 24
START_SECONDS = 120.0
TRACE_SECONDS = 15.0  # in which a page's trace must have arrived
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# It would ask the outside for updates and more.
CHROMIUM_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class Failed(Exception):
    """Why there is no picture, in words for the terminal."""


@contextmanager
def run_stack() -> Iterator[Stack]:
    """Run the site, the local X-Ray and the embedded AWS with new data, as `make run` does."""
    site, xray = find_free_port(first=8000), find_free_port(("tcp", "udp"), first=2000)
    with tempfile.TemporaryDirectory(prefix="movies-screenshot-") as folder:
        stack = Stack(site, xray, find_free_port(), find_free_port(), Path(folder))
        environment = os.environ | {
            "SITE_PORT": str(stack.site_port),
            "XRAY_PORT": str(stack.xray_port),
            "AWS_PORT": str(stack.aws_port),
            "LOCAL_DIR": folder,
            "OTLP_PORT": str(stack.otlp_port),
        }
        process = subprocess.Popen([sys.executable, "-m", "scripts.run"], cwd=ROOT, env=environment)
        try:
            wait_for_site(process, stack)
            yield stack
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def wait_for_site(process: subprocess.Popen[bytes], stack: Stack) -> None:
    """Return when the site answers. Raises Failed if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(stack.site_url, "/healthz"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"The site did not answer at {stack.site_url}; see above.")
        time.sleep(0.2)


def find_chromium() -> str:
    """Return where Chromium is. Raises Failed where there is none."""
    for name in CHROMIUM_NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise Failed(f"Found none of {', '.join(CHROMIUM_NAMES)}: apt install chromium")


def launch_chromium(playwright: Playwright, path: str) -> Browser:
    """Return the browser that has started."""
    # As root, Chromium has no sandbox; the pages are our own.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_FLAGS, *root])


def photograph(browser: Browser, stack: Stack) -> list[bytes]:
    """Return the pictures of the catalogue and of the trace of that request."""
    page = browser.new_page(viewport=SIZE)
    for _ in range(2):  # the first request of a process is the slow one, and not the usual one
        page.goto(f"{stack.site_url}/movies/", wait_until="networkidle")
    catalogue = page.screenshot()
    link = page.locator(f"a[href^='{stack.xray_url}/traces/']").first.get_attribute("href")
    if not link:
        raise Failed("The catalogue's page has no link to its trace.")
    open_trace(page, link)
    return [catalogue, page.screenshot()]


def open_trace(page: Page, link: str) -> None:
    """Open a trace, waiting for it to arrive. Raises Failed if it does not."""
    deadline = time.monotonic() + TRACE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(1)  # late subsegments may follow the segment
        answer = page.goto(link, wait_until="networkidle")
        if answer and answer.ok:
            return
    raise Failed(f"{link} did not come within {TRACE_SECONDS:.0f} s.")


def put_side_by_side(browser: Browser, pictures: list[bytes]) -> bytes:
    """Return one picture of all, left to right."""
    images = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
        for picture in pictures
    )
    page = browser.new_page(
        viewport=ViewportSize(
            width=(SIZE["width"] + GAP_PIXELS) * len(pictures) + GAP_PIXELS,
            height=SIZE["height"] + 2 * GAP_PIXELS,
        )
    )
    page.set_content(
        f"<body style='margin: 0; padding: {GAP_PIXELS}px; background: #ccd; display: flex;"
        f" gap: {GAP_PIXELS}px'>{images}</body>"
    )
    return page.screenshot()


def main() -> int:
    """Draw the picture. Returns 1 if that fails."""
    try:
        chromium = find_chromium()
        with run_stack() as stack, sync_playwright() as playwright:
            browser = launch_chromium(playwright, chromium)
            PICTURE.write_bytes(put_side_by_side(browser, photograph(browser, stack)))
            browser.close()
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Drew {PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size // 1024} KiB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
