"""Documents and the datagrams around them, good and bad."""

import json
from typing import Any

import pytest

from tests.xray_local.made import HEADER, NOON, make_datagram, make_id, make_segment, make_trace_id
from xray_local.documents import as_number, as_text, as_time, read_datagram, read_document, show
from xray_local.errors import DocumentRefused


def refuse(document: Any) -> DocumentRefused:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(DocumentRefused, match=r".+") as raised:
        read_document(text)
    return raised.value


def test_read_datagram() -> None:
    segment = make_segment(name="Ünïcode ✓")

    document = read_datagram(make_datagram(segment))

    assert (document.id, document.trace_id) == (segment["id"], segment["trace_id"])
    assert document.content == segment
    assert not document.is_open


@pytest.mark.parametrize(
    "header", [b'{"format": "json", "version": 1}', b'{"version":1,"format":"JSON","more":[]}']
)
def test_read_datagram_header_in_another_spelling(header: bytes) -> None:
    segment = make_segment()

    document = read_datagram(header + b"\n" + json.dumps(segment).encode())

    assert document.id == segment["id"]


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
def test_read_datagram_bad_header(header: bytes) -> None:
    with pytest.raises(DocumentRefused, match=r"and a line feed before the document, got b'"):
        read_datagram(header + b"\n" + json.dumps(make_segment()).encode())


def test_read_datagram_without_line_feed() -> None:
    with pytest.raises(DocumentRefused, match="line feed"):
        read_datagram(json.dumps(make_segment()).encode())


def test_read_datagram_not_utf8() -> None:
    with pytest.raises(DocumentRefused, match="Expected UTF-8"):
        read_datagram(HEADER + b'{"name":"\xff"}')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        '{"a":NaN}',
        '{"a":-Infinity}',
        "[" * 100_000,
        '{"a":' + "9" * 5000 + "}",
        '{"a":1}{"b":2}',
    ],
)
def test_read_document_not_json(text: str) -> None:
    refusal = refuse(text)

    assert refusal.code == "ParseError"
    assert refusal.document_id is None


@pytest.mark.parametrize("text", ["[]", "1", '"text"', "null", "true"])
def test_read_document_not_an_object(text: str) -> None:
    assert "Expected a JSON object" in str(refuse(text))


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
        ({"start_time": None, "end_time": NOON}, "MissingStartTime"),
        ({"start_time": "now"}, "InvalidStartTime"),
        ({"start_time": True}, "InvalidStartTime"),
        ({"start_time": -1}, "InvalidStartTime"),
        ({"start_time": 10**400}, "InvalidStartTime"),
        ({"start_time": 1e300, "trace_id": make_trace_id()}, "InvalidStartTime"),
        ({"type": "subsegment"}, "MissingParentId"),
        ({"type": "subsegment", "parent_id": 1}, "InvalidParentId"),
    ],
)
def test_read_document_field(fields: dict[str, Any], code: str) -> None:
    segment = make_segment(**fields)

    refusal = refuse(segment)

    assert refusal.code == code
    assert str(refusal).startswith(f"Invalid segment. ErrorCode: {code}. Expected ")
    wanted = segment.get("id")
    assert refusal.document_id == (wanted if isinstance(wanted, str) else None)


def test_read_document_start_time_that_json_calls_infinite() -> None:
    text = json.dumps(make_segment(start_time=5.5, end_time=5.5)).replace("5.5", "1e999")

    assert refuse(text).code == "InvalidStartTime"


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
def test_read_document_in_progress(fields: dict[str, Any], is_open: bool) -> None:
    assert read_document(json.dumps(make_segment(**fields))).is_open is is_open


def test_read_document_half_characters() -> None:
    segment = make_segment(name="a\ud800b", metadata={"x": {"\udfff": "😀"}})

    document = read_document(json.dumps(segment))

    assert document.content["name"] == "a�b"
    assert document.content["metadata"] == {"x": {"�": "😀"}}
    assert document.text.encode()


def test_read_document_half_characters_in_the_text_itself() -> None:
    document = read_document(json.dumps(make_segment(name="a\ud800b"), ensure_ascii=False))

    assert document.content["name"] == "a�b"


def test_read_document_whole_characters_stay_as_they_were_written() -> None:
    text = json.dumps(make_segment(name="😀"))

    assert "\\ud83d" in text
    assert read_document(text).text == text


def test_read_document_half_characters_in_a_refusal() -> None:
    refusal = refuse(make_segment(id="\ud800", trace_id="\ud800"))

    assert refusal.document_id == "?"
    assert str(refusal).isascii()


def test_read_document_depth() -> None:
    def nest(levels: int) -> dict[str, Any]:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return make_segment(metadata=value)

    assert read_document(json.dumps(nest(399)))
    assert "at most 400 levels" in str(refuse(nest(400)))


def test_read_document_wide_but_not_deep() -> None:
    assert read_document(json.dumps(make_segment(metadata={"x": [{}] * 1000})))


def test_as_number() -> None:
    assert as_number(3) == 3.0
    assert as_number(2.5) == 2.5
    for other in (True, None, "1", [], float("nan"), float("inf"), 10**400):
        assert as_number(other) is None


def test_as_time() -> None:
    assert as_time(0) == 0
    assert as_time(253_402_300_800) is None


def test_as_text() -> None:
    assert as_text("abc", 2) == "ab"
    assert as_text("") is None
    assert as_text(1) is None


def test_show_what_python_does_not_print() -> None:
    endless: list[Any] = []
    for _ in range(100_000):
        endless = [endless]

    assert show("é" + make_id()).isascii()
    assert show(10**5000) == "a int"
    assert show(endless) == "a list"
    assert len(show("x" * 1000)) == 80
    while endless:  # taken apart by hand: freeing it would be as deep
        endless = endless.pop()
