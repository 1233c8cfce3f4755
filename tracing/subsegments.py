"""Begin and end subsegments without ever failing, whatever the trace is in."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models.entity import Entity

from .context import has_trace, open_entities
from .exceptions import record_failure

log = logging.getLogger(__name__)


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


@contextmanager
def in_subsegment(name: str, namespace: str = "local") -> Iterator[Any]:
    """Run a block in a subsegment; an exception that leaves the block is recorded on it.

    Yields the subsegment or, outside a trace, a stand-in that takes annotations and metadata too.
    """
    subsegment = begin(name, namespace)
    try:
        yield NOTHING if subsegment is None else subsegment
    except BaseException as exception:
        record_failure(subsegment, exception)
        raise
    finally:
        end(subsegment)
