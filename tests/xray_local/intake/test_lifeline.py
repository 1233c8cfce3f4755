"""Processes that are stuck when the server ends: they end, too."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.xray_local.made import make_datagram, make_segment
from xray_local.intake.frames import Kind, pack
from xray_local.store.database import open_for_writing

# As the server starts it, but for the time, which is too long to wait for.
MAIN = """
import functools, sys
from xray_local.intake import {name}, lifeline
{name}.end_after_server = functools.partial(lifeline.end_after_server, grace_seconds=0.1)
{name}.main(sys.argv[1:])
"""


@pytest.fixture
def pipes() -> Iterator[dict[str, tuple[int, int]]]:
    pipes = {name: os.pipe() for name in ("datagrams", "documents", "lifeline")}
    yield pipes
    for descriptor in (each for pipe in pipes.values() for each in pipe):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test has closed it


@contextmanager
def run(
    name: str, *descriptors: int, arguments: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of the intake for the time of the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN.format(name=name), *map(str, descriptors), *arguments],
        pass_fds=descriptors,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_writer_whose_database_is_locked_for_good(
    database: Path, pipes: dict[str, tuple[int, int]]
) -> None:
    outs = [pipes[name][0] for name in ("datagrams", "documents", "lifeline")]
    with (
        closing(open_for_writing(database)) as other,
        run("writer", *outs, arguments=(str(database), "1000000", "100", "0")) as process,
    ):
        other.execute("BEGIN IMMEDIATE")
        os.write(pipes["datagrams"][1], pack(Kind.DATAGRAM, make_datagram(make_segment())))
        assert b"Cannot store 1 documents yet" in process.stderr.readline()

        os.close(pipes["lifeline"][1])

        assert process.wait(30) == 1
        assert b"the server ended" in process.stderr.read()


def test_a_receiver_whose_writer_takes_nothing(pipes: dict[str, tuple[int, int]]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        descriptors = (udp.fileno(), pipes["datagrams"][1], pipes["lifeline"][0])
        with run("receiver", *descriptors) as process:
            # The pipe has room for 64 KB.
            for _ in range(40):
                udp.sendto(b"x" * 2000, udp.getsockname())
            os.read(pipes["datagrams"][0], 1)

            os.close(pipes["lifeline"][1])

            assert process.wait(30) == 1
