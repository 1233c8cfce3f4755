"""Processes that the supervisor starts, each in a process group of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from scripts import guard
from scripts.stack import ROOT

GUARD_COMMAND = [sys.executable, "-I", "-S", guard.__file__]


class Guard:
    """The process that ends our children if we are killed before we can."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._start()

    def _start(self) -> None:
        read_end, self._pipe = os.pipe()
        self._process = subprocess.Popen(
            GUARD_COMMAND,
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_end)

    def add(self, group: int) -> None:
        """Have the group ended when we are gone."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Forget a group that has ended."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        # If it is gone, revive() tells the next one everything.
        with suppress(BrokenPipeError):
            os.write(self._pipe, line.encode())

    def revive(self) -> None:
        """Start the guard again if somebody ended it."""
        if self._process.poll() is not None:
            os.close(self._pipe)
            self._start()
            for group in self._groups:
                self._tell(f"+{group}\n")

    def close(self) -> None:
        """End the guard. What is still on its list ends with it."""
        os.close(self._pipe)
        self._process.wait()


class Child:
    """One process, with its log, that can be started again when it has ended.

    name: what messages call it, such as "the local X-Ray".
    log_path: where its output goes; None leaves it on the terminal.
    echo: whether its output is also copied to our own, once `is_echoing` is set.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        log_path: Path | None,
        *,
        echo: bool = False,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self.is_echoing = False
        self.started_at = 0.0
        self._command = command
        self._environment = environment
        self._echo = echo
        self._process: subprocess.Popen[bytes] | None = None
        self._pump: threading.Thread | None = None
        if log_path:
            log_path.write_bytes(b"")  # the log of this run, not of all runs

    def start(self, watch: Guard) -> None:
        """Start the process, its output added to its log."""
        log = self.log_path.open("ab", buffering=0) if self.log_path else None
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self._echo else log,
            stderr=subprocess.STDOUT if log else None,
            # Its own group: signals reach what it starts itself, and Ctrl-C reaches only us.
            start_new_session=True,
        )
        watch.add(self._process.pid)
        self.started_at = time.monotonic()
        if self._echo and log:
            self._pump = threading.Thread(
                target=self._copy_output, args=[self._process.stdout, log], daemon=True
            )
            self._pump.start()
        elif log:
            log.close()

    def _copy_output(self, output: IO[bytes], log: IO[bytes]) -> None:
        with log, output:
            for line in output:
                log.write(line)
                if self.is_echoing:
                    try:
                        sys.stdout.buffer.write(line)
                        sys.stdout.buffer.flush()
                    except OSError:
                        self.is_echoing = False  # the terminal is gone

    @property
    def pid(self) -> int | None:
        """The process id, or None where it does not run."""
        return self._process.pid if self._process else None

    def check_exit(self, watch: Guard) -> int | None:
        """Return the exit status if the process has ended by itself, and end what it left."""
        status = self._process.poll() if self._process else None
        if status is not None:
            self._forget(watch)
        return status

    def stop(
        self, watch: Guard, timeout_seconds: float, is_urgent: Callable[[], bool] = lambda: False
    ) -> None:
        """End the process and all that it started: politely, then for certain."""
        if self._process:
            guard.signal_group(self._process.pid, signal.SIGTERM)
            deadline = time.monotonic() + timeout_seconds
            while self._process.poll() is None and time.monotonic() < deadline and not is_urgent():
                time.sleep(0.02)
            self._forget(watch)

    def _forget(self, watch: Guard) -> None:
        if self._process:
            guard.signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
            watch.remove(self._process.pid)
            self._process = None
        if self._pump:
            self._pump.join(1)
            self._pump = None

    def read_last_lines(self, count: int = 15) -> list[str]:
        """Return the end of its log."""
        if not self.log_path:
            return []
        with self.log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 20_000))
            return log.read().decode(errors="replace").rstrip().splitlines()[-count:]
