"""Files of traces, whoever wrote them."""

import json
from typing import Any

import pytest

from tests.xray_local.made import make_segment
from xray_local.errors import BadLine
from xray_local.transfer.trace_file import read_bodies

ONE, TWO, THREE = (make_segment(name=name, user="Zoë") for name in ("one", "two", "three"))


def make_trace(*documents: dict[str, Any], is_text: bool = True) -> dict[str, Any]:
    return {
        "Id": documents[0]["trace_id"],
        "Duration": 0.1,
        "Segments": [
            {"Id": each["id"], "Document": json.dumps(each) if is_text else each}
            for each in documents
        ],
    }


def read(text: str | bytes) -> list[tuple[int, Any]]:
    """Return what is read, each document as an object and each mistake as its text."""
    data = text.encode() if isinstance(text, str) else text
    return [
        (number, str(body) if isinstance(body, BadLine) else json.loads(body))
        for number, body in read_bodies(data.splitlines(keepends=True))
    ]


def test_traces_one_a_line() -> None:
    lines = [json.dumps(make_trace(ONE, TWO)), json.dumps(make_trace(THREE))]

    assert read("\n".join(lines)) == [(1, ONE), (1, TWO), (2, THREE)]


def test_documents_that_are_objects() -> None:
    """As the console gives a trace."""
    assert read(json.dumps(make_trace(ONE, TWO, is_text=False))) == [(1, ONE), (1, TWO)]


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
def test_answers_of_batch_get_traces(indent: Any) -> None:
    answer = {"Traces": [make_trace(ONE, TWO), make_trace(THREE)], "UnprocessedTraceIds": []}

    assert read(json.dumps(answer, indent=indent)) == [(1, ONE), (1, TWO), (1, THREE)]


def test_several_answers_in_a_row() -> None:
    text = "\n\n".join(json.dumps({"Traces": [make_trace(each)]}, indent=4) for each in (ONE, TWO))

    (first, _), (second, _) = found = read(f"{text}\r\n")

    assert [each for _, each in found] == [ONE, TWO]
    assert (first, second) == (1, text.count("\n", 0, text.index("\n\n") + 2) + 1)


@pytest.mark.parametrize("indent", [None, 2])
def test_arrays(indent: Any) -> None:
    """As `aws xray batch-get-traces --query Traces` prints them."""
    text = json.dumps([make_trace(ONE), TWO, [THREE]], indent=indent)

    assert read(text) == [(1, ONE), (1, TWO), (1, THREE)]


def test_bare_documents() -> None:
    assert read(f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}\r\n") == [(1, ONE), (3, TWO)]


def test_what_was_inferred_is_left_out() -> None:
    inferred = TWO | {"inferred": True}
    text = f"{json.dumps(make_trace(ONE, inferred))}\n{json.dumps(inferred)}\n{json.dumps(THREE)}"

    assert read(text) == [(1, ONE), (3, THREE)]


def test_byte_order_mark() -> None:
    assert read(b"\xef\xbb\xbf" + json.dumps(ONE).encode()) == [(1, ONE)]


def test_nothing() -> None:
    assert read("") == read("\n \n") == read('{"Traces": []}') == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "Expected JSON, got b'nonsense': Expecting value"),
        ('{"Traces": [', "Expected JSON, got"),
        ("\xff", "Expected JSON, got"),
        ("[" * 100_000, "Expected JSON, got"),
        ("3", "Expected a trace with Segments, the Traces of BatchGetTraces, or a segment"),
        ('{"TraceSummaries": []}', "Expected a trace with Segments"),
        ('{"id": "1"}', "document with a trace_id, got {'id': '1'}"),
        ('{"Segments": [{"Id": "1"}]}', "as Document in Segments, got None"),
        ('{"Segments": [3]}', "as Document in Segments, got None"),
        ('{"Segments": [{"Document": "{"}]}', "Expected JSON, got b'{': Expecting property"),
        ('{"Segments": [{"Document": "3"}]}', "as Document in Segments, got 3"),
        ('{"Segments": [{"Document": "\\ud800"}]}', "Expected JSON, got"),
    ],
)
def test_bad_lines_spoil_no_others(line: str, reason: str) -> None:
    data = b"%s\n%s\n%s" % (
        json.dumps(ONE).encode(),
        line.encode("latin-1"),
        json.dumps(TWO).encode(),
    )

    first, (number, mistake), last = read(data)

    assert (first, last) == ((1, ONE), (3, TWO))
    assert number == 2
    assert reason in mistake
    assert mistake.isascii()


def test_half_a_trace_is_not_taken() -> None:
    trace = make_trace(ONE, TWO)
    trace["Segments"][1]["Document"] = "{"

    ((number, mistake),) = read(json.dumps(trace))

    assert number == 1
    assert "Expected JSON" in mistake


def test_a_value_that_does_not_end() -> None:
    text = json.dumps({"Traces": [make_trace(ONE)]}, indent=4)[:-1]

    ((number, mistake),) = read(f"{json.dumps(TWO)}\n{text}")[1:]

    assert number == 2
    assert "Expected JSON" in mistake
