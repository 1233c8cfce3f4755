"""The function with SnapStart: the real runtime client calls the hooks, two go on from one state.

Lambda's snapshot is one of the whole machine. Here it is a fork, right before the runtime client
asks to be restored: what the two processes then have in common lay in the snapshot.
"""

import json
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.lambda_runtime import Function, make_task_dir, run_function

# The hooks before a snapshot run from the last that was registered to the first.
ENTRY = """
import gc
import os
import random
import socket
from pathlib import Path
from snapshot_restore_py import register_before_snapshot

def take_snapshot():
    files = [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.exists()]
    Path(os.environ["OPEN_FILES"]).write_text("\\n".join(files))
    state = random.getstate()
    os.fork()
    # Python begins anew in a forked process, as it doesn't behind a snapshot.
    random.setstate(state)

register_before_snapshot(take_snapshot)
# Garbage of a start in which the collector rests.
class Cycle:
    def __init__(self):
        self.itself = self
        self.socket = socket.socket()
gc.disable()
Cycle()
from lambda_entry import lambda_handler
# What a start would not do, but might.
from django.db import connection
from movies import tables
connection.ensure_connection()
assert "ResourceNotFound" in str(tables.check_dynamodb())
"""
LOOK = """
import json, os, random, sys
import boto3
from django.db import connection
from movies.aws import get_client
from tracing import xray_recorder
from tracing.entities import make_trace_id
print(json.dumps({
    "pid": os.getpid(),
    "random": random.random(),
    "trace_id": make_trace_id(),
    "id": xray_recorder.current_subsegment().id,
    "access_key": get_client("dynamodb")._request_signer._credentials.access_key,
    "is_loaded": "requests" in sys.modules,
}))
"""
SAMPLED = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
MANY = 50


class Credentials(BaseHTTPRequestHandler):
    """What Lambda has for functions with SnapStart, with other keys each time.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """

    def do_GET(self) -> None:
        body = json.dumps(
            {
                "AccessKeyId": f"ASIA{uuid.uuid4().hex[:16].upper()}",
                "SecretAccessKey": "test",
                "Token": "test",
                "Expiration": "2099-01-01T00:00:00Z",
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: pytest shows what fails."""


@pytest.fixture(scope="module")
def credentials_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Credentials) as server:
        Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/credentials"
        server.shutdown()


@pytest.fixture(scope="module")
def task_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    task_dir = make_task_dir(tmp_path_factory.mktemp("var") / "task")
    (task_dir / "entry.py").write_text(ENTRY)
    return task_dir


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("snapshot")


@pytest.fixture(scope="module")
def restored(
    task_dir: Path, folder: Path, credentials_url: str, embedded_aws: str
) -> Iterator[list[dict[str, Any]]]:
    """What each of two processes said that were restored from one snapshot."""
    with run_function(
        task_dir,
        folder / "log",
        handler="entry.lambda_handler",
        AWS_ACCESS_KEY_ID="",
        AWS_CONTAINER_CREDENTIALS_FULL_URI=credentials_url,
        AWS_ENDPOINT_URL=embedded_aws,
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        DATABASE_URL=f"sqlite:///{folder}/site.sqlite3",
        DJANGO_ALLOWED_HOSTS="films.example",
        DJANGO_SECRET_KEY="a-long-random-string-for-the-tests-of-the-function",
        DJANGO_SETTINGS_MODULE="movies_site.settings",
        OPEN_FILES=str(folder / "open"),
    ) as function:
        told = ask_both(function)
        yield list(told.values())
        for pid in told:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ask_both(function: Function) -> dict[int, dict[str, Any]]:
    """Return what each of the two processes says, whichever gets the first event."""
    told: dict[int, dict[str, Any]] = {}
    for _ in range(MANY):
        result = function.invoke({"manage": ["shell", "--no-imports", "-c", LOOK]}, SAMPLED)
        assert result["exit_code"] == 0, result["output"]
        known = json.loads(result["output"].splitlines()[-1])
        told.setdefault(known["pid"], known)
        if len(told) == 2:
            return told
    raise AssertionError(f"Expected two processes, got {told}: {function.read_log()}")


@pytest.mark.parametrize("name", ["random", "trace_id", "id", "access_key"])
def test_what_must_differ_does(restored: list[dict[str, Any]], name: str):
    first, second = restored

    assert first[name] != second[name]


def test_what_only_some_requests_need_is_in_the_snapshot(restored: list[dict[str, Any]]):
    assert [told["is_loaded"] for told in restored] == [True, True]


def test_nothing_is_open_in_the_snapshot(restored: list[dict[str, Any]], folder: Path):
    names = (folder / "open").read_text().splitlines()

    assert [name for name in names if name.startswith("socket:") or "sqlite3" in name] == []


@pytest.mark.parametrize(
    ("kind", "is_loaded"), [("on-demand", False), ("provisioned-concurrency", True)]
)
def test_only_a_start_that_nobody_waits_for_loads_the_rest(
    task_dir: Path, tmp_path: Path, kind: str, is_loaded: bool
):
    code = "import sys; print('boto3' in sys.modules and 'requests' in sys.modules)"
    with run_function(
        task_dir,
        tmp_path / "log",
        AWS_LAMBDA_INITIALIZATION_TYPE=kind,
        DJANGO_ALLOWED_HOSTS="films.example",
        DJANGO_SECRET_KEY="a-long-random-string-for-the-tests-of-the-function",
        DJANGO_SETTINGS_MODULE="movies_site.settings",
    ) as function:
        result = function.invoke({"manage": ["shell", "--no-imports", "-c", code]})

    assert result == {"output": f"{is_loaded}\n", "exit_code": 0}
