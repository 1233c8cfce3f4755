"""The whole program: how it starts, what it survives, how it ends."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import ROOT, find_free_port, stop, wait_for_http
from tests.xray_local.made import (
    ALL_TRACES,
    make_datagram,
    make_id,
    make_late,
    make_segment,
    wait_until,
)
from tests.xray_local.program import (
    AS_COMMAND,
    AS_MODULE,
    Program,
    is_alive,
    run_xray,
    start_xray,
)


def is_free(port: int) -> bool:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def check_nothing_is_left(program: Program, children: dict[str, int]) -> None:
    wait_until(lambda: not any(is_alive(pid) for pid in children.values()))
    assert is_free(program.port)


@pytest.mark.parametrize("command", [AS_COMMAND, AS_MODULE], ids=["command", "module"])
def test_ready(tmp_path: Path, command: tuple[str, ...]) -> None:
    with run_xray(tmp_path, command=command, is_measured=True) as program:
        line = wait_until(program.output)
        children = program.children()

        assert line.startswith(f"X-Ray is at {program.url}/ ")
        assert line.count("\n") == 1
        assert sorted(children) == ["receiver", "writer"]
        assert "Nothing has arrived yet" in program.fetch("/traces")

    check_nothing_is_left(program, children)


def test_udp_to_page(shared_xray: Program) -> None:
    name = f"by UDP {make_id()}"
    root = make_segment(name=name, start_time=time.time())
    shared_xray.send(make_late(root, name="late one"), root)
    path = f"/traces/{root['trace_id']}"
    # Others have sent traces of the year 9999, which fill the first page.
    chosen = urllib.parse.urlencode({"filter": f'service("{name}")'})

    wait_until(lambda: path in shared_xray.fetch(f"{ALL_TRACES}&{chosen}"))
    wait_until(lambda: "late one" in shared_xray.fetch(path))

    assert name in shared_xray.fetch(path)


def test_bad_datagrams_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        program.send(b"", b"\0", b"nonsense\n{}", make_datagram({"id": 1}), os.urandom(2000))
        program.send(make_segment())

        program.wait_for_count("stored", 1)
        program.wait_for_count("refused", 5)
        assert "Refused documents" in program.fetch("/status")
        assert program.output().count("Dropped") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_by_signal(tmp_path: Path, number: int) -> None:
    with run_xray(tmp_path) as program:
        children = program.children()
        program.send(*[make_segment() for _ in range(500)])

        program.process.send_signal(number)

        assert program.process.wait(10) == 0
        check_nothing_is_left(program, children)
        assert "Traceback" not in program.output()
    with closing(sqlite3.connect(program.database)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM segments").fetchone() == (500,)


def test_end_by_signal_while_starting(tmp_path: Path) -> None:
    program = start_xray(tmp_path)
    wait_until(lambda: not is_free(program.port))

    program.process.terminate()

    assert program.process.wait(10) == 0
    assert "Traceback" not in program.output()


def test_end_with_connections_open(tmp_path: Path) -> None:
    with (
        run_xray(tmp_path) as program,
        socket.create_connection(("127.0.0.1", program.port)) as silent,
    ):
        silent.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        silent.recv(100)

        program.process.terminate()
        assert program.process.wait(10) == 0


def test_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        children = program.children()
        program.send(*[make_segment() for _ in range(100)])
        program.wait_for_count("stored", 1)

        program.process.kill()
        program.process.wait()

        check_nothing_is_left(program, children)
    with closing(sqlite3.connect(program.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT COUNT(*) FROM segments").fetchone() == (100,)


@pytest.mark.parametrize("name", ["receiver", "writer"])
def test_a_child_that_is_killed_comes_again(tmp_path: Path, name: str) -> None:
    with run_xray(tmp_path) as program:
        before = program.children()

        os.kill(before[name], signal.SIGKILL)
        wait_until(lambda: "starting it again" in program.output())
        after = wait_until(lambda: len(program.children()) == 2 and program.children())
        program.send(make_segment())
        program.wait_for_count("stored", 1)

        assert not set(after.values()) & set(before.values())
        assert f"the {name} ended with -9" in program.output()
        assert [pid for pid in before.values() if is_alive(pid)] == []


def test_datagrams_wait_for_a_receiver(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        os.kill(program.children()["receiver"], signal.SIGKILL)

        program.send(*[make_segment() for _ in range(40)])

        program.wait_for_count("stored", 40)


def test_port_taken_by_another_xray(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        other = start_xray(tmp_path / "..", port=program.port, database=tmp_path / "other.sqlite3")

        assert other.process.wait(20) == 1

    output = other.output()
    assert output.count("\n") == 1
    assert f"UDP port {program.port} is taken by another program." in output
    assert "choose another port with --address HOST:PORT" in output
    assert not (tmp_path / "other.sqlite3").exists()


def test_tcp_port_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        program = start_xray(tmp_path, port=taken.getsockname()[1])

        assert program.process.wait(20) == 1

    assert f"TCP port {program.port} is taken" in program.output()


def test_bad_address(tmp_path: Path) -> None:
    command = [sys.executable, *AS_COMMAND, "--address", "nowhere"]

    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=30
    )

    assert ran.returncode == 1
    assert ran.stderr == ("X-Ray: Expected an address like '127.0.0.1:2000', got 'nowhere'.\n")


def test_database_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_text("Dear reader. " * 1000)

    program = start_xray(tmp_path, database=path)

    assert program.process.wait(20) == 1
    assert program.output().count("\n") == 1
    assert "file is not a database" in program.output()
    assert is_free(program.port)


def test_database_kept_between_runs(tmp_path: Path) -> None:
    root = make_segment()
    with run_xray(tmp_path) as program:
        program.send(root)
        program.wait_for_count("stored", 1)

    with run_xray(tmp_path) as program:
        assert root["trace_id"] in program.fetch(ALL_TRACES)
        assert program.counts()["stored"] == 0


def test_size_cap(tmp_path: Path) -> None:
    with run_xray(tmp_path, "--max-traces", "10") as program:
        program.send(*[make_segment() for _ in range(60)])
        program.wait_for_count("pruned_traces", 50)

        assert program.fetch(ALL_TRACES).count('href="/traces/') == 10


def test_limits_set_in_the_console_stay(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        form = {"do": "limits", "megabytes": "50", "traces": "10", "hours": "0"}
        data = urllib.parse.urlencode(form).encode()
        urllib.request.urlopen(f"{program.url}/settings", data, timeout=10).close()
        program.send(*[make_segment() for _ in range(60)])
        program.wait_for_count("pruned_traces", 50)

    with run_xray(tmp_path, "--max-bytes", "70000000") as program:
        assert "--max-bytes 70000000 --max-traces 10 --max-hours 0" in program.fetch("/settings")


def test_database_locked_for_a_while(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        with closing(sqlite3.connect(program.database)) as other:
            other.execute("BEGIN IMMEDIATE")
            program.send(make_segment())
            wait_until(
                lambda: "Cannot store 1 documents yet: database is locked" in program.output()
            )
            assert program.counts()["stored"] == 0
            other.execute("ROLLBACK")

        program.wait_for_count("stored", 1)


def test_burst_while_pages_are_read(tmp_path: Path) -> None:
    number = 3000
    with run_xray(tmp_path) as program:
        datagrams = [
            make_datagram(make_segment(metadata={"x": {"y": "z" * 1500}})) for _ in range(number)
        ]
        reading = threading.Event()

        def read() -> None:
            while not reading.is_set():
                program.fetch(ALL_TRACES)

        thread = threading.Thread(target=read)
        thread.start()
        for start in range(0, number, 100):
            program.send(*datagrams[start : start + 100])
            time.sleep(0.01)
        wait_until(lambda: program.counts()["datagrams"] == number)
        reading.set()
        thread.join()

        counts = program.counts()
        assert counts["stored"] == number
        assert counts["kernel_dropped"] == counts["dropped"] == 0


def test_end_while_the_database_is_locked(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        children = program.children()
        with closing(sqlite3.connect(program.database)) as other:
            other.execute("BEGIN IMMEDIATE")
            program.send(make_segment())
            wait_until(lambda: "Cannot store 1 documents yet" in program.output())

            program.process.terminate()
            assert program.process.wait(10) == 0

        assert "the last segments could not be stored in time" in program.output()
        check_nothing_is_left(program, children)


@pytest.mark.parametrize("database", ["", "here.sqlite3"])
def test_where_the_database_stands(tmp_path: Path, database: str) -> None:
    port = find_free_port()
    options = ["--database", database] if database else []
    process = subprocess.Popen(
        [
            *(sys.executable, *AS_MODULE),
            *("--address", f"127.0.0.1:{port}", "--otlp-address", "off", *options),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for_http(f"http://127.0.0.1:{port}/counts", process)
    finally:
        stop(process)

    assert (tmp_path / (database or "xray.sqlite3")).exists()


def test_times_are_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    root = make_segment(start_time=1_700_000_000.0)
    with run_xray(tmp_path) as program:
        program.send(root)
        program.wait_for_count("stored", 1)

        assert "2023-11-15 07:13:20.000 JST" in program.fetch(f"/traces/{root['trace_id']}")
