"""Run lambda_local as a program, with the functions of `functions/`."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from tests.processes import ROOT, stop

FUNCTIONS = Path(__file__).parent / "functions"
NAME = "tried"
INVOKE = f"/2015-03-31/functions/{NAME}/invocations"


@dataclass(frozen=True)
class Local:
    """One running program. requests' `trust_env` is of no matter: all is on loopback."""

    url: str
    process: subprocess.Popen[bytes]
    log_path: Path

    def invoke(self, event: Any = None, **headers: str) -> requests.Response:
        """Invoke the function by Lambda's API."""
        return requests.post(
            self.url + INVOKE, data=json.dumps(event or {}), headers=headers, timeout=60
        )

    def ask(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        """Ask the stage, or whatever else the headers name."""
        return requests.request(
            method, self.url + path, timeout=60, allow_redirects=False, **options
        )

    def read_log(self) -> str:
        """Return what it said."""
        return self.log_path.read_text(errors="replace")

    def find_environments(self) -> set[int]:
        """Return the processes of the function that there are."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "awslambdaric"],
            capture_output=True,
            text=True,
            check=False,
        )
        return {int(pid) for pid in found.stdout.split()}

    def make_client(self) -> Any:
        """Return boto3's client, which tries each call once."""
        return boto3.client(
            "lambda",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )


@contextmanager
def run_lambda(
    folder: Path,
    handler: str,
    *options: str | Path,
    variables: dict[str, str] | None = None,
    xray_address: str = "127.0.0.1:9",
    task_dir: Path = FUNCTIONS,
) -> Iterator[Local]:
    """Run it on a free port until it is no longer needed."""
    variables_path = folder / "variables.json"
    variables_path.write_text(json.dumps(variables or {}))
    log_path = folder / f"{handler}.{time.monotonic_ns()}.log"
    command: list[str | Path] = [sys.executable, "-m", "lambda_local", "--port", "0"]
    command += ["--task-dir", task_dir, "--handler", handler, "--name", NAME]
    command += ["--api-name", "api", "--xray-address", xray_address]
    command += ["--variables", variables_path, *options]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            # What a killed one leaves behind goes with the test's folder.
            env=os.environ | {"TMPDIR": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Local(wait_for_url(log_path, process), process, log_path)
        finally:
            stop(process)


def wait_for_url(log_path: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where it listens, as soon as it says so."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"^Listening at (\S+)$", log_path.read_text(), re.MULTILINE)
        if found:
            return found[1]
        time.sleep(0.02)
    raise RuntimeError(f"It did not start: {log_path.read_text()}")
