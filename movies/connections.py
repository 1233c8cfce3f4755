"""Connections of `requests` that end in time, whatever the other side does.

A timeout of `requests` bounds each wait, not the whole: a name with ten dead addresses takes ten
timeouts, a name server none at all, and headers that drip, for ever. A deadline bounds all of it.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

from requests import Response, Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager, pool_classes_by_scheme
from urllib3.util.connection import create_connection


class Deadline:
    """Shuts down the connection that it watches when its time is up; one at a time."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._watched: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._shut_down)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._replace(None)

    @property
    def is_past(self) -> bool:
        return self.seconds_left <= 0

    @property
    def seconds_left(self) -> float:
        return self._ends - time.monotonic()

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down at the end, with TLS in it or not, and no earlier one."""
        # A copy: what is wrapped for TLS is another object on the same connection.
        self._replace(connection.dup())

    def _replace(self, connection: socket.socket | None) -> None:
        with self._lock:
            if self._watched is not None:
                self._watched.close()
            self._watched = connection

    def _shut_down(self) -> None:
        with self._lock, suppress(OSError):
            if self._watched is not None:
                self._watched.shutdown(socket.SHUT_RDWR)


class BoundedSession(Session):
    """A session whose connections are resolved, made and shut down by a deadline.

    It follows no redirect: `requests` would read the whole body of each, however long it is.
    """

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(deadline))

    def get_redirect_target(self, resp: Response) -> str | None:
        return None

    def find_redirect(self, response: Response) -> str | None:
        """Return where a response sends the client, perhaps a relative URL; None if nowhere."""
        return super().get_redirect_target(response)


class _Adapter(HTTPAdapter):
    """An adapter whose connections obey a deadline, through a proxy too."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._bound(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return self._bound(super().proxy_manager_for(*args, **kwargs))

    def _bound(self, manager: PoolManager) -> PoolManager:
        makers: Any = {
            "http": self._pool_maker("http", _Connection),
            "https": self._pool_maker("https", _TLSConnection),
        }
        manager.pool_classes_by_scheme = makers
        return manager

    def _pool_maker(self, scheme: str, connection: "type[_Connection]") -> Callable[..., Any]:
        def make_pool(*args: Any, **kwargs: Any) -> Any:
            pool: Any = pool_classes_by_scheme[scheme](*args, **kwargs)
            pool.ConnectionCls = partial(connection, deadline=self._deadline)
            return pool

        return make_pool


class _Connection(HTTPConnection):
    """A connection made by a deadline and watched by it."""

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline = deadline

    def _new_conn(self) -> socket.socket:
        deadline = self._deadline
        problem: OSError | None = None
        for address in _resolve(self, self._dns_host, self.port or self.default_port, deadline):
            if deadline.is_past:
                break
            try:
                connection = create_connection(
                    address, deadline.seconds_left, self.source_address, self.socket_options
                )
            except OSError as error:
                problem = error
            else:
                deadline.watch(connection)
                return connection
        if deadline.is_past:
            raise ConnectTimeoutError(self, "Nobody accepted a connection in time.")
        raise NewConnectionError(self, f"Nobody accepted a connection: {problem}") from problem


class _TLSConnection(_Connection, HTTPSConnection):
    """The same, with TLS."""


def _resolve(
    connection: HTTPConnection, host: str, port: int, deadline: Deadline
) -> list[tuple[str, int]]:
    """Return the addresses of a host, asked for in a thread that can be left behind."""
    answers: SimpleQueue[list[tuple[str, int]] | OSError | UnicodeError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(error)
        else:
            answers.put([(str(address[0]), port) for *_, address in found])

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=max(deadline.seconds_left, 0.001))
    except Empty:
        raise ConnectTimeoutError(connection, f"The name {host!r} was not known in time.") from None
    if isinstance(answer, socket.gaierror):
        raise NameResolutionError(host, connection, answer) from answer
    if isinstance(answer, Exception):
        raise NewConnectionError(connection, f"{host!r} is no name of a host.") from answer
    return answer
