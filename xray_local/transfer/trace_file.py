"""Files of traces: which segment documents they hold, whoever wrote them.

A file holds JSON values, each of them one of these:
- a trace as BatchGetTraces answers it: {"Id": ..., "Segments": [{"Id": ..., "Document": ...}]},
  the document a JSON text as AWS writes it, or the object itself as the console does;
- the whole answer, {"Traces": [...]}, as `aws xray batch-get-traces` prints it;
- a segment document;
- an array of any of these.

A value stands on one line; or it begins with a line that is just a bracket and ends with the next
line that is just the other one, not indented, as all that indents JSON writes it. So a line that
cannot be read spoils no other.
https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from xray_local.errors import BadLine
from xray_local.traces.documents import show

CLOSING = {b"{": b"}", b"[": b"]"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_bodies(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes | BadLine]]:
    """Yield each document's JSON, or what is wrong, with the number of the line it begins on.

    Segments that X-Ray has inferred are not among them: they are made again from the calls that
    they answer, and would be there twice.
    """
    for number, text in _cut(lines):
        try:
            # Read as a whole first: of a trace that is half wrong nothing is half imported.
            bodies = list(_find_bodies(_parse(text)))
        except BadLine as error:
            yield number, error
        else:
            for body in bodies:
                yield number, body


def _cut(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the text of each value, with the number of its first line."""
    block: list[bytes] = []
    first = 0
    closing = b""
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
        stripped = line.rstrip()
        if block:
            block.append(line)
            if stripped == closing:
                yield first, b"".join(block)
                block = []
        elif stripped in CLOSING:
            block, first, closing = [line], number, CLOSING[stripped]
        elif stripped:
            yield number, stripped
    if block:
        yield first, b"".join(block)


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"Expected JSON, got {show(text[:60])}: {error}.") from None


def _find_bodies(value: Any) -> Iterator[bytes]:
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += reversed(value)
        elif isinstance(value, dict) and isinstance(value.get("Traces"), list):
            pending.append(value["Traces"])
        elif isinstance(value, dict) and isinstance(value.get("Segments"), list):
            pending += [_read_segment(segment) for segment in reversed(value["Segments"])]
        elif isinstance(value, dict) and "trace_id" in value:
            if value.get("inferred") is not True:
                yield json.dumps(value, ensure_ascii=True).encode()
        else:
            raise BadLine(
                "Expected a trace with Segments, the Traces of BatchGetTraces, or a segment "
                f"document with a trace_id, got {show(value)}."
            )


def _read_segment(segment: Any) -> Any:
    """Return the document of an element of Segments."""
    document = segment.get("Document") if isinstance(segment, dict) else None
    if isinstance(document, str):
        document = _parse(document.encode(errors="surrogatepass"))
    if not isinstance(document, dict) or "trace_id" not in document:
        raise BadLine(
            "Expected a segment document with a trace_id as Document in Segments, "
            f"got {show(document)}."
        )
    return document
