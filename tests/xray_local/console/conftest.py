"""What tests of the console ask for."""

from tests.xray_local.console.browser import browser, each_page, page, xray

__all__ = ["browser", "each_page", "page", "xray"]
