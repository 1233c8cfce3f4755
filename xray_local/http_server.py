"""The HTTP server: a thread for each connection, which stays open between requests."""

import contextlib
import io
import logging
import socket
import sys
import threading
import time
from typing import Any, cast

from django.conf import settings
from django.core.servers.basehttp import ServerHandler, ThreadedWSGIServer, WSGIRequestHandler

from .chunks import BadChunks, TooLarge, read_chunks
from .shortcut import REQUEST_LINE, Shortcut

logger = logging.getLogger(__name__)


# Each has a thread and a file; a system allows 1,024 files or so.
CONNECTIONS_MAX = 500
# How long a client may go on sending what was refused.
LINGER_SECONDS = 5.0
READ_BYTES = 256 * 1024
# Of the line that a request begins with.
LINE_MAX_BYTES = 65_536
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Exchange(ServerHandler):
    """One request and its answer."""

    request_handler: "Handler"

    def __init__(self, *streams_and_environ: Any) -> None:
        super().__init__(*streams_and_environ)
        # What the process was started with is nothing a request says, and takes long to copy.
        self.os_environ = {}

    def finish_response(self) -> None:
        """Send also the head of an answer that has no body, as of HEAD or an empty file."""
        super().finish_response()
        self._flush()


class Handler(WSGIRequestHandler):
    """Answers the requests of one connection."""

    timeout = 60  # seconds that a connection may be silent
    disable_nagle_algorithm = True
    # Head and body leave together, as one packet where they fit.
    wbufsize = -1

    def setup(self) -> None:
        """Keep the stream of the connection: a body in chunks takes its place for one request."""
        super().setup()
        self._stream: Any = self.rfile

    def handle_one_request(self) -> None:
        """Answer the next request of the connection."""
        self.rfile = self._stream
        self.raw_requestline = self.rfile.readline(LINE_MAX_BYTES + 1)
        if len(self.raw_requestline) > LINE_MAX_BYTES:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
            self.close_connection = True
        elif not self._take_shortcut() and self.parse_request():
            exchange = Exchange(self.rfile, self.wfile, self.get_stderr(), self.get_environ())
            exchange.request_handler = self
            exchange.run(cast(Any, self.server).get_app())

    def _take_shortcut(self) -> bool:
        """Answer the request if it is a usual one; else leave it as if only its line were read."""
        shortcut: Shortcut | None = cast(Any, self.server).shortcut
        if shortcut is None or self.raw_requestline != REQUEST_LINE:
            return False
        sizes = shortcut.read_head(self._stream.peek())
        if sizes is None:
            return False
        head, body = map(self._stream.read, sizes)
        answer = shortcut.take_segments(body) if len(body) == sizes[1] else None
        if answer is None:
            self.rfile = io.BytesIO(head + body)
            return False
        self.close_connection = False
        status, rest = answer
        # As Exchange begins its answers.
        self.wfile.write(
            f"HTTP/1.1 {status}\r\nDate: {self.date_time_string()}\r\n"
            f"Server: {Exchange.server_software}\r\n".encode("latin-1")
        )
        self.wfile.write(rest)
        self.wfile.flush()
        return True

    def parse_request(self) -> bool:
        """Read the head; refuse a body that cannot be read safely before any of it is read."""
        if not super().parse_request():
            return False
        length = self.headers.get("Content-Length", "0").strip(" \t")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        if "Transfer-Encoding" in self.headers:
            return self._parse_chunks(limit)
        if not (length.isascii() and length.isdigit()):
            self.send_error(411, "Expected a Content-Length of digits.")
        elif len(length) > 20 or int(length) > limit:
            self.send_error(413, f"Expected a body of at most {limit} bytes.")
        else:
            return True
        self.close_connection = True
        return False

    def _parse_chunks(self, limit: int) -> bool:
        """Read a body that comes in chunks, as if its length had been told."""
        encoding = self.headers["Transfer-Encoding"].strip().lower()
        # Two ways to say where the body ends may differ.
        if encoding != "chunked" or "Content-Length" in self.headers:
            self.send_error(411, "Expected a Content-Length, or chunked as Transfer-Encoding.")
        else:
            try:
                body = read_chunks(self.rfile, limit)
            except BadChunks as error:
                self.send_error(400, str(error))
            except TooLarge:
                self.send_error(413, f"Expected a body of at most {limit} bytes.")
            else:
                del self.headers["Transfer-Encoding"]
                self.headers["Content-Length"] = str(len(body))
                self.rfile = io.BytesIO(body)
                return True
        self.close_connection = True
        return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with an error, and end the connection when the client has had time to read it."""
        super().send_error(code, message, explain)
        self.wfile.flush()
        self._linger()

    def _linger(self) -> None:
        """Say that nothing follows, and throw away what the client still sends.

        To close while bytes are unread would reset the connection, and clients that send first
        and read then would never see the answer.
        """
        # Django's stubs take it for a request of Django's.
        connection: Any = self.connection
        deadline = time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                connection.settimeout(left)
                if not connection.recv(READ_BYTES):
                    return

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the console is where one looks, and views log their own failures."""


class Server(ThreadedWSGIServer):
    """Serves a WSGI application on a socket that listens already.

    shortcut: answers what it can before the application is asked.
    """

    def __init__(
        self, listening: socket.socket, application: Any, shortcut: Shortcut | None = None
    ) -> None:
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = listening.getsockname()[:2]
        self.setup_environ()
        self.set_app(application)
        self.shortcut = shortcut
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve the connection in a thread of its own, unless there are too many already."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.send(BUSY, socket.MSG_DONTWAIT)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve the connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong, unless the client merely went away or fell silent."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            logger.exception("A connection from %s failed.", client_address)
