"""Begin and end subsegments without ever failing, whatever the trace is in."""

import logging
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models.entity import Entity

from .context import has_trace, open_entities
from .exceptions import record_failure

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class Nothing:
    """What stands for a subsegment where there is no trace: takes everything, keeps nothing."""

    def put_annotation(self, key: str, value: object) -> None:
        """Drop the annotation."""

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> None:
        """Drop the metadata."""


NOTHING = Nothing()


def begin(name: str, namespace: str = "local") -> Entity | None:
    """Begin a subsegment under what is open; None, in silence, outside a trace."""
    if not has_trace():
        return None
    try:
        subsegment = xray_recorder.begin_subsegment(name, namespace)
    except Exception:
        log.exception("Could not begin the subsegment %r; the work goes on untraced.", name)
        return None
    # Begun too late, the context has dropped it: then there is nothing to end either.
    return subsegment if subsegment in open_entities() else None


def end(subsegment: Entity | None) -> None:
    """End a subsegment, and first whatever was left open beneath it."""
    if subsegment is None:
        return
    try:
        while subsegment in open_entities():
            xray_recorder.end_subsegment()
    except Exception:
        log.exception("Could not end the subsegment %r.", subsegment.name)


class in_subsegment:
    """Run a block in a subsegment; an exception that leaves the block is recorded on it.

    Enters with the subsegment or, outside a trace, with a stand-in that takes annotations and
    metadata too. A class: contextlib writes to the exceptions that pass through it.
    """

    def __init__(self, name: str, namespace: str = "local") -> None:
        self._name = name
        self._namespace = namespace
        self._subsegment: Entity | None = None

    def __enter__(self) -> Any:
        self._subsegment = begin(self._name, self._namespace)
        return NOTHING if self._subsegment is None else self._subsegment

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Whoever reads a stream may go away: that closes the generator, and is no failure.
        if exception is not None and not isinstance(exception, GeneratorExit):
            record_failure(self._subsegment, exception)
        end(self._subsegment)


def capture(name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that runs a function in a subsegment, named after it unless told.

    The recorder's own, but that it leaves exceptions alone and is silent outside a trace.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def captured(*args: P.args, **kwargs: P.kwargs) -> R:
            with in_subsegment(name or function.__name__):
                return function(*args, **kwargs)

        return captured

    return decorate
