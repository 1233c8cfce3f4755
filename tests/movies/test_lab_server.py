import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from movies import lab_server


def connect() -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(lab_server.get_url()).netloc, timeout=1)


def test_get_url_starts_one_server_on_loopback() -> None:
    assert lab_server.get_url() == lab_server.get_url()
    assert lab_server.get_url().startswith("http://127.0.0.1:")


def test_get_is_a_404() -> None:
    connection = connect()

    connection.request("GET", "/missing")

    assert connection.getresponse().status == 404
    connection.close()


def test_hang_never_answers_and_ends_with_its_visitor() -> None:
    connection = connect()
    connection.timeout = 0.2
    connection.request("GET", "/hang")

    with pytest.raises(TimeoutError, match="timed out"):
        connection.getresponse()
    assert isinstance(connection.sock, socket.socket)
    connection.sock.shutdown(socket.SHUT_WR)
    connection.sock.settimeout(10)
    assert connection.sock.recv(1) == b""
    connection.close()


def test_post_is_throttled() -> None:
    connection = connect()

    connection.request("POST", "/", body=b"{}")

    answer = connection.getresponse()
    assert answer.status == 400
    assert json.load(answer)["__type"].endswith("#ProvisionedThroughputExceededException")
    connection.close()
