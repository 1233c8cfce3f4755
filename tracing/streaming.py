"""When parts of a request are sent before it has ended."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

# A request with more subsegments than this is sent in parts, so that a process that is killed
# has told most of it. Below that, one datagram holds the whole request.
DEFAULT_THRESHOLD = 250

_sending = threading.Lock()


def renew_lock() -> None:
    """Forget who was sending when the process was forked."""
    global _sending
    _sending = threading.Lock()


os.register_at_fork(after_in_child=renew_lock)


class Streaming:
    """How many subsegments a request may hold back."""

    def __init__(self, streaming_threshold: int = DEFAULT_THRESHOLD) -> None:
        self.streaming_threshold = streaming_threshold


class CustomStreaming(Streaming):
    """Somebody's own, with `is_eligible` and `stream`, asked each time a subsegment ends."""

    def __init__(self, theirs: Any) -> None:
        super().__init__(streaming_threshold=-1)
        self.theirs = theirs


def send_closed(request: Any, send: Callable[[Any], None], threshold: int) -> None:
    """Send closed subtrees beneath a request that goes on, the largest first, until half is left.

    Many of the small ones that stay become parts of larger ones: a datagram each would be more than
    they need. One thread at a time does it; another that comes meanwhile goes on.
    """
    if not _sending.acquire(blocking=False):
        return
    try:
        for parent, child, count in sorted(find_closed(request), key=lambda found: -found[2]):
            if request.held <= threshold // 2:
                break
            send(child)
            parent.subsegments.remove(child)
            request.held -= count
        # What is open stays; looking through it again at each end would take ever longer.
        request.hold_until = request.held + threshold // 2
    finally:
        _sending.release()


def find_closed(request: Any) -> list[tuple[Any, Any, int]]:
    """Return the largest closed subtrees: the parent that is open or holds something open, the
    subtree, and how many subsegments it holds.
    """
    order: list[Any] = []
    waiting = [request]
    while waiting:
        entity = waiting.pop()
        order.append(entity)
        waiting.extend(entity.subsegments)
    counts: dict[int, int] = {}
    largest: list[tuple[Any, Any, int]] = []
    for entity in reversed(order):
        children = [child for child in entity.subsegments if id(child) in counts]
        if not entity.in_progress and len(children) == len(entity.subsegments):
            counts[id(entity)] = 1 + sum(counts[id(child)] for child in children)
        else:
            largest.extend((entity, child, counts[id(child)]) for child in children)
    return largest
