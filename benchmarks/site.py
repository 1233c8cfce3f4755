"""What tracing costs a request of this site: untraced, aws-xray-sdk as it comes, and this site's.

One process for each variant, all alive during the whole run, all pinned to the same core where the
system can do so; they answer batches of requests in turn, in random order, so that what else the
machine does strikes all alike. CPU is the process's own, with its threads. DynamoDB and S3 are the
embedded ones, over HTTP; the daemon is a UDP socket that throws away what it gets, in the parent.

    make bench                                   or
    .venv/bin/python -m benchmarks.site --rounds 40

Prints medians of the batches, and ratios to the untraced process of the same round.
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VARIANTS = ("untraced", "sdk", "movies")
PATHS = ("/movies/", "/movies/1968/2001:%20A%20Space%20Odyssey/", "/accounts/sign-in/")
WARM_UP_REQUESTS = 30


def answer(application: Any, path: str) -> int:
    """Send one GET through the WSGI application; return the status."""
    import io
    from urllib.parse import unquote

    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "HTTP_USER_AGENT": "benchmark",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    body = application(environ, lambda status, headers, info=None: told.append(status))
    b"".join(body)
    body.close()
    return int(told[0][:3])


def work() -> None:
    """Answer batches: a line `{"path", "requests"}` in, a line with microseconds out."""
    import gc

    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    for path in PATHS:
        for _ in range(WARM_UP_REQUESTS):
            status = answer(application, path)
            assert status == 200, f"{path} answered {status}; expected 200."
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        batch = json.loads(line)
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(batch["requests"]):
            answer(application, batch["path"])
        each = 1e6 / batch["requests"]
        told = {
            "cpu_us": (time.process_time() - cpu) * each,
            "wall_us": (time.perf_counter() - wall) * each,
        }
        print(json.dumps(told), flush=True)


class Sink:
    """A daemon that counts what it gets and keeps nothing."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.datagrams = 0
        self.received_bytes = 0
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while True:
            self.received_bytes += len(self._socket.recv(65536))
            self.datagrams += 1


class Worker:
    """One variant's process."""

    def __init__(self, variant: str, endpoint: str, local_dir: str) -> None:
        self.sink = Sink()
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": f"benchmarks.settings_{variant}",
            "AWS_ENDPOINT_URL": endpoint,
            "LOCAL_DIR": local_dir,
            "AWS_XRAY_DAEMON_ADDRESS": self.sink.address,
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "benchmarks.site", "--work"]
        if hasattr(os, "sched_setaffinity"):
            core = max(os.sched_getaffinity(0))
            command = ["taskset", "--cpu-list", str(core), *command]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._read()
        assert line == "ready\n", f"The {variant} process said {line!r}; expected 'ready'."

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def run(self, path: str, requests: int) -> dict[str, float]:
        """Answer a batch; return microseconds for each request."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"path": path, "requests": requests}) + "\n")
        self._process.stdin.flush()
        told: dict[str, float] = json.loads(self._read())
        return told

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def prepare(endpoint: str, local_dir: str) -> None:
    """Make tables, bucket, films and accounts' tables."""
    environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint, "LOCAL_DIR": local_dir}
    for command in ("migrate", "set_up", "seed_movies"):
        subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def measure(rounds: int, requests: int) -> None:
    """Run all variants in turn and print the table."""
    from tests.processes import run_embedded_aws

    with tempfile.TemporaryDirectory() as local_dir, run_embedded_aws(Path(local_dir)) as endpoint:
        prepare(endpoint, local_dir)
        workers = {variant: Worker(variant, endpoint, local_dir) for variant in VARIANTS}
        sent = {variant: worker.sink.datagrams for variant, worker in workers.items()}
        figures: dict[tuple[str, str], list[dict[str, float]]] = {}
        for number in range(rounds):
            for path in PATHS:
                order = list(VARIANTS)
                random.shuffle(order)
                for variant in order:
                    told = workers[variant].run(path, requests)
                    figures.setdefault((path, variant), []).append(told)
            print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        print(f"{'path':<46}{'variant':<10}{'CPU us':>9}{'added':>8}{'ratio':>8}{'wall us':>9}")
        for path in PATHS:
            base = figures[path, "untraced"]
            for variant in VARIANTS:
                batches = figures[path, variant]
                added = [
                    batch["cpu_us"] - b["cpu_us"] for batch, b in zip(batches, base, strict=True)
                ]
                ratios = [
                    batch["cpu_us"] / b["cpu_us"] for batch, b in zip(batches, base, strict=True)
                ]
                cpu = statistics.median(batch["cpu_us"] for batch in batches)
                wall = statistics.median(batch["wall_us"] for batch in batches)
                print(
                    f"{path:<46}{variant:<10}{cpu:>9.0f}{statistics.median(added):>8.0f}"
                    f"{statistics.median(ratios):>8.2f}{wall:>9.0f}"
                )
        total = rounds * requests * len(PATHS)
        for variant, worker in workers.items():
            each = (worker.sink.datagrams - sent[variant]) / total
            print(f"{variant}: {each:.2f} datagrams a request")
            worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="What tracing costs a request of this site.")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--requests", type=int, default=10, help="requests in a batch")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work()
    else:
        measure(arguments.rounds, arguments.requests)


if __name__ == "__main__":
    main()
