"""The protobuf and the JSON of OTLP, written by OpenTelemetry's own library, and broken."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.xray_local.otlp.made import encode_json, encode_protobuf, make_span
from xray_local.errors import DocumentRefused
from xray_local.intake.arrivals import read_document
from xray_local.otlp import json_format, protobuf
from xray_local.otlp.segments import make_documents, write_document
from xray_local.otlp.spans import BadExport, Event, Kind, Link, Span, StatusCode

TEXTS = st.text(max_size=12)
TIMES = st.integers(0, 2**63 - 1)
SCALARS = (
    TEXTS
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.none()
)
VALUES = st.recursive(
    SCALARS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(TEXTS, VALUES, max_size=3)
TRACE_IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
SPAN_IDS = st.binary(min_size=8, max_size=8).map(bytes.hex)
SPANS = st.builds(
    Span,
    trace_id=TRACE_IDS,
    id=SPAN_IDS,
    parent_id=st.just("") | SPAN_IDS,
    name=TEXTS,
    kind=st.sampled_from(Kind),
    start_ns=TIMES,
    end_ns=TIMES,
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(Event, TEXTS, TIMES, ATTRIBUTES), max_size=2),
    links=st.lists(st.builds(Link, TRACE_IDS, SPAN_IDS, ATTRIBUTES), max_size=2),
    status_code=st.sampled_from(StatusCode),
    status_message=TEXTS,
    resource=ATTRIBUTES,
    scope=TEXTS,
)


@given(st.lists(SPANS, max_size=3))
def test_protobuf(spans: list[Span]) -> None:
    assert list(protobuf.read_spans(encode_protobuf(*spans))) == spans


@given(st.lists(SPANS, max_size=3), st.booleans())
def test_json(spans: list[Span], names: bool) -> None:
    assert list(json_format.read_spans(encode_json(*spans, names=names))) == spans


@given(SPANS)
def test_whatever_a_span_says_its_documents_comply(span: Span) -> None:
    try:
        documents = make_documents(span)
    except DocumentRefused:
        return

    for document in documents:
        body = write_document(document)
        assert json.loads(read_document(body).body) == json.loads(body)


def test_bytes_are_base64() -> None:
    span = make_span(attributes={"raw": b"\0\xff"})

    for read, encode in (
        (protobuf.read_spans, encode_protobuf),
        (json_format.read_spans, encode_json),
    ):
        (found,) = read(encode(span))
        assert found.attributes == {"raw": "AP8="}


@pytest.mark.parametrize("number", [float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have(number: float) -> None:
    span = make_span(attributes={"number": number})

    for read, encode in (
        (protobuf.read_spans, encode_protobuf),
        (json_format.read_spans, encode_json),
    ):
        (found,) = read(encode(span))
        assert found.attributes == {"number": number}
        (document,) = make_documents(found)
        assert document["metadata"]["default"] == {"number": str(number)}


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",  # a length is missing
        b"\x0a\x05ab",  # it ends before its length
        b"\x0b\x00",  # a group, which nobody writes any more
        b"\x0a" + b"\xff" * 11,  # a number without an end
        b"\x08\x01\x00\x01",  # field 0
        b"\x08\x01\x0a\x02\x12\x09",  # wrong further down
        b"\x0a\x02\x10\x01",  # a number where scope_spans belong
        b"\x0a\x06\x12\x04\x12\x02\x08\x01",  # a number where a trace id belongs
        b"\x0a\x08\x12\x06\x12\x04\x32\x02ab",  # bytes where the kind belongs
        b"resource_spans",
    ],
)
def test_protobuf_that_is_none(body: bytes) -> None:
    with pytest.raises(BadExport, match="Expected a protobuf message, got "):
        list(protobuf.read_spans(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"resourceSpans":{}}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":1}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_OTHER"}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"noon"}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"%s"}]}]}]}'
        % (b"9" * 5000),
        b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"doubleValue":[]}}]}}]}',
    ],
)
def test_json_that_is_none(body: bytes) -> None:
    with pytest.raises(BadExport, match="Expected "):
        list(json_format.read_spans(body))


def test_json_members_that_do_not_matter() -> None:
    body = json.dumps(
        {
            "resourceSpans": [
                {
                    "resource": None,
                    "scopeSpans": [
                        {"scope": None, "spans": [{"name": "a", "status": None, "later": {}}]},
                        {"spans": None},
                    ],
                },
                {"scopeSpans": None},
            ],
            "other": 1,
        }
    ).encode()

    assert [span.name for span in json_format.read_spans(body)] == ["a"]


def nest(levels: int) -> Any:
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


def test_values_that_are_too_deep() -> None:
    deep, deepest = make_span(attributes={"a": nest(32)}), make_span(attributes={"a": nest(31)})

    for read, encode in (
        (protobuf.read_spans, encode_protobuf),
        (json_format.read_spans, encode_json),
    ):
        with pytest.raises(BadExport, match="at most 32 levels"):
            list(read(encode(deep)))
        assert list(read(encode(deepest))) == [deepest]


def test_too_many_of_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bytes each as they come, hundreds in memory."""
    monkeypatch.setattr(protobuf, "SPANS_MAX", 2)
    monkeypatch.setattr(protobuf, "ITEMS_MAX", 2)
    monkeypatch.setattr(json_format, "OBJECTS_MAX", 20)
    span = make_span()
    many = make_span(events=[Event("e")] * 3)

    empty = b"\x12\x00" * 3
    for body in (b"\x0a\x08\x12\x06" + empty, encode_protobuf(many)):
        with pytest.raises(BadExport, match="at most 2"):
            list(protobuf.read_spans(body))
    with pytest.raises(BadExport, match="at most 20 objects"):
        list(json_format.read_spans(encode_json(*[span] * 9)))
    assert list(protobuf.read_spans(encode_protobuf(span, span))) == [span, span]


def test_resource_behind_its_spans() -> None:
    front = encode_protobuf(make_span(resource={}))[2:]
    resource = encode_protobuf(make_span(resource={"service.name": "shop"}))
    start = resource.index(b"\x0a", 2)
    end = start + 2 + resource[start + 1]
    body = front[front.index(b"\x12") :] + resource[start:end]

    (span,) = protobuf.read_spans(b"\x0a" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body)

    assert span.resource == {"service.name": "shop"}


@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    for read in (protobuf.read_spans, json_format.read_spans):
        check_survives(read, body)


def test_mutations() -> None:
    """Real messages with some of their bytes changed, moved or gone: read, or refused in words."""
    span = make_span(
        kind=Kind.CLIENT,
        parent_id="00f067aa0ba902b7",
        attributes={"http.url": "http://a/", "n": 1, "list": [1, {"a": [True]}], "f": 0.5},
        events=[Event("exception", 5, {"exception.stacktrace": 'a\n  File "b", line 1, in c\n'})],
        links=[Link("1" * 32, "2" * 16, {"a": "b"})],
        resource={"telemetry.sdk.language": "python", "service.name": "shop"},
    )
    dice = random.Random(4)
    for read, whole in (
        (protobuf.read_spans, encode_protobuf(span)),
        (json_format.read_spans, encode_json(span)),
    ):
        for _ in range(3000):
            body = bytearray(whole)
            for _ in range(dice.randrange(1, 4)):
                place = dice.randrange(len(body))
                match dice.randrange(3):
                    case 0:
                        body[place] = dice.randrange(256)
                    case 1:
                        del body[place : place + dice.randrange(20)]
                    case _:
                        body[place:place] = body[place : place + dice.randrange(20)]
            check_survives(read, bytes(body))


def check_survives(read: Any, body: bytes) -> None:
    try:
        for span in read(body):
            for document in make_documents(span):
                write_document(document)
    except (BadExport, DocumentRefused):
        pass  # anything else that is raised fails the test


def test_answers() -> None:
    response = ExportTraceServiceResponse.FromString(protobuf.encode_response(300, "why ✓"))

    assert response.partial_success.rejected_spans == 300
    assert response.partial_success.error_message == "why ✓"
    assert protobuf.encode_response(0, "") == b""
