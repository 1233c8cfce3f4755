"""What stands for AWS X-Ray: a small HTTP server that takes segments, fails or hangs as told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Status, then the body of the answer.
Answer = tuple[int, dict[str, Any]]
TAKEN: Answer = (200, {"UnprocessedTraceSegments": []})


class Aws:
    """A PutTraceSegments that remembers what it took.

    behave: what to answer to the documents of a request; it may wait first.
    """

    def __init__(self, behave: Callable[[list[str]], Answer] = lambda documents: TAKEN) -> None:
        self.behave = behave
        self.batches: list[list[str]] = []
        self.requests = 0
        self.headers: dict[str, str] = {}
        self.url = ""

    @property
    def ids(self) -> list[str]:
        """The ids of all the documents that were taken."""
        return [json.loads(text)["id"] for batch in self.batches for text in batch]

    def answer(self, headers: dict[str, str], body: bytes) -> Answer:
        self.requests += 1
        self.headers = headers
        documents = json.loads(body)["TraceSegmentDocuments"]
        answer = self.behave(documents)
        if answer[0] == 200:
            self.batches.append(documents)
        return answer


@contextmanager
def run_aws(behave: Callable[[list[str]], Answer] = lambda documents: TAKEN) -> Iterator[Aws]:
    """Run it on a free port of loopback until the end of the block."""
    aws = Aws(behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, fields = aws.answer(dict(self.headers), body)
            content = json.dumps(fields).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # the client has not waited

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # the client has gone away

    server = Server(("127.0.0.1", 0), Handler)
    aws.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
