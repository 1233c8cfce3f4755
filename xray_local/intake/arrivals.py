"""Segment documents as they arrive, from the bytes of a client to what can be stored.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html

A document without what it must have is refused; of all others, what does not comply with the schema
is removed. What JSON can write but nobody can hold is mended before: a number that is too large
becomes null, half a character U+FFFD.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from xray_local.errors import DocumentRefused
from xray_local.traces.documents import (
    DECODER,
    EXAMPLE_TRACE_ID,
    ID_CHARACTERS,
    TRACE_ID,
    as_text,
    as_time,
    load_document,
    show,
)
from xray_local.traces.facts import Facts, gather

from .schema import (
    Element,
    Id,
    SegmentName,
    Time,
    TraceId,
    are_keys,
    clean_name,
    complies,
    remove_misfits,
)

# What every X-Ray SDK puts before a document, in the spelling that needs no second look.
USUAL_HEADER = b'{"format":"json","version":1}'
# Levels of JSON. Whoever walks or prints a document may then use the stack.
MAX_DEPTH = 400
# In a row of documents that cannot be read, this often the next line is tried.
ATTEMPTS = 20
# Whoever sends as many bad documents at once sends no good ones: the rest is not looked at.
REFUSALS_MAX = 100


class Document(Struct, frozen=True, gc=False):
    """A segment, or a subsegment that came on its own, ready to be stored.

    body: JSON in UTF-8, as the client sent it where it complies with the schema.
    """

    trace_id: str
    body: bytes
    facts: Facts


Arrived = list[Document | DocumentRefused]


def read_datagram(datagram: bytes) -> Arrived:
    """Return the documents of a datagram, or why they are refused.

    datagram: a line of header, then what `read_documents` takes, or what ADOT sends: spans of
    OpenTelemetry after "T1S", which become documents; none are made of spans that were not sampled
    ("T1U") and of metrics ("M1").
    """
    header, _, body = datagram.partition(b"\n")
    if header != USUAL_HEADER and not _is_header(header):
        reason = (
            f"Expected {USUAL_HEADER.decode()!r} and a line feed before the document, "
            f"got {header[:100]!r}."
        )
        return [DocumentRefused("InvalidHeader", reason)]
    if body.startswith((b"T1", b"M1")):
        return [] if body.startswith(b"M1") else _read_spans(body)
    return read_documents(body)


def _read_spans(payload: bytes) -> Arrived:
    # Whoever sends no spans does without what it takes to read them.
    from xray_local.otlp import read_udp

    try:
        return _accept_all(read_udp(payload))
    except DocumentRefused as refusal:
        return [_strip(refusal)]


def _is_header(line: bytes) -> bool:
    try:
        fields = json.loads(line)
        return str(fields["format"]).lower() == "json" and bool(fields["version"] == 1)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def read_documents(body: bytes, *, is_checked: bool = False) -> Arrived:
    """Return the documents that the JSON holds, or why they are refused, in their order.

    There may be several: in an array, or in a row with or without white space between them. What
    cannot be read in a row is refused up to the end of the line.

    is_checked: it has been looked at before it was passed on; its depth is known to be right.
    """
    document = _read_usual(body, is_checked)
    if document is not None:
        return [document]
    return _accept_all(_parse_row(body))


def _accept_all(contents: Iterable[Any]) -> Arrived:
    """Return the documents, or why they are refused, up to the last of too many refusals."""
    arrived: Arrived = []
    refusals = 0
    for content in contents:
        arrived.append(_accept(content))
        refusals += isinstance(arrived[-1], DocumentRefused)
        if refusals == REFUSALS_MAX:
            break
    return arrived


def _read_usual(body: bytes, is_checked: bool) -> Document | None:
    """Return the document if it complies as it is."""
    try:
        element = _decode_element(body)
        if not body.isascii():
            body.decode()  # what the schema does not mention has not been looked at
        if not complies(element) or (not is_checked and _is_too_deep(body)):
            return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    facts = gather(element)
    if not are_keys(facts.annotations):
        return None
    return Document(element.trace_id, body, facts)


def read_document(body: bytes) -> Document:
    """Return the one document that the JSON holds. Raises DocumentRefused."""
    arrived = read_documents(body)
    if len(arrived) != 1:
        raise DocumentRefused("ParseError", f"Expected one document, got {len(arrived)}.")
    if isinstance(arrived[0], DocumentRefused):
        raise arrived[0]
    return arrived[0]


class _Head(Struct, gc=False):
    """What a segment must have."""

    trace_id: TraceId
    id: Id
    name: SegmentName
    start_time: Time
    type: str = ""
    parent_id: Id | UnsetType = UNSET


_decode_element = msgspec.json.Decoder(Element).decode
_decode_head = msgspec.json.Decoder(_Head).decode


def is_usual(body: bytes) -> bool:
    """Whether the JSON is one document that `read_documents` will take, by a quick look.

    At all but odd documents no longer one is needed.
    """
    try:
        head = _decode_head(body)
        return bool(head.type != "subsegment" or head.parent_id) and not _is_too_deep(body)
    except (msgspec.DecodeError, RecursionError):
        return False


def check_documents(text: str) -> tuple[list[bytes], list[DocumentRefused]]:
    """Return the documents that `read_documents` will take, and why the others are refused."""
    body = _encode_text(text)
    if is_usual(body):
        return [body], []
    arrived = read_documents(body)
    return (
        [each.body for each in arrived if isinstance(each, Document)],
        [each for each in arrived if isinstance(each, DocumentRefused)],
    )


def _accept(content: Any) -> Document | DocumentRefused:
    """Return the document without its misfits, or why it is refused."""
    if isinstance(content, DocumentRefused):
        return content
    try:
        if _is_deeper(content, MAX_DEPTH):
            raise DocumentRefused("ParseError", f"Expected at most {MAX_DEPTH} levels of JSON.")
        _check_required(content)
    except DocumentRefused as refusal:
        return _strip(refusal)
    body = _encode(remove_misfits(content))
    element = _decode_element(body)
    return Document(element.trace_id, body, gather(element))


def _strip(refusal: DocumentRefused) -> DocumentRefused:
    """Return the refusal without what led to it.

    That holds the document, and the list that the refusal is in: as a circle it would stay until
    somebody looks for such.
    """
    refusal.__cause__ = refusal.__context__ = None
    return refusal.with_traceback(None)


def _check_required(content: Any) -> None:
    if not isinstance(content, dict):
        raise DocumentRefused("ParseError", f"Expected a JSON object, got {show(content)}.")
    document_id, trace_id = content.get("id"), content.get("trace_id")
    if not isinstance(document_id, str) or len(document_id) != ID_CHARACTERS:
        raise _refuse(content, "id", "an id of 16 hexadecimal digits")
    if not isinstance(trace_id, str) or not TRACE_ID.fullmatch(trace_id):
        raise _refuse(content, "trace_id", f"a trace id like {EXAMPLE_TRACE_ID!r}")
    is_subsegment = content.get("type") == "subsegment"
    name = content.get("name")
    if not isinstance(name, str) or not (name if is_subsegment else clean_name(name)):
        raise _refuse(content, "name", "1 to 200 letters, digits, spaces and '_.:/%&#=+-@'")
    if as_time(content.get("start_time")) is None:
        raise _refuse(content, "start_time", "seconds since 1970")
    if is_subsegment:
        parent_id = content.get("parent_id")
        if not isinstance(parent_id, str) or len(parent_id) != ID_CHARACTERS:
            raise _refuse(content, "parent_id", "the id of the segment that it belongs to")


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


def _parse_row(body: bytes) -> Iterator[Any]:
    """Yield what stands in a row of JSON values, arrays as their items; or why it is refused."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        yield DocumentRefused("ParseError", f"Expected UTF-8, got {error}.")
        return
    attempts = ATTEMPTS
    rest = text.lstrip()
    while attempts:
        try:
            content, end = DECODER.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            yield DocumentRefused("ParseError", f"Expected a JSON document, got {error}.")
            attempts -= 1
            end = rest.find("\n") % (len(rest) + 1)
        else:
            yield from content if isinstance(content, list) else [content]
        rest = rest[end:].lstrip()
        if not rest:
            return


def _encode(content: Any) -> bytes:
    return _encode_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")))


def _encode_text(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _is_too_deep(body: bytes) -> bool:
    """Whether a document that is JSON has too many levels."""
    # Taking brackets out is several times as quick as counting them.
    brackets = len(body) - len(body.replace(b"{", b"").replace(b"[", b""))
    return brackets > MAX_DEPTH and _is_deeper(load_document(body), MAX_DEPTH)


def _is_deeper(content: object, limit: int) -> bool:
    """Whether objects and arrays are within each other more often than that."""
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
    return any(isinstance(value, dict | list) for value in level)
