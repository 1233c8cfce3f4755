"""The Runtime API of one environment: what the function's process asks for events, and answers to.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

PREFIX = "/2018-06-01/runtime"
# The cause is dropped where it would not fit into a header.
CAUSE_HEADER = "Lambda-Runtime-Function-XRay-Error-Cause"
TYPE_HEADER = "Lambda-Runtime-Function-Error-Type"


class Owner(Protocol):
    """The environment whose process is served."""

    def wait_for_event(self) -> tuple[Mapping[str, str], bytes] | None:
        """Return headers and body of the next event as soon as there is one; None at the end."""

    def take_response(self, request_id: str, body: bytes) -> int:
        """Take a response; return the status for the process."""

    def take_error(self, request_id: str, body: bytes, cause: str | None) -> int:
        """Take the error of an invocation; return the status for the process."""

    def take_init_error(self, body: bytes, error_type: str | None) -> int:
        """Take the error that kept the process from starting; return the status for it."""


class RuntimeAPI:
    """A server on a free port of loopback."""

    def __init__(self, owner: Owner) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = owner
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        # A short poll: closing waits for it.
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: Owner

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that a killed process has left open."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else every second answer waits 40 ms for a delayed acknowledgement.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path == f"{PREFIX}/restore/next":  # SnapStart: no snapshot is made here
            return self._send(200)
        if self.path != f"{PREFIX}/invocation/next":
            return self._send(404)
        event = self.server.owner.wait_for_event()
        if event is None:
            self.close_connection = True
            return None
        return self._send(200, event[1], event[0])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        owner = self.server.owner
        if self.path == f"{PREFIX}/init/error" or self.path == f"{PREFIX}/restore/error":
            return self._send(owner.take_init_error(body, self.headers[TYPE_HEADER]))
        request_id, _, outcome = self.path.removeprefix(f"{PREFIX}/invocation/").partition("/")
        if outcome == "response":
            return self._send(owner.take_response(request_id, body))
        if outcome == "error":
            return self._send(owner.take_error(request_id, body, self.headers[CAUSE_HEADER]))
        return self._send(404)

    def _send(self, status: int, body: bytes = b"", headers: Mapping[str, str] = {}) -> None:
        if status >= 400:
            body = json.dumps({"errorMessage": "Refused", "errorType": str(status)}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the function's own log tells what happens."""
