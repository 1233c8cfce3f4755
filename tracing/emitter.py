"""Send documents to the daemon: one datagram each, below the limit, never waiting, never failing.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from aws_xray_sdk.core.daemon_config import DaemonConfig
from aws_xray_sdk.core.models.entity import Entity

from .documents import make_document

log = logging.getLogger(__name__)

HEADER = b'{"format":"json","version":1}\n'
# The daemon reads 64 kB; a datagram holds 65,507 bytes.
MAX_DOCUMENT_BYTES = 60_000
# A daemon that is away would otherwise fill the log at the pace of the requests.
SECONDS_BETWEEN_WARNINGS = 60.0
SECONDS_BETWEEN_ATTEMPTS = 60.0
# For an address in numbers it is microseconds.
LONGEST_WAIT_SECONDS = 0.05


class Emitter:
    """Sends segments and subsegments over UDP; the address is resolved once."""

    def __init__(self, daemon_address: str | None = None) -> None:
        self._socket: socket.socket | None = None
        self._address: Any = None
        self._next_warning = 0.0
        self._opening = threading.Lock()
        self._next_attempt = 0.0
        self.set_daemon_address(daemon_address)

    def set_daemon_address(self, address: str | None) -> None:
        """Take the address from AWS_XRAY_DAEMON_ADDRESS, else this one, else 127.0.0.1:2000.

        address: `host:port`, or `tcp:host:port udp:host:port`.
        """
        config = DaemonConfig(address)
        self._address = None
        self._next_attempt = 0.0
        self.ip: str = config.udp_ip
        self.port: int = config.udp_port
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send_entity(self, entity: Entity) -> None:
        """Send a closed segment or subsegment with all beneath it. Never raises."""
        try:
            for document in split(make_document(entity), MAX_DOCUMENT_BYTES):
                self._send(HEADER + document)
        except Exception as exception:
            self._warn("Could not send the segment %r: %s", entity.name, exception)

    def _send(self, datagram: bytes) -> None:
        opened = self._socket or self._open()
        if opened is not None:
            opened.sendto(datagram, self._address)

    def _open(self) -> socket.socket | None:
        """Return the socket, made by the first of several threads.

        None, and the document is dropped, while another thread has been at it for long, and for a
        minute after the name could not be resolved: that may take seconds, and no request waits for
        it but one.
        """
        if time.monotonic() < self._next_attempt:
            return self._socket
        if not self._opening.acquire(timeout=LONGEST_WAIT_SECONDS):
            return self._socket
        try:
            if self._socket is None:
                try:
                    self._make_socket()
                except OSError:
                    self._next_attempt = time.monotonic() + SECONDS_BETWEEN_ATTEMPTS
                    raise
            return self._socket
        finally:
            self._opening.release()

    def _make_socket(self) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(
            self.ip, self.port, type=socket.SOCK_DGRAM
        )[0]
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        # The address first: a socket that is there is ready to be used.
        self._address, self._socket = address, opened

    def _warn(self, message: str, *arguments: object) -> None:
        now = time.monotonic()
        if now >= self._next_warning:
            self._next_warning = now + SECONDS_BETWEEN_WARNINGS
            log.warning(message + " (said at most once a minute)", *arguments)


def encode(document: dict[str, Any]) -> bytes:
    """Return the document as JSON in UTF-8; what JSON cannot say becomes text."""
    try:
        return json.dumps(
            document, ensure_ascii=False, separators=(",", ":"), default=repr, allow_nan=False
        ).encode("utf-8", "replace")
    except (ValueError, TypeError, RecursionError):
        return json.dumps(make_plain(document), ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )


def make_plain(value: Any, depth: int = 0) -> Any:
    """Return what JSON can say of a value: no NaN, text as keys, no endless nesting."""
    if depth > 20:
        return "…"
    if isinstance(value, dict):
        return {str(key): make_plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [make_plain(item, depth + 1) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return repr(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


def split(document: dict[str, Any], limit_bytes: int) -> Iterator[bytes]:
    """Yield the document, in several pieces where it is too large for one datagram.

    The largest subtrees leave as documents of their own, which name their parent; X-Ray puts them
    together again. What is too large alone loses its metadata first, then one block after another.
    """
    encoded = encode(document)
    if len(encoded) <= limit_bytes:
        yield encoded
        return
    children: list[dict[str, Any]] = document.get("subsegments", [])
    sizes = [len(encode(child)) + 1 for child in children]
    size = len(encoded)
    detached: set[int] = set()
    for index in sorted(range(len(children)), key=lambda index: -sizes[index]):
        if size <= limit_bytes:
            break
        detached.add(index)
        size -= sizes[index]
    rest = dict(document)
    rest["subsegments"] = [child for index, child in enumerate(children) if index not in detached]
    encoded = encode(rest)
    yield encoded if len(encoded) <= limit_bytes else encode(shorten(rest, limit_bytes))
    for index in sorted(detached):
        child = {
            **children[index],
            "type": "subsegment",
            "trace_id": document["trace_id"],
            "parent_id": document["id"],
        }
        yield from split(child, limit_bytes)


def shorten(document: dict[str, Any], limit_bytes: int) -> dict[str, Any]:
    """Return a document without subsegments that fits, and that says what was cut."""
    short = dict(document)
    cut: list[str] = []
    for key in ("metadata", "sql", "cause", "annotations", "aws", "http"):
        if len(encode(short)) <= limit_bytes:
            break
        if short.pop(key, None) is not None:
            cut.append(key)
            short["metadata"] = {"tracing": {"cut_because_too_large": list(cut)}}
    return short
