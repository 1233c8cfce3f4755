"""The route of a trace: what requests of the same kind have in common.

It is the annotation `route` where an application says it, as `tracing` does on Django; else the
path of the URL, with what looks like an id or a number taken out.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from xray_local.filters.syntax import And, Comparison, Id, Or, ServiceTest, write
from xray_local.traces.facts import Facts

ANNOTATION = "route"
# Numbers, UUIDs, and what is hexadecimal or random enough to be an id.
ID = re.compile(
    r"\d+|[0-9a-f]{8}-[0-9a-f-]{27}|(?=[^/]*\d)[0-9a-f]{8,}|(?=(?:[^/]*\d){4})[\w-]{16,}",
    re.IGNORECASE,
)
PLACEHOLDER = "{id}"
PATH_CHARACTERS = 200


class Route(NamedTuple):
    """Which requests: of which service, by which method, of which kind.

    prefix: what their URLs begin with, "" where an annotation or nothing tells of which kind.
    """

    service: str
    method: str
    path: str
    prefix: str = ""

    @property
    def label(self) -> str:
        """What a person calls it."""
        return " ".join(part for part in (self.method, self.path) if part) or self.service

    @property
    def expression(self) -> str:
        """A filter expression for its traces, and others whose URLs begin alike."""
        parts: list[ServiceTest | Comparison | Or] = [ServiceTest(Id(self.service))]
        if self.method:
            parts.append(Comparison("http.method", "=", self.method))
        if self.prefix and PLACEHOLDER in self.path:
            parts.append(Comparison("http.url", "BEGINSWITH", self.prefix))
        elif self.prefix:
            query = Comparison("http.url", "BEGINSWITH", f"{self.prefix}?")
            parts.append(Or((Comparison("http.url", "=", self.prefix), query)))
        elif self.path:
            parts.append(Comparison(f"annotation.{ANNOTATION}", "=", self.path))
        return write(And(tuple(parts)) if len(parts) > 1 else parts[0])


def name_route(root: Facts, documents: Collection[Facts]) -> Route:
    """Return the route of a trace; root: the document that it began with."""
    annotation = next(
        (
            value
            for document in (root, *documents)
            for key, value in document.annotations
            if key == ANNOTATION and isinstance(value, str) and value
        ),
        None,
    )
    http = root.http
    return make_route(
        root.service.name, http.get("HttpMethod", ""), http.get("HttpURL", ""), annotation
    )


def make_route(service: str, method: str, url: str, annotation: str | None) -> Route:
    """Return the route of a request; annotation: what it says itself."""
    if annotation:
        return Route(service, method, annotation)
    path, prefix = generalise(url)
    return Route(service, method, path, prefix)


@lru_cache(5000)  # the same few, many times on a page
def generalise(url: str) -> tuple[str, str]:
    """Return the URL's path without ids, and the URL up to the first of them."""
    whole = url.partition("?")[0].partition("#")[0]
    try:
        split = urlsplit(whole)
    except ValueError:
        return whole[:PATH_CHARACTERS], whole
    parts = split.path.split("/")
    kept = [PLACEHOLDER if ID.fullmatch(unquote(part)) else part for part in parts]
    path = "/".join(kept)[:PATH_CHARACTERS] or ("/" if split.netloc else "")
    if PLACEHOLDER not in kept:
        return path, whole
    before = "/".join(parts[: kept.index(PLACEHOLDER)])
    start = f"{split.scheme}://{split.netloc}" if split.netloc else ""
    return path, f"{start}{before}/"
