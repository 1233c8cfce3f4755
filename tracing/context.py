"""Which entity is open where this code runs: on a context variable.

Two contexts replace the SDK's: one for servers, one for Lambda, where the function's own segment is
made by the service and only named by a header in the environment.
"""

from __future__ import annotations

import os
from asyncio import _get_running_loop
from contextvars import ContextVar
from typing import Any

from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import MISSING_SEGMENT_MSG
from aws_xray_sdk.core.context import Context as SDKContext
from aws_xray_sdk.core.exceptions.exceptions import SegmentNotFoundException

from .entities import (
    FunctionRequest,
    FunctionSegment,
    Subsegment,
    UnsampledRequest,
    UnsampledSegment,
    adopt,
    is_subsegment,
    make_part,
    tell_once,
)
from .harmless import tell_failure
from .header import TraceHeader, parse

TRACE_HEADER_VARIABLE = "_X_AMZN_TRACE_ID"

# What os.environ decodes anew at each look, and every subsegment looks. Where Python should keep
# its variables otherwise, the public way does as well.
_VARIABLE = os.fsencode(TRACE_HEADER_VARIABLE)
_variables: Any = getattr(os.environ, "_data", None)
if not isinstance(_variables, dict):
    _variables = os.environb

# Of what is not traced at all.
UNTRACED = TraceHeader()

# The innermost open entity; those around it are its parents. A thread or a task that gets a copy of
# the context can move its own, and not ours.
innermost: ContextVar[Any] = ContextVar("xray_entity", default=None)
# Found once: the variable is looked at and set some twenty times in each request.
get_innermost, set_innermost = innermost.get, innermost.set


def current_entity() -> Any:
    """Return the innermost open entity, on Lambda at least the function's; None outside a trace."""
    try:
        return xray_recorder._context.current()
    except Exception:
        tell_failure("looking for the current entity")
        return None


def put_current(entity: Any) -> Any:
    """Make an entity, or None, the innermost one and return the one that was."""
    before = get_innermost()
    set_innermost(entity)
    return before


def open_entities() -> tuple[Any, ...]:
    """Return the open entities, outermost first; without the function's own, empty outside."""
    entities = []
    entity = get_innermost()
    while entity is not None and not entity.is_function:
        entities.append(entity)
        entity = entity.parent
    return tuple(reversed(entities))


def request_entity() -> Any:
    """Return what stands for the request: its segment or, on Lambda, its outermost subsegment."""
    entity = get_innermost()
    return None if entity is None or entity.is_function else entity.request


def is_under_way() -> bool:
    """Return whether what is innermost here, or its request, has not ended."""
    entity = get_innermost()
    request = entity.request
    return entity.in_progress or (request is not None and request.in_progress)


def begin(name: str, namespace: str = "local", is_leaf: bool = False) -> Any:
    """Begin a subsegment under what is open; see `begin_beneath`."""
    return begin_beneath(get_innermost(), name, namespace, is_leaf)


def begin_beneath(parent: Any, name: str, namespace: str, is_leaf: bool) -> Any:
    """Begin a subsegment under what is innermost here.

    None, in silence, outside a trace, in one that is not sampled, and beneath a call that is
    recorded as a whole: what botocore sends through urllib3 is no second call.
    is_leaf: nothing else is recorded beneath it.
    """
    try:
        request = None if parent is None else parent.request
        if request is None or request.key != _variables.get(_VARIABLE):
            # On Lambda it may be time to begin afresh.
            parent = xray_recorder._context.current()
            if parent is None:
                return None
            request = parent.request
        if not parent.sampled or parent.is_leaf:
            return None
        if request is None or parent.is_sent or not parent.in_progress:
            subsegment = begin_subsegment(parent, name, namespace)
            if is_leaf and subsegment is not None:
                subsegment.is_leaf = True
            return subsegment
        # By far the most: a part of what is open and not sent.
        subsegment = make_part(name, namespace, parent, request, is_leaf)
        parent.subsegments.append(subsegment)
        request.held += 1
        set_innermost(subsegment)
        return subsegment
    except Exception:
        tell_failure("beginning a subsegment")
        return None


def begin_subsegment(parent: Any, name: str, namespace: str = "local") -> Any:
    """Begin a subsegment under an entity that is sampled; None if that has ended with its request.

    Code that runs on after its request, as in a thread, must neither fail nor be kept.
    """
    request = parent.request
    if request is not None and not request.in_progress and not parent.in_progress:
        tell_once("late", "Subsegment %r began after %r had ended; dropped.", name, request.name)
        return None
    subsegment = Subsegment(name, namespace, parent)
    if parent.is_sent:
        subsegment.is_alone = True
    else:
        parent.hold(subsegment)
    set_innermost(subsegment)
    return subsegment


class Context(SDKContext):  # type: ignore[misc]
    """The context of a server: silent where instrumentation finds no segment, right for asyncio."""

    def current(self) -> Any:
        """Return the innermost open entity, or None, in silence."""
        return get_innermost()

    def put_untraced(self) -> Any:
        """Make a segment that is not sent the innermost entity: code may still ask for one."""
        entity = UnsampledSegment("untraced", UNTRACED)
        set_innermost(entity)
        return entity

    def put_segment(self, segment: Any) -> None:
        ours = adopt(segment)
        if ours is not None and _get_running_loop() is not None:
            # Tasks that run in this thread too may outlive it.
            ours.is_async = True
        set_innermost(ours)

    def end_segment(self, end_time: float | None = None) -> None:
        entity = self.get_trace_entity()
        if entity is not None:
            entity.parent_segment.close(end_time)

    def put_subsegment(self, subsegment: Any) -> None:
        parent = self.get_trace_entity()
        if parent is None:
            return
        ours = adopt(subsegment)
        parent.add_subsegment(ours)
        if parent.request is None and ours.sampled:
            ours.be_request(parent)
        else:
            ours.parent_segment = parent.parent_segment
            ours.request = parent.request or ours
        set_innermost(ours)

    def end_subsegment(self, end_time: float | None = None) -> bool:
        entity = get_innermost()
        if entity is None:
            self.handle_context_missing()
            return False
        if not is_subsegment(entity):
            tell_once("end", "end_subsegment() was called with no subsegment open; ignored.")
            return False
        entity.close(end_time)
        set_innermost(entity.parent)
        return True

    def get_trace_entity(self) -> Any:
        entity = self.current()
        if entity is not None:
            return entity
        if not global_sdk_config.sdk_enabled():
            return UnsampledSegment("untraced", UNTRACED)
        return self.handle_context_missing()

    def set_trace_entity(self, trace_entity: Any) -> None:
        """Go on under an entity: one of this request, or one handed over by another thread."""
        set_innermost(adopt(trace_entity))

    def clear_trace_entities(self) -> None:
        set_innermost(None)

    def handle_context_missing(self) -> None:
        """Raise, tell once or do nothing, as AWS_XRAY_CONTEXT_MISSING says."""
        if self.context_missing == "RUNTIME_ERROR":
            raise SegmentNotFoundException(MISSING_SEGMENT_MSG)
        if self.context_missing == "LOG_ERROR":
            tell_once(
                "missing",
                "X-Ray was called with no segment open, as in a management command or a thread of "
                "its own. Nothing is recorded there. This is said once; "
                "AWS_XRAY_CONTEXT_MISSING=RUNTIME_ERROR shows where.",
            )


class LambdaContext(Context):
    """The context on Lambda: subsegments hang under the function's segment of this invocation."""

    def begin_request(self, name: str) -> Any:
        """Begin a request under this invocation's function, whose header says all."""
        key = _variables.get(_VARIABLE)
        header = parse(key.decode("utf-8", "surrogateescape") if key else None)
        if header.sampled == 1 and header.root and header.parent:
            entity: Any = FunctionRequest(name, header, key)
        else:
            entity = UnsampledRequest(name, header, key)
        set_innermost(entity)
        return entity

    def put_untraced(self) -> Any:
        """The same, for this invocation."""
        key = _variables.get(_VARIABLE)
        entity = UnsampledSegment("untraced", UNTRACED, key, is_function=True)
        set_innermost(entity)
        return entity

    def put_segment(self, segment: Any) -> None:
        tell_once("segment", "A segment cannot be begun on Lambda; the service makes it. Ignored.")

    def end_segment(self, end_time: float | None = None) -> None:
        tell_once("segment", "A segment cannot be ended on Lambda; the service does so. Ignored.")

    def current(self) -> Any:
        """Return the innermost open entity; begin afresh when the header is another invocation's.

        The whole header is the key. A retried event comes with the same trace id and another
        parent; the runtime deletes the variable where an invocation has no header at all.
        """
        header = _variables.get(_VARIABLE)
        entity = get_innermost()
        if entity is None or entity.key != header:
            if entity is not None and not entity.is_function and not entity.request.in_progress:
                # A thread that outlived its invocation has no part in this one.
                return entity
            entity = make_function_segment(parse(os.fsdecode(header or b"")), header)
            set_innermost(entity)
        return entity

    def set_trace_entity(self, trace_entity: Any) -> None:
        entity = above = adopt(trace_entity)
        # Whoever hands an entity over means this invocation.
        while above is not None:
            above.key, above = _variables.get(_VARIABLE), above.parent
        set_innermost(entity)

    def handle_context_missing(self) -> None:
        """Do nothing: on Lambda there is always a function's segment, if only an unsampled one."""


def make_function_segment(header: TraceHeader, key: bytes | None) -> Any:
    """Return the segment that subsegments of this invocation hang under.

    Active tracing gives Root, Parent and Sampled; PassThrough, the default, gives Root and Lineage
    only; without tracing there is no header.
    """
    if header.root and header.parent and header.sampled == 1 and global_sdk_config.sdk_enabled():
        return FunctionSegment(header.root, header.parent, header, key)
    return UnsampledSegment("function", header, key, is_function=True)


def leave_forked_process() -> None:
    """Make what the parent process had open the parent of what this one does: it sends the rest."""
    entity = get_innermost()
    if entity is None or not entity.sampled or entity.is_function:
        return
    header = entity.parent_segment.get_origin_trace_header() or TraceHeader(root=entity.trace_id)
    set_innermost(FunctionSegment(entity.trace_id, entity.id, header, entity.key))
    # Code that leaves through the blocks and the middleware that it was forked in ends these.
    while entity is not None and not entity.is_function:
        entity.sampled = False
        entity = entity.parent


os.register_at_fork(after_in_child=leave_forked_process)
