"""HTTP by hand, over raw sockets."""

import http.client
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.processes import find_free_port
from tests.xray_local.made import wait_until
from xray_local import http_server
from xray_local.address import Address
from xray_local.http_server import Handler, Server


def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read() or b"nothing"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(params=["127.0.0.1", "::1"])
def address(request: pytest.FixtureRequest) -> Iterator[Address]:
    address = Address(request.param, find_free_port())
    server = Server(address.listen_tcp(), answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


def ask(address: Address, *requests: bytes) -> bytes:
    """Send requests on one connection; return all that is answered until it is closed."""
    with socket.create_connection((address.host, address.port), timeout=5) as connection:
        for request in requests:
            connection.sendall(request)
        answered = b""
        while data := connection.recv(65_536):
            answered += data
    return answered


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n"


def test_many_requests_on_one_connection(address: Address) -> None:
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"

    answered = ask(address, GET + b"\r\n", post, GET + CLOSE + b"\r\n")

    assert answered.count(b"HTTP/1.1 200 OK") == 3
    assert answered.count(b"nothing") == 2
    assert answered.count(b"abc") == 1


def test_head_is_answered(address: Address) -> None:
    with closing(http.client.HTTPConnection(address.host, address.port, timeout=5)) as connection:
        connection.request("HEAD", "/")
        response = connection.getresponse()

        assert (response.status, response.headers["Content-Length"]) == (200, "7")
        assert response.read() == b""


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Transfer-Encoding: chunked", b"400"),
        (b"Transfer-Encoding: gzip, chunked", b"411"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"411"),
        (b"Content-Length: x", b"411"),
        (b"Content-Length: -1", b"411"),
        (b"Content-Length: \xb2", b"411"),
        (b"Content-Length: 3000000", b"413"),
        (b"Content-Length: " + b"9" * 5000, b"413"),
    ],
)
def test_bodies_that_cannot_be_read(address: Address, header: bytes, status: bytes) -> None:
    answered = ask(address, GET + header + b"\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")

    assert answered.startswith(b"HTTP/1.1 " + status)
    assert answered.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_client_that_sends_too_much_reads_why(address: Address, is_chunked: bool) -> None:
    """Most clients send all of a body before they read."""
    with closing(http.client.HTTPConnection(address.host, address.port, timeout=10)) as connection:
        pieces = (bytes(1_000_000) for _ in range(20))
        headers = {} if is_chunked else {"Content-Length": "20000000"}

        connection.request("POST", "/", pieces, headers, encode_chunked=is_chunked)

        response = connection.getresponse()
        assert response.status == 413
        assert b"Expected a body of at most" in response.read()


def test_a_client_that_does_not_end(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LINGER_SECONDS", 0.1)
    with socket.create_connection((address.host, address.port), timeout=5) as connection:
        connection.sendall(GET + b"Content-Length: 3000000\r\n\r\n")
        while connection.recv(65_536):
            pass

        wait_until(lambda: is_reset(connection))


def is_reset(connection: socket.socket) -> bool:
    """Whether the other end answers that it is closed when something more is sent."""
    try:
        connection.sendall(b"x")
    except ConnectionError:
        return True
    return False


CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_body_in_chunks(address: Address) -> None:
    """Clients that pack while they send do not know the length before."""
    body = b"3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"

    answered = ask(address, CHUNKED + body, GET + CLOSE + b"\r\n")

    assert answered.count(b"HTTP/1.1 200 OK") == 2
    assert b"abc0123456789" in answered
    assert b"nothing" in answered


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"-1\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"3\nabc\r\n0\r\n\r\n", b"400"),
        (b"3\r\nabcd\r\n0\r\n\r\n", b"400"),
        (b"1" * 2000, b"400"),
        (b"0\r\n" + b"a: b\r\n" * 101 + b"\r\n", b"400"),
        (b"FFFFFFFF\r\nabc", b"413"),
        (b"80000\r\n" + b"a" * 0x80000 + b"\r\n" + b"280000\r\n", b"413"),
    ],
)
def test_bad_chunks(address: Address, body: bytes, status: bytes) -> None:
    answered = ask(address, CHUNKED + body)

    assert answered.startswith(b"HTTP/1.1 " + status)
    assert answered.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "request_bytes", [b"\x16\x03\x01\r\n\r\n", b"nonsense\r\n\r\n", b"GET / " + b"x" * 70_000]
)
def test_what_is_not_http(address: Address, request_bytes: bytes) -> None:
    answered = ask(address, request_bytes)

    assert b"HTTP/1.1 200" not in answered


def test_silent_connections_are_closed(
    address: Address, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Handler, "timeout", 0.1)

    assert ask(address) == b""

    assert caplog.records == []


def test_other_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    address = Address("127.0.0.1", find_free_port())
    server = Server(address.listen_tcp(), answer)

    try:
        raise ValueError("something else")
    except ValueError:
        server.handle_error(None, ("127.0.0.1", 1))
    server.server_close()

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "A connection from ('127.0.0.1', 1) failed." in record.getMessage()


def test_a_client_that_goes_away(address: Address, caplog: pytest.LogCaptureFixture) -> None:
    before = threading.active_count()
    with socket.create_connection((address.host, address.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na")

    wait_until(lambda: threading.active_count() <= before)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_more_connections_than_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "CONNECTIONS_MAX", 1)
    address = Address("127.0.0.1", find_free_port())
    server = Server(address.listen_tcp(), answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    place = (address.host, address.port)
    try:
        with socket.create_connection(place) as silent:
            silent.sendall(b"GET / HTTP/1.1\r\n")
            assert ask(address).startswith(b"HTTP/1.1 503 ")
        # As soon as that one has gone there is room again.
        wait_until(lambda: ask(address, GET + CLOSE + b"\r\n").startswith(b"HTTP/1.1 200 "))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
