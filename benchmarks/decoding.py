"""What arrived at the sink, decoded far enough to count it."""

import base64
import gzip
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

XRAY_HEADER = b'{"format":"json","version":1}'


@dataclass(frozen=True, slots=True)
class Span:
    """A segment, a subsegment, or what others call a span or a transaction."""

    trace_id: str
    id: str
    name: str
    kind: str = ""


def decode(wire: str, messages: list[dict[str, Any]]) -> list[Span]:
    """Return what was sent and had ended, each once.

    wire: xray, otlp, elastic or datadog. Raises ValueError for a message of another kind.
    """
    spans: dict[str, Span] = {}
    for message in messages:
        body = decompress(base64.b64decode(message["body"]), message["encoding"])
        for span in DECODERS[wire](message["path"], body):
            spans[span.id] = span
    return list(spans.values())


def decompress(body: bytes, encoding: str) -> bytes:
    """Return a body as it was before it was compressed for the way."""
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body


def read_xray(path: str, body: bytes) -> Iterator[Span]:
    """Yield the segments and subsegments of a datagram to X-Ray's daemon."""
    header, _, text = body.partition(b"\n")
    if header.replace(b" ", b"") != XRAY_HEADER:
        raise ValueError(f"Expected a datagram that begins with {XRAY_HEADER!r}, got {header!r}.")
    document = json.loads(text)
    yield from walk(document, document["trace_id"])


def walk(document: dict[str, Any], trace_id: str) -> Iterator[Span]:
    """Yield a document and all beneath it."""
    if not document.get("in_progress"):
        yield Span(trace_id, document["id"], document["name"], name_kind(document))
    for child in document.get("subsegments", ()):
        yield from walk(child, trace_id)


def name_kind(document: dict[str, Any]) -> str:
    """Say what a document stands for, by the blocks that it has."""
    if "sql" in document:
        return "sql"
    if document.get("namespace") == "aws":
        return "aws"
    return "request" if "http" in document else "template"


def read_otlp(path: str, body: bytes) -> Iterator[Span]:
    """Yield the spans of an export request, over HTTP or in ADOT's datagrams.

    Source: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
    """
    if not path:
        _, _, text = body.partition(b"\n")
        if text[:3] not in (b"T1S", b"T1U"):
            raise ValueError(f"Expected T1S or T1U, got {text[:3]!r}.")
        body = base64.b64decode(text[3:])
    elif path != "/v1/traces":
        return
    for resource_spans in read_fields(body, 1):
        for scope_spans in read_fields(resource_spans, 2):
            for span in read_fields(scope_spans, 2):
                trace_id, identifier, name = (next(read_fields(span, n)) for n in (1, 2, 5))
                yield Span(trace_id.hex(), identifier.hex(), name.decode())


def read_fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the values of one field of a protobuf message, those that have a length."""
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        field, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            _, at = read_varint(message, at)
        elif wire_type == 2:
            length, at = read_varint(message, at)
            if field == wanted:
                yield message[at : at + length]
            at += length
        elif wire_type in (1, 5):
            at += 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"Expected a protobuf wire type of 0, 1, 2 or 5, got {wire_type}.")


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a protobuf number and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at


def read_elastic(path: str, body: bytes) -> Iterator[Span]:
    """Yield the transactions and spans of an intake request; compressed ones count as one."""
    if path != "/intake/v2/events":
        return
    for line in body.splitlines():
        for kind, value in json.loads(line).items():
            if kind in ("transaction", "span"):
                yield Span(value["trace_id"], value["id"], value["name"], kind)


def read_datadog(path: str, body: bytes) -> Iterator[Span]:
    """Yield the spans of a request to Datadog's agent, in its version 0.4."""
    if path != "/v0.4/traces":
        return
    traces, _ = read_msgpack(body, 0)
    for trace in traces:
        for span in trace:
            yield Span(str(span["trace_id"]), str(span["span_id"]), span["name"], span["resource"])


def read_msgpack(data: bytes, at: int) -> tuple[Any, int]:
    """Return a value of MessagePack and where it ends.

    Source: https://github.com/msgpack/msgpack/blob/master/spec.md
    """
    byte = data[at]
    at += 1
    if byte < 0x80 or byte >= 0xE0:
        return (byte if byte < 0x80 else byte - 256), at
    if byte in FIXED:
        return FIXED[byte], at
    if byte in NUMBERS:
        layout = NUMBERS[byte]
        end = at + struct.calcsize(layout)
        return struct.unpack(layout, data[at:end])[0], end
    if byte in LENGTHS:
        kind, size = LENGTHS[byte]
        length, at = int.from_bytes(data[at : at + size], "big"), at + size
    elif byte < 0xC0:
        kind = "text" if byte >= 0xA0 else "array" if byte >= 0x90 else "map"
        length = byte & (0x1F if kind == "text" else 0x0F)
    else:
        raise ValueError(f"Expected MessagePack without extensions, got the byte {byte:#x}.")
    if kind in ("text", "bytes"):
        value = data[at : at + length]
        return (value.decode("utf-8", "replace") if kind == "text" else value), at + length
    values = []
    for _ in range(length * (2 if kind == "map" else 1)):
        item, at = read_msgpack(data, at)
        values.append(item)
    if kind == "array":
        return values, at
    return dict(zip(values[::2], values[1::2], strict=True)), at


FIXED = {0xC0: None, 0xC2: False, 0xC3: True}
NUMBERS = dict(
    zip(
        (0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF, 0xD0, 0xD1, 0xD2, 0xD3),
        (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"),
        strict=True,
    )
)
LENGTHS = {
    0xC4: ("bytes", 1),
    0xC5: ("bytes", 2),
    0xC6: ("bytes", 4),
    0xD9: ("text", 1),
    0xDA: ("text", 2),
    0xDB: ("text", 4),
    0xDC: ("array", 2),
    0xDD: ("array", 4),
    0xDE: ("map", 2),
    0xDF: ("map", 4),
}
DECODERS = {
    "xray": read_xray,
    "otlp": read_otlp,
    "elastic": read_elastic,
    "datadog": read_datadog,
}
