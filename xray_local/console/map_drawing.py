"""The drawing of the service map: where each node and edge is, and what it says."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate, pairwise
from unicodedata import east_asian_width

from xray_local.graph import Edge, Graph, Node, Statistics
from xray_local.graph.layout import Layout, Place, lay_out
from xray_local.graph.model import CLIENT
from xray_local.traces.services import Service

from .charts import Arc, draw_ring

# More could not be read; those with the most requests are drawn, and the tables can show all.
NODES_MAX = 150
# Likewise of the calls; of each service at least the busiest that leads to it is drawn.
EDGES_MAX = 250
# The words of more would stand on each other; those of the busiest are drawn.
WEIGHTS_MAX = 60
# Units of the drawing; its width on the screen is the same in pixels, or less.
LAYER_WIDTH = 264.0
NODE_HEIGHT = 138.0
RADIUS = 27.0
NAME_CHARACTERS = 28
# A call that is made most often is drawn as wide.
WIDTH_MAX = 5.0
WIDTH_MIN = 1.25
# The account of a node that stands for all of a type.
MANY = "*"
# Two that are above each other are connected by a curve at their right, as far beside them.
BESIDE = 10.0
BULGE = 80.0
# As small as the words of a drawing can be read.
SCALE_READABLE = 0.65
# How far along an edge its words stand.
LABEL_SHARE = 0.52
# What the type of a node begins with, and the icon for it; the first that fits.
ICONS = (
    (CLIENT, "client"),
    ("AWS::Lambda", "function"),
    ("AWS::ApiGateway", "gateway"),
    ("AWS::DynamoDB", "table"),
    ("Database::", "database"),
    ("AWS::RDS", "database"),
    ("AWS::S3", "bucket"),
    ("AWS::SQS", "queue"),
    ("AWS::SNS", "queue"),
    ("AWS::Events", "queue"),
    ("AWS::EC2", "server"),
    ("AWS::ECS", "server"),
    ("AWS::EKS", "server"),
    ("AWS::ElasticBeanstalk", "server"),
    ("AWS::", "cloud"),
    ("remote", "remote"),
)


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
    """A node of the drawing, and a row of the table; id is the same as long as the service is."""

    id: str
    service: Service
    label: str
    icon: str
    figures: Figures
    x: float = 0.0
    y: float = 0.0
    is_chosen: bool = False
    is_dim: bool = False

    @property
    def is_client(self) -> bool:
        """Whether it stands for those who call a root."""
        return self.service.type == CLIENT

    @property
    def is_many(self) -> bool:
        """Whether it stands for all services of a type."""
        return self.service.account_id == MANY

    @property
    def name(self) -> str:
        """The whole name, as a person says it."""
        return f"client of {self.service.name}" if self.is_client else self.service.name

    @property
    def type(self) -> str:
        """What kind of service it is, "" where that is not known."""
        return "" if self.is_client else self.service.type or ""

    @property
    def type_label(self) -> str:
        """What of the type the drawing has room for."""
        return cut_label(self.type)


@dataclass(frozen=True, slots=True)
class MapEdge:
    """An edge of the drawing, and a row of the table."""

    id: str
    source: Service
    target: Service
    is_link: bool
    figures: Figures
    has_words: bool = False  # whether its weight and latency stand beside it
    path: str = ""
    width: float = WIDTH_MIN
    x: float = 0.0
    y: float = 0.0
    is_chosen: bool = False
    is_dim: bool = False

    @property
    def states(self) -> str:
        """What is so of it, as classes of the style sheet."""
        return f"{' chosen' if self.is_chosen else ''}{' dim' if self.is_dim else ''}"

    @property
    def source_name(self) -> str:
        """The name of the caller, as a person says it."""
        return "client" if self.source.type == CLIENT else self.source.name

    @property
    def target_name(self) -> str:
        """The name of what is called."""
        return self.target.name


@dataclass(frozen=True, slots=True)
class Map:
    """All of the drawing, with its size."""

    nodes: tuple[MapNode, ...]
    edges: tuple[MapEdge, ...]
    width: float
    height: float

    @property
    def width_class(self) -> str:
        """How many layers there are, as a class of the style sheet."""
        layers = self.width / LAYER_WIDTH
        return "most-layers" if layers >= 6 else "many-layers" if layers >= 4 else "few-layers"

    @property
    def scale(self) -> float:
        """As what share of its size it is shown first: one of many layers no smaller than that."""
        return SCALE_READABLE if self.width_class == "most-layers" else 1.0

    @property
    def shown_width(self) -> float:
        """The width at that scale."""
        return self.width * self.scale

    @property
    def shown_height(self) -> float:
        """The height at that scale."""
        return self.height * self.scale


def draw_map(
    graph: Graph,
    minutes: float,
    *,
    source: Service | None = None,
    target: Service | None = None,
    find: str = "",
) -> Map:
    """Return the drawing of the graph, of as much as can be read.

    minutes: how long the time was that it is of. source, target: the edge that is chosen, or the
    node, if there is no source. find: what the names of nodes have in them that are not dim.
    """
    nodes = _choose_nodes(graph.list_nodes())
    edges = _choose_edges(nodes)
    layout = lay_out(
        [node.service for node in nodes], [(node.service, edge.target) for node, edge in edges]
    )
    totals = sorted((edge.statistics.total for _, edge in edges), reverse=True)
    least = totals[WEIGHTS_MAX] + 1 if len(totals) > WEIGHTS_MAX else 0
    dim = {node.service for node in nodes if find and not _has(node.service, find)}
    return Map(
        tuple(
            make_node(
                node,
                minutes,
                _scale(layout.places[node.service]),
                is_chosen=source is None and node.service == target,
                is_dim=node.service in dim,
            )
            for node in nodes
        ),
        tuple(
            make_edge(
                node,
                edge,
                minutes,
                _find_route(layout, node, edge),
                totals[0],
                has_words=edge.statistics.total >= least or target in (node.service, edge.target),
                is_chosen=(node.service, edge.target) == (source, target),
                is_dim=node.service in dim or edge.target in dim,
            )
            for node, edge in edges
        ),
        layout.width * LAYER_WIDTH,
        layout.height * NODE_HEIGHT,
    )


def list_edges(nodes: Iterable[Node]) -> Iterator[tuple[Node, Edge]]:
    """Yield every edge with its caller, those of clients first."""
    for node in sorted(nodes, key=lambda node: not node.is_client):
        for edge in _sort_edges(node):
            yield node, edge


def _choose_nodes(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes that are drawn, in their order."""
    busiest = sorted(nodes, key=lambda node: (not node.is_root, -node.statistics.total))
    services = {node.service for node in busiest[:NODES_MAX]}
    return [node for node in nodes if node.service in services]


def _choose_edges(drawn: Sequence[Node]) -> list[tuple[Node, Edge]]:
    """Return the calls that are drawn, each with its caller, in their order."""
    services = {node.service for node in drawn}
    edges = [
        (node, edge) for node in drawn for edge in _sort_edges(node) if edge.target in services
    ]
    busiest = sorted(edges, key=lambda each: -each[1].statistics.total)
    # The first that leads to each service, then all others.
    firsts = {each[1].target: each for each in reversed(busiest)}
    ranked = sorted(busiest, key=lambda each: firsts[each[1].target] is not each)
    kept = {id(edge) for _, edge in ranked[:EDGES_MAX]}
    return [each for each in edges if id(each[1]) in kept]


def _sort_edges(node: Node) -> list[Edge]:
    return sorted(node.edges.values(), key=lambda edge: (_key(edge.target), edge.is_link))


def _key(service: Service) -> tuple[str, ...]:
    return tuple(part or "" for part in service)


def _has(service: Service, text: str) -> bool:
    return text.casefold() in f"{service.name} {service.type or ''}".casefold()


def make_node(
    node: Node,
    minutes: float,
    place: Place | None = None,
    *,
    is_chosen: bool = False,
    is_dim: bool = False,
) -> MapNode:
    """Return a node of the drawing; without a place, a row of the table."""
    return MapNode(
        id=f"node-{_digest(node.service)}",
        service=node.service,
        label="client" if node.is_client else cut_label(node.service.name),
        icon=_choose_icon(node),
        figures=write_figures(node.statistics, minutes),
        x=place.x if place else 0.0,
        y=place.y if place else 0.0,
        is_chosen=is_chosen,
        is_dim=is_dim,
    )


def make_edge(
    node: Node,
    edge: Edge,
    minutes: float,
    route: Sequence[Place] = (),
    most: int = 0,
    *,
    has_words: bool = False,
    is_chosen: bool = False,
    is_dim: bool = False,
) -> MapEdge:
    """Return an edge of the drawing; without a route, a row of the table.

    most: how many calls the edge with the most has.
    """
    middle = _find_label(route) if route else Place(0.0, 0.0)
    share = edge.statistics.total / most if most else 0.0
    return MapEdge(
        id=f"edge-{_digest(node.service, edge.target, 'link' if edge.is_link else '')}",
        source=node.service,
        target=edge.target,
        is_link=edge.is_link,
        figures=write_figures(edge.statistics, minutes),
        has_words=has_words,
        path=_write_path(route),
        width=WIDTH_MIN + (WIDTH_MAX - WIDTH_MIN) * share**0.5,
        x=middle.x,
        y=middle.y,
        is_chosen=is_chosen,
        is_dim=is_dim,
    )


def _digest(*parts: object) -> str:
    """Return a name for an element of the page: what a service is called may be anything."""
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def _choose_icon(node: Node) -> str:
    kind = node.service.type or ""
    for beginning, icon in ICONS:
        if kind.startswith(beginning):
            return icon
    return "service" if node.is_active else "remote"


def write_figures(statistics: Statistics, minutes: float) -> Figures:
    """Return what is written of statistics of so many minutes."""
    return Figures(
        total=statistics.total,
        per_minute=statistics.total / minutes,
        average_ms=statistics.average_seconds * 1000,
        percentile_ms=statistics.find_percentile(0.95) * 1000,
        is_timed=bool(statistics.histogram),
        arcs=draw_ring(
            {
                "ok": statistics.ok,
                "error": statistics.other_errors,
                "throttle": statistics.throttles,
                "fault": statistics.faults,
            }
        ),
    )


def collapse(graph: Graph, types: Collection[str]) -> Graph:
    """Return the graph with all nodes of each of these types as one node."""
    counts = {kind: sum(each.type == kind for each in graph.nodes) for kind in types}

    def name(service: Service) -> Service:
        count = counts.get(service.type or "", 0)
        return Service(f"{count} {service.type}", service.type, MANY) if count > 1 else service

    collapsed = Graph()
    for node in graph.nodes.values():
        into = collapsed.get_node(name(node.service))
        into.absorb(node)
        into.is_root |= node.is_root
        into.is_active |= node.is_active
        for edge in node.edges.values():
            whole = into.get_edge(name(edge.target), is_link=edge.is_link)
            whole.absorb(edge)
            whole.ages += edge.ages
    return collapsed


def focus(graph: Graph, service: Service) -> Graph:
    """Return what is left of the graph of a node, those that call it and those that it calls."""
    focused = Graph()
    for node in graph.nodes.values():
        for key, edge in node.edges.items():
            if service in (node.service, edge.target):
                for each in (node.service, edge.target):
                    if each in graph.nodes and each not in focused.nodes:
                        known = graph.nodes[each]
                        focused.nodes[each] = _strip(known)
                focused.get_node(node.service).edges[key] = edge
    if service in graph.nodes and service not in focused.nodes:
        focused.nodes[service] = _strip(graph.nodes[service])
    return focused


def _strip(node: Node) -> Node:
    """Return the node without its edges."""
    return Node(
        service=node.service,
        is_root=node.is_root,
        is_active=node.is_active,
        statistics=node.statistics,
        first=node.first,
        last=node.last,
    )


def cut_label(name: str) -> str:
    """Return what of a name the drawing has room for; a wide character takes the room of two."""
    widths = (2 if east_asian_width(character) in "FW" else 1 for character in name)
    ends = list(accumulate(widths))
    if not ends or ends[-1] <= NAME_CHARACTERS:
        return name
    return f"{name[: bisect_right(ends, NAME_CHARACTERS - 1)]}…"


def _scale(place: Place) -> Place:
    """Return where on the drawing a place of the layout is."""
    return Place((place.x + 0.5) * LAYER_WIDTH, (place.y + 0.38) * NODE_HEIGHT)


def _find_route(layout: Layout, node: Node, edge: Edge) -> list[Place]:
    """Return the points by which an edge goes, from the border of a node to that of the next."""
    if edge.target == node.service:
        return _go_round(_scale(layout.places[node.service]))
    # A link is no call: where there is one too, both can be seen.
    shift = 14.0 if edge.is_link else 0.0
    points = [_scale(point) for point in layout.routes[node.service, edge.target]]
    moved = [Place(point.x, point.y + shift) for point in points]
    if moved[0].x == moved[-1].x:
        x = moved[0].x + RADIUS + 5
        return [Place(x, moved[0].y), Place(x + 4, moved[-1].y)]
    reach = RADIUS + 5 if points[0].x < points[-1].x else -RADIUS - 5
    return [
        Place(moved[0].x + reach, moved[0].y),
        *moved[1:-1],
        Place(moved[-1].x - reach - (4 if reach > 0 else -4), moved[-1].y),
    ]


def _go_round(place: Place) -> list[Place]:
    """Return a way out of a node at its right and back into it."""
    x = place.x + RADIUS + 5
    return [Place(x, place.y - 8), Place(x + 30, place.y), Place(x + 2, place.y + 8)]


def _find_label(route: Sequence[Place]) -> Place:
    """Return where words stand: on the last part, nearer to its end, where edges are apart."""
    one, other = route[-2:]
    # Of a curve with both handles in the middle, which is level at its ends.
    near = LABEL_SHARE**2 * (3 - 2 * LABEL_SHARE)
    handles = 3 * LABEL_SHARE * (1 - LABEL_SHARE)
    x = (1 - LABEL_SHARE) ** 3 * one.x + handles * _find_middle(one, other)
    x += LABEL_SHARE**3 * other.x
    return Place(x, one.y + near * (other.y - one.y))


def _write_path(route: Sequence[Place]) -> str:
    """Return the path of a smooth line through all points, level at each of them."""
    if not route:
        return ""
    return " ".join([f"M{_write(route[0].x, route[0].y)}", *_write_curves(route)])


def _write_curves(route: Iterable[Place]) -> Iterator[str]:
    for one, other in pairwise(route):
        middle = _find_middle(one, other)
        yield f"C{_write(middle, one.y)} {_write(middle, other.y)} {_write(other.x, other.y)}"


def _find_middle(one: Place, other: Place) -> float:
    """Return the x of both handles of a curve; of two above each other it is beside them."""
    is_beside = abs(one.x - other.x) < BESIDE
    return max(one.x, other.x) + BULGE if is_beside else (one.x + other.x) / 2


def _write(x: float, y: float) -> str:
    return f"{x:.0f},{y:.0f}"
