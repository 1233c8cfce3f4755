"""Messages between the processes: one byte of kind, four of length, then the payload.

A pipe has no borders between messages; the length gives them back.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum

HEADER = struct.Struct("!BI")


class Kind(IntEnum):
    """What a frame carries."""

    DATAGRAM = 0  # one UDP datagram, unread
    DOCUMENT = 1  # one segment document that the API has checked
    DROPPED = 2  # how many datagrams the receiver had no room for, in ASCII digits
    CLEAR = 3  # that all traces are to be deleted; no payload
    LIMITS = 4  # how many bytes, traces and hours are kept from now on, in ASCII digits


def pack(kind: Kind, payload: bytes) -> bytes:
    """Return the frame that carries the payload."""
    return HEADER.pack(kind, len(payload)) + payload


def pack_all(kind: Kind, payloads: Iterable[bytes]) -> bytes:
    """Return the frames that carry the payloads, in a row."""
    parts: list[bytes] = []
    for payload in payloads:
        parts += (HEADER.pack(kind, len(payload)), payload)
    return b"".join(parts)


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the kind and payload of every frame that is complete now. Use all of them."""
        data = self._rest + data
        offset, size = 0, len(data)
        while (start := offset + HEADER.size) <= size:
            kind, length = HEADER.unpack_from(data, offset)
            if start + length > size:
                break
            offset = start + length
            yield kind, data[start:offset]
        self._rest = data[offset:]
