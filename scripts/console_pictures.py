"""`make screenshot`, its second part: draw docs/console/*.png, each screen in light and in dark.

Runs a stack of its own with data of its own, browses the site for a while, and looks at its traces.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from scripts.screenshot import (
    Failed,
    find_chromium,
    launch_chromium,
    open_trace,
    run_stack,
)
from scripts.stack import ROOT, Stack

FOLDER = ROOT / "docs" / "console"
SIZE = ViewportSize(width=1280, height=800)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TRAFFIC_SECONDS = "25"
NODE = urlencode({"range": "15m", "node": "movies"})
# Where the repository stands in the pictures: where it stands here says nothing to anybody.
SHOWN_ROOT = "/home/you/movies"
WRITE_PATHS = """(paths) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const [path, shown] of paths) {
      texts.currentNode.data = texts.currentNode.data.replaceAll(path, shown);
    }
  }
}"""
# By the file's name; what needs the id of a trace is found while looking.
SCREENS = {
    "map": "/?range=15m",
    "node": f"/?{NODE}",
    "traces": "/traces?range=15m",
    "services": "/services?range=15m",
    "live": "/live?paused=1",
    "analytics": f"/analytics?{urlencode({'range': '15m', 'b': 'fault OR error'})}",
    "insights": "/insights?range=24h",
    "sampling": "/sampling",
    "groups": "/groups",
    "settings": "/settings",
    "start": "/start",
}


def browse(stack: Stack) -> None:
    """Browse the site as `make traffic` does. Raises Failed."""
    environment = {"SITE_URL": f"{stack.site_url}/", "SECONDS": TRAFFIC_SECONDS}
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.traffic"],
        cwd=ROOT,
        env=environment | {"XRAY_PORT": str(stack.xray_port)},
        check=False,
    )
    if ran.returncode:
        raise Failed(f"Browsing the site ended with {ran.returncode}.")


def photograph(browser: Browser, stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the picture of each screen, in each scheme."""
    paths = {str(stack.local_dir): f"{SHOWN_ROOT}/.local", str(ROOT): SHOWN_ROOT}
    for scheme in SCHEMES:
        page = browser.new_page(viewport=SIZE, color_scheme=scheme)
        links = SCREENS | find_traces(page, stack)
        for name, link in links.items():
            answer = page.goto(f"{stack.xray_url}{link}", wait_until="networkidle")
            if answer is None or not answer.ok:
                raise Failed(f"{stack.xray_url}{link} answered {answer and answer.status}.")
            page.evaluate(WRITE_PATHS, [*paths.items()])
            yield f"{name}-{scheme}", page.screenshot()
        page.close()


def find_traces(page: Page, stack: Stack) -> dict[str, str]:
    """Return the screens of single traces: of the slowest, and of it beside the fastest.

    Both are of /app, which calls all that the site can call.
    """
    query = urlencode({"range": "15m", "filter": 'http.url ENDSWITH "/app"'})
    ids = []
    for order in ("slowest", "fastest"):
        page.goto(f"{stack.xray_url}/traces?{query}&sort={order}")
        link = page.locator("tbody a[href*='/traces/1-']").first.get_attribute("href") or ""
        ids.append(link.partition("?")[0].rpartition("/")[2])
    slow, fast = ids
    open_trace(page, f"{stack.xray_url}/traces/{slow}")
    return {
        "trace": f"/traces/{slow}",
        "flame": f"/traces/{slow}?view=flame",
        "compare": f"/compare?one={fast}&other={slow}",
    }


def main() -> int:
    """Draw the pictures. Returns 1 if that fails."""
    try:
        chromium = find_chromium()
        with run_stack() as stack, sync_playwright() as playwright:
            browse(stack)
            browser = launch_chromium(playwright, chromium)
            FOLDER.mkdir(exist_ok=True)
            for name, picture in photograph(browser, stack):
                Path(FOLDER / f"{name}.png").write_bytes(picture)
            browser.close()
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    pictures = list(FOLDER.glob("*.png"))
    size = sum(picture.stat().st_size for picture in pictures) // 1024
    print(f"Drew {len(pictures)} pictures in {FOLDER.relative_to(ROOT)}, {size} KiB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
