"""How long a cold start takes: our package, that of the tutorials, and a bare Django.

A start is a process of AWS's own runtime client with the function's Python, in a read-only folder,
on one core; a Runtime API has the events. It is measured from the start of the process until the
first response (init: until it asks for the event), then the same event comes again: the first
invocation against the warm ones. DynamoDB is the embedded one, without films; segments go nowhere.
All packages start in turn, in random order; what is compared is always of the same round, by CPU,
which suffers less from what else the machine does. "Cold files" is the wall time where nothing of
the package is in memory, "warm" where all of it is.

    make bench                                   or
    .venv/bin/python -m benchmarks.cold_start --rounds 20
Needs Linux with setpriv and taskset (util-linux), and Python 3.13 as `make package` does.
"""

import argparse
import json
import os
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.adapter import HOST, Scenario
from benchmarks.cold_packages import Package, make_packages
from benchmarks.pairs import ROOT, count, estimate, pin, tell
from benchmarks.site import Sink
from lambda_local.function import Function
from lambda_local.process import AS_OTHERS, SETPRIV, make_environment
from lambda_local.runtime_api import RuntimeAPI
from scripts.lambda_package import (
    UnpackedFunction,
    find_interpreter,
    prepare_function,
    remove,
)

# The health check goes through all of the middleware and asks nobody; the list asks DynamoDB.
HEALTH, LIST = "/healthz", "/movies/"
CASES = (
    ("bare", HEALTH),
    ("ours", HEALTH),
    ("ours", LIST),
    ("pip install -t", HEALTH),
    ("pip install -t", LIST),
    ("tutorial", HEALTH),
    ("tutorial", LIST),
)
WARM_INVOCATIONS = 7
TIMES_FASTER, TIMES_BARE, TIMES_WARM = 6.5, 1.15, 1.5
PATIENCE_SECONDS = 60
HEADERS = {
    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:movies",
    "Lambda-Runtime-Trace-Id": (
        "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
    ),
}

Case = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """How long something took, on the clock and of the processor."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Start:
    """A cold start. whole: from the start of the process to the first response."""

    init: Span
    whole: Span
    first: Span
    warm: Span


class Environment:
    """The owner of a Runtime API: has events, and looks at the clocks when the process comes."""

    def __init__(self) -> None:
        self.pid = 0
        self._events: queue.Queue[tuple[Mapping[str, str], bytes] | None] = queue.Queue()
        self._moments: queue.Queue[Span | None] = queue.Queue()
        self._problem = ""

    def give(self, event: bytes | None) -> Span:
        """Let the process have an event, None for the end; return the moment."""
        deadline_ms = int((time.time() + PATIENCE_SECONDS) * 1000)
        headers = {**HEADERS, "Lambda-Runtime-Deadline-Ms": str(deadline_ms)}
        moment = self._look()
        self._events.put(None if event is None else (headers, event))
        return moment

    def wait(self) -> Span:
        """Return the moment of the next thing that the process does."""
        moment = self._moments.get(timeout=PATIENCE_SECONDS)
        assert moment is not None, self._problem
        return moment

    def wait_for_event(self) -> tuple[Mapping[str, str], bytes] | None:
        """The process asks for an event."""
        self._moments.put(self._look())
        return self._events.get()

    def take_response(self, request_id: str, body: bytes) -> int:
        """The process answers an event."""
        is_ok = json.loads(body).get("statusCode") == 200
        self._note(None if is_ok else f"The function answered {body[:500]!r}; expected 200.")
        return 202

    def take_error(self, request_id: str, body: bytes, cause: str | None) -> int:
        """The process could not answer."""
        self._note(f"The function raised {body!r}.")
        return 202

    def take_init_error(self, body: bytes, error_type: str | None) -> int:
        """The process could not start."""
        self._note(f"The function did not start: {body!r}.")
        return 202

    def _note(self, problem: str | None) -> None:
        self._problem = problem or ""
        self._moments.put(None if problem else self._look())

    def _look(self) -> Span:
        # The clock of another process's CPU, threads that have ended too, as the C library's
        # clock_getcpuclockid tells it.
        # https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
        cpu = time.clock_gettime(~self.pid << 3 | 2)
        return Span(time.perf_counter() * 1000, cpu * 1000)


def since(earlier: Span, later: Span) -> Span:
    """Return what lies between two moments."""
    return Span(later.wall_ms - earlier.wall_ms, later.cpu_ms - earlier.cpu_ms)


def start(
    package: Package, function: UnpackedFunction, event: bytes, variables: Mapping[str, str]
) -> Start:
    """Start a package once, and let it answer one event several times."""
    environment = Environment()
    api = RuntimeAPI(environment)
    described = Function(
        name="movies-benchmark-web",
        handler=package.handler,
        task_dir=package.task_dir,
        command=(),
        version=function.version,
        runtime_dir=function.runtime_dir,
        variables=variables,
    )
    # -S: of this machine's own packages, Lambda has nothing.
    command = [*SETPRIV, *(AS_OTHERS if os.geteuid() == 0 else ()), "--", str(function.python)]
    command += ["-S", "-m", "awslambdaric", package.handler]
    daemon = variables["AWS_XRAY_DAEMON_ADDRESS"]
    with tempfile.TemporaryDirectory() as folder:
        began = Span(time.perf_counter() * 1000, 0)
        process = subprocess.Popen(
            pin(command),
            cwd=package.task_dir,
            env=make_environment(described, api.address, Path(folder), "benchmark", daemon),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        environment.pid = process.pid
        try:
            ready = environment.wait()
            given = environment.give(event)
            answered = environment.wait()
            warm = []
            for _ in range(WARM_INVOCATIONS):
                environment.wait()
                again = environment.give(event)
                warm.append(since(again, environment.wait()))
            environment.wait()
        finally:
            environment.give(None)
            process.kill()
            process.wait()
            api.close()
    first = since(given, answered)
    init = since(began, ready)
    return Start(
        init,
        Span(init.wall_ms + first.wall_ms, init.cpu_ms + first.cpu_ms),
        first,
        Span(
            statistics.median(one.wall_ms for one in warm),
            statistics.median(one.cpu_ms for one in warm),
        ),
    )


def forget_files(folder: Path) -> None:
    """Drop a folder's files from the system's memory, so that they are read from the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def remember_files(folder: Path) -> None:
    """Bring a folder's files back into the system's memory."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.read_bytes()


@contextmanager
def step_aside() -> Iterator[None]:
    """Leave the last core to the processes that are measured."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:-1] or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(rounds: int) -> None:
    """Start all in turn and print the tables."""
    from tests.processes import run_embedded_aws

    python, version, warning = find_interpreter()
    if warning:
        print(warning)
    function = prepare_function(python, version)
    with (
        function.hold(),
        tempfile.TemporaryDirectory() as name,
        run_embedded_aws(Path(name)) as endpoint,
    ):
        local = {"AWS_ENDPOINT_URL": endpoint, "LOCAL_DIR": name}
        subprocess.run(
            [sys.executable, "manage.py", "set_up"],
            cwd=ROOT,
            env={**os.environ, **local},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        packages = make_packages(Path(name) / "packages", function)
        variables = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_XRAY_DAEMON_ADDRESS": Sink().address,
            "DJANGO_ALLOWED_HOSTS": HOST,
            "DJANGO_SECRET_KEY": "a-long-random-string-for-the-benchmark-and-no-more",
            "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        }
        os.sync()  # files that are still to be written cannot be dropped
        warm, cold = start_all(rounds, packages, function, variables)
        remove(Path(name) / "packages")
    print_starts(warm, cold)
    print_invocations(warm)
    print_goals(warm)


def start_all(
    rounds: int,
    packages: Mapping[str, Package],
    function: UnpackedFunction,
    variables: Mapping[str, str],
) -> tuple[dict[Case, list[Start]], dict[Case, list[Start]]]:
    """Start all in turn, from memory and from the disk; return what came of it."""
    warm: dict[Case, list[Start]] = {case: [] for case in CASES}
    cold: dict[Case, list[Start]] = {case: [] for case in CASES}
    with step_aside():
        for number in count(1 + rounds):  # in the first round files come into memory
            for name, page in random.sample(CASES, len(CASES)):
                event = json.dumps(Scenario(page, b"", 0, None).make_event("1.0")).encode()
                for is_cold, starts in ((False, warm), (True, cold)):
                    if is_cold:
                        forget_files(packages[name].task_dir)
                    one = start(packages[name], function, event, variables)
                    if number:
                        starts[name, page].append(one)
                remember_files(packages[name].task_dir)
    return warm, cold


def print_starts(warm: Mapping[Case, list[Start]], cold: Mapping[Case, list[Start]]) -> None:
    """Print how long the starts took, and how that is to the bare one."""
    rounds = len(warm[CASES[0]])
    print(f"\nFrom the start of the process to the first response, medians of {rounds}, in ms.")
    print(
        f"{'package':<16}{'page':<11}{'init CPU':>9}{'first CPU':>10}{'CPU':>7}{'wall':>7}"
        f"{'x bare':>8}  {'95 % CI':<14}{'cold files: wall':>17}{'x bare':>8}"
    )
    for name, page in CASES:
        starts = warm[name, page]
        ratio, low, high = compare(starts, warm["bare", HEALTH])
        slow = cold[name, page]
        # Here on the clock: waiting for the disk takes no CPU.
        pairs = zip(slow, cold["bare", HEALTH], strict=True)
        waits = [one.whole.wall_ms / bare.whole.wall_ms for one, bare in pairs]
        print(
            f"{name:<16}{page:<11}{middle([one.init.cpu_ms for one in starts]):>9.0f}"
            f"{middle([one.first.cpu_ms for one in starts]):>10.1f}"
            f"{middle([one.whole.cpu_ms for one in starts]):>7.0f}"
            f"{middle([one.whole.wall_ms for one in starts]):>7.0f}"
            f"{ratio:>8.2f}  {f'[{low:.2f}, {high:.2f}]':<14}"
            f"{middle([one.whole.wall_ms for one in slow]):>17.0f}{middle(waits):>8.2f}"
        )


def print_invocations(warm: Mapping[Case, list[Start]]) -> None:
    """Print the first invocation after init beside a warm one."""
    print("\nThe first invocation after init, and a warm one, medians in ms.")
    print(f"{'page':<11}{'first CPU':>10}{'warm CPU':>10}{'first wall':>11}{'warm wall':>10}")
    for name, page in CASES:
        if name == "ours":
            starts = warm[name, page]
            print(
                f"{page:<11}{middle([one.first.cpu_ms for one in starts]):>10.2f}"
                f"{middle([one.warm.cpu_ms for one in starts]):>10.2f}"
                f"{middle([one.first.wall_ms for one in starts]):>11.2f}"
                f"{middle([one.warm.wall_ms for one in starts]):>10.2f}"
            )


def print_goals(warm: Mapping[Case, list[Start]]) -> None:
    """Print the goals, and whether they are met."""
    print()
    for page in (HEALTH, LIST):
        faster = compare(warm["tutorial", page], warm["ours", page])[0]
        told = tell(faster >= TIMES_FASTER)
        print(f"{page}: {faster:.1f} times faster than tutorial ({TIMES_FASTER}: {told})")
    bare = compare(warm["ours", HEALTH], warm["bare", HEALTH])[0]
    print(f"{HEALTH}: {bare:.2f} times bare ({TIMES_BARE}: {tell(bare <= TIMES_BARE)})")
    for page in (HEALTH, LIST):
        starts = warm["ours", page]
        ratio = middle([one.first.cpu_ms / one.warm.cpu_ms for one in starts])
        told = tell(ratio <= TIMES_WARM)
        print(f"{page}: the first invocation takes {ratio:.1f} warm ones ({TIMES_WARM}: {told})")


def compare(starts: list[Start], others: list[Start]) -> tuple[float, float, float]:
    """Return how many times the CPU of others starts took, with its 95 % confidence interval."""
    pairs = zip(starts, others, strict=True)
    return estimate([one.whole.cpu_ms / other.whole.cpu_ms for one, other in pairs])


def middle(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def main(arguments: Any = None) -> None:
    parser = argparse.ArgumentParser(description="How long a cold start takes.")
    parser.add_argument("--rounds", type=int, default=20)
    measure(parser.parse_args(arguments).rounds)


if __name__ == "__main__":
    main()
