"""Documents leave whole, bounded, and without making anybody wait."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Daemon, walk
from tracing.documents import encode, make_document
from tracing.emitter import HEADER, Emitter, Lookup, shorten, split
from tracing.entities import Segment, Subsegment


@pytest.fixture
def segment() -> Segment:
    """A closed segment with one subsegment."""
    segment = Segment("movies")
    child = Subsegment("step", "local", segment)
    segment.add_subsegment(child)
    child.close()
    segment.close()
    return segment


def test_send_entity(daemon: Daemon, segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    emitter = Emitter(daemon.address)

    emitter.send_entity(segment)

    (document,) = daemon.documents(1)
    assert daemon.datagrams[0].startswith(HEADER.encode())
    assert document["id"] == segment.id
    assert document["subsegments"][0].keys() == {"id", "name", "start_time", "end_time"}
    emitter.set_daemon_address(None)


def test_n4_the_address_is_resolved_once(
    daemon: Daemon, segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = []
    resolve = socket.getaddrinfo

    def count(*arguments: Any, **keywords: Any) -> Any:
        # The first look is whether it is an address in numbers, and asks nobody.
        if not keywords.get("flags"):
            resolved.append(arguments[0])
        return resolve(*arguments, **keywords)

    address = daemon.address.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    monkeypatch.setattr(socket, "getaddrinfo", count)
    emitter = Emitter(address)

    for _ in range(3):
        emitter.send_entity(segment)

    assert resolved == ["localhost"]
    assert emitter.ip == "localhost"
    emitter.set_daemon_address(None)


def test_two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS")

    emitter = Emitter("tcp:127.0.0.1:3000 udp:127.0.0.2:2001")

    assert (emitter.ip, emitter.port) == ("127.0.0.2", 2001)


def test_a_full_socket_is_survived_with_one_line(
    daemon: Daemon, segment: Segment, caplog: pytest.LogCaptureFixture
) -> None:
    class FullSocket(socket.socket):
        def send(self, *arguments: Any) -> int:
            raise BlockingIOError("would block")

    emitter = Emitter(daemon.address)
    with FullSocket(socket.AF_INET, socket.SOCK_DGRAM) as full:
        emitter._socket = full

        with caplog.at_level(logging.WARNING):
            emitter.send_entity(segment)
            emitter.send_entity(segment)

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "would block" in caplog.text


def tree(depth: int, width: int, size: int) -> Segment:
    """Return a closed segment of that depth and width, each entity with a text of that size."""
    segment = Segment("node")

    def fill(entity: Any, level: int) -> None:
        entity.put_metadata("text", "é" * size)
        for _ in range(width if level else 0):
            child = Subsegment("node", "local", entity)
            entity.add_subsegment(child)
            fill(child, level - 1)
        entity.close()

    fill(segment, depth)
    return segment


@settings(max_examples=60, deadline=None)
@given(
    depth=st.integers(0, 3),
    width=st.integers(1, 5),
    size=st.integers(0, 600),
    limit=st.integers(700, 5000),
)
def test_split_loses_nothing_that_fits(depth: int, width: int, size: int, limit: int) -> None:
    segment = tree(depth, width, size)
    ids = {entity["id"] for entity in walk(make_document(segment))}

    datagrams = list(split(make_document(segment), limit))

    pieces = [json.loads(datagram) for datagram in datagrams]
    assert all(len(datagram) <= limit for datagram in datagrams)
    found = [entity["id"] for piece in pieces for entity in walk(piece)]
    assert sorted(found) == sorted(ids)
    assert all(piece["parent_id"] in ids for piece in pieces[1:])
    assert {piece["trace_id"] for piece in pieces} == {segment.trace_id}
    # An entity whose text alone is too large says that it was cut; every other keeps its text.
    for piece in pieces:
        for entity in walk(piece):
            text = entity["metadata"].get("default", {}).get("text", "")
            assert text == "é" * size or "tracing" in entity["metadata"]


def test_shorten_cuts_until_it_fits() -> None:
    document = {
        "id": "1",
        "metadata": {"a": "x" * 300, "b": ["z" * 150] * 30},
        "sql": {"query": "y" * 300},
        "http": {"a": 1},
    }

    short = shorten(document, 500)

    assert short["metadata"] == {"tracing": {"cut_because_too_large": ["metadata", "sql"]}}
    assert short["sql"] == {"query": "y" * 200 + "… (300 characters)"}
    assert short["http"] == {"a": 1}
    assert "metadata" in document


class Odd:
    def __repr__(self) -> str:
        return "odd"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), "nan"),
        ({1, 2}, None),
        ({("a", 1): 2}, {"('a', 1)": 2}),
        (Odd(), "<tests.tracing.test_emitter.Odd>"),
        ("\ud800", "?"),
        (b"bytes", "5 bytes"),
        ([float("inf"), 1.5, None, True], ["inf", 1.5, None, True]),
    ],
    ids=["nan", "set", "tuple", "odd", "surrogate", "bytes", "inf"],
)
def test_encode_says_what_json_cannot(value: Any, expected: Any) -> None:
    decoded = json.loads(encode({"value": value}).encode("utf-8", "replace"))

    if expected is not None:
        assert decoded["value"] == expected


def test_encode_survives_endless_nesting() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless

    assert "…" in encode(endless)


class Names:
    """Stands for DNS: answers when it is told to, with the address that it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Semaphore(0)
        self.answer = threading.Event()
        self.address: tuple[str, int] | None = None
        self.lookups = 0
        monkeypatch.setattr(socket, "getaddrinfo", self.resolve)

    def resolve(self, *arguments: Any, flags: int = 0, **keywords: Any) -> Any:
        if flags:
            raise socket.gaierror("not a number")
        self.lookups += 1
        self.asked.release()
        self.answer.wait(10)
        if self.address is None:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", self.address)]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    """DNS, which knows no name yet and is in no hurry."""
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "daemon.invalid:2000")
    made = Names(monkeypatch)
    yield made
    made.answer.set()


def wait_for(emitter: Emitter) -> None:
    """Wait until no lookup is under way."""
    while (lookup := emitter._lookup) is not None:
        lookup.is_done.wait(10)


def test_a_name_that_is_slow_to_resolve_holds_nobody_up(segment: Segment, names: Names) -> None:
    emitter = Emitter()

    started = time.monotonic()
    for _ in range(5):
        emitter.send_entity(segment)
    took = time.monotonic() - started

    assert took < 5  # whoever waited would have waited for ten seconds
    names.answer.set()
    wait_for(emitter)
    emitter.send_entity(segment)  # within a minute of the failure
    assert names.lookups == 1


def test_a_name_that_is_known_at_once_loses_nothing(
    daemon: Daemon, segment: Segment, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine that is busy, eight threads take longer than requests may wait.
    monkeypatch.setattr("tracing.emitter.LONGEST_WAIT_SECONDS", 30.0)
    names.address = ("127.0.0.1", int(daemon.address.rpartition(":")[2]))
    names.answer.set()
    emitter = Emitter()

    threads = [threading.Thread(target=emitter.send_entity, args=(segment,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(daemon.documents(8)) == 8
    assert names.lookups == 1
    emitter.set_daemon_address(None)


def test_an_address_in_numbers_needs_no_thread(
    daemon: Daemon, segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "Thread", None)
    emitter = Emitter()

    emitter.send_entity(segment)

    assert len(daemon.documents(1)) == 1
    emitter.set_daemon_address(None)


def test_a_daemon_that_moved_is_found(
    daemon: Daemon, segment: Segment, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        names.address = closed.getsockname()
    names.answer.set()
    emitter = Emitter()
    for _ in range(3):
        emitter.send_entity(segment)  # refused
    assert names.lookups == 1

    names.address = ("127.0.0.1", int(daemon.address.rpartition(":")[2]))
    monkeypatch.setattr(emitter, "_next_attempt", 0.0)  # a minute has passed
    emitter.send_entity(segment)
    wait_for(emitter)
    emitter.send_entity(segment)

    assert names.lookups == 2
    assert len(daemon.documents(1)) >= 1
    emitter.set_daemon_address(None)


def test_an_address_that_was_set_meanwhile_is_kept(
    daemon: Daemon, segment: Segment, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.address = ("127.0.0.1", 9)
    emitter = Emitter()
    emitter.send_entity(segment)
    lookup = emitter._lookup
    assert lookup is not None

    emitter.set_daemon_address(None)
    names.answer.set()
    lookup.is_done.wait(10)

    assert emitter._socket is None


def test_a_fork_while_another_thread_looks_for_the_daemon(daemon: Daemon, segment: Segment) -> None:
    emitter = Emitter()
    emitter._lookup = Lookup()
    with emitter._opening:  # as another thread would have it
        child = os.fork()
        if child == 0:
            emitter.send_entity(segment)
            os._exit(0)
        os.waitpid(child, 0)

    assert len(daemon.documents(1)) == 1
