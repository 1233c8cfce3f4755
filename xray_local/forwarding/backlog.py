"""Documents that wait to be sent on: as many as fit, the oldest dropped first."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple


class Waiting(NamedTuple):
    """A document with its place in the order of arrival."""

    number: int
    body: bytes


class Backlog:
    """A queue between threads that never makes who puts into it wait."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[Waiting] = deque()
        self._arrived = 0
        self._bytes = 0
        self._since = 0.0  # when the oldest of them came; on the clock that only goes forwards
        self._dropped = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, bodies: Sequence[bytes]) -> None:
        """Add documents; drop the oldest of all until the rest fits."""
        with self._changed:
            added = [Waiting(number, body) for number, body in enumerate(bodies, self._arrived)]
            self._arrived += len(added)
            self._add(added)
            self._shrink()

    def put_back(self, taken: Sequence[Waiting]) -> None:
        """Add documents that were taken, at their old places."""
        with self._changed:
            self._add(taken)
            self._waiting = deque(sorted(self._waiting))
            self._shrink()

    def take(self, max_number: int, max_bytes: int, patience_seconds: float) -> list[Waiting]:
        """Return the oldest documents, none once it is closed and empty.

        Waits for the first, then at most the time given for enough to fill either limit. A
        document larger than the limit is returned alone.
        """
        with self._changed:
            while not self._is_closed:
                if len(self._waiting) >= max_number or self._bytes >= max_bytes:
                    break
                wait = None
                if self._waiting:
                    wait = self._since + patience_seconds - time.monotonic()
                    if wait <= 0:
                        break
                self._changed.wait(wait)
            taken: list[Waiting] = []
            size = 0
            while self._waiting and len(taken) < max_number:
                size += len(self._waiting[0].body)
                if taken and size > max_bytes:
                    break
                taken.append(self._waiting.popleft())
                self._bytes -= len(taken[-1].body)
            self._since = time.monotonic()
            return taken

    def take_dropped(self) -> int:
        """Return how many were dropped since this was asked last."""
        with self._changed:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def close(self) -> None:
        """Let `take` return what is left without waiting for more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _add(self, added: Sequence[Waiting]) -> None:
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.extend(added)
        self._bytes += sum(len(each.body) for each in added)
        self._changed.notify_all()

    def _shrink(self) -> None:
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._waiting.popleft().body)
            self._dropped += 1
