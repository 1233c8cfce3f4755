"""The receiver and the writer as processes, watched by a server that is this test."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.xray_local.made import make_datagram, make_segment, wait_until
from xray_local.errors import CannotStart, IntakeDown
from xray_local.intake import pipeline as pipeline_module
from xray_local.intake.pipeline import Limits, Pipeline
from xray_local.store.database import open_for_writing, reading
from xray_local.store.queries import get_counts

LIMITS = Limits(100_000_000, 1000)


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        udp.bind(("127.0.0.1", 0))
        yield udp


@contextmanager
def run_pipeline(udp: socket.socket, database: Path) -> Iterator[Pipeline]:
    """Run both processes. Within a test, capfd reads what they say; not what a fixture starts."""
    pipeline = Pipeline(udp, database, LIMITS)
    pipeline.start()
    try:
        yield pipeline
    finally:
        pipeline.stop(timeout_seconds=10)


@pytest.fixture
def pipeline(udp: socket.socket, database: Path) -> Iterator[Pipeline]:
    with run_pipeline(udp, database) as pipeline:
        yield pipeline


def send(udp: socket.socket, number: int = 1) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(number):
            sender.sendto(make_datagram(make_segment()), udp.getsockname())


def make_large_document() -> bytes:
    """Return what fills a pipe."""
    return make_datagram(make_segment(metadata={"x": {"y": "z" * 1_000_000}})).split(b"\n")[1]


def wait_until_stuck(pipeline: Pipeline, capfd: pytest.CaptureFixture[str]) -> None:
    """Let the writer begin to store a document, which it can't: from then on it takes nothing."""
    pipeline.send([make_datagram(make_segment()).split(b"\n")[1]])
    said: list[str] = []

    def is_said() -> bool:
        said.append(capfd.readouterr().err)
        return "Cannot store 1 documents yet: database is locked. Retrying." in "".join(said)

    wait_until(is_said)


def count(database: Path, name: str) -> int:
    with reading(database) as connection:
        return get_counts(connection)[name]


def test_datagrams_and_documents_are_stored(
    pipeline: Pipeline, udp: socket.socket, database: Path
) -> None:
    send(udp)
    pipeline.send([make_datagram(make_segment()).split(b"\n")[1]])

    wait_until(lambda: count(database, "stored") == 2)


def test_clear(pipeline: Pipeline, udp: socket.socket, database: Path) -> None:
    send(udp, 10)
    wait_until(lambda: count(database, "stored") == 10)

    pipeline.clear()
    pipeline.send([make_datagram(make_segment()).split(b"\n")[1]])

    wait_until(lambda: count(database, "stored") == 11)
    with reading(database) as connection:
        assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (1,)


def test_limits_hold_from_now_on(pipeline: Pipeline, udp: socket.socket, database: Path) -> None:
    pipeline.set_limits(Limits(100_000_000, 4))
    send(udp, 10)
    wait_until(lambda: count(database, "pruned_traces") == 6)
    assert pipeline.limits.max_traces == 4

    pipeline.stop(timeout_seconds=10)
    with pytest.raises(IntakeDown):
        pipeline.set_limits(Limits(100_000_000, 5))
    pipeline.start()
    send(udp, 10)
    wait_until(lambda: count(database, "pruned_traces") == 16)


def test_clear_while_nobody_stores(pipeline: Pipeline) -> None:
    pipeline.stop(timeout_seconds=10)

    with pytest.raises(IntakeDown):
        pipeline.clear()


def test_stop_stores_what_has_been_received(
    pipeline: Pipeline, udp: socket.socket, database: Path
) -> None:
    send(udp, 1000)

    assert pipeline.stop(timeout_seconds=10)

    assert count(database, "stored") == 1000


def test_stop_twice(pipeline: Pipeline) -> None:
    assert pipeline.stop(timeout_seconds=10)
    assert pipeline.stop(timeout_seconds=10)


@pytest.mark.parametrize("number", [0, 1])
def test_check_starts_both_again(
    pipeline: Pipeline,
    udp: socket.socket,
    database: Path,
    number: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline.check()
    before = [process.pid for process in pipeline._processes]
    victim = pipeline._processes[number]

    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    send(udp, 10)  # they wait in the socket's buffer
    pipeline.check()

    assert not set(before) & {process.pid for process in pipeline._processes}
    name = ["receiver", "writer"][number]
    assert capsys.readouterr().err == f"X-Ray: the {name} ended with -9; starting it again.\n"
    if name == "receiver":
        wait_until(lambda: count(database, "stored") == 10)


def test_check_gives_up(udp: socket.socket, tmp_path: Path) -> None:
    pipeline = Pipeline(udp, tmp_path, LIMITS)  # a folder is no database
    pipeline.start()

    def check_for_long() -> None:
        for _ in range(1000):
            pipeline.check()
            time.sleep(0.02)

    with pytest.raises(CannotStart, match=r"writer ended with 1.*, 3 times just after its start"):
        check_for_long()


def test_send_while_nobody_stores(pipeline: Pipeline) -> None:
    pipeline.stop(timeout_seconds=10)

    with pytest.raises(IntakeDown, match="is being started again"):
        pipeline.send([b"{}"])


def test_send_while_the_writer_is_stuck(
    udp: socket.socket,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with run_pipeline(udp, database) as pipeline:
        monkeypatch.setattr(pipeline_module, "ROOM_SECONDS", 0.05)
        other = open_for_writing(database)
        other.execute("BEGIN IMMEDIATE")
        wait_until_stuck(pipeline, capfd)
        taken: list[bytes] = []

        def send_until_refused() -> None:
            for _ in range(100):
                document = make_large_document()
                try:
                    pipeline.send([document])
                except IntakeDown:
                    return
                taken.append(document)

        # One of them is waited for, as the writer has begun to take it; the others are told.
        threads = [threading.Thread(target=send_until_refused) for _ in range(5)]
        for thread in threads:
            thread.start()
        wait_until(lambda: sum(thread.is_alive() for thread in threads) <= 1)
        with pytest.raises(IntakeDown, match=r"took nothing for 0\.05 s"):
            pipeline.send([b"{}"])
        other.execute("ROLLBACK")
        other.close()
        for thread in threads:
            thread.join(10)

        assert len(taken) >= 1
        wait_until(lambda: count(database, "stored") == len(taken) + 1)


def test_start_while_the_database_is_locked(
    udp: socket.socket, database: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = open_for_writing(database)
    other.execute("BEGIN IMMEDIATE")
    pipeline = Pipeline(udp, database, LIMITS)
    pipeline.start()
    before = [process.pid for process in pipeline._processes]
    try:
        wait_until_stuck(pipeline, capfd)
        pipeline.check()
        assert [process.pid for process in pipeline._processes] == before
        other.execute("ROLLBACK")
        wait_until(lambda: count(database, "stored") == 1)
    finally:
        other.close()
        pipeline.stop(timeout_seconds=10)


def test_stop_while_the_writer_is_stuck(
    udp: socket.socket, database: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with run_pipeline(udp, database) as pipeline:
        other = open_for_writing(database)
        other.execute("BEGIN IMMEDIATE")
        wait_until_stuck(pipeline, capfd)
        document = make_large_document()
        refused: list[IntakeDown] = []

        def send_much() -> None:
            try:
                for _ in range(20):
                    pipeline.send([document])
            except IntakeDown as error:
                refused.append(error)

        thread = threading.Thread(target=send_much)
        thread.start()
        wait_until(lambda: pipeline._lock.locked())
        time.sleep(0.5)

        assert not pipeline.stop(timeout_seconds=0.5)

        thread.join(10)
        other.close()
        assert refused
        assert pipeline._documents == -1
