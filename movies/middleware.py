"""Turn errors that were foreseen into pages, before anybody takes them for faults of the site."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

import tracing

from .errors import MoviesError, Throttled
from .views.errors import show_error

logger = logging.getLogger(__name__)


class ErrorPagesMiddleware:
    """Answer MoviesError with its own status, and 503 where SQL can't be reached.

    The last in MIDDLEWARE, so the first to see an exception. What it doesn't know goes on to
    Django, which logs it and answers 500.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, MoviesError) and exception.status != 500:
            status, code, reason = exception.status, exception.code, str(exception)
            details = exception.details
        elif isinstance(exception, OperationalError | InterfaceError):
            status, code = 503, "sql_unavailable"
            reason = "The database of accounts and reviews doesn't answer."
            details = str(exception)
        else:
            return None
        # Searchable on X-Ray: which errors do visitors meet, and where?
        tracing.put_annotation("error_code", code)
        if status >= 500:
            logger.error("%s: %s", code, details)
        response = show_error(request, status, reason, code)
        if isinstance(exception, Throttled):
            response["Retry-After"] = str(exception.retry_after_seconds)
        return response
