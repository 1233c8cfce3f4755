"""Find where one can go from a page of the site: links, buttons, addresses in JSON."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

# Not pages of the site.
AVOIDED_PREFIXES = ("admin/", "static/")


class PageParser(HTMLParser):
    """Collects the links of a page, and its forms that are one button and ask for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self._action: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of a link, and remember that of a form."""
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "form":
            is_post = values.get("method", "").lower() == "post"
            self._action = None if is_post else values.get("action")
        elif tag in ("input", "select", "textarea"):
            self._action = None

    def handle_endtag(self, tag: str) -> None:
        """Take the address of a form in which nothing was asked."""
        if tag == "form" and self._action is not None:
            self.links.append(self._action)
            self._action = None


def find_links(url: str, content_type: str, body: str, root: str) -> set[str]:
    """Return the addresses of all pages of the site that the page at the URL leads to.

    root: where the site begins, such as 'http://127.0.0.1:3000/dev/'.
    """
    links: Iterator[str] = iter(())
    if content_type.startswith("text/html"):
        parser = PageParser()
        parser.feed(body)
        links = iter(parser.links)
    elif content_type.startswith("application/json"):
        links = find_addresses(json.loads(body))
    return {there for link in links if _is_page(root, there := resolve(url, link))}


def resolve(base: str, link: str) -> str:
    """Return the whole address that a link on the page at `base` leads to."""
    return urldefrag(urljoin(base, link)).url


def _is_page(root: str, url: str) -> bool:
    return url.startswith(root) and not url[len(root) :].startswith(AVOIDED_PREFIXES)


def find_addresses(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON document that are addresses."""
    if isinstance(value, str):
        if value.startswith("/") or "://" in value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from find_addresses(item)
    elif isinstance(value, list):
        for item in value:
            yield from find_addresses(item)


def name_kind(path: str) -> str:
    """Return the sort of page that a path of the site is: without numbers, titles and cursors.

    Visitors choose a kind first, so that hundreds of films don't drown all else.
    """
    parts = urlsplit(path)
    # After a year comes a title.
    bare = re.sub(r"/\d+(/[^/]+)?", lambda found: "/*" * found[0].count("/"), parts.path)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return f"{bare}?{'&'.join(names)}"
