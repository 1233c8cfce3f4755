"""Children: how they end, what they leave in their logs, and the guard that outlives us."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from scripts.children import Child, Guard
from tests.processes import ROOT

# Starts a process of its own, tells both ids, and ends neither by itself.
PARENT = """
import subprocess, sys, time, os
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time, os
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)
"""
# Starts such a parent, and tells which process guards it.
SUPERVISOR = f"""
import os, sys, time
from pathlib import Path
from scripts.children import Child, Guard

folder, watch = Path(sys.argv[1]), Guard()
child = Child("child", [sys.executable, "-c", {PARENT!r}], os.environ, folder / "child.log")
child.start(watch)
while True:
    watch.revive()
    (folder / "guard.new").write_text(str(watch._process.pid))
    (folder / "guard.new").rename(folder / "guard")
    time.sleep(0.02)
"""


@pytest.fixture
def watch() -> Iterator[Guard]:
    watch = Guard()
    yield watch
    watch.close()


def make_child(folder: Path, code: str, *, echo: bool = False) -> Child:
    command = [sys.executable, "-c", code]
    return Child("the child", command, os.environ.copy(), folder / "child.log", echo=echo)


def wait_until(is_true: Callable[[], bool], timeout_seconds: float = 10) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Say whether the process runs. One that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def read_guard(folder: Path) -> int:
    wait_until((folder / "guard").exists)
    return int((folder / "guard").read_text())


def read_pids(folder: Path, count: int) -> list[int]:
    log = folder / "child.log"
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    pids = [int(word) for word in log.read_text().split()]
    assert len(pids) == count
    return pids


def test_stop_ends_grandchildren(tmp_path: Path, watch: Guard) -> None:
    child = make_child(tmp_path, PARENT)
    child.start(watch)
    pids = read_pids(tmp_path, 2)

    child.stop(watch, 5)

    wait_until(lambda: not any(map(is_alive, pids)))
    assert child.pid is None


def test_stop_stubborn(tmp_path: Path, watch: Guard) -> None:
    child = make_child(tmp_path, STUBBORN)
    child.start(watch)
    [pid] = read_pids(tmp_path, 1)

    started = time.monotonic()
    child.stop(watch, 0.3)

    assert not is_alive(pid)
    assert 0.3 <= time.monotonic() - started < 3


def test_stop_urgent(tmp_path: Path, watch: Guard) -> None:
    child = make_child(tmp_path, STUBBORN)
    child.start(watch)
    read_pids(tmp_path, 1)

    started = time.monotonic()
    child.stop(watch, 30, is_urgent=lambda: True)

    assert time.monotonic() - started < 3


def test_check_exit_ends_what_is_left(tmp_path: Path, watch: Guard) -> None:
    """A reloader that is killed leaves its server, which would keep the port."""
    child = make_child(tmp_path, PARENT)
    child.start(watch)
    parent, grandchild = read_pids(tmp_path, 2)
    assert child.check_exit(watch) is None

    os.kill(parent, signal.SIGKILL)
    wait_until(lambda: not is_alive(parent))

    assert child.check_exit(watch) == -signal.SIGKILL
    wait_until(lambda: not is_alive(grandchild))
    assert child.check_exit(watch) is None


def test_start_again_adds_to_the_log(tmp_path: Path, watch: Guard) -> None:
    (tmp_path / "child.log").write_text("an earlier run\n")
    child = make_child(tmp_path, "print('here')")
    for _ in range(2):
        child.start(watch)
        wait_until(lambda: child.check_exit(watch) == 0)

    assert child.read_last_lines() == ["here", "here"]


def test_read_last_lines_of_much(tmp_path: Path) -> None:
    child = make_child(tmp_path, "")
    lines = [f"line {number} " + "x" * 100 for number in range(1000)]
    (tmp_path / "child.log").write_text("\n".join(lines) + "\n")

    assert child.read_last_lines(3) == lines[-3:]


def test_echo_only_when_asked(
    tmp_path: Path, watch: Guard, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    child = make_child(tmp_path, "print('quiet')", echo=True)
    child.start(watch)
    wait_until(lambda: child.check_exit(watch) == 0)
    child.is_echoing = True
    child._command = [sys.executable, "-c", "print('aloud')"]
    child.start(watch)
    wait_until(lambda: child.check_exit(watch) == 0)

    assert child.read_last_lines() == ["quiet", "aloud"]
    assert capfdbinary.readouterr().out == b"aloud\n"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_guard_outlives_us(tmp_path: Path, end: int) -> None:
    """However the supervisor ends, what it started ends too, and then the guard."""
    with Popen([sys.executable, "-c", SUPERVISOR, tmp_path], cwd=ROOT) as supervisor:
        pids = [read_guard(tmp_path), *read_pids(tmp_path, 2)]

        supervisor.send_signal(end)

    wait_until(lambda: not any(map(is_alive, pids)))


def test_guard_revives(tmp_path: Path) -> None:
    with Popen([sys.executable, "-c", SUPERVISOR, tmp_path], cwd=ROOT) as supervisor:
        first = read_guard(tmp_path)
        pids = read_pids(tmp_path, 2)

        os.kill(first, signal.SIGKILL)
        wait_until(lambda: read_guard(tmp_path) != first)
        assert all(map(is_alive, pids))
        supervisor.kill()

    wait_until(lambda: not any(map(is_alive, pids)))


def test_guard_forgets_what_has_ended() -> None:
    watch = Guard()
    with Popen([sys.executable, "-c", "input()"], start_new_session=True, stdin=-1) as bystander:
        watch.add(bystander.pid)
        watch.remove(bystander.pid)
        watch.close()

        assert is_alive(bystander.pid)
        bystander.communicate(b"\n")
