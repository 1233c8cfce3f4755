"""A subsegment for each body that AWS streams, from its first read to its last byte.

A call such as S3's GetObject is over when the headers are there: most of its time may be to come.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from .context import innermost, put_current
from .subsegments import Visit
from .wrapping import wrap


def install(module: Any) -> None:
    """Trace the bodies of botocore: `module` is its `response`."""
    body = module.StreamingBody
    # What was got outside a trace, or is at its end, is read without any more ado.
    body._xray_reading = None
    wrap(body, "__init__", watch)
    wrap(body, "read", trace_read)
    wrap(body, "readinto", trace_readinto)
    wrap(body, "readlines", trace_readlines)
    wrap(body, "__enter__", trace_enter)
    wrap(body, "__exit__", trace_end)
    wrap(body, "close", trace_end)


class Reading:
    """The reading of one body, beneath what was open when it was got, in many short visits."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._parent = call.parent
        self._said = {"bytes": 0}

    @cached_property
    def _visit(self) -> Visit:
        # A call is named when it has ended, and its body is read later.
        return Visit(f"{self._call.name} body")

    def step(self, body: Any, read: Callable[..., Any], *arguments: Any) -> Any:
        """Let the body be read, within the subsegment."""
        outer = put_current(find_open(self._parent))
        try:
            with self._visit as subsegment:
                if subsegment is None:
                    body._xray_reading = None
                    return read(body, *arguments)
                if not subsegment.has_blocks:
                    subsegment.set_block("metadata", {"default": self._said})
                try:
                    result = read(body, *arguments)
                except BaseException as exception:
                    self.finish(body, exception)
                    raise
                self._said["bytes"] = body._amount_read
                return result
        finally:
            put_current(outer)

    def finish(
        self, body: Any, exception: BaseException | None = None, count: int | None = None
    ) -> None:
        """End the subsegment, if there is one."""
        body._xray_reading = None
        self._said["bytes"] = max(body._amount_read, count or 0)
        self._visit.finish(exception)


def find_open(entity: Any) -> Any:
    """Return the entity, or the innermost around it in its request that has not ended yet."""
    while not entity.in_progress and entity is not entity.request:
        entity = entity.parent
    return entity


def is_complete(body: Any) -> bool:
    """Return whether all that was announced has come."""
    length = body._content_length
    return length is not None and body._amount_read >= int(length)


def watch(init: Any) -> Any:
    """Return `StreamingBody.__init__`, which remembers the call that it is the answer of."""

    def __init__(body: Any, *args: Any, **kwargs: Any) -> None:
        init(body, *args, **kwargs)
        call = innermost.get()
        if call is not None and call.is_leaf and call.namespace == "aws":
            body._xray_reading = Reading(call)

    return __init__


def trace_read(read: Any) -> Any:
    """Return `StreamingBody.read`, which iterations over chunks and lines are made of."""

    def read_body(body: Any, amt: int | None = None) -> Any:
        reading = body._xray_reading
        if reading is None:
            return read(body, amt)
        chunk = reading.step(body, read, amt)
        if amt is None or amt < 0 or (not chunk and amt) or is_complete(body):
            reading.finish(body)
        return chunk

    return read_body


def trace_readinto(read: Any) -> Any:
    """Return `StreamingBody.readinto`, which buffered readers call."""

    def readinto(body: Any, b: Any) -> Any:
        reading = body._xray_reading
        if reading is None:
            return read(body, b)
        count = reading.step(body, read, b)
        if (not count and len(b)) or is_complete(body):
            reading.finish(body)
        return count

    return readinto


def trace_readlines(read: Any) -> Any:
    """Return `StreamingBody.readlines`, which reads past the body's own count of bytes."""

    def readlines(body: Any, *args: Any) -> Any:
        reading = body._xray_reading
        if reading is None:
            return read(body, *args)
        lines = reading.step(body, read, *args)
        reading.finish(body, count=body._amount_read + sum(map(len, lines)))
        return lines

    return readlines


def trace_enter(enter: Any) -> Any:
    """Return `StreamingBody.__enter__`: what it gives is read as long as the block lasts."""

    def __enter__(body: Any) -> Any:
        reading = body._xray_reading
        return enter(body) if reading is None else reading.step(body, enter)

    return __enter__


def trace_end(end: Any) -> Any:
    """Return `StreamingBody.close` or `__exit__`; a body that nobody has read makes no subsegment.

    Within a `with` block it is read past the body's own count of bytes.
    """

    def end_body(body: Any, *args: Any) -> Any:
        reading = body._xray_reading
        if reading is None:
            return end(body, *args)
        count = count_bytes(body._raw_stream)
        try:
            return end(body, *args)
        finally:
            reading.finish(body, count=count)

    return end_body


def count_bytes(stream: Any) -> int | None:
    """Return how far a stream has been read, if it knows."""
    try:
        count = stream.tell()
    except Exception:
        return None
    return count if isinstance(count, int) else None
