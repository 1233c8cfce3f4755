"""The front without a server: what takes too long to try over HTTP."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lambda_local.events import Request, make_http_api, make_rest_api
from lambda_local.function import INTEGRATION_SECONDS, Function
from lambda_local.http_front import Front, Server
from lambda_local.invoker import Invoker
from lambda_local.trace_header import Sampler
from tests.conftest import Daemon
from tests.lambda_local.running import FUNCTIONS


@pytest.fixture
def receiver() -> Iterator[Daemon]:
    daemon = Daemon()
    yield daemon
    daemon.close()


@pytest.fixture
def front(receiver: Daemon) -> Iterator[Front]:
    """The doors to a function that sleeps for two seconds, with little patience."""
    function = Function("tried", "limits.sleep_two_seconds", FUNCTIONS, [sys.executable], "3.11")
    invoker = Invoker(function, receiver.address)
    front = Front(invoker, Sampler(is_sparing=False), "dev", "api")
    front._rest_api = replace(make_rest_api("dev", "id"), limit_seconds=0.5)
    front._http_api = replace(make_http_api("id"), limit_seconds=0.5)
    yield front
    front.close()
    invoker.close()


def test_patience() -> None:
    assert make_rest_api("dev", "id").limit_seconds == INTEGRATION_SECONDS == 29


def test_a_gateway_does_not_wait_for_ever(front: Front, receiver: Daemon) -> None:
    """The function goes on, and is seen to the end of it."""
    rest = front.answer(make_request("127.0.0.1", "/dev/"))
    http = front.answer(make_request("http-api.localhost", "/"))
    url = front.answer(make_request("f.lambda-url.localhost", "/"))

    assert (rest.status, json.loads(rest.body)) == (504, {"message": "Endpoint request timed out"})
    assert (http.status, json.loads(http.body)) == (503, {"message": "Service Unavailable"})
    # This one waits.
    assert (url.status, url.body) == (200, b"slept")
    sent = receiver.documents(7)
    stage = next(each for each in sent if each["origin"] == "AWS::ApiGateway::Stage")
    functions = [each for each in sent if each["origin"] == "AWS::Lambda::Function"]
    assert stage["http"]["response"]["status"] == 504
    assert stage["fault"]
    assert len(functions) == 3
    assert all(each["end_time"] - each["start_time"] >= 2 for each in functions)
    assert not any("fault" in each for each in functions)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    ],
)
def test_a_length_that_is_none(front: Front, head: bytes) -> None:
    with Server(("127.0.0.1", 0), front) as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        with socket.create_connection(server.server_address[:2], timeout=20) as client:
            client.sendall(b"POST /dev/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head)
            answer = client.recv(1000)
        server.shutdown()

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


def make_request(host: str, path: str) -> Request:
    return Request("GET", path, "", [], b"", "127.0.0.1", host)
