"""Turn errors that were foreseen into pages, before anybody takes them for faults of the site."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

import tracing

from .errors import MoviesError, SQLUnavailable
from .failures import SQL_ERRORS, log_failure
from .views.errors import show_error


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
        error = SQLUnavailable(exception) if isinstance(exception, SQL_ERRORS) else exception
        if not isinstance(error, MoviesError) or error.status == 500:
            return None
        # Searchable on X-Ray: which errors do visitors meet, and where?
        tracing.put_annotation("error_code", error.code)
        response = show_error(request, error.status, str(error), error.code)
        log_failure(request, response, error)
        return response
