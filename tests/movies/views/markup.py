"""Read a page as a browser would, and find what is wrong in its markup."""

from html.parser import HTMLParser
from typing import Any

VOID = frozenset({"br", "circle", "ellipse", "hr", "img", "input", "link", "meta", "path", "rect"})


class Page(HTMLParser):
    """The links, forms and text of a page, and the mistakes in it."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.mistakes: list[str] = []
        self.links: list[str] = []
        self.fields: dict[str, str | None] = {}
        self.text = ""
        self._open: list[str] = []
        self._ids: list[str] = []
        self._labelled: list[str] = []
        body = b"".join(response) if response.streaming else response.content
        self.feed(body.decode())
        self.close()
        self.text = " ".join(self.text.split())
        if self._open:
            self.mistakes.append(f"Never closed: {self._open}")
        self.mistakes += [f"Twice: id {each}" for each in self._ids if self._ids.count(each) > 1]
        self.mistakes += [
            f"A label for {each!r}, which isn't there"
            for each in self._labelled
            if each not in self._ids
        ]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self._open.append(tag)
        if "style" in given or tag in ("script", "style") or any(n.startswith("on") for n in given):
            self.mistakes.append(f"The content security policy forbids this in {tag}: {given}")
        if tag == "img" and "alt" not in given:
            self.mistakes.append(f"An image without alt: {given}")
        if id_ := given.get("id"):
            self._ids.append(id_)
        if tag == "label" and given.get("for"):
            self._labelled.append(given["for"] or "")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if tag == "input" and given.get("name"):
            self.fields[given["name"] or ""] = given.get("value")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        self.text += " " if tag in ("dt", "dd", "th", "td", "li", "p") else ""
        if not self._open or self._open.pop() != tag:
            self.mistakes.append(f"Closed out of turn: {tag} at {self.getpos()}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.mistakes.append(f"Closed by itself: {tag}")
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(response: Any) -> Page:
    """Return the page that was answered, having seen that its markup is right."""
    page = Page(response)
    assert page.mistakes == []
    return page
