"""Tests of movies.connections: names and addresses within the deadline, and nothing left open."""

import socket
import threading
import time
from typing import Any

import pytest
import requests

from movies.connections import BoundedSession, Deadline
from tests.movies.remotes import answering, serving

OK = "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"


def get(url: str, seconds: float) -> requests.Response:
    with Deadline(seconds) as deadline, BoundedSession(deadline) as session:
        return session.get(url, timeout=seconds)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str, wait_seconds: float = 0) -> None:
    """Have the name films.test resolve to these addresses, after a while."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "films.test":
            return real(host, port, *args, **kwargs)
        time.sleep(wait_seconds)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_get() -> None:
    with serving(answering(OK)) as url:
        assert get(url, 2).text == "hello"


def test_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens on the first; the second is where the server is.
    resolve_to(monkeypatch, "127.0.0.99", "127.0.0.1")

    with serving(answering(OK)) as url:
        assert get(url.replace("127.0.0.1", "films.test"), 2).ok


def test_all_addresses_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.98", "127.0.0.99")

    with pytest.raises(requests.ConnectionError, match="Nobody accepted a connection"):
        get("http://films.test:9/", 2)


def test_no_address_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)

    with pytest.raises(requests.ConnectionError, match="Nobody accepted a connection"):
        get("http://films.test:9/", 2)


def test_slow_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.1", wait_seconds=5)
    started = time.monotonic()

    with pytest.raises(requests.ConnectTimeout, match="was not known in time"):
        get("http://films.test:9/", 0.3)

    assert time.monotonic() - started < 4


def test_addresses_that_swallow_everything_share_one_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as listener:
        # A full queue: the kernel drops what comes, as a firewall does.
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        resolve_to(monkeypatch, *["127.0.0.1"] * 10)
        started = time.monotonic()

        with pytest.raises(requests.ConnectTimeout, match="in time"):
            get(f"http://films.test:{port}/", 0.5)

        assert time.monotonic() - started < 4  # ten times half a second, if each had its own
        for caller in callers:
            caller.close()


def test_nothing_is_left_behind() -> None:
    before = threading.active_count()

    with serving(answering(OK)) as url:
        for _ in range(20):
            get(url, 5)

        deadline = time.monotonic() + 5
        while threading.active_count() > before + 1 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert threading.active_count() <= before


def test_deadline_shuts_down_what_it_watches() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(1) as deadline:
        deadline.watch(ours)
        assert not deadline.is_past

        assert ours.recv(1) == b""

        assert deadline.is_past


def test_deadline_leaves_alone_what_is_done() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(0.1) as deadline:
            deadline.watch(ours)
        time.sleep(0.2)

        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
