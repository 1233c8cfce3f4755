"""The screen of the service map: the drawing, what is chosen on it, and the same as tables."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.api.graphs import make_graph
from xray_local.errors import InvalidRequest
from xray_local.filters.syntax import join_all
from xray_local.graph import Graph, Statistics, build_graph
from xray_local.graph.model import CLIENT
from xray_local.graph.sources import GROUP_TRACES, add_up, find_fitting
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import ASKED_MAX, Fitting, is_empty
from xray_local.store.totals import widen
from xray_local.traces.documents import show
from xray_local.traces.services import Service

from .leads import Leads, find_leads
from .map_drawing import (
    MapNode,
    collapse,
    draw_map,
    focus,
    list_edges,
    make_edge,
    make_node,
    write_figures,
)
from .scope import Scope, read_scope
from .selection import (
    OUTCOMES,
    Selection,
    Series,
    draw_portrait,
    find_start,
    read_selection,
    read_series,
)
from .view import page

# How the tables can be sorted: by name, or with the most first.
ORDERS: dict[str, Callable[[Statistics], float]] = {
    "requests": lambda statistics: -statistics.total,
    "average": lambda statistics: -statistics.average_seconds,
    "p95": lambda statistics: -statistics.find_percentile(0.95),
    "failed": lambda statistics: statistics.ok / statistics.total if statistics.total else 1.0,
}
SLOWEST_SHOWN = 5
# More rows of each table are shown when they are asked for.
ROWS_MAX = 30


@page
def show_map(request: HttpRequest) -> HttpResponse:
    """Show the map of the range; ?node= chooses a node, or an edge from ?source=.

    ?focus=NAME shows a service and its neighbours, ?collapse=TYPE all of a type as one, ?find=TEXT
    those whose names have it, ?sort= how the tables are sorted, ?all=1 all of their rows.
    """
    scope = read_scope(request)
    selection = read_selection(request)
    order = request.GET.get("sort", "")
    if order and order not in ORDERS:
        raise InvalidRequest(f"Expected one of {', '.join(ORDERS)} as sort, got {show(order)}.")
    minutes = scope.seconds / 60
    chosen = scope.read_filter()
    with reading(get_parts(request).database) as connection:
        start = find_start(scope) if selection else scope.start
        fitting = find_fitting(connection, start, scope.end, chosen)
        whole, series = _read_graph(connection, scope, fitting, selection)
        portrait = (
            draw_portrait(connection, scope, chosen, fitting, whole, selection, series)
            if selection
            else None
        )
        is_plain = portrait is None and bool(whole.nodes)
        leads = find_leads(connection, scope, fitting) if is_plain else Leads()
        has_none = is_empty(connection)
    graph = _narrow(request, whole)
    types = _list_types(request, whole)
    drawing = draw_map(
        graph,
        minutes,
        source=selection.source if selection else None,
        target=selection.service if selection else None,
        find=request.GET.get("find", "").strip(),
    )
    nodes = graph.list_nodes()
    services = [node for node in nodes if not node.is_client]
    edges = list(list_edges(nodes))
    is_long = max(len(services), len(edges)) > ROWS_MAX and request.GET.get("all") != "1"
    rows_max = ROWS_MAX if is_long else None
    if is_long:
        order = order or "requests"
    context = {
        "section": "map",
        "scope": scope,
        "map": drawing,
        "at_most": None if chosen is None else GROUP_TRACES,
        "asked_at_most": ASKED_MAX,
        "nodes_left_out": len(nodes) - len(drawing.nodes),
        "edges_left_out": len(edges) - len(drawing.edges),
        "nodes": [
            make_node(node, minutes)
            for node in _sort(services, order, lambda node: node.statistics)[:rows_max]
        ],
        "edges": [
            make_edge(node, edge, minutes)
            for node, edge in _sort(edges, order, lambda each: each[1].statistics)[:rows_max]
        ],
        "node_count": len(services),
        "edge_count": len(edges),
        "rows_left_out": is_long,
        "order": order,
        "orders": ORDERS,
        "find": request.GET.get("find", "").strip(),
        "focus": request.GET.get("focus", ""),
        "types": types,
        "all_types": ",".join(each["kind"] for each in types),
        "slowest": _list_slowest(whole, minutes) if is_plain else (),
        "leads": leads,
        "portrait": portrait,
        "outcomes": OUTCOMES,
        "figures": write_figures(portrait.statistics, minutes) if portrait else None,
        "traces_filter": join_all(portrait.traces, scope.filter) if portrait else "",
        "is_focused": "focus" in request.GET,
        "is_empty": has_none,
        "address": request.get_host(),
    }
    return render(request, "xray_local/map.html", context)


def _read_graph(
    connection: sqlite3.Connection,
    scope: Scope,
    fitting: Fitting | None,
    selection: Selection | None,
) -> tuple[Graph, Series]:
    """Return the graph of the range, and the periods of what is chosen, in parts if need be."""
    if fitting is None or selection is None:
        series = read_series(connection, scope, fitting, selection) if selection else []
        return make_graph(connection, scope.start, scope.end, fitting), series
    # The first period may begin before the range.
    first, _ = widen(scope.start, scope.end)
    older, others = (
        read_series(connection, scope, each, selection) for each in fitting.split(first)
    )
    return build_graph(add_up(others)), [*older, *others]


def _narrow(request: HttpRequest, graph: Graph) -> Graph:
    """Return what of the graph is drawn."""
    query = request.GET
    if query.get("focus"):
        service = Service(
            query["focus"], query.get("focus_type") or None, query.get("focus_account") or None
        )
        return focus(graph, service)
    kinds = _read_collapsed(request)
    return collapse(graph, kinds) if kinds else graph


def _read_collapsed(request: HttpRequest) -> list[str]:
    return [kind for kind in request.GET.get("collapse", "").split(",") if kind]


def _list_slowest(graph: Graph, minutes: float) -> list[MapNode]:
    """Return the services that took longest, each by itself."""
    timed = [
        node for node in graph.list_nodes() if not node.is_client and node.statistics.histogram
    ]
    slowest = sorted(timed, key=lambda node: -node.statistics.find_percentile(0.95))
    return [make_node(node, minutes) for node in slowest[:SLOWEST_SHOWN]]


def _list_types(request: HttpRequest, graph: Graph) -> list[dict[str, Any]]:
    """Return the types that can be drawn as one node, and whether each is."""
    collapsed = set(_read_collapsed(request))
    counts = Counter(service.type for service in graph.nodes if service.type)
    return [
        {
            "kind": kind,
            "name": "clients" if kind == CLIENT else kind,
            "count": count,
            "is_collapsed": kind in collapsed,
            "collapse": ",".join(sorted(collapsed ^ {kind})) or None,
        }
        for kind, count in sorted(counts.items())
        if count > 1
    ]


Row = TypeVar("Row")


def _sort(rows: Sequence[Row], order: str, read: Callable[[Row], Statistics]) -> list[Row]:
    """Return the rows in an order of their statistics, else as they are."""
    return sorted(rows, key=lambda row: ORDERS[order](read(row))) if order else list(rows)
