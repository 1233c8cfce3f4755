"""The drawing of the service map: where each node and edge is, and what it says."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from xray_local.graph import Edge, Graph, Node, Statistics
from xray_local.graph.layout import Layout, Place, lay_out
from xray_local.graph.model import CLIENT
from xray_local.traces.services import Service

from .charts import Arc, draw_ring
from .figures import write_rate
from .service_drawing import Form, cut_label, find_words, write_path
from .times import write_duration

# More could not be read; those with the most requests are drawn, and the tables can show all.
NODES_MAX = 150
# Likewise of the calls; of each service at least the busiest that leads to it is drawn.
EDGES_MAX = 250
# More calls are a crowd: they are pale, and only those of what is chosen have words.
CROWD = 40
# The room that the words of a call take.
WORDS_WIDTH = 110.0
WORDS_HEIGHT = 15.0
# Units of the drawing; its width on the screen is the same in pixels, or less.
ROUND = Form("round", layer_width=264.0, node_height=138.0, reach=27.0, share=0.38, characters=28)
# Where more stand above each other, each is a box: all of them are seen at a glance.
BOXED = Form("boxed", layer_width=340.0, node_height=56.0, reach=112.0, share=0.5, characters=24)
ROUND_MAX = 4.5
# What a narrow screen would make too small to be read.
WIDE = 700.0
# A call that is made most often is drawn as wide.
WIDTH_MAX = 5.0
WIDTH_MIN = 1.25
# The account of a node that stands for all of a type.
MANY = "*"
# As small as the words of a drawing can be read.
SCALE_READABLE = 0.75
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
    def pace(self) -> str:
        """How often, and how long on average and at most of 95 in 100."""
        parts = [write_rate(self.per_minute)]
        if self.is_timed:
            parts += [write_duration(self.average_ms), f"p95 {write_duration(self.percentile_ms)}"]
        return " · ".join(parts)

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
        is_one = self.is_client and not self.is_many
        return f"client of {self.service.name}" if is_one else self.service.name

    @property
    def type(self) -> str:
        """What kind of service it is, "" where that is not known."""
        return "" if self.is_client else self.service.type or ""

    @property
    def type_label(self) -> str:
        """What of the type the drawing has room for."""
        return cut_label(self.type, ROUND.characters)


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
    is_near: bool = False  # whether it leads to the node that is chosen, or away from it
    is_dim: bool = False

    @property
    def states(self) -> str:
        """What is so of it, as classes of the style sheet."""
        states = {"chosen": self.is_chosen, "near": self.is_near, "dim": self.is_dim}
        return "".join(f" {name}" for name, is_so in states.items() if is_so)

    @property
    def ends(self) -> str:
        """The ids of the nodes that it connects."""
        return f"{name_node(self.source)} {name_node(self.target)}"

    @property
    def is_many(self) -> bool:
        """Whether it stands for all calls of, or to, the services of a type."""
        return MANY in (self.source.account_id, self.target.account_id)

    @property
    def source_name(self) -> str:
        """The name of the caller, as a person says it."""
        is_client = self.source.type == CLIENT and self.source.account_id != MANY
        return "client" if is_client else self.source.name

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
    form: Form

    @property
    def classes(self) -> str:
        """How wide it is, how nodes are drawn and how many calls there are, for the style sheet."""
        states = {"wide": self.width > WIDE, "crowded": self.is_crowded}
        return " ".join(
            [self.width_class, self.form.name, *(each for each in states if states[each])]
        )

    @property
    def is_crowded(self) -> bool:
        """Whether there are so many calls that all together they are only a ground."""
        return len(self.edges) > CROWD

    @property
    def width_class(self) -> str:
        """How many layers there are, as a class of the style sheet."""
        layers = self.width / ROUND.layer_width
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
    forms: tuple[Form, Form] = (ROUND, BOXED),
) -> Map:
    """Return the drawing of the graph, of as much as can be read.

    minutes: how long the time was that it is of. source, target: the edge that is chosen, or the
    node, if there is no source. find: what the names of nodes have in them that are not dim.
    forms: for few nodes above each other, and for more.
    """
    nodes = _choose_nodes(graph.list_nodes())
    edges = _choose_edges(nodes)
    layout = lay_out(
        [node.service for node in nodes], [(node.service, edge.target) for node, edge in edges]
    )
    form = forms[0] if layout.height <= ROUND_MAX else forms[1]
    most = max((edge.statistics.total for _, edge in edges), default=0)
    dim = {node.service for node in nodes if find and not _has(node.service, find)}
    drawn = [
        make_edge(
            node,
            edge,
            minutes,
            _find_route(form, layout, node, edge),
            most,
            is_chosen=(node.service, edge.target) == (source, target),
            is_near=source is None and target in (node.service, edge.target),
            is_dim=node.service in dim or edge.target in dim,
        )
        for node, edge in edges
    ]
    worded = _choose_worded(drawn)
    return Map(
        tuple(
            make_node(
                node,
                minutes,
                form.place(layout.places[node.service]),
                characters=form.characters,
                is_chosen=source is None and node.service == target,
                is_dim=node.service in dim,
            )
            for node in nodes
        ),
        tuple(
            replace(edge, has_words=edge.id in worded)
            # What is chosen is drawn over the others.
            for edge in sorted(drawn, key=lambda each: each.is_chosen or each.is_near)
        ),
        layout.width * form.layer_width,
        layout.height * form.node_height,
        form,
    )


def _choose_worded(edges: Sequence[MapEdge]) -> set[str]:
    """Return the ids of the edges that have words, as far as there is room for them.

    What is chosen has, and what leads to it or away; where nothing is, the busiest, unless there
    are too many.
    """
    candidates = [each for each in edges if each.is_chosen or each.is_near]
    if not candidates and len(edges) <= CROWD:
        candidates = sorted(edges, key=lambda each: -each.figures.total)
    kept: dict[str, MapEdge] = {}
    for each in candidates:
        if not any(_is_on(each, other) for other in kept.values()):
            kept[each.id] = each
    return set(kept)


def _is_on(one: MapEdge, other: MapEdge) -> bool:
    """Whether the words of one would stand on those of the other."""
    return abs(one.x - other.x) < WORDS_WIDTH and abs(one.y - other.y) < WORDS_HEIGHT


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
    characters: int = ROUND.characters,
    is_chosen: bool = False,
    is_dim: bool = False,
) -> MapNode:
    """Return a node of the drawing; without a place, a row of the table."""
    is_client = node.is_client and node.service.account_id != MANY
    return MapNode(
        id=name_node(node.service),
        service=node.service,
        label="client" if is_client else cut_label(node.service.name, characters),
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
    is_chosen: bool = False,
    is_near: bool = False,
    is_dim: bool = False,
) -> MapEdge:
    """Return an edge of the drawing; without a route, a row of the table.

    most: how many calls the edge with the most has.
    """
    middle = find_words(route) if route else Place(0.0, 0.0)
    share = edge.statistics.total / most if most else 0.0
    return MapEdge(
        id=f"edge-{_digest(node.service, edge.target, 'link' if edge.is_link else '')}",
        source=node.service,
        target=edge.target,
        is_link=edge.is_link,
        figures=write_figures(edge.statistics, minutes),
        path=write_path(route),
        width=WIDTH_MIN + (WIDTH_MAX - WIDTH_MIN) * share**0.5,
        x=middle.x,
        y=middle.y,
        is_chosen=is_chosen,
        is_near=is_near,
        is_dim=is_dim,
    )


def name_node(service: Service) -> str:
    """Return the id of the element that stands for a service."""
    return f"node-{_digest(service)}"


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
        what = "clients" if service.type == CLIENT else service.type
        return Service(f"{count} {what}", service.type, MANY) if count > 1 else service

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


def _find_route(form: Form, layout: Layout, node: Node, edge: Edge) -> list[Place]:
    """Return the points by which an edge goes."""
    if edge.target == node.service:
        return form.go_round(layout.places[node.service])
    # A link is no call: where there is one too, both can be seen.
    shift = 14.0 if edge.is_link else 0.0
    return form.find_route(layout.routes[node.service, edge.target], shift)
