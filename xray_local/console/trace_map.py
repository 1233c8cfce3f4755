"""The small map of one trace: its services, and how often and how long each was called."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xray_local.graph import Edge, Graph, Node, Statistics, build_graph
from xray_local.graph.layout import Place, lay_out
from xray_local.traces.elements import ELEMENTS_MAX
from xray_local.traces.facts import Facts
from xray_local.traces.services import Service
from xray_local.traces.tallies import tally_trace

from .service_drawing import cut_label, write_path

# Of a trace with more services the busiest are drawn.
NODES_MAX = 40
LAYER_WIDTH = 220.0
NODE_WIDTH = 164.0
ROW_HEIGHT = 62.0
NODE_HEIGHT = 42.0
MARGIN = 6.0
NAME_CHARACTERS = 22


@dataclass(frozen=True, slots=True)
class SmallNode:
    """A service of the trace. element_id: of what took longest there, "" where that is unknown."""

    name: str
    label: str
    type: str
    count: int
    average_ms: float
    outcome: str  # ok, error, fault, throttle or in progress: the worst that happened
    is_client: bool
    element_id: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class SmallEdge:
    """Calls of one service by another."""

    source: str
    target: str
    count: int
    outcome: str
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class SmallMap:
    """All of the drawing, with its size."""

    nodes: Sequence[SmallNode]
    edges: Sequence[SmallEdge]
    width: float
    height: float
    left_out: int
    counted: int  # segments and calls

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than those that were counted."""
        return self.counted >= ELEMENTS_MAX


def draw_trace_map(documents: Sequence[Facts]) -> SmallMap:
    """Return the map of the trace with these documents."""
    tallies = tally_trace(documents)
    graph = build_graph(tallies)
    nodes = _choose(graph)
    services = {node.service for node in nodes}
    edges = [
        (node, edge)
        for node in nodes
        for edge in node.edges.values()
        if edge.target in services and edge.target != node.service
    ]
    layout = lay_out(
        [node.service for node in nodes], [(node.service, edge.target) for node, edge in edges]
    )
    longest = _find_longest(documents)
    return SmallMap(
        [_draw_node(node, layout.places[node.service], longest) for node in nodes],
        [_draw_edge(node, edge, layout.routes[node.service, edge.target]) for node, edge in edges],
        (layout.width - 1) * LAYER_WIDTH + NODE_WIDTH + 2 * MARGIN,
        (layout.height - 1) * ROW_HEIGHT + NODE_HEIGHT + 2 * MARGIN,
        len(graph.nodes) - len(nodes),
        sum(tally.count for tally in tallies),
    )


def _choose(graph: Graph) -> list[Node]:
    nodes = graph.list_nodes()
    busiest = sorted(
        nodes, key=lambda node: (not (node.is_root or node.is_client), -node.statistics.total)
    )
    kept = {node.service for node in busiest[:NODES_MAX]}
    return [node for node in nodes if node.service in kept]


def _find_longest(documents: Sequence[Facts]) -> dict[Service, str]:
    """Return the id of the segment or call that took longest, by service."""
    found: dict[Service, tuple[float, str]] = {}
    for each in _list_work(documents):
        service, seconds, element_id = each
        if service not in found or seconds > found[service][0]:
            found[service] = seconds, element_id
    return {service: element_id for service, (_, element_id) in found.items()}


def _list_work(documents: Sequence[Facts]) -> Iterator[tuple[Service, float, str]]:
    for document in documents:
        if document.is_segment:
            yield document.service, document.end - document.start, document.id
        for call in document.calls:
            yield call.service, call.seconds, call.id


def _draw_node(node: Node, place: Place, longest: dict[Service, str]) -> SmallNode:
    corner = _place(place)
    return SmallNode(
        name=node.service.name,
        label=cut_label(node.service.name, NAME_CHARACTERS),
        type=node.service.type or "",
        count=node.statistics.total,
        average_ms=node.statistics.average_seconds * 1000,
        outcome=_judge(node.statistics),
        is_client=node.is_client,
        element_id=longest.get(node.service, ""),
        x=corner.x,
        y=corner.y - NODE_HEIGHT / 2,
    )


def _draw_edge(node: Node, edge: Edge, route: Sequence[Place]) -> SmallEdge:
    points = [_place(place) for place in route]
    is_forward = points[0].x < points[-1].x
    start = Place(points[0].x + (NODE_WIDTH if is_forward else 0), points[0].y)
    end = Place(points[-1].x + (0 if is_forward else NODE_WIDTH), points[-1].y)
    passed = [Place(point.x + NODE_WIDTH / 2, point.y) for point in points[1:-1]]
    last = passed[-1] if passed else start
    return SmallEdge(
        "client" if node.is_client else node.service.name,
        edge.target.name,
        edge.statistics.total,
        _judge(edge.statistics),
        write_path([start, *passed, end]),
        (last.x + end.x) / 2,
        (last.y + end.y) / 2,
    )


def _place(place: Place) -> Place:
    """Return the middle of a node's left side."""
    return Place(place.x * LAYER_WIDTH + MARGIN, place.y * ROW_HEIGHT + NODE_HEIGHT / 2 + MARGIN)


def _judge(statistics: Statistics) -> str:
    if statistics.faults:
        return "fault"
    if statistics.other_errors:
        return "error"
    if statistics.throttles:
        return "throttle"
    return "ok" if statistics.total else "in progress"
