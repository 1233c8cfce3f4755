"""A small Lambda: the Runtime API over HTTP, and a process of the real runtime client behind it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.processes import ROOT, stop

PREFIX = "/2018-06-01/runtime"
LIMIT_BYTES = 6 * 1024 * 1024 + 100
SHIPPED = ("movies", "movies_site", "gateway", "tracing", "lambda_entry.py")
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
    """The Runtime API of one execution environment, and the way to invoke the function in it."""

    def __init__(self, log_path: Path) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.init_error: dict[str, Any] | None = None
        self._log_path = log_path
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._running: dict[str, Invocation] = {}
        self._server = _Server(("127.0.0.1", 0), _RuntimeAPI)
        self._server.function = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

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
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_invocation(self) -> Invocation | None:
        """Return the next event, as soon as there is one; None at the end."""
        invocation = self._waiting.get()
        if invocation is not None:
            self._running[invocation.request_id] = invocation
        return invocation

    def finish(self, request_id: str, *, response: Any = None, error: Any = None) -> None:
        invocation = self._running.pop(request_id)
        invocation.response, invocation.error = response, error
        invocation.is_done.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    function: Function

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that a stopped function has left open."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _RuntimeAPI(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else every second answer waits for a delayed acknowledgement: 40 ms.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            return self._send(404)
        invocation = self.server.function.next_invocation()
        if invocation is None:
            # The connection of a function that is about to be stopped.
            self.close_connection = True
            return None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
        }
        if invocation.trace_header is not None:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_header
        return self._send(200, json.dumps(invocation.event).encode(), headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        function = self.server.function
        if self.path == f"{PREFIX}/init/error":
            function.init_error = json.loads(body)
            return self._send(202, b"{}")
        request_id, outcome = self.path.removeprefix(f"{PREFIX}/invocation/").split("/")
        if len(body) > LIMIT_BYTES:
            function.finish(request_id, error={"errorType": "Function.ResponseSizeTooLarge"})
            return self._send(413, b"{}")
        if outcome == "response":
            function.finish(request_id, response=json.loads(body))
        else:
            function.finish(request_id, error=json.loads(body))
        return self._send(202, b"{}")

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: pytest shows what fails."""


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
