"""Documents as they arrive, good and bad, and the datagrams around them."""

import base64
import gc
import json
from typing import Any

import pytest

from tests.xray_local.made import (
    HEADER,
    NOON,
    make_datagram,
    make_id,
    make_late,
    make_segment,
    make_trace_id,
)
from xray_local.errors import DocumentRefused
from xray_local.intake.arrivals import (
    Document,
    check_documents,
    read_datagram,
    read_document,
    read_documents,
)
from xray_local.traces.documents import load_document


def encode(document: Any) -> bytes:
    """Return the JSON, in which half characters stay as they are."""
    text = document if isinstance(document, str) else json.dumps(document)
    return text.encode("utf-8", "surrogatepass")


def read(document: Any) -> dict[str, Any]:
    """Return what is stored of a document; check that the quick look agrees."""
    body = read_document(encode(document)).body
    bodies, refusals = check_documents(encode(document).decode())
    assert not refusals
    assert [read_document(each).body for each in bodies] == [body]
    return load_document(body)


def refuse(document: Any) -> DocumentRefused:
    """Return why a document is refused; check that the quick look agrees."""
    with pytest.raises(DocumentRefused, match=r".+") as raised:
        read_document(encode(document))
    bodies, (refusal,) = check_documents(encode(document).decode())
    assert bodies == []
    assert (refusal.code, str(refusal)) == (raised.value.code, str(raised.value))
    return raised.value


def ids_of(arrived: list[Document | DocumentRefused]) -> list[str]:
    """Return the id of each document, "refused" for what was."""
    return [each.facts.id if isinstance(each, Document) else "refused" for each in arrived]


# Datagrams.


def test_read_datagram() -> None:
    segment = make_segment(name="Ünïcode")

    (document,) = read_datagram(make_datagram(segment))

    assert isinstance(document, Document)
    assert (document.facts.id, document.trace_id) == (segment["id"], segment["trace_id"])
    assert document.body == json.dumps(segment).encode()
    assert document.facts.service.name == "Ünïcode"
    assert not document.facts.is_open


@pytest.mark.parametrize(
    "header", [b'{"format": "json", "version": 1}', b'{"version":1,"format":"JSON","more":[]}']
)
def test_header_in_another_spelling(header: bytes) -> None:
    segment = make_segment()

    assert ids_of(read_datagram(header + b"\n" + encode(segment))) == [segment["id"]]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{}",
        b"[]",
        b"1",
        b"null",
        b'{"format":"json","version":2}',
        b'{"format":"xml","version":1}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_bad_header(header: bytes) -> None:
    (refusal,) = read_datagram(header + b"\n" + encode(make_segment()))

    assert isinstance(refusal, DocumentRefused)
    assert refusal.code == "InvalidHeader"
    assert "and a line feed before the document, got b'" in str(refusal)


def test_datagram_without_line_feed() -> None:
    (refusal,) = read_datagram(encode(make_segment()))

    assert "line feed" in str(refusal)


@pytest.mark.parametrize("place", ["name", "unknown", "metadata"])
def test_not_utf8(place: str) -> None:
    segment = make_segment(**{place: {"x": {"y": "?"}}, "name": "?"})

    (refusal,) = read_datagram(HEADER + encode(segment).replace(b"?", b"\xff"))

    assert "Expected UTF-8" in str(refusal)


@pytest.mark.parametrize("between", [b"", b"\n", b" \r\n\t\n"])
def test_documents_in_a_row(between: bytes) -> None:
    segments = [make_segment(), make_segment(), make_segment(in_progress=True, end_time=None)]

    arrived = read_datagram(HEADER + between.join(map(encode, segments)) + between)

    assert ids_of(arrived) == [each["id"] for each in segments]
    assert [load_document(each.body) for each in arrived if isinstance(each, Document)] == segments


def test_documents_in_an_array() -> None:
    segments = [make_segment(), make_segment(name="é")]

    assert ids_of(read_datagram(HEADER + encode(segments))) == [each["id"] for each in segments]


def test_documents_among_bad_ones() -> None:
    segments = [make_segment() for _ in range(4)]
    row = [encode(each) for each in segments]

    arrived = read_documents(
        row[0] + b'{"id": 1}' + row[1] + b" nonsense " + row[2] + b"\n" + row[3] + b"[1, {}]"
    )

    # What cannot be read hides what stands behind it in its line.
    assert ids_of(arrived) == [
        segments[0]["id"],
        "refused",
        segments[1]["id"],
        "refused",
        segments[3]["id"],
        "refused",
        "refused",
    ]


def test_rubbish_in_many_lines_is_given_up() -> None:
    arrived = read_documents(b"[\n" * 20_000 + encode(make_segment()))

    assert ids_of(arrived) == ["refused"] * 20


def test_rubbish_in_an_array_is_given_up() -> None:
    arrived = read_documents(b"[" + b"{}," * 20_000 + encode(make_segment()) + b"]")

    assert ids_of(arrived) == ["refused"] * 100


def test_spans_of_adot() -> None:
    (refusal,) = read_datagram(HEADER + b"T1S" + base64.b64encode(b"no spans"))

    assert isinstance(refusal, DocumentRefused)
    assert refusal.code == "ParseError"


@pytest.mark.parametrize("payload", [b"T1U", b"M1" + base64.b64encode(b"metrics")])
def test_what_adot_sends_that_makes_no_documents(payload: bytes) -> None:
    assert read_datagram(HEADER + payload) == []


# What is refused.


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        '{"a":NaN}',
        '{"a":-Infinity}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_not_json(text: str) -> None:
    refusal = refuse(text)

    assert refusal.code == "ParseError"
    assert refusal.document_id is None


@pytest.mark.parametrize("text", ["[[]]", "1", '"text"', "null", "true"])
def test_not_an_object(text: str) -> None:
    assert "Expected a JSON object" in str(refuse(text))


def test_one_document_was_expected() -> None:
    with pytest.raises(DocumentRefused, match="Expected one document, got 2"):
        read_document(encode([make_segment(), make_segment()]))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id": None}, "MissingId"),
        ({"id": "short"}, "InvalidId"),
        ({"id": 1234567890123456}, "InvalidId"),
        ({"trace_id": None}, "MissingTraceId"),
        ({"trace_id": "1-2-3"}, "InvalidTraceId"),
        ({"trace_id": make_trace_id() + "0"}, "InvalidTraceId"),
        ({"trace_id": make_trace_id() + "\n"}, "InvalidTraceId"),
        ({"trace_id": []}, "InvalidTraceId"),
        ({"name": None}, "MissingName"),
        ({"name": ""}, "InvalidName"),
        ({"name": {}}, "InvalidName"),
        ({"name": "?!"}, "InvalidName"),
        ({"start_time": None, "end_time": NOON}, "MissingStartTime"),
        ({"start_time": "now"}, "InvalidStartTime"),
        ({"start_time": True}, "InvalidStartTime"),
        ({"start_time": -1}, "InvalidStartTime"),
        ({"start_time": 10**200}, "InvalidStartTime"),
        ({"start_time": 10**400}, "InvalidStartTime"),
        ({"start_time": 1e300, "trace_id": make_trace_id()}, "InvalidStartTime"),
        ({"type": "subsegment"}, "MissingParentId"),
        ({"type": "subsegment", "parent_id": 1}, "InvalidParentId"),
        ({"type": "subsegment", "parent_id": "short"}, "InvalidParentId"),
    ],
)
def test_what_a_document_must_have(fields: dict[str, Any], code: str) -> None:
    segment = make_segment(**fields)

    refusal = refuse(segment)

    assert refusal.code == code
    assert str(refusal).startswith(f"Invalid segment. ErrorCode: {code}. Expected ")
    wanted = segment.get("id")
    assert refusal.document_id == (wanted if isinstance(wanted, str) else None)


def test_start_time_that_json_calls_infinite() -> None:
    text = json.dumps(make_segment(start_time=5.5, end_time=5.5)).replace("5.5", "1e999")

    assert refuse(text).code == "InvalidStartTime"


def test_depth() -> None:
    def nest(levels: int, user: Any = None) -> dict[str, Any]:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return make_segment(unknown=value, user=user)

    # As it is, and when misfits are removed from it.
    for user in ("ada", 1):
        assert read(nest(399, user))
        assert "at most 400 levels" in str(refuse(nest(400, user)))
    assert "at most 400 levels" in str(refuse(nest(900)))


def test_depth_of_subsegments() -> None:
    def nest(levels: int) -> dict[str, Any]:
        segment: dict[str, Any] = make_segment()
        for _ in range(levels):
            segment = make_segment(subsegments=[segment])
        return segment

    assert read(nest(199))
    assert "at most 400 levels" in str(refuse(nest(200)))


def test_half_characters_in_a_refusal() -> None:
    refusal = refuse(make_segment(id="\ud800", trace_id="\ud800"))

    assert refusal.document_id == "?"
    assert str(refusal).isascii()


# What is stored.


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"user": "😀 é"},
        {"unknown": {"x": [1, None, "é"]}, "end_time": NOON + 1},
        {"metadata": {"x": {"y": [{}] * 1000}}},
    ],
)
def test_what_complies_is_stored_as_it_was_written(fields: dict[str, Any]) -> None:
    for text in (
        json.dumps(make_segment(**fields)),
        json.dumps(make_segment(**fields), ensure_ascii=False, indent=1),
        json.dumps(make_late(make_segment(), **fields)),
    ):
        assert read_document(text.encode()).body == text.encode()


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        ({}, False),
        ({"in_progress": False}, False),
        ({"in_progress": True}, True),
        ({"in_progress": True, "end_time": None}, True),
        ({"end_time": None}, True),
        ({"end_time": "later"}, True),
        ({"in_progress": "yes"}, False),
    ],
)
def test_in_progress(fields: dict[str, Any], is_open: bool) -> None:
    assert read_document(encode(make_segment(**fields))).facts.is_open is is_open


def test_half_characters() -> None:
    stored = read(make_segment(user="a\ud800b", metadata={"x": {"\udfff": "😀"}}))

    assert stored["user"] == "a�b"
    assert stored["metadata"] == {"x": {"�": "😀"}}


def test_half_characters_that_the_request_has_written() -> None:
    text = json.dumps(make_segment(user="a\ud800b"), ensure_ascii=False)

    (body,), refusals = check_documents(text)

    assert load_document(body)["user"] == "a�b"
    assert refusals == []


def test_numbers_that_nobody_can_hold() -> None:
    text = json.dumps(make_segment(metadata={"x": {"y": 5.5}}, unknown=5.5, aws={"retries": 5.5}))

    for number in ("1e999", "9" * 5000):
        stored = read(text.replace("5.5", number))

        assert stored["metadata"] == {"x": {"y": None}}
        assert (stored["unknown"], stored["aws"]) == (None, {"retries": None})
        assert json.dumps(stored, allow_nan=False)


def test_check_documents_takes_an_array_apart() -> None:
    segments = [make_segment(), make_segment()]

    bodies, (refusal,) = check_documents(json.dumps([*segments, 1]))

    assert list(map(load_document, bodies)) == segments
    assert refusal.code == "ParseError"


def test_check_documents_leaves_the_rest_to_the_writer() -> None:
    text = json.dumps(make_segment(annotations={"bad key": 1}, id=make_id()))

    assert check_documents(text) == ([text.encode()], [])


def test_many_brackets_that_are_not_json() -> None:
    for text in ('{"id"' + "[" * 500, json.dumps(make_segment())[:-1] + "[{" * 300):
        assert refuse(text).code == "ParseError"


def test_what_is_refused_holds_nothing() -> None:
    """The writer looks for circles hardly ever: a flood of bad documents must make none."""
    bad = [b"[0, {}, {", b'{"id": "x"}', encode(make_segment(trace_id="1")), b"T1Sx", b"\xff"]
    for document in bad:
        read_datagram(HEADER + document)  # what is made once is made now

    def count_held() -> int:
        gc.collect()
        for document in bad:
            arrived = read_datagram(HEADER + document)
            assert all(isinstance(each, DocumentRefused) for each in arrived)
            del arrived
        return gc.collect()

    gc.disable()
    try:
        # A thread that another test has left behind may hold something now and then.
        assert min(count_held() for _ in range(5)) == 0
    finally:
        gc.enable()
