"""Processes that are killed under load: what was answered a second before is stored for good."""

import http.client
import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from tests.xray_local.made import make_segment, wait_until
from tests.xray_local.program import Program, is_alive, run_xray

# What may be lost.
LAST_SECONDS = 1.0


class Sender(threading.Thread):
    """Sends segments until it is told to stop; knows when each call was answered."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._stopping = threading.Event()
        self.answered: list[tuple[float, list[str]]] = []

    def run(self) -> None:
        while not self._stopping.wait(0.02):
            segments = [make_segment(metadata={"x": {"y": "z" * 1000}}) for _ in range(50)]
            body = json.dumps({"TraceSegmentDocuments": list(map(json.dumps, segments))})
            with closing(http.client.HTTPConnection("127.0.0.1", self._port)) as connection:
                try:
                    connection.request("POST", "/TraceSegments", body)
                    response = connection.getresponse()
                    answer = json.loads(response.read())
                except (OSError, http.client.HTTPException, ValueError):
                    continue
            if response.status == 200:
                assert answer == {"UnprocessedTraceSegments": []}
                self.answered.append((time.monotonic(), [each["id"] for each in segments]))

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def check_database(database: Path, sender: Sender, killed: float) -> None:
    """Check that the file is whole, and has what was answered a second before it happened."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        bodies = connection.execute("SELECT document FROM segments").fetchall()
    stored = {json.loads(body)["id"] for (body,) in bodies}
    promised = [ids for when, ids in sender.answered if when < killed - LAST_SECONDS]
    assert promised
    assert not {each for ids in promised for each in ids} - stored


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))


def send_for(sender: Sender, seconds: float) -> None:
    """Let it send until answers span this time."""
    began = time.monotonic()
    wait_until(
        lambda: sender.answered and sender.answered[-1][0] - began > seconds, timeout_seconds=30
    )


def test_the_writer_is_killed(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        sender = Sender(program.port)
        sender.start()
        send_for(sender, 1.5)
        writer = program.children()["writer"]
        killed = time.monotonic()
        kill(writer)
        wait_until(lambda: program.children().get("writer", writer) != writer)
        send_for(sender, 0.5)
        sender.stop()
    assert "the writer ended with -9; starting it again" in program.output()

    check_database(program.database, sender, killed)


def test_all_are_killed(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        sender = Sender(program.port)
        sender.start()
        send_for(sender, 1.5)
        family = [program.process.pid, *program.children().values()]
        killed = time.monotonic()
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, family)))
        sender.stop()

        check_database(program.database, sender, killed)

        # It starts again on the same file, and goes on.
        segment = make_segment()
        with run_xray(tmp_path, database=program.database) as again:
            send(again, segment)
            check_database(program.database, sender, killed)


def send(program: Program, segment: dict[str, object]) -> None:
    before = program.counts()["stored"]
    program.send(segment)
    program.wait_for_count("stored", before + 1)
