"""A visitor in Chromium, who stays within one mount of the site and complains of all that does not.

Every answer is looked at, those of redirects and of what pages load among them, every address on a
page, and what the browser's console says.
"""

import re
from collections import deque
from collections.abc import Sequence, Set
from typing import Any
from urllib.parse import urljoin, urlsplit

from scripts.links import find_addresses

# What fails on purpose: the lab's buttons, and an address where nothing is.
MEANT = {"lab/throttled/": 429, "lab/exception/": 500, "nothing-here": 404}
MOST_KINDS = 120
# Whatever an element leads to or loads; the targets of forms apart, by their method.
FIND_LINKS = """() => [...document.querySelectorAll("*")].flatMap(element =>
    ["href", "src", "formaction", "poster", "data"]
        .filter(name => element.hasAttribute(name))
        .map(name => new URL(element.getAttribute(name), document.baseURI).href))"""
FIND_FORMS = """method => [...document.forms].filter(form => form.method === method)
    .map(form => new URL(form.getAttribute("action") || document.URL, document.baseURI).href)"""
# As it is, whether the browser finds it complete or not.
SEND_FORM = """number => HTMLFormElement.prototype.submit.call(
    [...document.forms].filter(form => form.method === "post")[number])"""


class Visitor:
    """A browser of its own, at the mount whose URL is `root`.

    besides: addresses outside the mount that the site may lead to.
    """

    def __init__(self, browser: Any, root: str, besides: tuple[str, ...]) -> None:
        self.root = root
        self.complaints: list[str] = []
        # What forms were sent to, by its kind.
        self.sent: set[str] = set()
        self._besides = besides
        # Where each form was found, and which of the page's forms it is.
        self._forms: dict[str, tuple[str, int]] = {}
        self._context = browser.new_context()
        self._context.set_default_timeout(60_000)
        self._context.on("response", self._judge)
        self.page = self._context.new_page()
        self.page.on("pageerror", lambda error: self._complain(f"the error {error}"))
        self.page.on("requestfailed", self._note_failure)
        self.page.on("console", self._listen)

    def _complain(self, text: str) -> None:
        self.complaints.append(f"On {self.page.url}: {text}")

    def _note_failure(self, request: Any) -> None:
        # What a page had not loaded yet when it was left.
        if request.failure != "net::ERR_ABORTED":
            self._complain(f"{request.failure} of {request.url}")

    def _is_within(self, url: str) -> bool:
        return f"{url}/".startswith(self.root) or url.startswith("data:")

    def _judge(self, response: Any) -> None:
        url, status = response.url, response.status
        if response.request.method == "POST":
            self.sent.add(self.name_form(url))
        if not self._is_within(url) and not url.startswith(self._besides):
            self._complain(f"asked for {url}")
        meant = MEANT.get(url.removeprefix(self.root))
        if status != meant if meant else status >= 400:
            self._complain(f"{status} of {response.request.method} {url}")

    def _listen(self, message: Any) -> None:
        url = message.location["url"]
        # Answers are judged above. Where a page can't name an icon, the browser asks by itself.
        is_status = "the server responded with a status of" in message.text
        is_icon = url == urljoin(self.root, "/favicon.ico")
        if message.type == "error" and not is_icon and not (is_status and self._is_within(url)):
            self._complain(f"{message.text} ({url})")

    def name_kind(self, url: str) -> str:
        """Return the kind of a page: without a film's key, numbers, and what the query says.

        Of the administration also without the query: its dozens of filters are Django's.
        """
        parts = urlsplit(url[len(self.root) :])
        path = re.sub(r"^((api/)?movies)/\d+/[^/]+", r"\1/*/*", parts.path)
        path = re.sub(r"/\d+(?=/)", "/*", path)
        names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
        return path if path.startswith("admin/") or not names else f"{path}?{'&'.join(names)}"

    def name_form(self, url: str) -> str:
        """Return the kind of what a form is sent to."""
        return self.name_kind(url.partition("?")[0])

    def open(self, path: str) -> None:
        """Go to a page of the site."""
        self.page.goto(self.root + path)

    def follow(self, text: str) -> None:
        """Click on a link."""
        with self.page.expect_navigation():
            self.page.click(f"main a:has-text('{text}')")

    def send(self, button: str, **fields: str) -> None:
        """Fill in the page's form and send it by its button."""
        for name, text in fields.items():
            self.page.fill(f"main [name={name}]", text)
        with self.page.expect_navigation():
            self.page.click(f"button:has-text('{button}'), input[value='{button}']")

    def walk(self, but: Set[str] = frozenset()) -> set[str]:
        """Visit a page of every kind that can be reached from the first; return the kinds.

        but: kinds that are left out.
        """
        waiting = deque([self.root, f"{self.root}nothing-here"])
        kinds = {*map(self.name_kind, waiting), *but}
        while waiting:
            for link in self._find_links(self.page.goto(waiting.popleft())):
                kind = self.name_kind(link)
                if kind not in kinds:
                    kinds.add(kind)
                    waiting.append(link)
            assert len(kinds) < MOST_KINDS, sorted(kinds)
        return kinds - but

    def _find_links(self, response: Any) -> list[str]:
        """Return the pages that this one leads to, and remember its forms."""
        here = self.page.url
        links: list[str] = []
        content_type = response.headers["content-type"]
        if content_type.startswith("text/html"):
            if not self.page.query_selector("link[rel=icon]"):
                self._complain("no icon, which the browser will ask for outside of the mount")
            links = self.page.evaluate(FIND_LINKS) + self.page.evaluate(FIND_FORMS, "get")
            for number, target in enumerate(self.page.evaluate(FIND_FORMS, "post")):
                self._forms.setdefault(self.name_form(target), (here, number))
        elif content_type.startswith("application/json"):
            document = response.json()
            # OpenAPI's paths and examples stand beneath its server.
            texts = find_addresses(document.get("servers", document))
            links = [urljoin(here, text) for text in texts if " " not in text]
        found = []
        for link in links:
            url = link.partition("#")[0]
            if not self._is_within(url) and not url.startswith(self._besides):
                self._complain(f"a link to {url}")
            elif url.startswith(self.root) and not url.startswith(f"{self.root}static/"):
                found.append(url)
        return found

    def send_the_other_forms(self, last: Sequence[str]) -> None:
        """Send every form that was seen and not sent yet, as it is.

        last: the kinds of those that take others away, in this order.
        """
        left = self._forms.keys() - self.sent - set(last)
        for kind in [*sorted(left), *last]:
            url, number = self._forms[kind]
            self.page.goto(url)
            with self.page.expect_navigation():
                self.page.evaluate(SEND_FORM, number)

    def close(self) -> None:
        """End the browser's context."""
        self._context.close()
