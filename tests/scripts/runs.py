"""Start `make run` on free ports, watch what it says, and see what it leaves behind."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.ports import find_free_port, find_holder
from scripts.stack import Stack, answers
from tests.processes import ROOT

DIRECTLY = [sys.executable, "-m", "scripts.run"]
# Made up to date by whoever runs the tests; here nothing is to be installed.
BY_MAKE = ["make", "--no-print-directory", "run", "-o", ".venv/runtime.stamp"]
BY_MAKE += ["-o", ".venv-aws/aws.stamp"]


def wait_until(is_true: Callable[[], bool], what: str, timeout_seconds: float = 30) -> None:
    """Return when it is true. Fails, saying what did not happen, if it is not in time."""
    deadline = time.monotonic() + timeout_seconds
    while not is_true():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_seconds} s."
        time.sleep(0.05)


def choose_stack(local_dir: Path) -> Stack:
    """Return a stack on free ports, none of which a passing connection may take meanwhile.

    Those begin at 32768: https://docs.kernel.org/networking/ip-sysctl.html
    """
    ports = (
        find_free_port(("tcp", "udp"), first=random.randrange(10_000, 30_000)) for _ in range(4)
    )
    return Stack(*ports, local_dir)


def make_run_environment(stack: Stack, **others: str) -> dict[str, str]:
    """Return the environment that has `make run` use the stack, and nothing of this test run.

    Measuring the coverage would make it slow to start, and other tests measure the same code.
    """
    inherited = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("AWS_", "COV", "DATABASE_", "DJANGO_", "MAKE", "PYTEST", "REMOTE_"))
    }
    return inherited | {
        "AWS_PORT": str(stack.aws_port),
        "LAMBDA_PORT": str(stack.site_port),
        "LOCAL_DIR": str(stack.local_dir),
        "OTLP_PORT": str(stack.otlp_port),
        "REMOTE_URL": "http://127.0.0.1:9/",
        "REMOTE_URL_SECOND": "http://127.0.0.1:9/",
        "SITE_PORT": str(stack.site_port),
        "XRAY_PORT": str(stack.xray_port),
        **others,
    }


@dataclass(frozen=True, slots=True)
class Run:
    """One `make run`, its output in a file."""

    stack: Stack
    process: subprocess.Popen[bytes]
    output_path: Path

    @property
    def output(self) -> str:
        """What it said so far, on both streams."""
        return self.output_path.read_text(errors="replace")

    def wait_for(self, text: str, times: int = 1, timeout_seconds: float = 60) -> None:
        """Return when it has said that so many times."""

        def has_said_it() -> bool:
            return self.output.count(text) >= times or self.process.poll() is not None

        wait_until(has_said_it, f"{text!r} in the output", timeout_seconds)
        assert self.output.count(text) >= times, self.output

    def find_processes(self) -> set[int]:
        """Return all that it runs, itself included, whoever their parents are now."""
        folder = str(self.stack.local_dir).encode()
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                texts = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            except OSError:
                continue
            if folder in texts:
                found.add(int(process.name))
        return found

    def kill_listener(self, port: int, number: int = signal.SIGKILL) -> None:
        """Kill the process that listens on one of its ports."""
        pid = find_holder("tcp", port).pid
        assert pid
        os.kill(pid, number)

    def is_gone(self) -> bool:
        """Say whether no process is left, and no port."""
        return not self.find_processes() and all(
            is_free(port)
            for port in (
                self.stack.site_port,
                self.stack.xray_port,
                self.stack.aws_port,
                self.stack.otlp_port,
            )
        )

    def end(self) -> None:
        """End what is left; after a test that failed, that may be much."""
        self.process.terminate()
        deadline = time.monotonic() + 25
        while not self.is_gone() and time.monotonic() < deadline:
            self.process.poll()
            time.sleep(0.05)
        for pid in self.find_processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


def is_free(number: int) -> bool:
    """Say whether a server could start on the port, by TCP and by UDP."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(("127.0.0.1", number))
            udp.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


@contextmanager
def start_run(
    local_dir: Path, command: Sequence[str] = DIRECTLY, others: Mapping[str, str] | None = None
) -> Iterator[Run]:
    """Start it; yield it at once, ready or not; leave nothing of it."""
    stack = choose_stack(local_dir)
    output_path = local_dir.with_suffix(f".{time.monotonic_ns()}.out")
    with output_path.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=make_run_environment(stack, **(others or {})),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    run = Run(stack, process, output_path)
    try:
        yield run
    finally:
        run.end()


def is_answering(run: Run, path: str = "/healthz") -> bool:
    """Say whether the site answers, however busy the machine is."""
    return answers(run.stack.site_url, path, timeout_seconds=30)
