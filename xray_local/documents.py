"""Segment documents, from the bytes of a client to something that can be stored.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from .errors import DocumentRefused

# What every X-Ray SDK puts before a document, in the spelling that needs no second look.
USUAL_HEADER = b'{"format":"json","version":1}'
EXAMPLE_TRACE_ID = "1-58406520-a006649127e371903a2de979"
TRACE_ID = re.compile(r"[0-9]-[0-9A-Fa-f]{8}-[0-9A-Fa-f]{24}")
ID_CHARACTERS = 16
# Levels of JSON. Whoever walks or prints a document may then use the stack.
MAX_DEPTH = 400
# The last second of the year 9999: what every clock and calendar can show.
MAX_TIME = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Document:
    """A segment, or a subsegment that came on its own, ready to be stored."""

    trace_id: str
    id: str
    is_open: bool  # in progress: a later, complete one takes its place
    text: str
    content: dict[str, Any]


def read_datagram(datagram: bytes) -> Document:
    """Return the document of one datagram: a line of header, then JSON. Raises DocumentRefused."""
    header, _, body = datagram.partition(b"\n")
    if header != USUAL_HEADER:
        _check_header(header)
    try:
        return read_document(body.decode())
    except UnicodeDecodeError as error:
        raise DocumentRefused("ParseError", f"Expected UTF-8, got {error}.") from None


def _check_header(header: bytes) -> None:
    try:
        fields = json.loads(header)
        is_known = str(fields["format"]).lower() == "json" and fields["version"] == 1
    except (ValueError, KeyError, TypeError, RecursionError):
        is_known = False
    if not is_known:
        raise DocumentRefused(
            "InvalidHeader",
            f"Expected {USUAL_HEADER.decode()!r} and a line feed before the document, "
            f"got {header[:100]!r}.",
        )


def read_document(text: str) -> Document:
    """Return the document that the JSON text holds. Raises DocumentRefused."""
    content = _parse(text)
    if not isinstance(content, dict):
        raise DocumentRefused("ParseError", f"Expected a JSON object, got {show(content)}.")
    document_id = content.get("id")
    if not isinstance(document_id, str) or len(document_id) != ID_CHARACTERS:
        raise _refuse(content, "id", "an id of 16 hexadecimal digits")
    trace_id = content.get("trace_id")
    if not isinstance(trace_id, str) or not TRACE_ID.fullmatch(trace_id):
        raise _refuse(content, "trace_id", f"a trace id like {EXAMPLE_TRACE_ID!r}")
    name = content.get("name")
    if not isinstance(name, str) or not name:
        raise _refuse(content, "name", "a name of 1 to 200 characters")
    if as_time(content.get("start_time")) is None:
        raise _refuse(content, "start_time", "seconds since 1970")
    if content.get("type") == "subsegment" and not isinstance(content.get("parent_id"), str):
        raise _refuse(content, "parent_id", "the id of the segment that it belongs to")
    cleaned = _without_lone_surrogates(text, content)
    if cleaned is not None:
        return read_document(cleaned)
    return Document(trace_id, document_id, is_in_progress(content), text, content)


def is_in_progress(content: dict[str, Any]) -> bool:
    """Whether a segment or subsegment has not ended yet."""
    return content.get("in_progress") is True or as_time(content.get("end_time")) is None


def as_number(value: object) -> float | None:
    """Return the value if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def as_time(value: object) -> float | None:
    """Return the value if it is a point of time that a calendar can show, else None."""
    number = as_number(value)
    return number if number is not None and 0 <= number <= MAX_TIME else None


def as_text(value: object, limit: int = 2000) -> str | None:
    """Return the value, cut at the limit, if it is a text with something in it; else None."""
    return value[:limit] if isinstance(value, str) and value else None


def as_mapping(value: object) -> dict[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def _parse(text: str) -> object:
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DocumentRefused("ParseError", f"Expected a JSON document, got {error}.") from None
    # Counting is quick and nearly always enough; only what could be too deep is walked.
    if text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(content, MAX_DEPTH):
        raise DocumentRefused("ParseError", f"Expected at most {MAX_DEPTH} levels of JSON.")
    return content


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant}, which is not JSON")


def _is_deeper(content: object, limit: int) -> bool:
    level = [content]
    for _ in range(limit):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def _without_lone_surrogates(text: str, content: dict[str, Any]) -> str | None:
    """Return the document with half characters replaced; None if there are none, as nearly always.

    JSON may write half a character ("\\ud800"); neither SQLite nor a page can hold it.
    """
    if text.isascii() and "\\u" not in text:
        return None
    plain = json.dumps(content, ensure_ascii=False)
    try:
        plain.encode()
        text.encode()
    except UnicodeEncodeError:
        return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None


def _refuse(content: dict[str, Any], key: str, expected: str) -> DocumentRefused:
    words = "".join(word.capitalize() for word in key.split("_"))
    code = f"{'Invalid' if key in content else 'Missing'}{words}"
    document_id = as_text(content.get("id"), 64)
    return DocumentRefused(
        code,
        f"Invalid segment. ErrorCode: {code}. "
        f"Expected {expected} as {key!r}, got {show(content.get(key))}.",
        document_id.encode("ascii", "replace").decode() if document_id else None,
    )


def show(value: object) -> str:
    """Return a short text in ASCII that says what the value is; safe in a log line."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # a number or a nesting that Python does not print
        return f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."
