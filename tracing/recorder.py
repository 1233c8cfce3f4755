"""The SDK's recorder, with the API that everybody knows, over the parts of this package.

Source: https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/
"""

from __future__ import annotations

import inspect
from typing import Any

from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core.async_recorder import AsyncAWSXRayRecorder
from aws_xray_sdk.core.daemon_config import DaemonConfig
from aws_xray_sdk.core.exceptions.exceptions import SegmentNameMissingException
from aws_xray_sdk.core.recorder import SERVICE_INFO

from .context import (
    UNTRACED,
    Context,
    LambdaContext,
    begin_subsegment,
    innermost,
    request_entity,
)
from .documents import encode
from .entities import (
    Segment,
    UnsampledSegment,
    UnsampledSubsegment,
    is_subsegment,
    make_trace_id,
)
from .exceptions import record_failure
from .harmless import harmless, tell_failure
from .header import TraceHeader
from .streaming import CustomStreaming, Streaming, send_closed
from .subsegments import capture, in_subsegment


def make_untraced() -> Any:
    """Return a segment that takes everything and is not sent."""
    return UnsampledSegment("untraced", UNTRACED)


def make_untraced_part() -> Any:
    """Return a subsegment that takes everything and is not sent."""
    return UnsampledSubsegment("untraced", make_untraced())


MAX_CONSTANTS = 200


class Recorder(AsyncAWSXRayRecorder):  # type: ignore[misc]
    """Begins, ends and sends entities. The class of `xray_recorder` once `install` has run."""

    # What every segment says, by the sampling rule that chose it; made of the metadata described.
    _constants: dict[Any, str] | None = None
    _described: Any = None

    def configure(self, **options: Any) -> None:
        """Take what is given and leave the rest as it is.

        The SDK's own sets `stream_sql` anew each time and points its sampler at 127.0.0.1 again. A
        context of the SDK's is passed over: ours is right for threads and asyncio alike.
        """
        context = options.pop("context", None)
        if isinstance(context, Context):
            self.context = context
        super().configure(**{"stream_sql": None, **options})
        # Plugins add to what every segment says.
        self._constants = None
        if options.get("daemon_address") and hasattr(self.sampler, "load_settings"):
            config = DaemonConfig(options["daemon_address"])
            self.sampler.load_settings(config, self.context, self._origin)

    @harmless(make_untraced)
    def begin_segment(
        self,
        name: str | None = None,
        traceid: str | None = None,
        parent_id: str | None = None,
        sampling: Any = None,
    ) -> Any:
        """Begin a segment and return it; on Lambda, where the service makes it, the function's.

        sampling: 0, 1 or the name of the rule that decided; None asks the sampler.
        Raises SegmentNameMissingException without any name.
        """
        if not global_sdk_config.sdk_enabled():
            return make_untraced()
        name = name or self.service
        if not name:
            raise SegmentNameMissingException("Segment name is required.")
        if isinstance(self.context, LambdaContext):
            self.context.put_segment(None)
            return self.context.current()
        decision = self._decide(name) if sampling is None else sampling
        if not decision:
            known = TraceHeader(root=traceid or make_trace_id(), parent=parent_id, sampled=0)
            segment: Any = UnsampledSegment(name, known)
        else:
            segment = self.make_segment(name, traceid, parent_id, decision)
        self.context.put_segment(segment)
        return segment

    def _decide(self, name: str) -> Any:
        if not self.sampling:
            return 1
        try:
            return self.sampler.should_trace({"service": name})
        except Exception:
            tell_failure("asking the sampler; the segment is traced")
            return 1

    def make_segment(
        self, name: str, trace_id: str | None, parent_id: str | None, decision: Any
    ) -> Segment:
        """Return a segment that says where it runs and, of a decision by a rule, which."""
        segment = Segment(name, None, trace_id, parent_id)
        known = self._constants
        if known is None or self._described is not self._aws_metadata or len(known) > MAX_CONSTANTS:
            self._described, known = self._aws_metadata, {}
            self._constants = known
        if decision not in known:
            known[decision] = self._make_constants(decision)
        segment.text = known[decision]
        return segment

    def _make_constants(self, decision: Any) -> str:
        aws = self._aws_metadata
        if isinstance(decision, str):
            aws = {**aws, "xray": {**aws.get("xray", {}), "sampling_rule_name": decision}}
        blocks = {"aws": aws, "service": SERVICE_INFO, "origin": self._origin}
        return "".join([f',"{key}":{encode(block)}' for key, block in blocks.items() if block])

    @harmless()
    def end_segment(self, end_time: float | None = None) -> None:
        """End the segment with all that is open in it, and send it."""
        if not global_sdk_config.sdk_enabled():
            return
        entity = self.context.get_trace_entity()
        if entity is None:
            return
        segment = entity.parent_segment
        if segment.is_function:
            self.context.end_segment(end_time)
        else:
            self.end_entity(segment, end_time)

    @harmless(make_untraced_part)
    def _begin_subsegment_helper(
        self, name: str, namespace: str = "local", beginWithoutSampling: bool = False
    ) -> Any:
        if not global_sdk_config.sdk_enabled():
            return make_untraced_part()
        parent = self.context.get_trace_entity()
        if parent is None:
            return None
        if parent.sampled and not beginWithoutSampling and not parent.is_leaf:
            return begin_subsegment(parent, name, namespace)
        subsegment = UnsampledSubsegment(name, parent)
        innermost.set(subsegment)
        return subsegment

    @harmless()
    def end_subsegment(self, end_time: float | None = None) -> None:
        """End the innermost subsegment. What is left open when its request ends is ended then."""
        if not global_sdk_config.sdk_enabled():
            return
        entity = innermost.get()
        if entity is not None and is_subsegment(entity):
            self.end_entity(entity, end_time)
        else:
            self.context.end_subsegment(end_time)

    def end_entity(self, entity: Any, end_time: float | None = None) -> None:
        """End an entity and what is open beneath it here, and send what is to be sent now."""
        current = innermost.get()
        if current is entity:
            innermost.set(entity.parent)
        elif is_beneath(current, entity):
            while current is not entity:
                self._close(current, end_time)
                current = current.parent
            innermost.set(entity.parent)
        # Else it is ended from elsewhere: what is open here stays so.
        self._close(entity, end_time)

    def _close(self, entity: Any, end_time: float | None) -> None:
        request = entity.request
        if entity is request:
            if entity.sampled and entity.iterations:
                for iteration in entity.iterations:
                    iteration.close(end_time)
            entity.close(end_time)
            if entity.sampled and not entity.is_sent:
                self._emitter.send_entity(entity)
            return
        entity.close(end_time)
        if not entity.sampled:
            return
        if entity.is_alone:
            self._emitter.send_entity(entity)
        else:
            self._stream(request)

    def _stream(self, request: Any) -> None:
        streaming = self._streaming
        if isinstance(streaming, CustomStreaming):
            if streaming.theirs.is_eligible(request):
                streaming.theirs.stream(request, self._emitter.send_entity)
        elif request.held > max(streaming.streaming_threshold, request.hold_until):
            send_closed(request, self._emitter.send_entity, streaming.streaming_threshold)

    @harmless()
    def stream_subsegments(self) -> None:
        """Send what has ended beneath the request that goes on, where that is to be sent by now."""
        request = request_entity()
        if request is not None and request.sampled:
            self._stream(request)

    @property
    def streaming(self) -> Any:
        """What decides when parts of a request are sent: ours, or somebody's own."""
        streaming = self._streaming
        return streaming.theirs if isinstance(streaming, CustomStreaming) else streaming

    @streaming.setter
    def streaming(self, value: Any) -> None:
        self._streaming = value if isinstance(value, Streaming) else CustomStreaming(value)

    @harmless(make_untraced_part)
    def current_subsegment(self) -> Any:
        """Return the innermost open subsegment, or None."""
        if not global_sdk_config.sdk_enabled():
            return make_untraced_part()
        entity = self.context.get_trace_entity()
        return entity if is_subsegment(entity) else None

    @harmless(make_untraced)
    def current_segment(self) -> Any:
        """Return the segment that this code runs in; on Lambda the function's."""
        entity = self.context.get_trace_entity()
        return None if entity is None else entity.parent_segment

    def in_subsegment(self, name: str | None = None, **options: Any) -> Any:
        """Return a context manager, or a decorator, that runs its code in a subsegment."""
        return InSubsegment(self, name, **options)

    in_subsegment_async = in_subsegment

    def capture(self, name: str | None = None) -> Any:
        """Return a decorator; functions, coroutine functions and generator functions alike."""
        return capture(name)

    capture_async = capture

    def record_subsegment(
        self,
        wrapped: Any,
        instance: Any,
        args: Any,
        kwargs: Any,
        name: str,
        namespace: str,
        meta_processor: Any,
    ) -> Any:
        """Call a function in a subsegment, as the SDK's patches and early decorators ask for."""
        if meta_processor is None and (
            inspect.iscoroutinefunction(wrapped)
            or inspect.isgeneratorfunction(wrapped)
            or inspect.isasyncgenfunction(wrapped)
        ):
            return capture(name)(wrapped)(*args, **kwargs)
        subsegment = self.begin_subsegment(name, namespace)
        call = (wrapped, instance, args, kwargs)
        try:
            value = wrapped(*args, **kwargs)
        except BaseException as exception:
            self._end_recorded(subsegment, meta_processor, call, None, exception)
            raise
        self._end_recorded(subsegment, meta_processor, call, value, None)
        return value

    async def record_subsegment_async(
        self,
        wrapped: Any,
        instance: Any,
        args: Any,
        kwargs: Any,
        name: str,
        namespace: str,
        meta_processor: Any,
    ) -> Any:
        """Await a coroutine function in a subsegment."""
        subsegment = self.begin_subsegment(name, namespace)
        call = (wrapped, instance, args, kwargs)
        try:
            value = await wrapped(*args, **kwargs)
        except BaseException as exception:
            self._end_recorded(subsegment, meta_processor, call, None, exception)
            raise
        self._end_recorded(subsegment, meta_processor, call, value, None)
        return value

    @harmless()
    def _end_recorded(
        self,
        subsegment: Any,
        meta_processor: Any,
        call: tuple[Any, Any, Any, Any],
        value: Any,
        exception: BaseException | None,
    ) -> None:
        if subsegment is None:
            return
        wrapped, instance, args, kwargs = call
        if callable(meta_processor):
            meta_processor(
                wrapped=wrapped,
                instance=instance,
                args=args,
                kwargs=kwargs,
                return_value=value,
                exception=exception,
                subsegment=subsegment,
                stack=[],
            )
        elif exception is not None:
            record_failure(subsegment, exception)
        self.end_entity(subsegment)


class InSubsegment(in_subsegment):
    """The recorder's own block, which enters with None where there is no segment."""

    _outside = None

    def __init__(self, recorder: Recorder, name: str | None = None, **options: Any) -> None:
        super().__init__(name, **options)
        self._recorder = recorder

    def __enter__(self) -> Any:
        self._subsegment = self._recorder.begin_subsegment(
            self.name or "subsegment", self._namespace
        )
        return self._subsegment


def is_beneath(entity: Any, ancestor: Any) -> bool:
    """Return whether an entity is open somewhere beneath another."""
    while entity is not None:
        if entity is ancestor:
            return True
        entity = entity.parent
    return False
