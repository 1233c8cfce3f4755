"""The graph made of tallies: nodes with their own statistics, edges with their callers'.

Beside the services there is a client for each service that a trace began with: it has the name of
that service, the type `client`, no statistics, and an edge, which has the statistics of the root.
https://docs.aws.amazon.com/xray/latest/api/API_Service.html

A node is `active` when segments of its own came, and `unknown` when all that is known of it was
said by others. Numbers are given in the order roots, other services, inferred ones, clients, each
by name, so that the same services have the same numbers.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from xray_local.traces.services import Service
from xray_local.traces.tallies import Shape, Tally

from .statistics import Statistics, write_histogram

CLIENT = "client"


@dataclass(slots=True, kw_only=True)
class _Seen:
    """Statistics, with the time from which to which they are: seconds since 1970."""

    statistics: Statistics = field(default_factory=Statistics)
    first: float = math.inf
    last: float = 0.0

    def add(self, tally: Tally) -> None:
        """Count the elements of a tally."""
        self.statistics.add(tally)
        self.widen(tally.first, tally.last)

    def absorb(self, other: "_Seen") -> None:
        """Count all that another has counted."""
        self.statistics.absorb(other.statistics)
        self.widen(other.first, other.last)

    def widen(self, first: float, last: float) -> None:
        """Reach as far as these times."""
        self.first = min(self.first, first)
        self.last = max(self.last, last)


@dataclass(slots=True, kw_only=True)
class Edge(_Seen):
    """Calls of a service, as the caller saw them; or links, which are no calls.

    ages: of links, how long after an event was sent it was received, by bucket.
    """

    target: Service
    is_link: bool = False
    ages: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Node(_Seen):
    """A service, or a client."""

    service: Service
    is_root: bool = False
    is_active: bool = False
    edges: dict[tuple[Service, bool], Edge] = field(default_factory=dict)  # by target and is_link

    @property
    def is_client(self) -> bool:
        """Whether it stands for those who call a root."""
        return self.service.type == CLIENT

    def get_edge(self, target: Service, *, is_link: bool = False) -> Edge:
        """Return the edge to the target, a new one if need be."""
        key = (target, is_link)
        if key not in self.edges:
            self.edges[key] = Edge(target=target, is_link=is_link)
        return self.edges[key]


class Graph:
    """Nodes by their service."""

    def __init__(self) -> None:
        self.nodes: dict[Service, Node] = {}

    def get_node(self, service: Service) -> Node:
        """Return the node of the service, a new one if need be."""
        if service not in self.nodes:
            self.nodes[service] = Node(service=service)
        return self.nodes[service]

    def add(self, tally: Tally) -> None:
        """Count the elements of a tally: as a node, as an edge or as both."""
        shape = tally.shape
        if shape.is_node:
            node = self.get_node(shape.service)
            node.add(tally)
            node.is_active |= not shape.is_inferred
            node.is_root |= shape.is_root
        for source in list_sources(shape):
            node = self.get_node(source)
            node.get_edge(shape.service).add(tally)
            # A client has no tally of its own, and others' may not be here.
            node.widen(tally.first, tally.last)
            self.get_node(shape.service).widen(tally.first, tally.last)

    def list_nodes(self) -> list[Node]:
        """Return the nodes in the order of their numbers."""
        return sorted(self.nodes.values(), key=_order)

    def to_api(self) -> list[dict[str, Any]]:
        """Return a list of the shape Service."""
        nodes = self.list_nodes()
        numbers = {node.service: number for number, node in enumerate(nodes)}
        return [_write_node(node, numbers) for node in nodes]


def build_graph(tallies: Iterable[Tally]) -> Graph:
    """Return the graph of all that was counted."""
    graph = Graph()
    for tally in tallies:
        graph.add(tally)
    return graph


def list_sources(shape: Shape) -> list[Service]:
    """Return who made the calls of a shape: its caller, and the client of a root."""
    sources = [] if shape.source is None else [shape.source]
    if shape.is_root:
        sources.append(shape.service._replace(type=CLIENT))
    return sources


def _order(node: Node) -> tuple[object, ...]:
    name, service_type, account_id = node.service
    place = (node.is_client, not node.is_root, not node.is_active)
    return *place, name, service_type or "", account_id or ""


def _write_node(node: Node, numbers: dict[Service, int]) -> dict[str, Any]:
    written: dict[str, Any] = {"ReferenceId": numbers[node.service]}
    written |= node.service.to_api()
    if node.is_root:
        written["Root"] = True
    written |= {
        "State": "active" if node.is_active else "unknown",
        "StartTime": node.first,
        "EndTime": node.last,
        "Edges": [
            _write_edge(edge, numbers[edge.target])
            for edge in sorted(node.edges.values(), key=lambda each: numbers[each.target])
        ],
    }
    if not node.is_client:
        histogram = node.statistics.histogram_to_api()
        written |= {
            "SummaryStatistics": node.statistics.to_api(),
            # All that a segment tells is how long it lasted.
            "DurationHistogram": histogram,
            "ResponseTimeHistogram": histogram,
        }
    return written


def _write_edge(edge: Edge, number: int) -> dict[str, Any]:
    written: dict[str, Any] = {
        "ReferenceId": number,
        "StartTime": edge.first,
        "EndTime": edge.last,
        "SummaryStatistics": edge.statistics.to_api(),
        "ResponseTimeHistogram": edge.statistics.histogram_to_api(),
        "Aliases": [],
    }
    if edge.is_link:
        # There is no answer to an event, so nobody can say how long one took.
        written["ResponseTimeHistogram"] = []
        written |= {
            "EdgeType": "link",
            "ReceivedEventAgeHistogram": write_histogram(edge.ages),
        }
    return written
