"""A small Lambda: a process of the real runtime client, with lambda_local's Runtime API before it.

Neither frozen nor limited, as lambda_local's environments are: what is tested is the function.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambda_local.function import PAYLOAD_BYTES
from lambda_local.runtime_api import RuntimeAPI
from scripts.package import SHIPPED
from tests.processes import ROOT, stop

FUNCTION = "movies-test-web"
ARN = f"arn:aws:lambda:eu-west-1:123456789012:function:{FUNCTION}"


class FunctionError(Exception):
    """What the function told the Runtime API instead of a response; `.error` is its JSON."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('errorType')}: {error.get('errorMessage')}")
        self.error = error


@dataclass
class Invocation:
    """One event on its way through the function."""

    event: Any
    trace_header: str | None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_done: threading.Event = field(default_factory=threading.Event)
    response: Any = None
    error: dict[str, Any] | None = None


class Function:
    """One execution environment, and the way to invoke the function in it."""

    def __init__(self, log_path: Path) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.init_error: dict[str, Any] | None = None
        self._log_path = log_path
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._running: dict[str, Invocation] = {}
        self._api = RuntimeAPI(self)
        self.address = self._api.address

    def invoke(
        self, event: Any, trace_header: str | None = None, timeout_seconds: float = 30
    ) -> Any:
        """Return the function's response.

        Raises FunctionError for what it raised, RuntimeError if its process ended or hangs.
        """
        invocation = Invocation(event, trace_header)
        self._waiting.put(invocation)
        deadline = time.monotonic() + timeout_seconds
        while not invocation.is_done.wait(0.05):
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                why = "ended" if ended else f"did not answer within {timeout_seconds} s"
                raise RuntimeError(f"The function {why}: {self.init_error}\n{self.read_log()}")
        if invocation.error is not None:
            raise FunctionError(invocation.error)
        return invocation.response

    def read_log(self) -> str:
        """Return what the function wrote to its standard output and error."""
        return self._log_path.read_text(errors="replace")

    def close(self) -> None:
        self._waiting.put(None)
        self._api.close()

    # --- What its process does, by the Runtime API -------------------------------------------

    def wait_for_event(self) -> tuple[Mapping[str, str], bytes] | None:
        invocation = self._waiting.get()
        if invocation is None:
            return None
        self._running[invocation.request_id] = invocation
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
        }
        if invocation.trace_header is not None:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_header
        return headers, json.dumps(invocation.event).encode()

    def take_response(self, request_id: str, body: bytes) -> int:
        if len(body) > PAYLOAD_BYTES:
            self._finish(request_id, error={"errorType": "Function.ResponseSizeTooLarge"})
            return 413
        self._finish(request_id, response=json.loads(body))
        return 202

    def take_error(self, request_id: str, body: bytes, cause: str | None) -> int:
        self._finish(request_id, error=json.loads(body))
        return 202

    def take_init_error(self, body: bytes, error_type: str | None) -> int:
        self.init_error = json.loads(body)
        return 202

    def _finish(self, request_id: str, *, response: Any = None, error: Any = None) -> None:
        invocation = self._running.pop(request_id)
        invocation.response, invocation.error = response, error
        invocation.is_done.set()


def make_task_dir(task_dir: Path) -> Path:
    """Fill a folder with what ships, as it would lie in /var/task, and return it."""
    task_dir.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, task_dir / name, ignore=ignored)
        else:
            shutil.copy(source, task_dir)
    return task_dir


def make_environment(function: Function, task_dir: Path, **variables: str) -> dict[str, str]:
    """Return the environment that Lambda gives a function, and nothing of ours but PATH."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(task_dir),
        "AWS_LAMBDA_RUNTIME_API": function.address,
        "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{FUNCTION}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/20/[$LATEST]0123456789abcdef",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "_HANDLER": "lambda_entry.lambda_handler",
        **variables,
    }


@contextmanager
def run_function(
    task_dir: Path,
    log_path: Path,
    handler: str = "lambda_entry.lambda_handler",
    python: Sequence[str | Path] = (sys.executable,),
    **variables: str,
) -> Iterator[Function]:
    """Run a function with the real runtime client, in a cold environment of its own.

    python: the interpreter, with its options; it must find awslambdaric.
    """
    function = Function(log_path)
    environment = make_environment(function, task_dir, _HANDLER=handler, **variables)
    with log_path.open("wb") as log:
        function.process = subprocess.Popen(
            [*python, "-m", "awslambdaric", handler],
            cwd=task_dir,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield function
        finally:
            stop(function.process)
            function.close()
