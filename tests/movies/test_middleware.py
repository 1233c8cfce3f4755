from django.db import InterfaceError
from django.http import HttpRequest, HttpResponse

from movies.errors import AWSRefused, BadInput, MoviesError, StepFailed, Throttled
from movies.middleware import ErrorPagesMiddleware
from tests.conftest import Daemon
from tracing import xray_recorder


def make_middleware() -> ErrorPagesMiddleware:
    return ErrorPagesMiddleware(lambda request: HttpResponse("fine"))


def answer(exception: Exception) -> HttpResponse | None:
    return make_middleware().process_exception(HttpRequest(), exception)


def test_it_passes_requests_on() -> None:
    assert make_middleware()(HttpRequest()).content == b"fine"


def test_foreseen_errors_have_their_status() -> None:
    for exception in (
        BadInput("year", "Expected a year."),
        Throttled("GetItem", "Throttling", "Slow down."),
        AWSRefused("GetItem", "Internal", "Broken."),
    ):
        response = answer(exception)

        assert response is not None
        assert response.status_code == exception.status
        assert str(exception) in response.content.decode()


def test_throttled_says_when_to_come_back() -> None:
    response = answer(Throttled("GetItem", "Throttling", "Slow down."))

    assert response is not None
    assert response["Retry-After"] == "2"


def test_sql_out_of_reach_is_503() -> None:
    response = answer(InterfaceError("connection already closed"))

    assert response is not None
    assert response.status_code == 503
    assert b"connection already closed" not in response.content


def test_what_is_a_fault_of_the_site_goes_on_to_django() -> None:
    assert answer(RuntimeError("?")) is None
    assert answer(MoviesError("?")) is None
    assert answer(StepFailed("s3", "Code", "Message")) is None


def test_the_error_can_be_searched_for(daemon: Daemon) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    answer(BadInput("year", "Expected a year."))
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert document["annotations"] == {"error_code": "bad_input"}
