"""One event on its way through the function, and what came of it."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .trace_header import Trace, make_id


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the function made of an event.

    payload: its answer or, where is_error, the JSON of its error.
    cause: X-Ray's account of an exception, as the runtime client sends it.
    """

    payload: bytes
    is_error: bool = False
    cause: dict[str, Any] | None = None


def make_error(error_type: str, message: str) -> Outcome:
    """Return an error that Lambda itself tells of, in its shape."""
    return Outcome(
        json.dumps({"errorType": error_type, "errorMessage": message}).encode(), is_error=True
    )


@dataclass(eq=False, slots=True)
class Invocation:
    """An event, with what the function is told along with it.

    trace: decided, as whoever invokes has it. segment_id: of AWS::Lambda's segment.
    Times are seconds since the epoch, 0 until they are known.
    on_end: called once, when the environment is ready for another event, or gone.
    """

    event: bytes
    trace: Trace
    request_id: str
    client_context: str | None = None
    on_end: Callable[["Invocation"], None] = lambda invocation: None
    segment_id: str = field(default_factory=make_id)
    span_id: str = field(default_factory=make_id)  # of the subsegment Invocation
    deadline: float = 0.0
    started: float = 0.0
    responded: float = 0.0
    ended: float = 0.0
    init: tuple[float, float] | None = None  # of a cold environment
    max_memory_mb: int = 0
    is_delivered: bool = False
    outcome: Outcome | None = None
    log_tail: bytes = b""
    is_over: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        """Note that nothing more comes of it."""
        self.ended = time.time()
        self.on_end(self)
        self.is_over.set()
