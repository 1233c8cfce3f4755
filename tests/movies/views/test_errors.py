import json
import logging
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from movies.errors import AWSUnreachable, Throttled
from movies.views import errors

from .markup import read

SAID = "It said <b>no</b>."
# Of these, boto3's words are for the log.
KEPT_BACK = ("429", "500", "503")


def _raise(exception: Exception) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        raise exception

    return view


RAISED: dict[str, Exception] = {
    "400": BadRequest(SAID),
    "403": PermissionDenied(SAID),
    "404": Http404(SAID),
    "429": Throttled("GetItem", "ThrottlingException", SAID),
    "500": RuntimeError(SAID),
    "503": AWSUnreachable("GetItem", "EndpointConnectionError", SAID),
}
urlpatterns = [
    *(path(f"raise/{name}", _raise(exception)) for name, exception in RAISED.items()),
    *(path(f"api/raise/{name}", _raise(exception)) for name, exception in RAISED.items()),
    path("raise/sql", _raise(OperationalError("connection refused"))),
    path("", include("movies_site.urls")),
]
handler400 = "movies.views.errors.bad_request"
handler403 = "movies.views.errors.permission_denied"
handler404 = "movies.views.errors.not_found"
handler500 = "movies.views.errors.server_error"

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor() -> Client:
    """A browser that is shown a 500 instead of having the exception raised."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("status", sorted(RAISED))
def test_error_pages(visitor: Client, status: str) -> None:
    response = visitor.get(f"/raise/{status}")

    page = read(response)
    explanation = errors.EXPLANATIONS[int(status)]
    assert response.status_code == int(status)
    assert explanation.heading in page.text
    assert explanation.advice in page.text
    assert (SAID in page.text) == (status not in KEPT_BACK)
    assert "This page’s trace: 1-" in page.text  # noqa: RUF001 - as a page has it
    assert response["Cache-Control"] == "no-store"
    assert ("Retry-After" in response) == (status in ("429", "503"))
    assert "/movies/" in page.links


@pytest.mark.parametrize("status", sorted(RAISED))
def test_error_pages_are_json_in_the_api(visitor: Client, status: str) -> None:
    response = visitor.get(f"/api/raise/{status}")

    problem = json.loads(response.content)
    assert response.status_code == problem["status"] == int(status)
    assert response["Content-Type"] == "application/problem+json"
    assert problem["trace_id"].startswith("1-")
    assert (SAID in problem["detail"]) == (status not in KEPT_BACK)


@pytest.mark.parametrize("url", ["/raise/503", "/api/raise/503"])
def test_visitors_are_told_the_operation_and_no_address(visitor: Client, url: str) -> None:
    answer = visitor.get(url).content

    assert b"AWS did not answer GetItem." in answer
    assert b"EndpointConnectionError" not in answer


def test_error_page_where_nothing_is(visitor: Client) -> None:
    response = visitor.get("/nothing/<b>/here")

    assert response.status_code == 404
    assert "This site has no page '/nothing/<b>/here'." in read(response).text


def test_error_page_where_sql_is_out_of_reach(visitor: Client) -> None:
    response = visitor.get("/raise/sql")

    assert response.status_code == 503
    assert response["Retry-After"]
    assert "The database of accounts and reviews doesn't answer." in read(response).text
    assert "connection refused" not in response.content.decode()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            "/raise/503",
            f"aws_unreachable: AWS did not answer GetItem. EndpointConnectionError: {SAID}",
        ),
        ("/api/raise/503", "EndpointConnectionError"),
        ("/raise/sql", "OperationalError: connection refused"),
    ],
)
def test_foreseen_failure_is_one_record_with_path_and_reason(
    visitor: Client, caplog: pytest.LogCaptureFixture, url: str, reason: str
) -> None:
    visitor.get(url)

    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.getMessage().startswith(f"Service Unavailable: {url}: ")
    assert reason in record.getMessage()


def test_error_page_says_nothing_of_an_unhandled_exception(visitor: Client) -> None:
    assert b"RuntimeError" not in visitor.get("/raise/500").content


@pytest.mark.django_db
def test_csrf_failure(visitor: Client) -> None:
    strict = Client(enforce_csrf_checks=True)

    response = strict.post("/accounts/sign-in/", {"username": "x", "password": "y"})

    assert response.status_code == 403
    assert "The form came without its token" in read(response).text


@pytest.mark.parametrize("url", ["/accounts/sign-in/", "/movies/add/"])
def test_a_form_that_is_too_large(visitor: Client, url: str, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["csrftoken"] = "x" * 32

    response = strict.post(url, "x" * 2000, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 413
    assert "That is too much to send" in read(response).text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("&".join("a=1" for _ in range(1001)), "application/x-www-form-urlencoded"),
        ("no parts", "multipart/form-data; boundary=" + "x" * 300),
        ("no parts", "multipart/form-data"),
    ],
)
def test_a_form_that_can_not_be_read(visitor: Client, body: str, content_type: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["csrftoken"] = "x" * 32

    response = strict.post("/accounts/sign-in/", body, content_type=content_type)

    assert response.status_code == 400
    assert "That request can't be read" in read(response).text


def test_a_host_that_is_not_ours(visitor: Client) -> None:
    response = visitor.get("/", HTTP_HOST="evil.example")

    assert response.status_code == 400
    assert "That request can't be read" in read(response).text


def test_show_error_of_an_unknown_status(client: Client) -> None:
    request = HttpRequest()

    assert b"be read" in errors.show_error(request, 418).content
    assert b"Something broke here" in errors.show_error(request, 599).content


def test_show_error_when_the_visitor_can_not_be_looked_up(caplog: pytest.LogCaptureFixture) -> None:
    class Nobody:
        @property
        def is_authenticated(self) -> bool:
            raise OperationalError("no such table")

    request = HttpRequest()
    request.user = Nobody()  # type: ignore[assignment]

    response = errors.show_error(request, 404, "Gone.")

    assert "Gone." in read(response).text
    assert "Could not render the page for status 404 as usual." in caplog.messages


def test_show_error_when_no_template_can_be_rendered(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "APP_DIRS": False}]

    response = errors.show_error(HttpRequest(), 500, "Because <b>.")

    assert response.status_code == 500
    assert b"<h1>Something broke here</h1><p>Because &lt;b&gt;.</p>" in response.content
    assert "Could not render the page for status 500 at all." in caplog.messages


def test_not_found_without_a_reason() -> None:
    assert b"This site has no page" in errors.not_found(HttpRequest(), Exception()).content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "url", "allow"),
    [
        ("DELETE", "/movies/", "GET, HEAD"),
        ("GET", "/movies/1999/X/review/delete/", "POST"),
        ("PUT", "/accounts/sign-out/", "GET, HEAD, POST, OPTIONS"),
    ],
)
def test_method_that_a_page_has_not(visitor: Client, method: str, url: str, allow: str) -> None:
    response = visitor.generic(method, url)

    page = read(response)
    assert (response.status_code, response["Allow"]) == (405, allow)
    assert f"This address is not for {method}, but for {allow}." in page.text
    assert errors.EXPLANATIONS[405].advice in page.text
