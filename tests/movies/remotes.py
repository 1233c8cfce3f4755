"""Remote servers that misbehave, on 127.0.0.1."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def serving(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """Serve one connection after the other, each with one request; yield the URL of the root.

    answer: gets the connection and the request's head, and may write, wait or close as it likes.
    """
    threads: list[threading.Thread] = []

    def serve_one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            # A TLS hello begins with 0x16 and has no such end.
            while (
                b"\r\n\r\n" not in head and head[:1] != b"\x16" and (more := connection.recv(4096))
            ):
                head += more
            answer(connection, head)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve_one, args=(connection,))
            threads.append(thread)
            thread.start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=serve)
        acceptor.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            # Closing alone would leave accept() waiting.
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()


def answering(text: str) -> Callable[[socket.socket, bytes], None]:
    """Return what sends one fixed answer."""
    return lambda connection, head: connection.sendall(text.replace("\n", "\r\n").encode())


@contextmanager
def keeping_silent() -> Iterator[tuple[str, list[bytes]]]:
    """Take every request and answer none; yield the root's URL and the heads taken so far."""
    heard: list[bytes] = []
    is_over = threading.Event()

    def take(connection: socket.socket, head: bytes) -> None:
        heard.append(head)
        is_over.wait()

    with serving(take) as url:
        try:
            yield url.rstrip("/"), heard
        finally:
            is_over.set()
