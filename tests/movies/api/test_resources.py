"""Methods, HEAD, OPTIONS, and errors of every kind in the API's one shape."""

import http.server
import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from movies import aws as movies_aws
from movies.api.resources import resource
from movies.movie import Movie

from .client import APIClient, check_problem, film_path

MATRIX = film_path(1999, "The Matrix")
GETS = ["/api/", "/api/genres/", "/api/openapi.json", "/api/movies/", MATRIX, MATRIX + "reviews/"]
PATHS = [*GETS, MATRIX + "votes/", MATRIX + "poster/", MATRIX + "reviews/mine/"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X" * 100]

pytestmark = pytest.mark.django_db


def break_down(request: HttpRequest) -> HttpResponse:
    """Fail as nobody foresaw."""
    raise ZeroDivisionError("division by nothing")


urlpatterns = [
    path("api/broken/", resource(GET=break_down)),
    path("", include("movies_site.urls")),
]
handler500 = "movies.views.errors.server_error"


@pytest.fixture
def refusing_aws(settings: Any) -> Iterator[type[http.server.BaseHTTPRequestHandler]]:
    """An AWS that refuses everything, with the code that its class says."""

    class Refusal(http.server.BaseHTTPRequestHandler):
        code = "AccessDeniedException"

        def do_POST(self) -> None:
            body = json.dumps({"__type": f"x#{self.code}", "message": "No."}).encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{server.server_port}"
    movies_aws.forget_clients()
    yield Refusal
    movies_aws.forget_clients()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", PATHS)
def test_methods(anonymous: APIClient, film: Movie, path: str) -> None:
    options = anonymous.send("OPTIONS", path)
    allowed = options["Allow"].split(", ")

    assert (options.status_code, options.content) == (204, b"")
    assert ("HEAD" in allowed) is ("GET" in allowed)
    for method in METHODS:
        response = anonymous.send(method, path)
        assert (response.status_code == 405) is (method not in allowed), method
        if response.status_code == 405:
            assert response["Allow"] == options["Allow"]
            assert response.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", [*GETS, "/api/movies/1999/Nothing/", "/api/movies/?year=0"])
def test_head_is_get_without_its_body(anonymous: APIClient, film: Movie, path: str) -> None:
    get, head = anonymous.get(path), anonymous.send("HEAD", path)

    assert head.content == b""
    assert head.status_code == get.status_code
    # A trace id is as long as another.
    assert head["Content-Length"] == get["Content-Length"] == str(len(get.content))
    ignored = {"Content-Length", "X-Amzn-Trace-Id"}
    assert {n: v for n, v in head.items() if n not in ignored} == {
        n: v for n, v in get.items() if n not in ignored
    }


def test_answers_are_asked_for_anew(anonymous: APIClient, film: Movie) -> None:
    assert anonymous.get("/api/movies/")["Cache-Control"] == "no-cache"
    assert anonymous.get("/api/movies/1999/Nothing/")["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_addresses(anonymous: APIClient, method: str) -> None:
    response = anonymous.send(method, "/api/movies")

    assert response.status_code == 404
    assert "end with a slash" in response.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_unknown_parameters(anonymous: APIClient, film: Movie, path: str) -> None:
    method = "GET" if path in GETS else "DELETE" if "votes" not in path else "POST"

    response = anonymous.send(method, f"{path}?colour=red")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["colour"]


def test_too_many_parameters(anonymous: APIClient) -> None:
    response = anonymous.get("/api/movies/?" + "&".join(f"p{number}=" for number in range(2000)))

    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


def test_too_large_a_body(editor: APIClient) -> None:
    response = editor.send("POST", "/api/movies/", b" " * 1024 * 1024 + b" {}")

    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


def test_body_that_breaks_off(editor: APIClient) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("connection reset")

    response = editor.client.generic(
        "PUT",
        film_path(1999, "The Matrix"),
        b"{}",
        "application/json",
        headers={"X-CSRFToken": editor.token, "If-Match": '"1"'},
        **{"wsgi.input": Broken()},
    )

    assert response.status_code == 400
    assert check_problem(response)["code"] == "bad_request"


@pytest.mark.parametrize(
    ("path", "aws_code", "status", "code"),
    [
        ("/api/movies/", "AccessDeniedException", 503, "aws_refused"),
        ("/api/movies/?q=x", "ResourceNotFoundException", 503, "aws_refused"),
        (MATRIX, "ProvisionedThroughputExceededException", 429, "throttled"),
        (MATRIX, "ThrottlingException", 429, "throttled"),
    ],
)
def test_aws_refuses(refusing_aws: Any, path: str, aws_code: str, status: int, code: str) -> None:
    refusing_aws.code = aws_code

    response = APIClient().get(path)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert int(response["Retry-After"]) > 0


def test_aws_is_not_there(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    movies_aws.forget_clients()

    with caplog.at_level(logging.ERROR):
        response = APIClient().get("/api/movies/")

    movies_aws.forget_clients()
    assert response.status_code == 503
    assert response.json()["code"] == "aws_unreachable"
    (record,) = caplog.records
    assert "/api/movies/: aws_unreachable: AWS did not answer Query" in record.getMessage()
    assert "Could not connect to the endpoint URL" in record.getMessage()
    assert APIClient().get("/api/genres/").status_code == 200


def test_sql_is_not_there(
    anonymous: APIClient, film: Movie, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE movies_review RENAME TO movies_review_gone")

    response = anonymous.get(MATRIX + "reviews/")

    # PostgreSQL tells of a missing table otherwise; this is SQLite's OperationalError.
    assert response.status_code == 503
    assert response.json()["code"] == "sql_unavailable"
    assert anonymous.get(MATRIX).status_code == 200


@pytest.mark.urls(__name__)
def test_what_nobody_foresaw(caplog: pytest.LogCaptureFixture) -> None:
    """One record in the log with the stack, and an answer without."""
    client = Client(raise_request_exception=False)

    with caplog.at_level(logging.ERROR):
        response = client.get("/api/broken/")

    problem = check_problem(response)
    assert (response.status_code, problem["code"]) == (500, "server_error")
    assert "division" not in response.content.decode()
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_host_that_is_not_ours() -> None:
    response = Client(headers={"Host": "evil.example"}).get("/api/")

    assert response.status_code == 400
    assert check_problem(response)["code"] == "bad_request"
