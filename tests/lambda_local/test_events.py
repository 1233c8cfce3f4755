"""Requests over HTTP become the events that the models of AWS's services would send.

The models are tests/gateway/services.py's, written from AWS's documents and users' captures; the
function behind the port says what it got.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_local.http_front import BASE_PATH
from tests.gateway.services import SERVICES, Request, Service, deliver_rest, receive_format_1
from tests.lambda_local.running import Local, run_lambda

DOMAIN = "movies.custom-domain.localhost"


def deliver_on_domain(request: Request) -> dict[str, Any]:
    path = BASE_PATH + request.encoded_path
    return deliver_rest(request, DOMAIN, path, path)


ON_DOMAIN = Service("REST API on a domain", BASE_PATH, deliver_on_domain, receive_format_1)
BY_NAME = {service.name: service for service in [*SERVICES, ON_DOMAIN]}
# The service's model, where it answers here, and the path before the application's.
PLACES = {
    "REST API": ("127.0.0.1", "/dev"),
    "REST API on a domain": (DOMAIN, BASE_PATH),
    "HTTP API": ("movies.http-api.localhost", ""),
    "function URL": ("movies.lambda-url.localhost", ""),
}
REQUESTS = [
    Request(),
    Request("/movies/"),
    Request("/movies/1999/The Matrix/"),
    Request("/café/€/100%/a+b"),
    Request("/a", query=(("q", "née & co"), ("genre", "a"), ("genre", "b"), ("none", ""))),
    Request("/a", headers=(("Cookie", "a=1; b=2"), ("X-Forwarded-For", "198.51.100.1"))),
    Request("/a", method="POST", body=b"\x00\xff binary", headers=(("Content-Type", "a/b"),)),
    Request("/a", method="PUT", body="é".encode(), headers=(("Content-Type", "text/plain"),)),
    Request("/a", method="DELETE", headers=(("X-One", "a"), ("Accept", "text/html"))),
]
# What the model leaves open, and what names the machine rather than the request.
OWN_HEADERS = {"host", "x-forwarded-for", "x-amzn-trace-id", "accept-encoding", "user-agent"}
OWN_HEADERS |= {"connection", "content-length", "accept"}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with run_lambda(tmp_path_factory.mktemp("echo"), "limits.echo_over_http") as local:
        yield local


def send(local: Local, name: str, request: Request) -> Any:
    host, prefix = PLACES[name]
    query = "&".join("=".join(pair) for pair in request.encoded_query)
    answer = local.ask(
        f"{prefix}{request.encoded_path}{'?' if query else ''}{query}",
        request.method,
        headers={**dict(request.headers), "Host": host},
        data=request.body,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def strip(event: Any) -> dict[str, Any]:
    """Return what an event says of the request, and nothing of the machine or the moment."""
    for name in ("headers", "multiValueHeaders"):
        known = event.get(name) or {}
        event[name] = {key: known[key] for key in known if key.lower() not in OWN_HEADERS}
    context = event["requestContext"]
    kept: dict[str, Any] = {"stage": context["stage"], "path": context.get("path")}
    if "http" in context:
        kept["http"] = {name: context["http"][name] for name in ("method", "path", "protocol")}
    return {**event, "requestContext": kept}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: f"{each.method} {each.path}")
def test_events_are_as_the_models(local: Local, name: str, request_: Request) -> None:
    ours = strip(send(local, name, request_))
    model = strip(BY_NAME[name].deliver(expected(name, request_)))

    # A model says less: it has no queryStringParameters in format 2.
    assert {key: ours.get(key) for key in model} == model
    assert ours.keys() - model.keys() <= {"queryStringParameters"}


def expected(name: str, request: Request) -> Request:
    """Return the request as the service takes its body: text by its type, except REST's `*/*`."""
    is_text = "REST API" not in name and dict(request.headers).get("Content-Type") == "text/plain"
    return Request(
        request.path, request.method, request.query, request.headers, request.body, is_text
    )


@pytest.mark.parametrize("name", PLACES)
def test_what_the_service_adds(local: Local, name: str) -> None:
    event = send(local, name, Request(headers=(("X-Forwarded-For", "198.51.100.1"),)))
    headers = {key.lower(): text for key, text in event["headers"].items()}
    context = event["requestContext"]

    assert headers["host"] == PLACES[name][0] == context["domainName"]
    assert headers["x-forwarded-for"] == "198.51.100.1, 127.0.0.1"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    source = context["http"] if "http" in context else context["identity"]
    assert source["sourceIp"] == "127.0.0.1"
    assert len(context["requestId"]) == 36


def test_a_body_in_chunks(local: Local) -> None:
    answer = local.ask("/dev/", "POST", data=iter([b"one ", b"two"]))

    assert answer.json()["body"] == "b25lIHR3bw=="


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: many", ""),
        ("Content-Length: -1", ""),
        ("Transfer-Encoding: chunked", "many\r\nx\r\n"),
    ],
)
def test_a_body_of_no_length(local: Local, headers: str, body: str) -> None:
    """It is refused, and no further request is read from what it left."""
    address = ("127.0.0.1", int(local.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(f"POST /dev/ HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n{body}".encode())
        said = client.makefile("rb").read()

    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1


def test_no_stage_no_function(local: Local) -> None:
    for host, path in [
        *(("127.0.0.1", path) for path in ("/", "/developers/", "/prod/movies/", "/films/")),
        *((DOMAIN, path) for path in ("/", "/filmsets/", "/dev/")),
    ]:
        answer = local.ask(path, headers={"Host": host})
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_response_of_a_rest_api(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.answer_in_many_headers") as local:
        answer = local.ask("/dev/")
        head = local.ask("/dev/", "HEAD")

    assert (answer.status_code, answer.text) == (201, "é")
    assert answer.headers["X-Number"] == "3"
    assert answer.headers["X-One"] == "b, c"
    # Not ours to say: API Gateway gives it another name.
    assert answer.headers["x-amzn-Remapped-Date"] == "yesterday"
    assert answer.headers["Date"] != "yesterday"
    assert answer.headers["Content-Length"] == head.headers["Content-Length"] == "2"
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
    assert head.content == b""


@pytest.mark.parametrize("host", ["http-api.localhost", "f.lambda-url.localhost"])
def test_responses_of_format_2(tmp_path: Path, host: str) -> None:
    with run_lambda(tmp_path, "limits.answer_in_format_2") as local:
        answer = local.ask("/", headers={"Host": host})
    with run_lambda(tmp_path, "limits.count") as local:
        inferred = local.ask("/", headers={"Host": host})

    assert (answer.status_code, answer.content) == (201, "é".encode())
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
    assert (inferred.status_code, inferred.headers["Content-Type"]) == (200, "application/json")
    assert inferred.json()["calls"] == 1


@pytest.mark.parametrize(
    "response",
    [
        {"body": "no status"},
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"no": "text"}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"X": ["a"]}},
        {"statusCode": 200, "unknown": 1},
        "text",
        None,
    ],
    ids=json.dumps,
)
def test_malformed_responses(returning: Local, response: Any) -> None:
    body = json.dumps({"answer": response})

    answer = returning.ask("/dev/", "POST", data=body)

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert answer.headers["x-amzn-ErrorType"] == "InternalServerErrorException"


@pytest.fixture(scope="module")
def returning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with run_lambda(tmp_path_factory.mktemp("returning"), "limits.answer_as_told") as local:
        yield local


def test_errors_of_each_service(tmp_path: Path) -> None:
    with run_lambda(tmp_path, "limits.raise_error") as local:
        by_http_api = local.ask("/", headers={"Host": "http-api.localhost"})
        by_url = local.ask("/", headers={"Host": "f.lambda-url.localhost"})

    assert (by_http_api.status_code, by_http_api.json()) == (
        500,
        {"message": "Internal Server Error"},
    )
    assert (by_url.status_code, by_url.text) == (502, "Internal Server Error")
