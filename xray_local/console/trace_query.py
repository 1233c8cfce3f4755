"""What of a trace a page shows, as its address says: view, element, rows that are closed."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from django.http import QueryDict

from xray_local.errors import InvalidRequest
from xray_local.traces.documents import show

from .scope import Scope

VIEWS = {
    "timeline": "Timeline",
    "flame": "Flame graph",
    "table": "Table",
    "sql": "SQL",
    "logs": "Logs",
}
ORDERS = ("start", "duration", "self", "path", "name")
CLOCKS = ("", "clock")  # after the start of the trace; of day
LEVELS_MAX = 9
TOGGLED_MAX = 200
TEXT_MAX = 500
PAGES_MAX = 100_000


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What the address of a trace's page says.

    element: the id of the one whose details are shown; levels: how many are open, None for all;
    toggled: ids of elements for which it is the other way round; find: only what has this text;
    same: only what makes the same call as the element with that id; page: of rows, from 1, None
    for that of the element.
    """

    scope: Scope
    view: str
    element: str
    levels: int | None
    toggled: frozenset[str]
    find: str
    same: str
    times: str
    order: str
    page: int | None
    part: str

    def link(self, **changes: str | int | None) -> str:
        """Return the link to the same with changes; None leaves out."""
        return self.scope.here(**changes)

    def make_linker(self) -> "Linker":
        """Return what makes the links of many rows quickly."""
        return Linker(
            _open(self.link(element=None)),
            _open(self.link(toggle=None)),
            _open(self.link(page=None)),
            sorted(self.toggled),
        )


@dataclass(frozen=True, slots=True)
class Linker:
    """The links of rows: what they have in common is written once."""

    elements: str
    toggles: str
    pages: str
    toggled: list[str]

    def link_element(self, element_id: str) -> str:
        """Return the link to the details of the element."""
        return f"{self.elements}element={quote(element_id, safe='')}"

    def link_page(self, number: int) -> str:
        """Return the link to a page of rows."""
        return f"{self.pages}page={number}"

    def link_toggle(self, element_id: str) -> str:
        """Return the link that closes what is open below the element, or opens it."""
        ids = [each for each in self.toggled if each != element_id]
        if len(ids) == len(self.toggled):
            ids.append(element_id)
        if not ids:
            return self.toggles[:-1] or "?"
        return self.toggles + urlencode({"toggle": ".".join(ids)})


def _open(link: str) -> str:
    """Return the link with what has to stand before another parameter."""
    return link if link == "?" else f"{link}&"


def read_trace_query(query: QueryDict, scope: Scope) -> TraceQuery:
    """Return what the query says. Raises InvalidRequest."""
    view = query.get("view") or "timeline"
    if view not in VIEWS:
        raise InvalidRequest(f"Expected one of {', '.join(VIEWS)} as view, got {show(view)}.")
    order = query.get("order") or "start"
    if order not in ORDERS:
        raise InvalidRequest(f"Expected one of {', '.join(ORDERS)} as order, got {show(order)}.")
    times = query.get("times", "")
    if times not in CLOCKS:
        raise InvalidRequest(f"Expected clock as times, or none, got {show(times)}.")
    toggled = [each for each in query.get("toggle", "").split(".") if each]
    return TraceQuery(
        scope=scope,
        view=view,
        element=query.get("element", ""),
        levels=_read_number(query, "levels", LEVELS_MAX),
        toggled=frozenset(toggled[-TOGGLED_MAX:]),
        find=query.get("find", "").strip()[:TEXT_MAX],
        same=query.get("same", ""),
        times=times,
        order=order,
        page=_read_number(query, "page", PAGES_MAX),
        part=query.get("part", ""),
    )


def _read_number(query: QueryDict, name: str, at_most: int) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= at_most):
        raise InvalidRequest(f"Expected a {name} from 1 to {at_most}, got {show(text)}.")
    return int(text)
