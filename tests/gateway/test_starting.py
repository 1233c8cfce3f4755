"""What is done before the first event, by whatever application."""

import gc
import logging
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from gateway import starting, warm_up
from gateway.starting import WARM_UP_REQUESTS
from tests.gateway.examples import Echo


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_collector_rests_and_then_passes_over_what_is_there():
    with starting():
        was_resting = not gc.isenabled()
        kept = [[] for _ in range(1000)]

    assert was_resting
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(kept)


def test_collector_works_again_after_a_failure():
    with pytest.raises(ImportError, match="no_such_module"), starting():
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401

    assert gc.isenabled()


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        ([".execute-api.eu-west-1.amazonaws.com", "films.example"], "execute-api.eu-west-1"),
        (["films.example"], "films.example"),
        (["*"], "localhost"),
        ([], "localhost"),
    ],
)
def test_request_is_one_that_the_application_answers(settings: Any, hosts: list[str], host: str):
    settings.ALLOWED_HOSTS = hosts
    echo = Echo()

    warm_up(echo, "/healthz")

    assert echo.environ["REQUEST_METHOD"] == "GET"
    assert echo.environ["PATH_INFO"] == "/healthz"
    assert echo.environ["HTTP_HOST"].startswith(host)
    assert echo.environ["wsgi.url_scheme"] == "https"
    assert echo.environ["gateway.is_warm_up"] is True


def test_interpreter_has_adapted_to_the_application():
    echo, paths = Echo(), []

    def count(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        paths.append(environ["PATH_INFO"])
        return echo(environ, start_response)

    warm_up(count, "/healthz")

    assert paths == ["/healthz"] * WARM_UP_REQUESTS


def test_application_that_answers_says_nothing(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)

    warm_up(Echo(), "/healthz")

    assert caplog.records == []


def test_application_that_fails_still_starts(caplog: pytest.LogCaptureFixture):
    def fail(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise RuntimeError("No table.")

    warm_up(fail, "/healthz")

    [record] = caplog.records
    assert record.getMessage() == "Could not warm up with /healthz."
    assert record.exc_info is not None


def test_other_answers_than_200_are_told(caplog: pytest.LogCaptureFixture):
    warm_up(Echo(status="404 Not Found"), "/health")

    assert caplog.messages == ["Expected 200 of /health to warm up, got 404."]
