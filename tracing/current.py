"""What application code says about the request that it is in."""

from typing import NamedTuple

from .context import is_under_way, request_entity
from .entities import Segment


class Trace(NamedTuple):
    """The trace that the current request belongs to; not sampled, it is known but not sent."""

    trace_id: str
    is_sampled: bool


def current_trace() -> Trace | None:
    """Return the trace of the current request, or None outside a request.

    A thread that outlived its request is outside, unless it is still in the midst of a subsegment.
    On Lambda too: it may not know that the next invocation, whose trace may be unsampled, has
    begun. Its log lines have that one's id from the environment, as Lambda's own have.
    """
    entity = request_entity()
    if entity is None or not entity.trace_id or not is_under_way():
        return None
    return Trace(trace_id=entity.trace_id, is_sampled=bool(entity.sampled))


def put_annotation(key: str, value: str | float | bool) -> None:
    """Annotate the request: indexed, so that traces can be searched by it."""
    entity = request_entity()
    if entity is not None and entity.in_progress:
        entity.put_annotation(key, value)


def put_metadata(key: str, value: object, namespace: str = "default") -> None:
    """Keep something with the request that is shown, but not searched."""
    entity = request_entity()
    if entity is not None and entity.in_progress:
        entity.put_metadata(key, value, namespace)


def set_user(user: str) -> None:
    """Say whose request this is: the segment's user or, on Lambda, the annotation `user`."""
    entity = request_entity()
    if entity is None or not entity.in_progress:
        return
    if isinstance(entity, Segment):
        entity.set_user(user)
    else:
        entity.put_annotation("user", str(user))
