"""Spans for tests, and the bytes that carry them, by OpenTelemetry's own protobuf."""

import base64
import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from tests.xray_local.made import NOON, make_id
from xray_local.otlp.segments import make_documents
from xray_local.otlp.spans import Kind, Span

SECOND_NS = 1_000_000_000
NOON_NS = int(NOON) * SECOND_NS
ID_MEMBERS = ("traceId", "spanId", "parentSpanId")


def make_span(**fields: Any) -> Span:
    """Return a span of 100 ms at noon, the only one of its trace."""
    return Span(
        **{
            "trace_id": f"{int(NOON):08x}{make_id()}{make_id()[:8]}",
            "id": make_id(),
            "name": "work",
            "kind": Kind.INTERNAL,
            "start_ns": NOON_NS,
            "end_ns": NOON_NS + SECOND_NS // 10,
        }
        | fields
    )


def convert(**fields: Any) -> dict[str, Any]:
    """Return the one document of a span with these fields."""
    (document,) = make_documents(make_span(**fields))
    return document


def call(**fields: Any) -> dict[str, Any]:
    """Return the one document of a CLIENT span below another one."""
    return convert(**{"kind": Kind.CLIENT, "parent_id": make_id()} | fields)


def make_value(value: Any) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(make_value, value)))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=make_pairs(value)))
    raise TypeError(value)


def make_pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=make_value(value)) for key, value in attributes.items()]


def make_request(*spans: Span) -> ExportTraceServiceRequest:
    """Return the message that carries the spans, each with its resource."""
    request = ExportTraceServiceRequest()
    for span in spans:
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.extend(make_pairs(span.resource))
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = span.scope
        written = scope_spans.spans.add(
            trace_id=bytes.fromhex(span.trace_id),
            span_id=bytes.fromhex(span.id),
            parent_span_id=bytes.fromhex(span.parent_id),
            name=span.name,
            kind=span.kind,
            start_time_unix_nano=span.start_ns,
            end_time_unix_nano=span.end_ns,
            attributes=make_pairs(span.attributes),
        )
        written.status.code = span.status_code
        written.status.message = span.status_message
        for event in span.events:
            written.events.add(
                name=event.name,
                time_unix_nano=event.time_ns,
                attributes=make_pairs(event.attributes),
            )
        for link in span.links:
            written.links.add(
                trace_id=bytes.fromhex(link.trace_id),
                span_id=bytes.fromhex(link.span_id),
                attributes=make_pairs(link.attributes),
            )
    return request


def encode_protobuf(*spans: Span) -> bytes:
    return bytes(make_request(*spans).SerializeToString())


def encode_json(*spans: Span, names: bool = False) -> bytes:
    """Return the JSON of OTLP: that of protobuf, with ids in hexadecimal and enums as numbers."""
    request = MessageToDict(make_request(*spans), use_integers_for_enums=not names)
    return json.dumps(_write_ids(request)).encode()


def _write_ids(content: Any) -> Any:
    if isinstance(content, list):
        return [_write_ids(item) for item in content]
    if not isinstance(content, dict):
        return content
    return {
        key: base64.b64decode(value).hex() if key in ID_MEMBERS else _write_ids(value)
        for key, value in content.items()
    }
