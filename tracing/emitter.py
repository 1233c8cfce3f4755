"""Send documents to the daemon: one datagram each, below the limit, never waiting, never failing.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

import json
import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from aws_xray_sdk.core.daemon_config import DaemonConfig

from .documents import encode, write

log = logging.getLogger(__name__)

HEADER = '{"format":"json","version":1}\n'
# The daemon reads 64 kB; a datagram holds 65,507 bytes.
MAX_DOCUMENT_BYTES = 60_000
MAX_DATAGRAM_BYTES = len(HEADER) + MAX_DOCUMENT_BYTES
# A daemon that is away would otherwise fill the log at the pace of the requests.
SECONDS_BETWEEN_WARNINGS = 60.0
SECONDS_BETWEEN_ATTEMPTS = 60.0
# A name of this machine or of its network is known by then; what is not sent by then is dropped.
LONGEST_WAIT_SECONDS = 0.05
CUT_FIRST = ("metadata", "sql", "cause", "annotations", "aws", "http")


class Lookup:
    """An attempt to find the daemon by its name, in a thread of its own."""

    def __init__(self) -> None:
        self.is_done = threading.Event()
        self.deadline = time.monotonic() + LONGEST_WAIT_SECONDS


class Emitter:
    """Sends segments and subsegments over UDP.

    An address in numbers is opened at once. A name is looked up in a thread of its own, at the
    first document: DNS may take seconds. It is again when the daemon has refused a document, at
    most once a minute, for that may be at another address by now.
    """

    def __init__(self, daemon_address: str | None = None) -> None:
        self._socket: socket.socket | None = None
        self._next_warning = 0.0
        self._opening = threading.Lock()
        self._next_attempt = 0.0
        self._lookup: Lookup | None = None
        self.set_daemon_address(daemon_address)
        _emitters.add(self)

    def set_daemon_address(self, address: str | None) -> None:
        """Take the address from AWS_XRAY_DAEMON_ADDRESS, else this one, else 127.0.0.1:2000.

        address: `host:port`, or `tcp:host:port udp:host:port`.
        """
        config = DaemonConfig(address)
        self._next_attempt = 0.0
        self._lookup = None
        self.ip: str = config.udp_ip
        self.port: int = config.udp_port
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def leave_forked_process(self) -> None:
        """Forget what other threads were at: in a forked process they are not."""
        self._opening = threading.Lock()
        if self._lookup is not None:
            self._lookup, self._next_attempt = None, 0.0

    def send_entity(self, entity: Any) -> None:
        """Send a segment or subsegment with all beneath it. Never raises, never waits."""
        try:
            for document in write(entity, is_sent=True):
                datagram = f"{HEADER}{document}".encode("utf-8", "replace")
                if len(datagram) <= MAX_DATAGRAM_BYTES:
                    self._send(datagram)
                else:
                    for piece in split(json.loads(document), MAX_DOCUMENT_BYTES):
                        self._send(HEADER.encode() + piece)
            if not entity.in_progress and entity is entity.request:
                try:
                    del entity.request
                except AttributeError:  # it had been sent before
                    return
        except Exception as exception:
            self._warn("Could not send the segment %r: %s", entity.name, exception)

    def _send(self, datagram: bytes) -> None:
        opened = self._socket or self._open()
        if opened is None:
            return
        try:
            opened.send(datagram)
        except ConnectionRefusedError:
            # What the system has to say is about the datagram before: this one was not sent.
            self._connect()
            with suppress(ConnectionRefusedError):
                opened.send(datagram)

    def _open(self) -> socket.socket | None:
        """Return the socket; None, and the document is dropped, while the daemon is not found."""
        self._connect()
        lookup = self._lookup
        if self._socket is None and lookup is not None:
            lookup.is_done.wait(max(0.0, lookup.deadline - time.monotonic()))
        return self._socket

    def _connect(self) -> None:
        """Begin to look for the daemon, at most once a minute; a numeric address is found here."""
        if time.monotonic() < self._next_attempt:
            return
        if not self._opening.acquire(timeout=LONGEST_WAIT_SECONDS):
            return
        try:
            if time.monotonic() < self._next_attempt:
                return
            try:
                found = self._find(socket.AI_NUMERICHOST)
            except socket.gaierror:
                self._lookup = Lookup()
                threading.Thread(target=self._look_up, args=(self._lookup,), daemon=True).start()
            else:
                self._use(found)
        finally:
            # Others wait until there is something to send by, or to wait for.
            self._next_attempt = time.monotonic() + SECONDS_BETWEEN_ATTEMPTS
            self._opening.release()

    def _look_up(self, lookup: Lookup) -> None:
        try:
            found = self._find()
            with self._opening:
                # Somebody may have set another address meanwhile.
                if lookup is self._lookup:
                    self._use(found)
        except Exception as error:
            self._warn("Could not find the X-Ray daemon %r: %s", self.ip, error)
        finally:
            lookup.is_done.set()
            if lookup is self._lookup:
                self._lookup = None

    def _find(self, flags: int = 0) -> Any:
        return socket.getaddrinfo(self.ip, self.port, type=socket.SOCK_DGRAM, flags=flags)[0]

    def _use(self, found: Any) -> None:
        """Send to this address from now on. Other threads may be sending: no socket is closed."""
        family, kind, protocol, _, address = found
        opened = self._socket
        if opened is None or opened.family != family:
            opened = socket.socket(family, kind, protocol)
            opened.setblocking(False)
        opened.connect(address)
        self._socket = opened

    def _warn(self, message: str, *arguments: object) -> None:
        now = time.monotonic()
        if now >= self._next_warning:
            self._next_warning = now + SECONDS_BETWEEN_WARNINGS
            log.warning(message + " (said at most once a minute)", *arguments)


_emitters: weakref.WeakSet[Emitter] = weakref.WeakSet()


def leave_forked_process() -> None:
    """Make each emitter of the parent process one of this."""
    for emitter in tuple(_emitters):
        emitter.leave_forked_process()


os.register_at_fork(after_in_child=leave_forked_process)


def split(document: dict[str, Any], limit_bytes: int) -> Iterator[bytes]:
    """Yield the document, in several pieces where it is too large for one datagram.

    The largest subtrees leave as documents of their own, which name their parent; X-Ray puts them
    together again. What is too large alone has its longest values cut.
    """
    encoded = encode(document).encode("utf-8", "replace")
    if len(encoded) <= limit_bytes:
        yield encoded
        return
    children: list[dict[str, Any]] = document.get("subsegments", [])
    sizes = [measure(child) + 1 for child in children]
    size = len(encoded)
    detached: set[int] = set()
    for place in sorted(range(len(children)), key=lambda place: -sizes[place]):
        if size <= limit_bytes:
            break
        detached.add(place)
        size -= sizes[place]
    rest = dict(document)
    rest["subsegments"] = [child for place, child in enumerate(children) if place not in detached]
    if not rest["subsegments"]:
        del rest["subsegments"]
    if measure(rest) > limit_bytes:
        rest = shorten(rest, limit_bytes)
    yield encode(rest).encode("utf-8", "replace")
    for place in sorted(detached):
        child = {
            **children[place],
            "type": "subsegment",
            "trace_id": document["trace_id"],
            "parent_id": document["id"],
        }
        yield from split(child, limit_bytes)


def shorten(document: dict[str, Any], limit_bytes: int) -> dict[str, Any]:
    """Return a document without subsegments that fits, and that says what was cut.

    Long texts and long lists are cut first, more and more of each; a block that is still too large
    is left out.
    """
    short = dict(document)
    for most in (4000, 1000, 200):
        cut = [key for key in CUT_FIRST if _cut(short, key, most)]
        short = _mark(short, cut)
        if measure(short) <= limit_bytes:
            return short
    for key in CUT_FIRST:
        if key in short:
            left_out = short.pop(key)
            if key == "metadata" and "tracing" in left_out:
                short["metadata"] = {"tracing": left_out["tracing"]}
            short = _mark(short, [key])
        if measure(short) <= limit_bytes:
            break
    return short


def measure(document: dict[str, Any]) -> int:
    """Return how many bytes a document has."""
    return len(encode(document).encode("utf-8", "replace"))


def _cut(document: dict[str, Any], key: str, most: int) -> bool:
    if key not in document:
        return False
    before = document[key]
    document[key] = cut_values(before, most)
    return bool(document[key] != before)


def _mark(document: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """Say in the metadata which blocks are not whole."""
    if not keys:
        return document
    metadata = dict(document.get("metadata", {}))
    known = metadata.get("tracing", {}).get("cut_because_too_large", [])
    metadata["tracing"] = {"cut_because_too_large": [*known, *(k for k in keys if k not in known)]}
    return {**document, "metadata": metadata}


def cut_values(value: Any, most: int) -> Any:
    """Return a value with no text longer than `most` characters, no list of more than most / 10."""
    if isinstance(value, str):
        return value if len(value) <= most else f"{value[:most]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: cut_values(item, most) for key, item in list(value.items())[: most // 10]}
    if isinstance(value, list):
        return [cut_values(item, most) for item in value[: most // 10]]
    return value
