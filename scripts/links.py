"""Find where one can go from a page of the site: links, lab buttons, addresses in JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

# Not pages of the site, or ends of a visit.
AVOIDED_PREFIXES = ("/admin/", "/static/", "/sign-out")
BUTTON_PREFIX = "/lab/"


@dataclass(frozen=True, slots=True)
class Step:
    """One request that a visitor can make next. `form` is what a button posts; None is a GET."""

    url: str
    form: tuple[tuple[str, str], ...] | None = None

    @property
    def kind(self) -> str:
        """The sort of page: its path without numbers, titles and cursors.

        Visitors choose a kind first, so that three hundred films don't drown all else.
        """
        parts = urlsplit(self.url)
        words = [word for word in parts.path.split("/") if word]
        if words[:1] == ["lab"]:
            return parts.path
        shape = "/".join("*" if re.search(r"\d", word) else word for word in words)
        shape = re.sub(r"\*/[^/]+", "*/*", shape)
        names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
        return f"/{shape}?{'&'.join(names)}"


class PageParser(HTMLParser):
    """Collects the links and the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[tuple[str, list[tuple[str, str]]]] = []
        self._is_in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "form" and values.get("method", "").lower() == "post":
            self.forms.append((values.get("action", ""), []))
            self._is_in_form = True
        elif self._is_in_form and tag in ("input", "button") and "name" in values:
            self.forms[-1][1].append((values["name"], values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_in_form = False


def find_steps(url: str, content_type: str, body: str) -> set[Step]:
    """Return every step from a page of the site to another page of the site."""
    if content_type.startswith("text/html"):
        parser = PageParser()
        parser.feed(body)
        steps = {Step(_resolve(url, link)) for link in parser.links}
        for action, fields in parser.forms:
            target = _resolve(url, action)
            if urlsplit(target).path.startswith(BUTTON_PREFIX):
                steps.add(Step(target, tuple(fields)))
    elif content_type.startswith("application/json"):
        steps = {Step(_resolve(url, text)) for text in _find_addresses(json.loads(body))}
    else:
        steps = set()
    return {step for step in steps if _is_page(url, step.url)}


def _resolve(base: str, link: str) -> str:
    return urldefrag(urljoin(base, link)).url


def _is_page(base: str, url: str) -> bool:
    here, there = urlsplit(base), urlsplit(url)
    is_same_site = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    return is_same_site and not there.path.startswith(AVOIDED_PREFIXES)


def _find_addresses(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("/") or "://" in value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _find_addresses(item)
    elif isinstance(value, list):
        for item in value:
            yield from _find_addresses(item)
