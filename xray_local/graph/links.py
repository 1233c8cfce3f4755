"""Links between traces: edges from where an event was sent to the service that received it.

A segment that works on events names in `links` the segments, or the calls, that sent them: a
Lambda function those of the messages that it took from a queue. The edge begins at the queue, where
a call is linked, and at the sender's own node, where a segment is.
https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html

The age of an event is the time from the end of the sending to the start of the receiving segment,
and the statistics are those of receiving segments. Of a range of time the newest LINKS_MAX links
are drawn.
"""

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from xray_local.store.queries import Link, get_bodies
from xray_local.traces.services import Service, name_callee, name_service
from xray_local.traces.tallies import Shape, Tally, bucket_of
from xray_local.traces.trees import Element, build_tree, walk_tree

from .model import Graph

LINKS_MAX = 200
# As many as X-Ray keeps of a trace.
TRACE_LINKS_MAX = 100


def add_links(graph: Graph, connection: sqlite3.Connection, links: Iterable[Link]) -> None:
    """Draw the links whose both ends are stored."""
    for link in links:
        sender = _find(connection, link.linked_trace_id, link.linked_segment_id)
        receiver = _find_segment(_find(connection, link.trace_id, link.segment_id))
        source = None if sender is None else _find_source(sender)
        if sender is not None and source is not None and receiver is not None:
            _draw(graph, sender, source, receiver)


def _find(connection: sqlite3.Connection, trace_id: str, element_id: str) -> Element | None:
    """Return the segment or subsegment, below its segment if that is here."""
    bodies = get_bodies(connection, trace_id)
    # A document that it is not in need not be read, as a rule.
    likely = [body for body in bodies if element_id.encode() in body]
    found = _find_in(likely, element_id)
    if found is not None and len(likely) < len(bodies) and _find_segment(found) is None:
        found = _find_in(bodies, element_id)
    return found


def _find_in(bodies: Iterable[bytes], element_id: str) -> Element | None:
    roots = build_tree(map(msgspec.json.decode, bodies))
    return next((each for each, _ in walk_tree(roots) if each.id == element_id), None)


def _find_segment(element: Element | None) -> Element | None:
    """Return the segment that the element belongs to."""
    while element is not None and not element.is_segment:
        element = element.parent
    return element


def _find_source(sender: Element) -> Service | None:
    """Return where the event waited: what the nearest call around called, else its segment's."""
    for element in _list_upwards(sender):
        if element.is_segment:
            return name_service(element.content)
        callee = name_callee(element.content)
        if callee is not None:
            return callee
    return None


def _list_upwards(element: Element | None) -> Iterator[Element]:
    while element is not None:
        yield element
        element = element.parent


def _draw(graph: Graph, sender: Element, source: Service, receiver: Element) -> None:
    content = receiver.content
    first = receiver.start or 0.0
    last = receiver.end or first
    has_error, has_fault, has_throttle = (
        content.get(flag) is True for flag in ("error", "fault", "throttle")
    )
    shape = Shape(
        source=source,
        service=name_service(content),
        is_node=False,
        is_ok=not (has_error or has_fault or has_throttle),
        has_error=has_error,
        has_fault=has_fault,
        has_throttle=has_throttle,
        is_partial=receiver.is_open,
        is_inferred=False,
        is_root=False,
    )
    edge = graph.get_node(source).get_edge(shape.service, is_link=True)
    edge.add(Tally(shape, 1, 0.0, {}, first, last))
    # Where clocks differ it may be less than nothing, which is bucket 0 too.
    age = first - (sender.end or sender.start or first)
    edge.ages[bucket_of(age)] += 1
    graph.get_node(source).widen(first, last)
    graph.get_node(shape.service).widen(first, last)
