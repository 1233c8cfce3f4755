"""A body that comes in chunks: clients that pack while they send do not know its length before.

https://www.rfc-editor.org/rfc/rfc9112#section-7.1
"""

import re
from typing import BinaryIO

LINE_BYTES = 1000
TRAILERS_MAX = 100
SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


class BadChunks(Exception):
    """What came is no body in chunks."""


class TooLarge(Exception):
    """The body is larger than it may be."""


def read_chunks(stream: BinaryIO, limit: int) -> bytes:
    """Return the body. Raises BadChunks, TooLarge if it has more bytes than the limit."""
    body = bytearray()
    while True:
        line = stream.readline(LINE_BYTES)
        found = SIZE.fullmatch(line)
        if not found:
            raise BadChunks("Expected the size of a chunk in hexadecimal digits.")
        size = int(found[1], 16)
        if size == 0:
            break
        if len(body) + size > limit:
            raise TooLarge
        chunk = stream.read(size + 2)
        if len(chunk) != size + 2 or not chunk.endswith(b"\r\n"):
            raise BadChunks(f"Expected a chunk of {size} bytes and a line's end after it.")
        body += chunk[:-2]
    for _ in range(TRAILERS_MAX):
        if stream.readline(LINE_BYTES) in (b"\r\n", b""):
            return bytes(body)
    raise BadChunks(f"Expected at most {TRAILERS_MAX} lines after the last chunk.")
