"""Tests of movies.failures: one record for each, and none where Django's says as much."""

import logging

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.log import log_response

from movies.errors import AWSRefused, BadInput, MoviesError
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
    for status in (429, 503):
        log_failure(rf.get("/x"), HttpResponse(status=status), REFUSED)

    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]
