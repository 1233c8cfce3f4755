"""Where the open segment and subsegments of a request are kept: on context variables.

Two contexts replace the SDK's: one for servers, one for Lambda, where the function's own segment is
made by the service and only named by a header in the environment.
"""

import logging
import os
import threading
from contextvars import ContextVar
from typing import Any

from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import MISSING_SEGMENT_MSG
from aws_xray_sdk.core.context import Context as SDKContext
from aws_xray_sdk.core.exceptions.exceptions import SegmentNotFoundException
from aws_xray_sdk.core.models.dummy_entities import DummySegment
from aws_xray_sdk.core.models.entity import Entity
from aws_xray_sdk.core.models.facade_segment import FacadeSegment

from .header import TraceHeader, parse

log = logging.getLogger(__name__)

TRACE_HEADER_VARIABLE = "_X_AMZN_TRACE_ID"

# The open entities of this request, outermost first. A tuple: a copied context cannot change ours.
_open_entities: ContextVar[tuple[Entity, ...]] = ContextVar("xray_open_entities", default=())
# The function's segment of this invocation, with the header that it was made from.
_function: ContextVar[tuple[str | None, Entity] | None] = ContextVar("xray_function", default=None)

_told: set[str] = set()
_told_lock = threading.Lock()


def tell_once(key: str, message: str, *arguments: object) -> None:
    """Log a warning the first time in this process that something happens, and never again."""
    with _told_lock:
        if key in _told:
            return
        _told.add(key)
    log.warning(message, *arguments)


def open_entities() -> tuple[Entity, ...]:
    """Return the open entities of this request, outermost first; empty outside a trace."""
    return _open_entities.get()


def replace_open_entities(entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
    """Make these the open entities of this request and return those that were."""
    before = _open_entities.get()
    _open_entities.set(entities)
    return before


def go_back_to(entity: Entity) -> bool:
    """Forget what is open beneath an open entity of this request; False if it is not one."""
    entities = _open_entities.get()
    if entity not in entities:
        return False
    _open_entities.set(entities[: entities.index(entity) + 1])
    return True


def has_trace() -> bool:
    """Return whether a subsegment begun now would hang under something."""
    if _open_entities.get():
        return True
    context = xray_recorder.context
    return isinstance(context, LambdaContext) and bool(context.get_trace_entity().sampled)


class Context(SDKContext):  # type: ignore[misc]
    """The context of a server: silent where instrumentation finds no segment, right for asyncio."""

    def put_segment(self, segment: Entity) -> None:
        _open_entities.set((segment,))

    def put_subsegment(self, subsegment: Entity) -> None:
        entity = self.get_trace_entity()
        if entity is None:
            return
        if not entity.in_progress:
            # Late code, in a thread for instance, must not fail because its request has ended.
            tell_once(
                "late",
                "Subsegment %r began after %r had ended; dropped.",
                subsegment.name,
                entity.name,
            )
            return
        entity.add_subsegment(subsegment)
        _open_entities.set((*_open_entities.get(), subsegment))

    def end_subsegment(self, end_time: float | None = None) -> bool:
        entities = _open_entities.get()
        if not entities:
            self.handle_context_missing()
            return False
        if not self._is_subsegment(entities[-1]):
            tell_once("end", "end_subsegment() was called with no subsegment open; ignored.")
            return False
        # In a thread that outlives its request, the request has closed it already.
        if entities[-1].in_progress:
            entities[-1].close(end_time)
        _open_entities.set(entities[:-1])
        return True

    def get_trace_entity(self) -> Any:
        entities = _open_entities.get()
        if entities:
            return entities[-1]
        if not global_sdk_config.sdk_enabled():
            return DummySegment()
        return self.handle_context_missing()

    def set_trace_entity(self, trace_entity: Entity) -> None:
        """Go on under an entity: one of this request, or one handed over by another thread."""
        if go_back_to(trace_entity):
            return
        if self._is_subsegment(trace_entity):
            _open_entities.set((trace_entity.parent_segment, trace_entity))
        else:
            _open_entities.set((trace_entity,))

    def clear_trace_entities(self) -> None:
        _open_entities.set(())

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

    def put_segment(self, segment: Entity) -> None:
        tell_once("segment", "A segment cannot be begun on Lambda; the service makes it. Ignored.")

    def end_segment(self, end_time: float | None = None) -> None:
        tell_once("segment", "A segment cannot be ended on Lambda; the service does so. Ignored.")

    def put_subsegment(self, subsegment: Entity) -> None:
        self._refresh()
        super().put_subsegment(subsegment)

    def end_subsegment(self, end_time: float | None = None) -> bool:
        self._refresh()
        return super().end_subsegment(end_time)

    def get_trace_entity(self) -> Any:
        function = self._refresh()
        entities = _open_entities.get()
        return entities[-1] if entities else function

    def set_trace_entity(self, trace_entity: Entity) -> None:
        is_subsegment = self._is_subsegment(trace_entity)
        function = trace_entity.parent_segment if is_subsegment else trace_entity
        _function.set((os.environ.get(TRACE_HEADER_VARIABLE), function))
        if not go_back_to(trace_entity):
            _open_entities.set((trace_entity,) if is_subsegment else ())

    def handle_context_missing(self) -> None:
        """Do nothing: on Lambda there is always a function's segment, if only an unsampled one."""

    def _refresh(self) -> Entity:
        """Return the function's segment; begin afresh when the header is another invocation's.

        The whole header is the key. A retried event comes with the same trace id and another
        parent; the runtime deletes the variable where an invocation has no header at all.
        """
        header = os.environ.get(TRACE_HEADER_VARIABLE)
        known = _function.get()
        if known is not None and known[0] == header:
            return known[1]
        function = make_function_segment(parse(header))
        _function.set((header, function))
        _open_entities.set(())
        return function


class FunctionSegment(FacadeSegment):  # type: ignore[misc]
    """The function's segment, which the service sends: what is put on it goes to the request.

    The SDK's own raises here, although its guide teaches `current_segment().put_annotation`.
    """

    def put_annotation(self, key: str, value: object) -> None:
        self._forward("put_annotation", key, value)

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> None:
        self._forward("put_metadata", key, value, namespace)

    def put_http_meta(self, key: str, value: object) -> None:
        self._forward("put_http_meta", key, value)

    def set_user(self, user: str) -> None:
        # A subsegment has no user; an annotation can be searched for just as well.
        self._forward("put_annotation", "user", user)

    def set_aws(self, aws_meta: dict[str, Any]) -> None:
        self._forward("set_aws", aws_meta)

    def add_throttle_flag(self) -> None:
        self._forward("add_throttle_flag")

    def add_fault_flag(self) -> None:
        self._forward("add_fault_flag")

    def add_error_flag(self) -> None:
        self._forward("add_error_flag")

    def add_exception(self, exception: BaseException, stack: Any, remote: bool = False) -> None:
        self._forward("add_exception", exception, stack, remote)

    def apply_status_code(self, status_code: int) -> None:
        self._forward("apply_status_code", status_code)

    def close(self, end_time: float | None = None) -> None:
        """Do nothing: the service ends it."""

    def _forward(self, method: str, *arguments: object) -> None:
        entities = _open_entities.get()
        if entities:
            getattr(entities[0], method)(*arguments)
        else:
            tell_once(
                "function",
                "%s() was called on the function's segment outside a request; dropped.",
                method,
            )


class UnsampledSegment(DummySegment):  # type: ignore[misc]
    """A segment that is not sent, but knows its true trace id: logs and pages still show it."""

    def __init__(self, name: str, header: TraceHeader) -> None:
        super().__init__(name)
        # Empty where there is no trace at all; the SDK's zeros would look like one.
        self.trace_id = header.root or ""
        self.save_origin_trace_header(header)


def make_function_segment(header: TraceHeader) -> Entity:
    """Return the segment that subsegments of this invocation hang under.

    Active tracing gives Root, Parent and Sampled; PassThrough, the default, gives Root and Lineage
    only; without tracing there is no header.
    """
    if header.root and header.parent and header.sampled == 1:
        function = FunctionSegment("function", header.parent, header.root, True)
        function.save_origin_trace_header(header)
        return function
    return UnsampledSegment("function", header)
