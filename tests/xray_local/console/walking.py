"""A walk through the console: a link of each kind on every screen."""

from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from playwright.sync_api import Page

from tests.xray_local.console.browser import check_accessible, check_fits, check_steady

# Lists link to as many traces as there are; one of each kind of link shows as much.
OF_A_KIND = 1
PAGES_MAX = 90
# What a browser keeps rather than shows.
DOWNLOADS = (".json", "/counts", "/completions", "/export", "/settings/export")


def name_kind(url: str) -> str:
    """Return the path without ids, and which parts the query has."""
    split = urlsplit(url)
    parts = ["ID" if any(map(str.isdigit, part)) else part for part in split.path.split("/")]
    keys = sorted({key for key, _ in parse_qsl(split.query, keep_blank_values=True)})
    return f"{'/'.join(parts)}?{'&'.join(keys)}"


def walk_console(page: Page, url: str) -> Counter[str]:
    """Follow the links from the map on; return how many pages of each path were seen.

    Each has to answer with 200 and to stay steady; the first of each path has to be accessible and
    to fit every width as well. The page's own fixture holds that the browser has no complaints.
    """
    seen: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    pending = deque([f"{url}/"])
    known = set(pending)
    while pending and seen.total() < PAGES_MAX:
        here = pending.popleft()
        response = page.goto(here)
        assert response is not None
        assert response.status == 200, f"{here} answered {response.status}"
        path = name_kind(here).partition("?")[0]
        check_steady(page)
        if not seen[path]:
            check_accessible(page)
            check_fits(page)
        seen[path] += 1
        for link in _list_links(page, url):
            kind = name_kind(link)
            if link not in known and kinds[kind] < OF_A_KIND:
                known.add(link)
                kinds[kind] += 1
                pending.append(link)
    return seen


def _list_links(page: Page, url: str) -> Iterator[str]:
    for href in page.evaluate(
        "[...document.querySelectorAll('a[href]')].map((each) => each.getAttribute('href'))"
    ):
        link = urldefrag(urljoin(page.url, href)).url
        split = urlsplit(link)
        # What follows what arrives would be asked for again and again.
        is_page = not split.path.endswith(DOWNLOADS) and "live=1" not in split.query
        if link.startswith(f"{url}/") and is_page:
            yield link
