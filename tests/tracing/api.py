"""What application code calls: `tracing` or, where TRACING_UNDER_TEST is `sdk`, the plain SDK.

The views and scenarios of these tests import from here, so that each of them can be shown to fail
without `tracing`.
"""

import os
from types import SimpleNamespace
from typing import Any

IS_PLAIN_SDK = os.environ.get("TRACING_UNDER_TEST") == "sdk"

if IS_PLAIN_SDK:
    from aws_xray_sdk.core import xray_recorder

    capture, in_subsegment = xray_recorder.capture, xray_recorder.in_subsegment

    def put_annotation(key: str, value: Any) -> None:
        xray_recorder.current_segment().put_annotation(key, value)

    def record_failure(subsegment: Any, exception: BaseException) -> None:
        subsegment.add_exception(exception, [])

    def current_trace() -> Any:
        entity = xray_recorder.get_trace_entity()
        return entity and SimpleNamespace(trace_id=entity.trace_id, is_sampled=bool(entity.sampled))

    def open_names() -> list[str]:
        return [entity.name for entity in getattr(xray_recorder.context._local, "entities", ())]

else:
    from tracing import (  # type: ignore[assignment]
        capture,
        current_trace,
        in_subsegment,
        put_annotation,
        record_failure,
        xray_recorder,
    )

    def open_names() -> list[str]:
        from tracing.context import open_entities

        return [entity.name for entity in open_entities()]


__all__ = [
    "IS_PLAIN_SDK",
    "capture",
    "current_trace",
    "in_subsegment",
    "open_names",
    "put_annotation",
    "record_failure",
    "xray_recorder",
]
