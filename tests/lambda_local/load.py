"""Twenty clients on the local Lambda while its environments are killed: what is promised, is kept.

python -m tests.lambda_local.load [SECONDS]    a minute of it, with `make lambda` on free ports

Every request gets an answer: what the site says or, where its environment was killed on the way,
502. Of every request that was answered X-Ray has the services' segments, and of those that the
site answered the function's own.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import requests

from scripts.ports import find_holder
from tests.scripts.runs import Run, start_run

# Ports are those of `make run` in tests.scripts.runs, the site's for the function.
AS_LAMBDA = [sys.executable, "-m", "scripts.lambda_run"]
CLIENTS = 20
# And what the function's own part of the trace has, if the page is as it should be.
PAGES = {
    "movies/": {"movies", "dynamodb"},
    "movies/?genre=Drama": {"movies", "dynamodb"},
    "movies/1999/The%20Matrix/": {"movies", "dynamodb"},
    "api/movies/?limit=5": {"movies", "dynamodb"},
    "app": {"movies", "dynamodb", "s3"},
    "nothing-here": {"movies"},
}
SERVICES = {"AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function"}
# A new environment costs about a second of a processor until its first answer.
KILL_SECONDS = 2.0
# Until the local X-Ray has stored what it was sent.
STORE_SECONDS = 40.0


@dataclass
class Report:
    """What came of it.

    answers: page and status by trace id. failures: clients without an answer.
    """

    answers: dict[str, tuple[str, int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    kills: int = 0
    incomplete: dict[str, set[str]] = field(default_factory=dict)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(status for _page, status in self.answers.values())

    def describe(self) -> str:
        return (
            f"{len(self.answers)} answers ({dict(self.statuses)}), {len(self.failures)} requests "
            f"without one, {self.kills} environments killed, {len(self.incomplete)} traces without "
            "all of their segments."
        )


def find_environments(port: int) -> list[int]:
    """Return the function's processes."""
    parent = str(find_holder("tcp", port).pid)
    found = subprocess.run(
        ["pgrep", "-P", parent, "-f", "awslambdaric"], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split()]


def load(
    run: Run, seconds: float, kill_every_seconds: float, requests_each: int = 1_000_000
) -> Report:
    """Have the clients browse for a while, and environments killed at random meanwhile."""
    report = Report()
    lock = threading.Lock()
    deadline = time.monotonic() + seconds
    is_over = threading.Event()

    def browse(number: int) -> None:
        chance = random.Random(number)
        session = requests.Session()
        for _ in range(requests_each):
            if time.monotonic() > deadline:
                break
            path = chance.choice(list(PAGES))
            try:
                answer = session.get(f"{run.stack.site_url}/dev/{path}", timeout=60)
                len(answer.content)
                header = answer.headers["X-Amzn-Trace-Id"]
            except (requests.RequestException, KeyError) as error:
                with lock:
                    report.failures.append(f"{path}: {error!r}")
                continue
            root = header.partition(";")[0].removeprefix("Root=")
            with lock:
                report.answers[root] = path, answer.status_code

    def kill() -> None:
        chance = random.Random(0)
        while not is_over.wait(kill_every_seconds):
            pids = find_environments(run.stack.site_port)
            if pids:
                os.kill(chance.choice(pids), signal.SIGKILL)
                report.kills += 1

    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        killing = pool.submit(kill)
        list(pool.map(browse, range(CLIENTS)))
        is_over.set()
        killing.result()
    report.incomplete = find_incomplete(run, report.answers)
    return report


def find_incomplete(run: Run, answers: dict[str, tuple[str, int]]) -> dict[str, set[str]]:
    """Return what is missing of the traces, once X-Ray has had the time to store it."""
    deadline = time.monotonic() + STORE_SECONDS
    missing = {root: {"everything"} for root in answers}
    while missing:
        found = fetch(run, list(missing))
        missing = {
            root: lacking
            for root in missing
            if (lacking := find_lacking(found.get(root, []), *answers[root]))
        }
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    return missing


def find_lacking(documents: list[dict[str, Any]], page: str, status: int) -> set[str]:
    """Return what a trace should have and has not."""
    origins = {document.get("origin") for document in documents}
    lacking = SERVICES - origins
    # What the site itself sent stands within Invocation, where X-Ray put it.
    names = {part["name"] for document in documents for part in walk(document)}
    # What was killed, or too late for the gateway, may not have come that far.
    if status < 500:
        lacking |= PAGES[page] - names
    return lacking


def walk(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a document and all beneath it."""
    return [document, *(each for part in document.get("subsegments", ()) for each in walk(part))]


def fetch(run: Run, roots: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the documents of traces, by trace."""
    xray = make_xray_client(run)
    traces: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(roots), 5):
        for trace in xray.batch_get_traces(TraceIds=roots[start : start + 5])["Traces"]:
            traces[trace["Id"]] = [json.loads(each["Document"]) for each in trace["Segments"]]
    return traces


def make_xray_client(run: Run) -> Any:
    """Return boto3's client for the local X-Ray."""
    return boto3.client(
        "xray",
        endpoint_url=run.stack.xray_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def main() -> int:
    """Run it for a minute, or as long as the command line says; say what came of it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with (
        TemporaryDirectory() as folder,
        start_run(Path(folder) / "local", AS_LAMBDA) as run,
    ):
        run.wait_for("Ctrl-C stops all of it.", timeout_seconds=180)
        report = load(run, seconds, kill_every_seconds=KILL_SECONDS)
        if len(sys.argv) > 2:
            Path(sys.argv[2]).write_text(run.output)
        sys.stdout.write(f"{report.describe()}\n")
        for each in [*report.failures, *report.incomplete.items()][:20]:
            sys.stdout.write(f"  {each}\n")
    return 1 if report.failures or report.incomplete else 0


if __name__ == "__main__":
    sys.exit(main())
