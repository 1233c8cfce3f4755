"""What tracing costs a request of this site: untraced, aws-xray-sdk as it comes, and this site's.

Paired processes, see benchmarks/pairs.py; CPU is the process's own, with its threads. DynamoDB and
S3 are the embedded ones, over HTTP; the daemon is a UDP socket that throws away what it gets, in
the parent.

    make bench                                   or
    .venv/bin/python -m benchmarks.site --rounds 40

Prints medians of the batches, and ratios to the untraced process of the same round.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.pairs import ROOT, Worker, answer, count, serve, shuffled

VARIANTS = ("untraced", "sdk", "movies")
PATHS = ("/movies/", "/movies/1968/2001:%20A%20Space%20Odyssey/", "/accounts/sign-in/")
WARM_UP_REQUESTS = 30


def work() -> None:
    """Answer batches of requests for a path."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    for path in PATHS:
        for _ in range(WARM_UP_REQUESTS):
            status, _body = answer(application, path)
            assert status == 200, f"{path} answered {status}; expected 200."
    serve(lambda batch: answer(application, batch["path"]))


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


def start(variant: str, sink: Sink, endpoint: str, local_dir: str) -> Worker:
    """Start one variant's process."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": f"benchmarks.settings_{variant}",
        "AWS_ENDPOINT_URL": endpoint,
        "LOCAL_DIR": local_dir,
        "AWS_XRAY_DAEMON_ADDRESS": sink.address,
        "LOG_LEVEL": "ERROR",
    }
    worker = Worker(variant, [sys.executable, "-m", "benchmarks.site", "--work"], environment)
    worker.wait_until_ready()
    return worker


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
        sinks = {variant: Sink() for variant in VARIANTS}
        workers = {
            variant: start(variant, sink, endpoint, local_dir) for variant, sink in sinks.items()
        }
        sent = {variant: sink.datagrams for variant, sink in sinks.items()}
        figures: dict[tuple[str, str], list[dict[str, float]]] = {}
        for _ in count(rounds):
            for path in PATHS:
                for variant in shuffled(VARIANTS):
                    told = workers[variant].run(requests, path=path)
                    figures.setdefault((path, variant), []).append(told)
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
            each = (sinks[variant].datagrams - sent[variant]) / total
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
