"""Tests of movies.failures: one record for each, and none where Django's says as much."""

import logging

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.log import log_response

from movies.errors import AWSRefused, BadInput, MoviesError, Throttled
from movies.failures import log_failure

REFUSED = AWSRefused("GetItem", "AccessDenied", "You may not.")


@pytest.mark.parametrize(
    ("error", "messages"),
    [
        (REFUSED, ["Service Unavailable: /x: aws_refused: " + REFUSED.details]),
        (BadInput("year", "Expected a year."), ["As Django says it."]),
    ],
)
def test_one_record(
    rf: RequestFactory, caplog: pytest.LogCaptureFixture, error: MoviesError, messages: list[str]
) -> None:
    request, response = rf.get("/x"), HttpResponse(status=error.status)

    log_failure(request, response, error)
    log_response("As Django says it.", response=response, request=request)

    assert caplog.messages == messages


def test_level_is_that_of_the_status(rf: RequestFactory, caplog: pytest.LogCaptureFixture) -> None:
    """Of the error's status: a page may tell of it and lead on."""
    for error in (Throttled("GetItem", "Throttling", "Slower."), REFUSED):
        log_failure(rf.get("/x"), HttpResponse(status=302), error)

    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]
    assert caplog.messages[0].startswith("Too Many Requests: /x: throttled: ")
