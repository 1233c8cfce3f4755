"""The page of the service map: a drawing of the graph, and the same as tables."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from xray_local.api.graphs import make_graph
from xray_local.errors import InvalidRequest
from xray_local.filters.syntax import Comparison, EdgeTest, Id, ServiceTest, write
from xray_local.graph import Edge, Graph, Node, Statistics
from xray_local.graph.layout import Layout, Place, lay_out
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.traces.services import Service

from .view import page

# By what stands in the link: how long ago the map begins, and how a person says so.
RANGES = {
    "5m": (300, "5 minutes"),
    "1h": (3600, "1 hour"),
    "6h": (21_600, "6 hours"),
    "1d": (86_400, "1 day"),
}
DEFAULT_RANGE = "1h"
# More could not be read; those with the most requests are drawn, and the tables have all.
NODES_MAX = 150
# Likewise of the calls; of each service at least the busiest that leads to it is drawn.
EDGES_MAX = 200
# Units of the drawing; its width on the screen is the same in pixels, or less.
LAYER_WIDTH = 250.0
NODE_HEIGHT = 132.0
RADIUS = 26.0
NAME_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class Arc:
    """A part of a ring, in hundredths of it."""

    kind: str  # ok, error, fault or throttle
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Statistics, as they are written."""

    total: int
    per_minute: float
    average_ms: float
    percentile_ms: float  # within which 95 of 100 are answered
    is_timed: bool  # whether it is known how long they took
    arcs: tuple[Arc, ...]

    @property
    def shares(self) -> list[Arc]:
        """The arcs of what went wrong."""
        return [arc for arc in self.arcs if arc.kind != "ok"]


@dataclass(frozen=True, slots=True)
class MapNode:
    """A node of the drawing, and a row of the table."""

    name: str
    label: str
    type: str
    is_client: bool
    link: str
    figures: Figures
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class MapEdge:
    """An edge of the drawing, and a row of the table."""

    source: str
    target: str
    is_link: bool
    link: str
    figures: Figures
    path: str = ""
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Map:
    """All of the drawing, with its size."""

    nodes: tuple[MapNode, ...]
    edges: tuple[MapEdge, ...]
    width: float
    height: float


@page
def show_map(request: HttpRequest) -> HttpResponse:
    """Show the map of the last hour, or of what ?range= says."""
    name = request.GET.get("range", DEFAULT_RANGE)
    if name not in RANGES:
        raise InvalidRequest(f"Expected one of {', '.join(RANGES)} as range, got {name[:50]!a}.")
    seconds, words = RANGES[name]
    end = time.time()
    with reading(get_parts(request).database) as connection:
        graph = make_graph(connection, end - seconds, end)
    nodes = graph.list_nodes()
    drawn = _choose_drawn(nodes)
    minutes = seconds / 60
    drawing = draw_map(graph, drawn, minutes)
    edges = [
        _make_edge(node, edge, minutes)
        for node in sorted(nodes, key=lambda node: not node.is_client)
        for edge in _list_edges(node)
    ]
    context = {
        "section": "map",
        "range": words,
        "ranges": [(key, label, key == name) for key, (_, label) in RANGES.items()],
        "map": drawing,
        "nodes_left_out": len(nodes) - len(drawn),
        "edges_left_out": len(edges) - len(drawing.edges),
        "nodes": [_make_node(node, graph, minutes) for node in nodes if not node.is_client],
        "edges": edges,
    }
    return render(request, "xray_local/map.html", context)


def draw_map(graph: Graph, drawn: Sequence[Node], minutes: float) -> Map:
    """Return the drawing of these nodes, and of the edges between them."""
    edges = _choose_edges(drawn)
    layout = lay_out(
        [node.service for node in drawn], [(node.service, edge.target) for node, edge in edges]
    )
    return Map(
        tuple(
            _make_node(node, graph, minutes, _scale(layout.places[node.service])) for node in drawn
        ),
        tuple(
            _make_edge(node, edge, minutes, _find_route(layout, node, edge)) for node, edge in edges
        ),
        layout.width * LAYER_WIDTH,
        layout.height * NODE_HEIGHT,
    )


def _choose_drawn(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes that are drawn, in their order."""
    busiest = sorted(nodes, key=lambda node: (not node.is_root, -node.statistics.total))
    services = {node.service for node in busiest[:NODES_MAX]}
    return [node for node in nodes if node.service in services]


def _choose_edges(drawn: Sequence[Node]) -> list[tuple[Node, Edge]]:
    """Return the calls that are drawn, each with its caller, in their order."""
    services = {node.service for node in drawn}
    edges = [
        (node, edge) for node in drawn for edge in _list_edges(node) if edge.target in services
    ]
    busiest = sorted(edges, key=lambda each: -each[1].statistics.total)
    # The first that leads to each service, then all others.
    firsts = {each[1].target: each for each in reversed(busiest)}
    ranked = sorted(busiest, key=lambda each: firsts[each[1].target] is not each)
    kept = {id(edge) for _, edge in ranked[:EDGES_MAX]}
    return [each for each in edges if id(each[1]) in kept]


def _list_edges(node: Node) -> list[Edge]:
    return sorted(node.edges.values(), key=lambda edge: (_key(edge.target), edge.is_link))


def _key(service: Service) -> tuple[str, ...]:
    return tuple(part or "" for part in service)


def _make_node(node: Node, graph: Graph, minutes: float, place: Place | None = None) -> MapNode:
    name, kind, _ = node.service
    return MapNode(
        name=name,
        label="client" if node.is_client else _cut(name),
        type=kind or "",
        is_client=node.is_client,
        link=_link_traces(ServiceTest(_name(node.service, graph), _only_roots(node))),
        figures=_write_figures(node.statistics, minutes),
        x=place.x if place else 0.0,
        y=place.y if place else 0.0,
    )


def _only_roots(node: Node) -> Comparison | None:
    """Return what a trace's segment of the service must be, to have come from the client."""
    return Comparison("root") if node.is_client else None


def _name(service: Service, graph: Graph) -> Id:
    """Return what names the service, its type only where another has the same name."""
    same = [each for each in graph.nodes if each.name == service.name and each.type != "client"]
    if service.type == "client" or len(same) < 2:
        return Id(service.name)
    return Id(service.name, service.type)


def _make_edge(node: Node, edge: Edge, minutes: float, route: Sequence[Place] = ()) -> MapEdge:
    middle = _find_middle(route) if route else Place(0.0, 0.0)
    source, target = Id(node.service.name), Id(edge.target.name)
    test = ServiceTest(target, _only_roots(node)) if node.is_client else EdgeTest(source, target)
    return MapEdge(
        source="client" if node.is_client else node.service.name,
        target=edge.target.name,
        is_link=edge.is_link,
        # The ends of a link are in two traces.
        link=_link_traces(ServiceTest(target) if edge.is_link else test),
        figures=_write_figures(edge.statistics, minutes),
        path=_write_path(route),
        x=middle.x,
        y=middle.y,
    )


def _link_traces(test: ServiceTest | EdgeTest) -> str:
    return f"{reverse('traces')}?{urlencode({'filter': write(test)})}"


def _write_figures(statistics: Statistics, minutes: float) -> Figures:
    return Figures(
        total=statistics.total,
        per_minute=statistics.total / minutes,
        average_ms=statistics.average_seconds * 1000,
        percentile_ms=statistics.find_percentile(0.95) * 1000,
        is_timed=bool(statistics.histogram),
        arcs=tuple(_make_arcs(statistics)),
    )


def _make_arcs(statistics: Statistics) -> Iterator[Arc]:
    start = 0.0
    parts = {
        "ok": statistics.ok,
        "error": statistics.other_errors,
        "throttle": statistics.throttles,
        "fault": statistics.faults,
    }
    for kind, count in parts.items():
        if count:
            length = 100 * count / statistics.total
            yield Arc(kind, start, length)
            start += length


def _cut(name: str) -> str:
    return name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…"


def _scale(place: Place) -> Place:
    return Place((place.x + 0.5) * LAYER_WIDTH, place.y * NODE_HEIGHT + RADIUS + 12)


def _find_route(layout: Layout, node: Node, edge: Edge) -> list[Place]:
    """Return the points of an edge, from the rim of one ring to that of the other."""
    if edge.target == node.service:
        return _go_round(_scale(layout.places[node.service]))
    points = [_scale(place) for place in layout.routes[node.service, edge.target]]
    # Calls there and back, and a link beside calls, lie next to each other.
    shift = 7.0 * (edge.is_link - (points[0].x > points[-1].x))
    reach = RADIUS + 5 if points[0].x < points[-1].x else -RADIUS - 5
    moved = [Place(point.x, point.y + shift) for point in points]
    return [
        Place(moved[0].x + reach, moved[0].y),
        *moved[1:-1],
        Place(moved[-1].x - reach - (4 if reach > 0 else -4), moved[-1].y),
    ]


def _go_round(place: Place) -> list[Place]:
    """Return a way out of a node at its right and back into it."""
    x = place.x + RADIUS + 5
    return [Place(x, place.y - 8), Place(x + 30, place.y), Place(x + 2, place.y + 8)]


def _find_middle(route: Sequence[Place]) -> Place:
    """Return the middle of the longest part, where there is most room for words."""
    one, other = max(pairwise(route), key=lambda ends: abs(ends[1].x - ends[0].x))
    return Place((one.x + other.x) / 2, (one.y + other.y) / 2)


def _write_path(route: Sequence[Place]) -> str:
    """Return the path of a smooth line through all points, level at each of them."""
    if not route:
        return ""
    return " ".join([f"M{_write(route[0].x, route[0].y)}", *_write_curves(route)])


def _write_curves(route: Iterable[Place]) -> Iterator[str]:
    for one, other in pairwise(route):
        middle = (one.x + other.x) / 2
        yield (f"C{_write(middle, one.y)} {_write(middle, other.y)} {_write(other.x, other.y)}")


def _write(x: float, y: float) -> str:
    return f"{x:.1f},{y:.1f}"
