"""The page of one trace: what stands out, its map, its timeline in several views, its details."""

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.errors import InvalidRequest
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.neighbours import find_neighbours
from xray_local.store.queries import get_bodies, get_documents
from xray_local.traces.facts import load_facts
from xray_local.traces.summaries import find_owners, find_root, summarise
from xray_local.traces.trees import Element, build_tree
from xray_local.traces.whole import describe_trace

from .details import describe
from .findings import divide_path, find_oddities, list_queries, list_raised, list_same
from .flame import draw_flame
from .intervals import find_interval, measure_own
from .lines import TraceLine
from .logs import find_logs
from .operations import read_name
from .outline import Outline, Place, outline
from .routes import name_route
from .scope import Scope, read_scope
from .search import find_same, find_text
from .timeline import Shown, choose_found, choose_shown, draw_rows, list_ticks
from .timeline_rows import Entry, RowsPage, write_pages
from .trace_map import draw_trace_map
from .trace_query import VIEWS, Linker, TraceQuery, read_trace_query
from .view import page

# More rows than a screen shows; the others come when they are scrolled to.
PAGE_ROWS = 60
# Queries are long.
QUERIES_SHOWN = 100
FRAMES_LISTED = 100
LEVELS_OFFERED = (1, 2, 3, 4)


@page
def show_trace(request: HttpRequest, trace_id: str) -> HttpResponse:
    """Show one trace, or with ?part= only what has changed: body, pane or rows."""
    query = read_trace_query(request.GET, read_scope(request))
    with reading(get_parts(request).database) as connection:
        bodies = get_bodies(connection, trace_id)
    if not bodies:
        return _show_missing(request, trace_id, query.scope)
    trace = _read_trace(trace_id, tuple(bodies))
    whole = trace.outline
    if query.element and whole.get(query.element) is None:
        return _show_missing(request, trace_id, query.scope)
    context: dict[str, Any] = {"trace_id": trace_id, "query": query, "scope": query.scope}
    if query.part == "pane":
        return render(request, "xray_local/_pane.html", context | _describe_pane(whole, query))
    if query.part == "rows":
        pages = [each for each in _make_pages(whole, query) if each.entries]
        return HttpResponse(write_pages(pages, query))
    context |= _describe_view(trace_id, whole, query) | _describe_pane(whole, query)
    if query.part == "body":
        return render(request, "xray_local/_trace_body.html", context)
    with reading(get_parts(request).database) as connection:
        chosen = query.scope.read_filter()
        beside = find_neighbours(connection, trace_id, query.scope.start, query.scope.end, chosen)
    context |= {"newer": beside.newer, "older": beside.older, "section": "traces"}
    return render(request, "xray_local/trace.html", context | trace.head)


@dataclass(frozen=True)
class _Trace:
    """A trace, and what is said of it in every view; found once."""

    id: str
    bodies: tuple[bytes, ...]

    def __del__(self) -> None:
        if "outline" in self.__dict__:
            self.outline.let_go()

    @functools.cached_property
    def outline(self) -> Outline:
        """What the views are made of."""
        return outline(build_tree(map(msgspec.json.decode, self.bodies)))

    @functools.cached_property
    def head(self) -> dict[str, Any]:
        """What stands above the views."""
        facts = [load_facts(body) for body in self.bodies]
        root = find_root(facts)
        summary = summarise(self.id, facts, find_owners(facts), 0)
        return {
            # The one that the list names the trace after.
            "line": TraceLine.read(summary, root.service.name),
            "likeness": name_route(root, facts).expression,
            "map": draw_trace_map(facts),
            "shares": divide_path(self.outline),
            "same": list_same(self.outline),
            "raised": list_raised(self.outline),
            "oddities": find_oddities(self.outline),
        }


@functools.lru_cache(1)  # the rows of a large trace are asked for one page after the other
def _read_trace(trace_id: str, bodies: tuple[bytes, ...]) -> _Trace:
    """Return the trace that these documents are."""
    return _Trace(trace_id, bodies)


def _describe_pane(whole: Outline, query: TraceQuery) -> dict[str, Any]:
    """Return what is said of the chosen element; nothing if there is none."""
    place = whole.get(query.element) if query.element else None
    if place is None:
        return {"details": None}
    (row,) = draw_rows(whole, [Shown(place)])
    return {"details": describe(place.element, whole), "chosen": row}


def _describe_view(trace_id: str, whole: Outline, query: TraceQuery) -> dict[str, Any]:
    """Return what the chosen view shows."""
    found = _find(whole, query)
    common = {
        "outline": whole,
        "views": [
            (name, label, name == query.view)
            for name, label in VIEWS.items()
            if name != "sql" or any(call.kind == "sql" for call in whole.calls)
        ],
        "levels": LEVELS_OFFERED,
        "matches": None if found is None else len(found),
        "ticks": list_ticks(whole),
    }
    if query.view == "flame":
        flame = draw_flame(whole, query.element)
        return common | {"flame": flame, "frames": flame.frames[:FRAMES_LISTED]}
    if query.view == "table":
        return common | _describe_table(whole, query, found)
    if query.view == "sql":
        return common | {"queries": list_queries(whole)[:QUERIES_SHOWN]}
    if query.view == "logs":
        return common | {"logs": find_logs(trace_id, whole)}
    pages = _make_pages(whole, query)
    row_count = sum(each.count for each in pages)
    rows = write_pages(pages, query)
    return common | {"rows": rows, "row_count": row_count, "page_rows": PAGE_ROWS}


def _find(whole: Outline, query: TraceQuery) -> set[int] | None:
    """Return the numbers of what is looked for; None where nothing is."""
    found = find_text(whole, query.find) if query.find else None
    if query.same:
        same = find_same(whole, query.same)
        found = same if found is None else found & same
    return found


def _choose(whole: Outline, query: TraceQuery) -> list[Shown]:
    """Return what has a row in the timeline."""
    found = _find(whole, query)
    if found is not None:
        return choose_found(whole, found)
    return choose_shown(whole, query.levels, query.toggled)


def _make_pages(whole: Outline, query: TraceQuery) -> list[RowsPage]:
    """Return all pages of rows, of which one has its rows."""
    shown = _choose(whole, query)
    count = math.ceil(len(shown) / PAGE_ROWS)
    current = query.page or _find_page(shown, query.element)
    if count and current > count:
        raise InvalidRequest(f"Expected a page from 1 to {count}, got {current}.")
    linker = query.make_linker()
    pages = []
    for first in range(0, len(shown), PAGE_ROWS):
        number = first // PAGE_ROWS + 1
        here = shown[first : first + PAGE_ROWS]
        pages.append(
            RowsPage(
                number,
                first + 1,
                first + len(here),
                linker.link_page(number),
                _make_entries(whole, here, linker) if number == current else (),
            )
        )
    return pages


def _find_page(shown: Sequence[Shown], element_id: str) -> int:
    """Return the page that the element is on; the first if it is on none."""
    for index, each in enumerate(shown if element_id else ()):
        if each.place.element.id == element_id:
            return index // PAGE_ROWS + 1
    return 1


def _make_entries(whole: Outline, shown: Sequence[Shown], linker: Linker) -> list[Entry]:
    return [
        Entry(
            row,
            linker.link_element(row.element.id),
            linker.link_toggle(row.element.id) if row.below else "",
        )
        for row in draw_rows(whole, shown)
    ]


def _describe_table(whole: Outline, query: TraceQuery, found: set[int] | None) -> dict[str, Any]:
    """Return the rows of the table in the order that was asked for, a page of them."""
    places = [each for each in whole.places if found is None or each.number in found]
    places = _sort(whole, places, query.order)
    number = query.page or 1
    first = (number - 1) * PAGE_ROWS
    here = [Shown(each) for each in places[first : first + PAGE_ROWS]]
    return {
        "entries": _make_entries(whole, here, query.make_linker()),
        "first": first + 1,
        "last": first + len(here),
        "table_count": len(places),
        "before": number - 1,
        "after": number + 1 if first + len(here) < len(places) else 0,
    }


def _sort(whole: Outline, places: list[Place], order: str) -> list[Place]:
    """Return the places in an order of ORDERS; what is longest comes first."""
    if order == "name":
        return sorted(places, key=lambda each: read_name(each.element).casefold())
    if order == "start":
        return sorted(
            places, key=lambda each: (each.element.start is None, each.element.start or 0.0)
        )
    measure = MEASURES[order]
    return sorted(places, key=lambda each: -measure(each.element, whole))


def _measure_duration(element: Element, whole: Outline) -> float:
    interval = find_interval(element, whole.end)
    return interval.seconds if interval else 0.0


def _measure_self(element: Element, whole: Outline) -> float:
    return measure_own(element, whole.end)


def _measure_path(element: Element, whole: Outline) -> float:
    return sum(interval.seconds for interval in whole.path.get(element, ()))


MEASURES = {"duration": _measure_duration, "self": _measure_self, "path": _measure_path}


def _show_missing(request: HttpRequest, trace_id: str, scope: Scope) -> HttpResponse:
    context = {"trace_id": trace_id, "here": request.get_full_path(), "scope": scope}
    return render(request, "xray_local/missing.html", context, status=404)


@page
def download_trace(request: HttpRequest, trace_id: str) -> HttpResponse:
    """Return the trace as BatchGetTraces does, but with documents that are JSON, not text."""
    with reading(get_parts(request).database) as connection:
        documents = get_documents(connection, trace_id)
    if not documents:
        return _show_missing(request, trace_id, read_scope(request))
    trace = describe_trace(trace_id, documents)
    return HttpResponse(json.dumps(trace), content_type="application/json")
