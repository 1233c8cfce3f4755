"""A small server on 127.0.0.1 that misbehaves on demand: what the lab's requests go to.

It starts when it is first asked for, lives in a daemon thread, and nobody else can reach it.
"""

import json
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_SECONDS = 30
THROTTLE = {
    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "message": "The level of configured provisioned throughput for the table was exceeded.",
}


class Handler(BaseHTTPRequestHandler):
    """GET /missing is a 404, GET /hang never answers, and every POST is DynamoDB throttling."""

    protocol_version = "HTTP/1.1"
    timeout = HANG_SECONDS

    def do_GET(self) -> None:
        if self.path == "/hang":
            # Returns when whoever asked has given up and closed, or after HANG_SECONDS.
            self.rfile.read(1)
            self.close_connection = True
            return
        self._answer(404, "text/plain", b"Nothing is here.\n")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(400, "application/x-amz-json-1.0", json.dumps(THROTTLE).encode())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the trace tells it."""


@cache
def _start() -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="lab-server", daemon=True).start()
    return server


_lock = threading.Lock()


def get_url() -> str:
    """Return the server's URL, without a slash at its end; start it the first time."""
    with _lock:
        return f"http://127.0.0.1:{_start().server_address[1]}"
