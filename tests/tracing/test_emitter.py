"""Documents leave whole, bounded, and without making anybody wait."""

import json
import logging
import socket
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Daemon, walk
from tracing.documents import encode, make_document
from tracing.emitter import HEADER, Emitter, shorten, split
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
    assert daemon.datagrams[0].startswith(HEADER)
    assert document["id"] == segment.id
    assert document["subsegments"][0].keys() == {"id", "name", "start_time", "end_time"}
    emitter.set_daemon_address(None)


def test_n4_the_address_is_resolved_once(
    daemon: Daemon, segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = []
    resolve = socket.getaddrinfo

    def count(*arguments: Any, **keywords: Any) -> Any:
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
            child = Subsegment("node", "local", segment, entity)
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


def test_a_name_that_is_slow_to_resolve_holds_one_request_at_most(
    segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, released = threading.Event(), threading.Event()
    lookups = []

    def resolve(*arguments: Any, **keywords: Any) -> Any:
        lookups.append(arguments)
        started.set()
        released.wait(10)
        raise OSError("no such name")

    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "no-such-name.invalid:2000")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    emitter = Emitter()
    first = threading.Thread(target=emitter.send_entity, args=(segment,))
    first.start()
    started.wait(10)

    for _ in range(3):
        emitter.send_entity(segment)  # while the first still waits
    released.set()
    first.join()
    emitter.send_entity(segment)  # within a minute of the failure

    assert len(lookups) == 1
