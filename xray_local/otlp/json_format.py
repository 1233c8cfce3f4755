"""The JSON of OTLP: ids in hexadecimal, numbers of 64 bits as texts or as numbers.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from .protobuf import MAX_DEPTH
from .spans import Attributes, BadExport, Event, Kind, Link, Span, StatusCode, Value

Number = int | str | None
# A body of 16 MB with as many attributes as fit has less; each is an object in memory.
OBJECTS_MAX = 1_000_000
# Of either sign: times are unsigned numbers of 64 bits.
MAX_INTEGER = 2**64 - 1


class _Object(msgspec.Struct, rename="camel", gc=False):
    """A JSON object whose unknown members do not matter; null stands for what is not there."""


class _KeyValue(_Object):
    key: str | None = None
    value: dict[str, Any] | None = None


_KeyValues = list[_KeyValue] | None


class _Event(_Object):
    name: str | None = None
    time_unix_nano: Number = None
    attributes: _KeyValues = None


class _Link(_Object):
    trace_id: str | None = None
    span_id: str | None = None
    attributes: _KeyValues = None


class _Status(_Object):
    message: str | None = None
    code: Number = None


class _Span(_Object):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    kind: Number = None
    start_time_unix_nano: Number = None
    end_time_unix_nano: Number = None
    attributes: _KeyValues = None
    events: list[_Event] | None = None
    links: list[_Link] | None = None
    status: _Status | None = None


class _Scope(_Object):
    name: str | None = None


class _ScopeSpans(_Object):
    scope: _Scope | None = None
    spans: list[_Span] | None = None


class _Resource(_Object):
    attributes: _KeyValues = None


class _ResourceSpans(_Object):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(_Object):
    resource_spans: list[_ResourceSpans] | None = None


_decoder = msgspec.json.Decoder(_Request)
_KINDS = {f"SPAN_KIND_{kind.name}": int(kind) for kind in Kind}
_CODES = {f"STATUS_CODE_{code.name}": int(code) for code in StatusCode}


def read_spans(body: bytes) -> Iterator[Span]:
    """Yield the spans of an ExportTraceServiceRequest. Raises BadExport, at the latest there."""
    if body.count(b"{") > OBJECTS_MAX:
        raise BadExport(f"Expected at most {OBJECTS_MAX} objects in the JSON.")
    try:
        request = _decoder.decode(body)
    # UnicodeDecodeError and msgspec's own errors are ValueErrors.
    except (ValueError, RecursionError) as error:
        raise BadExport(f"Expected the JSON of an ExportTraceServiceRequest, got {error}") from None
    for resource_spans in request.resource_spans or ():
        resource = _read_attributes((resource_spans.resource or _Resource()).attributes)
        for scope_spans in resource_spans.scope_spans or ():
            scope = (scope_spans.scope or _Scope()).name or ""
            for span in scope_spans.spans or ():
                yield _read_span(span, resource, scope)


def _read_span(span: _Span, resource: Attributes, scope: str) -> Span:
    status = span.status or _Status()
    return Span(
        trace_id=(span.trace_id or "").lower(),
        id=(span.span_id or "").lower(),
        parent_id=(span.parent_span_id or "").lower(),
        name=span.name or "",
        kind=_read_enum(span.kind, _KINDS),
        start_ns=_read_integer(span.start_time_unix_nano),
        end_ns=_read_integer(span.end_time_unix_nano),
        attributes=_read_attributes(span.attributes),
        events=[
            Event(
                event.name or "",
                _read_integer(event.time_unix_nano),
                _read_attributes(event.attributes),
            )
            for event in span.events or ()
        ],
        links=[
            Link(
                (link.trace_id or "").lower(),
                (link.span_id or "").lower(),
                _read_attributes(link.attributes),
            )
            for link in span.links or ()
        ],
        status_code=_read_enum(status.code, _CODES),
        status_message=status.message or "",
        resource=resource,
        scope=scope,
    )


def _read_attributes(pairs: _KeyValues, depth: int = 0) -> Attributes:
    return {pair.key or "": _read_value(pair.value, depth + 1) for pair in pairs or ()}


def _read_value(value: object, depth: int) -> Value:
    """Return an AnyValue, an object with one member that says the type by its name."""
    if depth > MAX_DEPTH:
        raise BadExport(f"Expected values of at most {MAX_DEPTH} levels.")
    if not isinstance(value, dict):
        return None
    for name, content in value.items():
        if name in ("stringValue", "bytesValue") and isinstance(content, str):
            return content
        if name == "boolValue" and isinstance(content, bool):
            return content
        if name == "intValue" and isinstance(content, int | str):
            return _read_integer(content)
        if name == "doubleValue":
            return _read_double(content)
        if name in ("arrayValue", "kvlistValue") and isinstance(content, dict):
            items = content.get("values")
            return _read_items(items if isinstance(items, list) else [], name, depth)
    return None


def _read_items(items: list[Any], name: str, depth: int) -> Value:
    if name == "arrayValue":
        return [_read_value(item, depth + 1) for item in items]
    return {
        str(item.get("key", "")): _read_value(item.get("value"), depth + 1)
        for item in items
        if isinstance(item, dict)
    }


def _read_integer(number: Number) -> int:
    try:
        value = int(number or 0)
    except ValueError:
        value = MAX_INTEGER + 1
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise BadExport(f"Expected an integer of 64 bits, got {str(number)[:80]!a}.")
    return value


def _read_double(number: object) -> float:
    """Return the number; JSON has no NaN nor infinities, so that they are texts."""
    try:
        return float(number)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        raise BadExport(f"Expected a number, got {str(number)[:80]!a}.") from None


def _read_enum(number: Number, names: dict[str, int]) -> int:
    """Return the number; some write the name instead."""
    if isinstance(number, str) and number in names:
        return names[number]
    return _read_integer(number)
