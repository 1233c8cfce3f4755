"""The writer, between real pipes and a real database."""

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.xray_local.made import make_datagram, make_late, make_segment, wait_until
from xray_local.intake import writer as writer_module
from xray_local.intake.arrivals import read_document
from xray_local.intake.frames import Kind, pack
from xray_local.intake.writer import Writer, main
from xray_local.store import storage as storage_module
from xray_local.store.database import open_for_writing, reading
from xray_local.store.queries import get_counts, list_refusals
from xray_local.store.storage import Storage

Pipes = tuple[int, int, int, int]


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    """The ends of two pipes: out and in for datagrams, out and in for documents."""
    descriptors = os.pipe() + os.pipe()
    yield descriptors
    for descriptor in descriptors:
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test has closed it


@pytest.fixture
def lifeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A lifeline that is only looked at: this process is to go on."""
    watched: list[int] = []
    monkeypatch.setattr(writer_module, "end_after_server", watched.append)
    yield 99
    assert watched == [99]


def run_to_the_end(storage: Storage, pipes: Pipes) -> None:
    os.close(pipes[1])
    os.close(pipes[3])
    Writer(storage, [pipes[0], pipes[2]]).run()


def test_run_stores_from_both_pipes(
    connection: sqlite3.Connection, storage: Storage, pipes: Pipes
) -> None:
    datagram = make_datagram(make_segment())
    os.write(pipes[1], pack(Kind.DATAGRAM, datagram) + pack(Kind.DROPPED, b"7"))
    os.write(pipes[3], pack(Kind.DOCUMENT, make_datagram(make_segment()).split(b"\n")[1]))

    run_to_the_end(storage, pipes)

    counts = get_counts(connection)
    assert (counts["datagrams"], counts["documents"], counts["stored"]) == (1, 1, 2)
    assert counts["dropped"] == 7


@pytest.mark.parametrize(("flood_bytes", "is_resting"), [(1, False), (10_000, True)])
def test_run_rests_unless_much_has_come(
    storage: Storage,
    pipes: Pipes,
    monkeypatch: pytest.MonkeyPatch,
    flood_bytes: int,
    is_resting: bool,
) -> None:
    monkeypatch.setattr(writer_module, "FLOOD_BYTES", flood_bytes)
    rests: list[float] = []
    monkeypatch.setattr(writer_module.time, "sleep", rests.append)
    os.write(pipes[1], pack(Kind.DATAGRAM, make_datagram(make_segment())))
    writer = Writer(storage, [pipes[0], pipes[2]])

    batch = writer.gather()

    assert len(batch.documents) == 1
    assert bool(rests) is is_resting


def test_run_counts_what_it_refuses_and_says_so_once(
    connection: sqlite3.Connection,
    storage: Storage,
    pipes: Pipes,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer_module, "BATCH_FRAMES", 1)
    frames = [pack(Kind.DATAGRAM, b"\x1b[31mbad\n\n") for _ in range(3)]
    os.write(pipes[1], b"".join(frames))

    run_to_the_end(storage, pipes)

    assert get_counts(connection)["refused"] == 3
    assert len(list_refusals(connection)) == 3
    assert capfd.readouterr().err.count("\n") == 1


def test_run_says_that_a_trace_is_too_large(
    connection: sqlite3.Connection,
    storage: Storage,
    pipes: Pipes,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage_module, "DOCUMENTS_PER_TRACE", 1)
    root = make_segment()
    os.write(pipes[1], pack(Kind.DATAGRAM, make_datagram(root)))
    os.write(pipes[1], pack(Kind.DATAGRAM, make_datagram(make_late(root))))

    run_to_the_end(storage, pipes)

    assert get_counts(connection)["refused"] == 1
    assert "Dropped 1 documents; the last: TraceTooLarge: Expected at most 1" in (
        capfd.readouterr().err
    )


def test_run_counts_each_document_of_a_datagram(
    connection: sqlite3.Connection, storage: Storage, pipes: Pipes
) -> None:
    several = make_datagram(make_segment()) + make_datagram(make_segment()).split(b"\n")[1] + b"{}"
    metrics = make_datagram({}).split(b"\n")[0] + b"\nM1"
    os.write(pipes[1], pack(Kind.DATAGRAM, several) + pack(Kind.DATAGRAM, metrics))

    run_to_the_end(storage, pipes)

    counts = get_counts(connection)
    assert (counts["datagrams"], counts["stored"], counts["refused"]) == (2, 2, 1)
    assert counts["ignored"] == 1


def test_run_clears_what_came_before(
    connection: sqlite3.Connection, storage: Storage, pipes: Pipes
) -> None:
    bodies = [make_datagram(make_segment()).split(b"\n")[1] for _ in range(3)]
    frames = [pack(Kind.DOCUMENT, body) for body in bodies]
    storage.save([read_document(bodies[0])], Counter())
    os.write(pipes[3], frames[1] + pack(Kind.CLEAR, b"") + frames[2])

    run_to_the_end(storage, pipes)

    assert connection.execute("SELECT document FROM segments").fetchall() == [(bodies[2],)]
    counts = get_counts(connection)
    assert (counts["documents"], counts["clears"]) == (2, 1)


def test_run_keeps_as_much_as_it_is_told(
    connection: sqlite3.Connection, storage: Storage, pipes: Pipes
) -> None:
    frames = [pack(Kind.DATAGRAM, make_datagram(make_segment())) for _ in range(5)]
    os.write(pipes[1], pack(Kind.LIMITS, b"100000000 2 0") + b"".join(frames))

    run_to_the_end(storage, pipes)

    assert connection.execute("SELECT COUNT(*) FROM segments").fetchone() == (2,)


def run_until_pruned(storage: Storage, pipes: Pipes, database: Path, traces: int) -> None:
    """Run a writer until so many traces have been pruned, while nothing more comes."""

    def count() -> int:
        with reading(database) as connection:
            return get_counts(connection)["pruned_traces"]

    def end() -> None:
        try:
            wait_until(lambda: count() == traces)
        finally:
            os.close(pipes[1])
            os.close(pipes[3])

    thread = threading.Thread(target=end)
    thread.start()
    Writer(storage, [pipes[0], pipes[2]]).run()
    thread.join()
    assert count() == traces


def store_for(seconds: float, storage: Storage, count: int) -> None:
    """Store traces that ended so long ago."""
    moment = time.time() - seconds
    segments = [make_segment(start_time=moment - 1, end_time=moment) for _ in range(count)]
    bodies = [make_datagram(each).split(b"\n")[1] for each in segments]
    storage.save([read_document(body) for body in bodies], Counter())


def test_run_prunes_all_at_once_after_a_limit_was_lowered(
    storage: Storage, pipes: Pipes, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "PRUNED_DOCUMENTS", 3)
    monkeypatch.setattr(writer_module, "PRUNE_SECONDS", 60)
    store_for(0, storage, 20)
    os.write(pipes[3], pack(Kind.LIMITS, b"100000000 2 0"))

    run_until_pruned(storage, pipes, database, 18)


def test_run_prunes_what_has_become_too_old(
    connection: sqlite3.Connection, pipes: Pipes, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "PRUNE_SECONDS", 0.1)
    storage = Storage(connection, max_hours=1)
    store_for(3599.7, storage, 2)

    run_until_pruned(storage, pipes, database, 2)


def test_run_with_nothing_to_store_waits_for_no_database(
    storage: Storage,
    pipes: Pipes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(writer_module, "PRUNE_SECONDS", 0.05)
    monkeypatch.setattr(writer_module, "BATCH_SECONDS", 0.05)
    tries: list[int] = []

    def save(*_: object) -> list[object]:
        tries.append(1)
        if len(tries) == 3:
            os.close(pipes[1])
            os.close(pipes[3])
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(storage, "save", save)

    Writer(storage, [pipes[0], pipes[2]]).run()

    assert len(tries) == 3
    assert capsys.readouterr().err == ""


def test_run_with_nothing_but_an_end(
    connection: sqlite3.Connection, storage: Storage, pipes: Pipes
) -> None:
    run_to_the_end(storage, pipes)

    assert set(get_counts(connection).values()) == {0}


def test_a_batch_ends_when_it_is_full(
    storage: Storage, pipes: Pipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BATCH_FRAMES", 5)
    monkeypatch.setattr(writer_module, "BATCH_SECONDS", 60)
    os.write(pipes[1], pack(Kind.DATAGRAM, b"") * 5)

    assert Writer(storage, [pipes[0], pipes[2]]).gather().frames == 5


def test_a_batch_ends_when_its_time_is_up(storage: Storage, pipes: Pipes) -> None:
    writer = Writer(storage, [pipes[0], pipes[2]])
    os.write(pipes[1], pack(Kind.DATAGRAM, b""))
    began = time.monotonic()

    assert writer.gather().frames == 1

    assert time.monotonic() - began < 2


def test_a_batch_takes_what_comes_meanwhile(
    storage: Storage, pipes: Pipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BATCH_SECONDS", 1.0)
    writer = Writer(storage, [pipes[0], pipes[2]])
    os.write(pipes[1], pack(Kind.DATAGRAM, b"")[:3])
    rest = pack(Kind.DATAGRAM, b"")[3:] + pack(Kind.DATAGRAM, b"")
    timer = threading.Timer(0.1, os.write, (pipes[1], rest))
    timer.start()

    assert writer.gather().frames == 2
    timer.join()


def test_run_waits_for_a_lock(
    database: Path,
    pipes: Pipes,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.01)
    os.write(pipes[1], pack(Kind.DATAGRAM, make_datagram(make_segment())))

    is_open = threading.Event()

    def run() -> None:
        with closing(open_for_writing(database)) as connection:
            connection.execute("PRAGMA busy_timeout = 10")
            storage = Storage(connection)
            is_open.set()
            is_locked.wait()
            run_to_the_end(storage, pipes)

    is_locked = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    assert is_open.wait(10)
    error = ""
    with closing(open_for_writing(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        is_locked.set()

        def read_error() -> bool:
            nonlocal error
            error += capfd.readouterr().err
            return "Cannot store" in error

        wait_until(read_error)
        other.execute("ROLLBACK")
    thread.join(10)

    with reading(database) as connection:
        assert get_counts(connection)["stored"] == 1
    assert error.count("\n") == 1
    assert "Cannot store 1 documents yet: database is locked. Retrying." in error
    assert "Storing again." in capfd.readouterr().err


def test_main(database: Path, pipes: Pipes, lifeline: int) -> None:
    os.write(pipes[1], pack(Kind.DATAGRAM, make_datagram(make_segment())))
    os.close(pipes[1])
    os.close(pipes[3])

    code = main([*map(str, (pipes[0], pipes[2], lifeline)), str(database), "1000000", "100", "0"])

    assert code == 0
    with reading(database) as connection:
        assert get_counts(connection)["stored"] == 1


def test_main_without_a_database(
    tmp_path: Path, pipes: Pipes, lifeline: int, capfd: pytest.CaptureFixture[str]
) -> None:
    code = main([*map(str, (pipes[0], pipes[2], lifeline)), str(tmp_path), "1000000", "100", "0"])

    assert code == 1
    error = capfd.readouterr().err
    assert error.startswith(f"X-Ray: Cannot write to the database '{tmp_path}'")
    assert error.count("\n") == 1
