"""When parts of a request are sent before it has ended."""

import threading
from collections.abc import Callable

from aws_xray_sdk.core.models.entity import Entity

from .context import FunctionSegment, open_entities

# A request with more subsegments than this is sent in parts, so that a process that is killed
# has told most of it. Below that, one datagram holds the whole request.
DEFAULT_THRESHOLD = 250


class Streaming:
    """Sends closed subtrees of a large request early and, on Lambda, all at the request's end.

    streaming_threshold: how many subsegments a request may hold back.
    """

    def __init__(self, streaming_threshold: int = DEFAULT_THRESHOLD) -> None:
        self.streaming_threshold = streaming_threshold
        self._lock = threading.Lock()

    def is_eligible(self, segment: Entity | None) -> bool:
        """Return whether something should be sent now."""
        if segment is None or not segment.sampled:
            return False
        # The function's segment is never sent by us: its subsegments go when the last one closes.
        if isinstance(segment, FunctionSegment) and not open_entities():
            return True
        return bool(segment.get_total_subsegments_size() > self.streaming_threshold)

    def stream(self, entity: Entity, send: Callable[[Entity], None]) -> None:
        """Send the largest closed subtrees beneath an entity that is still open."""
        with self._lock:
            self._stream(entity, send)

    def _stream(self, entity: Entity, send: Callable[[Entity], None]) -> bool:
        """Return whether the entity and all beneath it are closed; if not, send what is."""
        closed = [child for child in list(entity.subsegments) if self._stream(child, send)]
        if len(closed) == len(entity.subsegments) and not entity.in_progress:
            return True
        for child in closed:
            send(child)
            # Once for the child itself, and once for each beneath it, which went with it.
            beneath = count_beneath(child)
            entity.remove_subsegment(child)
            segment = getattr(entity, "parent_segment", entity)
            for _ in range(beneath):
                segment.decrement_subsegments_size()
        return False


def count_beneath(entity: Entity) -> int:
    """Return how many subsegments an entity holds, at any depth."""
    return sum(1 + count_beneath(child) for child in entity.subsegments)
