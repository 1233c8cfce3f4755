"""The smallest pictures of each kind, made by hand."""

import struct
import zlib


def make_png(width: int = 200, height: int = 300, padding: int = 0) -> bytes:
    """Return a grey PNG, with so many bytes more in a chunk of text."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
            chunk(b"tEXt", b"Comment\0" + b"x" * padding) if padding else b"",
            chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * width) * height)),
            chunk(b"IEND", b""),
        )
    )


def make_jpeg(width: int = 200, height: int = 300) -> bytes:
    """Return the head of a JPEG, which is all that anybody here reads."""
    start_of_frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0" + start_of_frame + b"\xff\xd9"


def make_webp(width: int = 200, height: int = 300) -> bytes:
    """Return the head of an extended WebP."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + sides
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
