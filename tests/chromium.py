"""Debian's Chromium, headless, for the tests that look at pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# What Playwright has switched off and could change a page; of two such flags the last one counts.
WITHOUT = (
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    # What drops down from the address bar, which nobody sees here: two pages in each new window,
    # which take longer than most of ours.
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    f"--disable-features={','.join(WITHOUT)}",
)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Install chromium to test the pages in it."
)


@contextmanager
def run_chromium() -> Iterator[Browser]:
    """Run it until the end of the block: Playwright's loop is in this thread until then."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
