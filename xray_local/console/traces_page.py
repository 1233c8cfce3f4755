"""The table of traces: those of a range of time, or those of them that a filter chooses."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from xray_local.errors import InvalidRequest
from xray_local.filters import BadFilter
from xray_local.filters.syntax import Comparison, write
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.facets import Facets, count_facets
from xray_local.store.orders import Order, Ranking
from xray_local.store.queries import (
    Page,
    RangeType,
    TimeRange,
    count_traces,
    get_counts,
    get_summary,
    list_sure,
    list_traces,
)
from xray_local.store.shapes import read_shapes
from xray_local.traces.documents import show

from .completion import Vocabulary, complete
from .facets import Facet, list_words, make_facets
from .lines import TraceLine, make_lines
from .mistakes import find_mistake
from .scope import Scope, read_scope
from .table import write_rows
from .view import page

PAGE_ROWS = 50
# What is counted for the facets and offered to complete a filter: a look at all takes too long.
FACET_TRACES = 1000
# Where it takes long to find what fits, that is done once for facets and list, up to so many.
RANKED_TRACES = 10_000
CHOSEN_MAX = 10
# By what stands in the link.
ORDERS = {
    "newest": (Order.NEWEST, "the newest first"),
    "oldest": (Order.OLDEST, "the oldest first"),
    "slowest": (Order.SLOWEST, "the slowest first"),
    "fastest": (Order.FASTEST, "the fastest first"),
    "highest": (Order.HIGHEST_STATUS, "the highest status first"),
    "lowest": (Order.LOWEST_STATUS, "the lowest status first"),
}
# The columns: how each is headed, and by which two orders it sorts.
COLUMNS = {
    "time": ("Time", ("newest", "oldest")),
    "id": ("Id", ()),
    "method": ("Method", ()),
    "url": ("URL", ()),
    "status": ("Status", ("highest", "lowest")),
    "response": ("Response time", ("slowest", "fastest")),
    "duration": ("Duration", ()),
    "services": ("Services", ()),
    "user": ("User", ()),
    "annotations": ("Annotations", ()),
}
USUAL_COLUMNS = tuple(name for name in COLUMNS if name != "duration")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; sort: the order that a click on it brings, "" where none."""

    name: str
    label: str
    sort: str
    direction: str  # as aria-sort has it


@page
def show_traces(request: HttpRequest) -> HttpResponse:
    """Show the traces of the range, page by page; with ?filter= those that fit the expression."""
    scope = read_scope(request)
    order = _read_choice(request, "sort", ORDERS, "newest")
    columns = _read_columns(request)
    mistake = None
    found = Page((), (), 0, None, None)
    facets: list[Facet] = []
    counted = total = 0
    is_all = False
    with reading(get_parts(request).database) as connection:
        counts = get_counts(connection)
        time_range = _read_range(scope)
        try:
            chosen = scope.read_filter()
        except BadFilter as error:
            mistake = find_mistake(scope.filter, error)
        else:
            token = request.GET.get("after")
            kind = ORDERS[order][0]
            ranking = None if chosen is None or kind.is_of_index else Ranking(kind, PAGE_ROWS)
            fitting = list_sure(
                *(connection, time_range, chosen, FACET_TRACES, RANKED_TRACES),
                ranking=ranking,
            )
            is_known = fitting.is_all or (
                order == "newest" and fitting.is_gapless and not token and chosen is not None
            )
            found = list_traces(
                connection,
                time_range=time_range,
                chosen=chosen,
                token=token,
                limit=PAGE_ROWS,
                order=kind,
                among=fitting.numbers if is_known else None,
                has_causes=False,
            )
            is_counted = bool(scope.expression) and not token
            if is_counted and (order != "newest" or found.next_token is None):
                total = found.processed
            else:
                total = count_traces(connection, time_range)
            numbers = fitting.numbers[:FACET_TRACES]
            counted, is_all = len(numbers), fitting.is_all and len(fitting.numbers) <= FACET_TRACES
            facets = make_facets(count_facets(connection, numbers), scope)
        is_anything_stored = bool(total) or _is_anything_stored(connection)
    lines = make_lines(found)
    has_origins = len({line.origin for line in lines}) > 1
    context = {
        "section": "traces",
        "scope": scope,
        "lines": lines,
        "rows": write_rows(lines, columns, scope, has_origins=has_origins),
        "heads": _make_heads(columns, order),
        "columns": [(name, COLUMNS[name][0], name in columns) for name in COLUMNS],
        "order": ORDERS[order][1],
        "next": found.next_token,
        "is_first": "after" not in request.GET,
        "filter": scope.filter,
        "is_filtered": bool(scope.expression),
        "mistake": mistake,
        "processed": found.processed,
        "total": total,
        "facets": facets,
        "facets_of": counted,
        "facets_of_all": is_all,
        "counts": counts,
        "address": request.get_host(),
        "is_anything_stored": is_anything_stored,
    }
    return render(request, "xray_local/traces.html", context)


@page
def show_completions(request: HttpRequest) -> HttpResponse:
    """Return what the text in ?before= may go on with, as JSON, for the box of the filter."""
    scope = read_scope(request)
    with reading(get_parts(request).database) as connection:
        numbers = list_sure(connection, _read_range(scope), None, FACET_TRACES).numbers
        vocabulary = _read_vocabulary(connection, count_facets(connection, numbers), scope)
    found = complete(request.GET.get("before", ""), vocabulary)
    return JsonResponse(
        {
            "replaced": found.replaced,
            "options": [{"text": text, "kind": kind} for text, kind in found.options],
        }
    )


@page
def show_chosen(request: HttpRequest) -> HttpResponse:
    """Lead from the traces in ?trace= to the comparison of two; show more than two together."""
    scope = read_scope(request)
    ids = list(dict.fromkeys(request.GET.getlist("trace")))
    if len(ids) == 2:
        # Those that are chosen come as they are listed: the newest is the other one.
        return HttpResponseRedirect(scope.link(reverse("compare"), one=ids[1], other=ids[0]))
    if not 2 < len(ids) <= CHOSEN_MAX:
        raise InvalidRequest(
            f"Expected from two to {CHOSEN_MAX} traces to be chosen in the table, got {len(ids)}."
        )
    with reading(get_parts(request).database) as connection:
        summaries = [(each, get_summary(connection, each)) for each in ids]
    slowest = max((each["ResponseTime"] for _, each in summaries if each), default=0.0)
    lines = [TraceLine.read(each, each["Id"], slowest) for _, each in summaries if each]
    context = {
        "section": "traces",
        "scope": scope,
        "lines": lines,
        "rows": write_rows(lines, USUAL_COLUMNS, scope, has_origins=True),
        "missing": [trace_id for trace_id, each in summaries if each is None],
        "heads": _make_heads(USUAL_COLUMNS, ""),
    }
    return render(request, "xray_local/chosen.html", context)


def _read_range(scope: Scope) -> TimeRange:
    return TimeRange(scope.start, scope.end, RangeType.EVENT)


def _read_choice(request: HttpRequest, name: str, known: dict[str, Any], usual: str) -> str:
    value = request.GET.get(name, usual) or usual
    if value not in known:
        raise InvalidRequest(f"Expected one of {', '.join(known)} as {name}, got {show(value)}.")
    return value


def _read_columns(request: HttpRequest) -> tuple[str, ...]:
    """Return the columns to show; a form sends one each, a link all with commas between."""
    names = [name for each in request.GET.getlist("columns") for name in each.split(",") if name]
    for name in names:
        if name not in COLUMNS:
            raise InvalidRequest(
                f"Expected some of {', '.join(COLUMNS)} as columns, got {show(name)}."
            )
    if not names:
        return USUAL_COLUMNS
    # These lead to the trace.
    if "url" not in names:
        names.append("id")
    return tuple(name for name in COLUMNS if name in names)


def _make_heads(columns: tuple[str, ...], order: str) -> list[Head]:
    heads = []
    for name in columns:
        label, orders = COLUMNS[name]
        sort, direction = "", ""
        if orders and order:
            first, second = orders
            sort = second if order == first else first
            direction = {first: "descending", second: "ascending"}.get(order, "none")
        heads.append(Head(name, label, sort, direction))
    return heads


def _is_anything_stored(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM traces LIMIT 1").fetchone() is not None


def _read_vocabulary(connection: sqlite3.Connection, facets: Facets, scope: Scope) -> Vocabulary:
    names = {shape.service.name for shape in read_shapes(connection).values()}
    ranked = sorted(names, key=lambda name: (-facets.services[name], name))
    return Vocabulary(
        dict(list_words(facets)),
        [_quote(name) for name in ranked],
        [_quote(group.name) for group in scope.groups],
    )


def _quote(text: str) -> str:
    return write(Comparison("name", "=", text)).partition("= ")[2]
