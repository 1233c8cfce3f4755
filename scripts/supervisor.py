"""Start processes, watch them, start again what ends, stop them in order."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from scripts.children import Child, Guard
from scripts.stack import (
    AWS_COMMAND,
    RELOAD_STATUS,
    Stack,
    answers,
    make_aws_environment,
    make_environment,
    make_site_command,
    make_site_environment,
    make_xray_command,
)

START_SECONDS = 60.0  # in which a process must answer
PREPARE_SECONDS = 300.0  # in which the first load of the films must be done
TICK_SECONDS = 0.05
FIRST_DELAY_SECONDS = 0.5  # before a process that ended is started again; doubled each time
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 10.0  # after which earlier ends are forgotten
SITE_TRIES = 5  # in a row, after which a site that ends at once is given up


class Stopped(Exception):
    """Somebody asked us to stop."""


class Failed(Exception):
    """What keeps us from going on, in words for the terminal."""


@dataclass(slots=True)
class Service:
    """A child that is always meant to run.

    is_ready: asks the process itself.
    then: what to do when it answers again after having ended.
    """

    child: Child
    is_ready: Callable[[], bool]
    stop_seconds: float
    then: Callable[[], None] | None = None
    ends: int = 0
    start_at: float | None = None
    is_announced: bool = True


def say(text: str, stream: IO[str] | None = None) -> None:
    """Write to the terminal, if it is still there."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except OSError:
        # The terminal is gone. What is buffered goes nowhere, instead of failing at our end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class StopRequest:
    """Whether somebody asked us to stop: by a signal, or by ending the make that runs us."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._signals: list[int] = []
        self._parent = os.getppid() if "MAKELEVEL" in environment else None

    def listen(self) -> None:
        """Take the signals that ask us to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup has us live on when the terminal closes.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda caught, _frame: self._signals.append(caught))

    def check(self) -> None:
        """Raise Stopped if we are asked to stop."""
        if self._signals or (self._parent and os.getppid() != self._parent):
            raise Stopped

    def is_urgent(self) -> bool:
        """Say whether Ctrl-C was pressed again. (SIGTERM comes twice: once more from make.)"""
        return self._signals.count(signal.SIGINT) > 1


class Supervisor:
    """Starts, watches and stops the processes of one stack."""

    def __init__(
        self,
        stack: Stack,
        environment: Mapping[str, str],
        stop_request: StopRequest,
        site_command: Sequence[str | Path] | None = None,
    ) -> None:
        self._stack = stack
        self._stop_request = stop_request
        self._guard = Guard()
        ours = make_environment(stack, environment)
        logs = stack.local_dir
        self._aws = Service(
            Child(
                "the embedded AWS",
                AWS_COMMAND,
                make_aws_environment(stack, environment),
                logs / "aws.log",
            ),
            lambda: answers(stack.aws_url, "/_ministack/health"),
            stop_seconds=20,  # it writes its state: 3.5 s for 5,000 items
            then=self._prepare_again,
        )
        self._xray = Service(
            Child("the local X-Ray", make_xray_command(stack), ours, logs / "xray.log"),
            lambda: answers(stack.xray_url, "/"),
            stop_seconds=10,
        )
        self._site = Service(
            Child(
                "the site",
                site_command or make_site_command(stack),
                make_site_environment(stack, environment),
                logs / "site.log",
                echo=True,
            ),
            lambda: answers(stack.site_url, f"{stack.site_root}healthz"),
            stop_seconds=5,
        )
        # Who answers starts before who asks, and is stopped after.
        self._services = (self._xray, self._aws, self._site)
        self._prepared = stack.local_dir / "prepared.stamp"
        prepare = [sys.executable, "-m", "scripts.prepare"]
        self._prepare = Child("the preparation of the data", prepare, ours, None)

    def start(self) -> None:
        """Start everything; return when the site answers. Raises Failed or Stopped."""
        for service in (self._aws, self._xray):
            service.child.start(self._guard)
        self._prepare.start(self._guard)
        # The first time there is nothing to serve yet. Later the site starts meanwhile.
        is_first = not self._prepared.exists()
        if not is_first:
            self._site.child.start(self._guard)
        self._wait(self._prepare, self._is_prepared, PREPARE_SECONDS)
        self._prepared.touch()
        if is_first:
            self._site.child.start(self._guard)
        for service in self._services:
            self._wait(service.child, service.is_ready, START_SECONDS)
        self._site.child.is_echoing = True

    def _wait(self, child: Child, is_done: Callable[[], bool], timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not is_done():
            self._stop_request.check()
            for service in self._services:
                status = self._check_exit(service)
                if status is not None:
                    raise Failed(describe_end(service.child, status))
            if time.monotonic() > deadline:
                raise Failed(
                    f"{sentence(child.name)} was not ready within {timeout_seconds:.0f} s."
                    f"{describe_log(child)}"
                )
            time.sleep(TICK_SECONDS)

    def _check_exit(self, service: Service) -> int | None:
        status = service.child.check_exit(self._guard)
        if status == RELOAD_STATUS and service is self._site:
            service.child.start(self._guard)
            return None
        return status

    def _is_prepared(self) -> bool:
        status = self._prepare.check_exit(self._guard)
        if status:
            raise Failed(f"{describe_end(self._prepare, status)} Its error is above.")
        return status == 0

    def watch(self) -> NoReturn:
        """Start again what ends, until we are asked to stop: always raises Stopped or Failed."""
        while True:
            self._stop_request.check()
            self._guard.revive()
            self._watch_preparation()
            for service in self._services:
                self._watch_service(service)
            time.sleep(TICK_SECONDS)

    def _watch_service(self, service: Service) -> None:
        child, now = service.child, time.monotonic()
        status = self._check_exit(service)
        if status is not None:
            service.ends = 1 if now - child.started_at > STEADY_SECONDS else service.ends + 1
            if service is self._site and service.ends >= SITE_TRIES:
                raise Failed(
                    f"{describe_end(child, status)}\nIt ended {service.ends} times in a row."
                )
            delay = min(FIRST_DELAY_SECONDS * 2 ** (service.ends - 1), LONGEST_DELAY_SECONDS)
            say(f"{describe_end(child, status)}\nIt starts again in {delay:g} s.")
            service.start_at = now + delay
            service.is_announced = False
        elif service.start_at and now >= service.start_at:
            child.start(self._guard)
            service.start_at = None
        elif not service.start_at and not service.is_announced and service.is_ready():
            say(f"{sentence(child.name)} answers again.")
            service.is_announced = True
            if service.then:
                service.then()

    def _prepare_again(self) -> None:
        # Killed, the embedded AWS forgets its tables: only stopping it makes it write them.
        self._prepare.stop(self._guard, 1)
        self._prepare.start(self._guard)

    def _watch_preparation(self) -> None:
        status = self._prepare.check_exit(self._guard)
        if status == 0:
            say("The tables and the sample films are there again.")
        elif status:
            say(describe_end(self._prepare, status))

    def stop(self) -> None:
        """End everything. Ctrl-C again ends it at once."""
        self._prepare.stop(self._guard, 2)
        for service in reversed(self._services):
            service.child.is_echoing = False
            service.child.stop(self._guard, service.stop_seconds, self._stop_request.is_urgent)
        self._guard.close()


def describe_end(child: Child, status: int) -> str:
    """Return who ended, how, and the last lines of its log."""
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
    return f"{sentence(child.name)} {how}.{describe_log(child)}"


def describe_log(child: Child) -> str:
    """Return the last lines of its log, with where it is; nothing where there are none."""
    lines = "".join(f"\n  {line}" for line in child.read_last_lines())
    return f" The end of {child.log_path}:{lines}" if lines else ""


def sentence(name: str) -> str:
    """Return the name as a sentence begins."""
    return name[:1].upper() + name[1:]
