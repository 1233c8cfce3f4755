"""The writer's end of forwarding."""

import os

from xray_local.forwarding.outlet import Outlet
from xray_local.intake.frames import FrameReader, Kind


def read_frames(pipe: int) -> list[tuple[int, bytes]]:
    reader = FrameReader()
    frames = []
    while data := os.read(pipe, 65_536):
        frames += reader.feed(data)
    return frames


def test_documents_arrive() -> None:
    reading, writing = os.pipe()
    outlet = Outlet(writing)
    bodies = [str(number).encode() for number in range(1000)]

    outlet.send(bodies[:500])
    outlet.send(bodies[500:])
    outlet.close()

    assert read_frames(reading) == [(Kind.DOCUMENT, body) for body in bodies]


def test_nobody_reads() -> None:
    """Who sends never waits; what has no room is dropped, the oldest first, and told."""
    reading, writing = os.pipe()
    outlet = Outlet(writing, max_bytes=100_000)

    for number in range(100):
        outlet.send([b"%05d" % number * 2000])
    outlet.send([b"last"])
    # Now somebody reads, and the rest can go.
    frames = []
    reader = FrameReader()
    while not frames or frames[-1] != (Kind.DOCUMENT, b"last"):
        frames += reader.feed(os.read(reading, 65_536))
    outlet.close()

    dropped = sum(int(payload) for kind, payload in frames if kind == Kind.DROPPED)
    assert dropped + sum(kind == Kind.DOCUMENT for kind, _ in frames) == 101
    assert dropped >= 50


def test_the_other_end_is_gone() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    outlet = Outlet(writing)

    outlet.send([b"1"])
    outlet.close()
