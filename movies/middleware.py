"""Turn errors that were foreseen into pages, before anybody takes them for faults of the site."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import patch_cache_control, patch_vary_headers

import tracing

from .errors import MoviesError, SQLUnavailable
from .failures import SQL_ERRORS, log_failure
from .views.errors import show_error


class ErrorPagesMiddleware:
    """Answer MoviesError with its own status, 503 without SQL, and a page instead of a bare 405.

    The last in MIDDLEWARE, so the first to see an exception. What it doesn't know goes on to
    Django, which logs it and answers 500.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            reason = f"This address is not for {request.method}, but for {response['Allow']}."
            page = show_error(request, 405, reason)
            page["Allow"] = response["Allow"]
            response = page
        return keep_to_visitor(request, response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        error = SQLUnavailable(exception) if isinstance(exception, SQL_ERRORS) else exception
        if not isinstance(error, MoviesError) or error.status == 500:
            return None
        # Searchable on X-Ray: which errors do visitors meet, and where?
        tracing.put_annotation("error_code", error.code)
        response = show_error(request, error.status, str(error), error.code)
        log_failure(request, response, error)
        return response


def keep_to_visitor(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Say of what somebody signed in is answered that no shared cache may keep it."""
    # Without a cookie nobody is signed in, and looking would make every answer vary by it.
    if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ("Cookie",))
    return response
