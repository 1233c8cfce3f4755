"""The receiver, on real sockets and pipes."""

import gc
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from xray_local.intake import receiver as receiver_module
from xray_local.intake.frames import FrameReader, Kind
from xray_local.intake.receiver import Receiver, main


@dataclass
class Ends:
    """What the receiver is given, and the other ends of it."""

    udp: socket.socket
    sender: socket.socket
    pipe: int
    stored: int
    lifeline: int
    life: int

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.sender.sendto(datagram, self.udp.getsockname())

    def read(self) -> list[tuple[int, bytes]]:
        return list(FrameReader().feed(os.read(self.stored, 1024 * 1024)))


@pytest.fixture
def ends() -> Iterator[Ends]:
    stored, pipe = os.pipe()
    lifeline, life = os.pipe()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        udp.bind(("127.0.0.1", 0))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        ends = Ends(udp, sender, pipe, stored, lifeline, life)
        yield ends
    for descriptor in (ends.pipe, ends.stored, ends.lifeline, ends.life):
        if descriptor >= 0:
            os.close(descriptor)


def test_receive_and_pass_on(ends: Ends) -> None:
    receiver = Receiver(ends.udp, ends.pipe)
    ends.send(b"one", b"", b"three")

    assert receiver.receive() == 3
    receiver.pass_on()

    assert ends.read() == [(Kind.DATAGRAM, each) for each in (b"one", b"", b"three")]
    assert not receiver.is_behind


def test_receive_stops_at_the_limit(ends: Ends) -> None:
    receiver = Receiver(ends.udp, ends.pipe)
    ends.send(b"1", b"2", b"3")

    assert receiver.receive(limit=2) == 2
    assert receiver.receive(limit=2) == 1


def test_pass_on_never_waits_for_room(ends: Ends) -> None:
    receiver = Receiver(ends.udp, ends.pipe)
    for _ in range(200):
        ends.send(b"x" * 1000)
    receiver.receive()

    receiver.pass_on()

    assert receiver.is_behind
    frames = 0
    reader = FrameReader()
    while receiver.is_behind:
        frames += len(list(reader.feed(os.read(ends.stored, 65_536))))
        receiver.pass_on()
    frames += len(list(reader.feed(os.read(ends.stored, 1024 * 1024))))
    assert frames == 200


def test_what_finds_no_room_is_dropped_and_told(ends: Ends) -> None:
    receiver = Receiver(ends.udp, ends.pipe, backlog_max_bytes=40)
    ends.send(*[b"0123456789"] * 5)

    receiver.receive()
    receiver.pass_on()
    receiver.pass_on()

    assert ends.read() == [(Kind.DATAGRAM, b"0123456789")] * 2 + [(Kind.DROPPED, b"3")]


def test_run_until_the_lifeline_ends(ends: Ends) -> None:
    receiver = Receiver(ends.udp, ends.pipe)
    thread = threading.Thread(target=receiver.run, args=(ends.lifeline,))
    thread.start()
    ends.send(b"early")
    assert ends.read() == [(Kind.DATAGRAM, b"early")]
    ends.send(*[b"x" * 2000] * 100)

    os.close(ends.life)
    ends.life = -1
    reader = FrameReader()
    frames = 0
    while frames < 100:
        frames += len(list(reader.feed(os.read(ends.stored, 65_536))))
    thread.join(10)

    assert not thread.is_alive()


def test_run_waits_for_room(ends: Ends) -> None:
    receiver = Receiver(ends.udp, ends.pipe)
    thread = threading.Thread(target=receiver.run, args=(ends.lifeline,))
    for _ in range(100):
        ends.send(b"x" * 2000)
    thread.start()

    reader = FrameReader()
    frames = 0
    while frames < 100:
        frames += len(list(reader.feed(os.read(ends.stored, 4096))))
    os.close(ends.life)
    ends.life = -1
    thread.join(10)

    assert not thread.is_alive()


def test_run_ends_without_a_writer(ends: Ends) -> None:
    thread = threading.Thread(target=Receiver(ends.udp, ends.pipe).run, args=(ends.lifeline,))
    thread.start()

    os.close(ends.stored)
    ends.stored = -1
    thread.join(10)

    assert not thread.is_alive()


def test_main(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[int] = []
    # This process is to go on.
    monkeypatch.setattr(receiver_module, "end_after_server", watched.append)
    os.close(ends.life)
    ends.life = -1
    ends.send(b"last")

    niceness = os.nice(0)
    main([str(os.dup(ends.udp.fileno())), str(ends.pipe), str(ends.lifeline)])
    gc.enable()
    os.nice(niceness - os.nice(0))

    assert ends.read() == [(Kind.DATAGRAM, b"last")]
    assert watched == [ends.lifeline]
