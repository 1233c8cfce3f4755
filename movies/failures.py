"""Failures of AWS and SQL, which were foreseen: one record in the log, with path and reason."""

from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response

from .errors import MoviesError

# What Django raises where a database can't be reached.
SQL_ERRORS = (OperationalError, InterfaceError)


def log_failure(request: HttpRequest, response: HttpResponse, error: MoviesError) -> None:
    """Write what visitors aren't told, if anything, in place of Django's record of the answer.

    Django passes over a response that has been logged; its own record has the path alone. The
    error's status counts, since a page may tell of a failure and lead on.
    """
    if error.details != str(error):
        log_response(
            "%s: %s: %s: %s",
            HTTPStatus(error.status).phrase,
            request.path,
            error.code,
            error.details,
            response=response,
            request=request,
            level="error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "warning",
        )
