"""The protobuf of OTLP, by hand: the fields that segments need, and the two answers.

Field numbers: https://github.com/open-telemetry/opentelemetry-proto (trace.proto, common.proto,
resource.proto, trace_service.proto). Encoding: https://protobuf.dev/programming-guides/encoding/
"""

import base64
import struct
from collections.abc import Iterator
from typing import TypeVar

from .spans import SPANS_MAX, Attributes, BadExport, Event, Link, Span, Value

# An attribute may hold lists of lists; nobody's holds more levels than this.
MAX_DEPTH = 32
# SDKs stop at 128. Empty ones are two bytes here and two hundred in memory.
ITEMS_MAX = 10_000
VARINT_BYTES = 10
VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5

Field = tuple[int, int | memoryview]
Item = TypeVar("Item")


def read_spans(body: bytes) -> Iterator[Span]:
    """Yield the spans of an ExportTraceServiceRequest. Raises BadExport, at the latest there."""
    for number, resource_spans in read_fields(memoryview(body)):
        if number == 1:
            yield from _read_resource_spans(_message(resource_spans))


def _read_resource_spans(data: memoryview) -> Iterator[Span]:
    resource: Attributes = {}
    for number, value in read_fields(data):
        if number == 1:
            resource |= _read_attributes(_message(value), 1)
    # The resource may stand behind its spans. To read twice takes less than to keep what was read.
    for number, value in read_fields(data):
        if number == 2:
            yield from _read_scope_spans(_message(value), resource)


def _read_scope_spans(data: memoryview, resource: Attributes) -> Iterator[Span]:
    scope, spans = "", 0
    for number, value in read_fields(data):
        if number == 1:
            names = (_text(name) for field, name in read_fields(_message(value)) if field == 1)
            scope = "".join(names)
        elif number == 2:
            spans += 1
            if spans > SPANS_MAX:
                raise BadExport(f"Expected at most {SPANS_MAX} spans in one request.")
    for number, value in read_fields(data):
        if number == 2:
            yield _read_span(_message(value), resource, scope)


def _read_span(data: memoryview, resource: Attributes, scope: str) -> Span:
    span = Span(resource=resource, scope=scope)
    for number, value in read_fields(data):
        if number == 1:
            span.trace_id = _hex(value)
        elif number == 2:
            span.id = _hex(value)
        elif number == 4:
            span.parent_id = _hex(value)
        elif number == 5:
            span.name = _text(value)
        elif number == 6:
            span.kind = _integer(value)
        elif number == 7:
            span.start_ns = _integer(value)
        elif number == 8:
            span.end_ns = _integer(value)
        elif number == 9:
            _add_attribute(span.attributes, _message(value), 0)
        elif number == 11:
            _add(span.events, _read_event(_message(value)))
        elif number == 13:
            _add(span.links, _read_link(_message(value)))
        elif number == 15:
            for field, part in read_fields(_message(value)):
                if field == 2:
                    span.status_message = _text(part)
                elif field == 3:
                    span.status_code = _integer(part)
    return span


def _add(items: list[Item], item: Item) -> None:
    if len(items) == ITEMS_MAX:
        raise BadExport(f"Expected at most {ITEMS_MAX} events and as many links in a span.")
    items.append(item)


def _read_event(data: memoryview) -> Event:
    event = Event()
    for number, value in read_fields(data):
        if number == 1:
            event.time_ns = _integer(value)
        elif number == 2:
            event.name = _text(value)
        elif number == 3:
            _add_attribute(event.attributes, _message(value), 0)
    return event


def _read_link(data: memoryview) -> Link:
    link = Link()
    for number, value in read_fields(data):
        if number == 1:
            link.trace_id = _hex(value)
        elif number == 2:
            link.span_id = _hex(value)
        elif number == 4:
            _add_attribute(link.attributes, _message(value), 0)
    return link


def _read_attributes(data: memoryview, wanted: int, depth: int = 0) -> Attributes:
    """Return the KeyValues that the message holds as its field of that number."""
    attributes: Attributes = {}
    for number, value in read_fields(data):
        if number == wanted:
            _add_attribute(attributes, _message(value), depth)
    return attributes


def _add_attribute(attributes: Attributes, data: memoryview, depth: int) -> None:
    key, value = "", None
    for number, part in read_fields(data):
        if number == 1:
            key = _text(part)
        elif number == 2:
            value = _read_value(_message(part), depth + 1)
    attributes[key] = value


def _read_value(data: memoryview, depth: int) -> Value:
    """Return an AnyValue; the last of its fields is the one that holds."""
    if depth > MAX_DEPTH:
        raise BadExport(f"Expected values of at most {MAX_DEPTH} levels.")
    value: Value = None
    for number, part in read_fields(data):
        if number == 1:
            value = _text(part)
        elif number == 2:
            value = _integer(part) != 0
        elif number == 3:
            value = _signed(_integer(part))
        elif number == 4:
            value = struct.unpack("<d", struct.pack("<Q", _integer(part)))[0]
        elif number == 5:
            items = read_fields(_message(part))
            value = [_read_value(_message(item), depth + 1) for field, item in items if field == 1]
        elif number == 6:
            value = _read_attributes(_message(part), 1, depth)
        elif number == 7:
            value = base64.b64encode(_message(part)).decode()
    return value


def read_fields(data: memoryview) -> Iterator[Field]:
    """Yield number and value of each field of a message: an integer, or the bytes it stands in.

    Fixed-width fields are integers too. Raises BadExport if the bytes are no message.
    """
    position, size = 0, len(data)
    while position < size:
        tag, position = _read_varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _read_varint(data, position)
            yield number, value
            continue
        if wire_type == LENGTH_DELIMITED:
            length, position = _read_varint(data, position)
        elif wire_type in (FIXED64, FIXED32):
            length = 8 if wire_type == FIXED64 else 4
        else:
            raise BadExport(f"Expected a protobuf message, got a field of wire type {wire_type}.")
        end = position + length
        if number == 0 or end > size:
            raise BadExport(
                f"Expected a protobuf message, got field {number} of {length} bytes "
                f"where {size - position} are left."
            )
        part = data[position:end]
        yield number, part if wire_type == LENGTH_DELIMITED else int.from_bytes(part, "little")
        position = end


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return the number that begins there, and where the next thing does."""
    if position < len(data) and data[position] < 0x80:
        return data[position], position + 1  # as nearly all are
    value = shift = 0
    for byte in data[position : position + VARINT_BYTES]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + shift // 7
    raise BadExport("Expected a protobuf message, got a number that does not end.")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise BadExport(f"Expected a protobuf message, got {value} where bytes belong.")
    return value


def _integer(value: int | memoryview) -> int:
    if not isinstance(value, int):
        raise BadExport(f"Expected a protobuf message, got {len(value)} bytes for a number.")
    return value


def _text(value: int | memoryview) -> str:
    return str(_message(value), "utf-8", "replace")


def _hex(value: int | memoryview) -> str:
    return _message(value).hex()


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def encode_status(code: int, message: str) -> bytes:
    """Return a google.rpc.Status."""
    return _encode_integer(1, code) + _encode_text(2, message)


def encode_response(rejected_spans: int, message: str) -> bytes:
    """Return an ExportTraceServiceResponse; an empty one if every span was taken."""
    if not rejected_spans:
        return b""
    return _encode_bytes(1, _encode_integer(1, rejected_spans) + _encode_text(2, message))


def _encode_varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _encode_integer(field: int, number: int) -> bytes:
    return _encode_varint(field << 3 | VARINT) + _encode_varint(number)


def _encode_bytes(field: int, data: bytes) -> bytes:
    return _encode_varint(field << 3 | LENGTH_DELIMITED) + _encode_varint(len(data)) + data


def _encode_text(field: int, text: str) -> bytes:
    return _encode_bytes(field, text.encode("utf-8", "replace"))
