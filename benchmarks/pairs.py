"""What the benchmarks share: processes on one core that answer batches of requests in turn.

One process for each variant, all alive during the whole run, all pinned to the same core where the
system can do so; they answer batches in random order, so that what else the machine does strikes
all alike. What is compared is always of the same round.
"""

import gc
import io
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent


def answer(application: Any, path: str, query: str = "", **variables: str) -> tuple[int, bytes]:
    """Send one GET through the WSGI application; return status and body.

    variables: of the WSGI environ, `HTTP_...` for headers.
    """
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "HTTP_USER_AGENT": "benchmark",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        **variables,
    }
    chunks = application(environ, lambda status, headers, info=None: told.append(status))
    body = b"".join(chunks)
    chunks.close()
    return int(told[0][:3]), body


def serve(answer_one: Callable[[Any], object], flush: Callable[[], object] = lambda: None) -> None:
    """Answer batches on standard input: a line of JSON in, a line with microseconds out.

    A batch has `requests`, and what else answer_one reads. CPU is the whole process's, since the
    end of the batch before: what threads do in between counts too. With `flush`, what a tracer
    still holds is sent when the figures have been taken.
    """
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    cpu_before = time.process_time()
    for line in sys.stdin:
        batch = json.loads(line)
        wall = time.perf_counter()
        for _ in range(batch["requests"]):
            answer_one(batch)
        each = 1e6 / max(1, batch["requests"])
        wall, cpu = time.perf_counter() - wall, time.process_time()
        if batch.get("flush"):
            flush()
        print(json.dumps({"cpu_us": (cpu - cpu_before) * each, "wall_us": wall * each}), flush=True)
        cpu_before = cpu


class Worker:
    """One variant's process."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            pin(command),
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Return when the process has warmed up."""
        line = self.read_line()
        assert line == "ready\n", f"The {self.name} process said {line!r}; expected 'ready'."

    def read_line(self) -> str:
        """Return what the process says next; empty at its end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def run(self, requests: int, **batch: Any) -> dict[str, float]:
        """Answer a batch; return microseconds for each request."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"requests": requests, **batch}) + "\n")
        self._process.stdin.flush()
        line = self.read_line()
        assert line, f"The {self.name} process ended within a batch."
        told: dict[str, float] = json.loads(line)
        return told

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def pin(command: Sequence[str], *, is_aside: bool = False) -> list[str]:
    """Return the command, kept to the last core where the system can do so.

    is_aside: kept to the others instead, as what is not measured should be.
    """
    if not hasattr(os, "sched_getaffinity"):
        return list(command)
    *others, last = sorted(os.sched_getaffinity(0))
    cores = others if is_aside and others else [last]
    return ["taskset", "--cpu-list", ",".join(map(str, cores)), *command]


def shuffled(names: Sequence[str]) -> list[str]:
    """Return the names in random order."""
    return random.sample(names, len(names))


def estimate(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the median and its 95 % confidence interval, by order statistics."""
    ordered = sorted(values)
    half = 0.98 * math.sqrt(len(ordered))
    low = max(0, math.floor(len(ordered) / 2 - half) - 1)
    high = min(len(ordered) - 1, math.ceil(len(ordered) / 2 + half))
    return statistics.median(ordered), ordered[low], ordered[high]


def tell(is_met: bool) -> str:
    """Return whether a budget is met, in words."""
    return "met" if is_met else "not met"


def count(rounds: int) -> Iterator[int]:
    """Yield the number of each round; show it to whoever watches."""
    for number in range(rounds):
        if sys.stderr.isatty():
            print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        yield number
    if sys.stderr.isatty():
        print(file=sys.stderr)
