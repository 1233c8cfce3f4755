"""The one shape of an error under /api/: RFC 9457 problem details.

type      always about:blank: `title` is the status's own phrase and `code` names the problem
title     the phrase of the HTTP status
status    the HTTP status
detail    a sentence for people: what was wrong, and what would be right
code      a word for programs, such as movie_not_found
trace_id  the request's trace, null outside a trace
fields    only for bad input: a sentence for each field or parameter that was refused
current   only where somebody else has changed the film: the film as it is now

https://www.rfc-editor.org/rfc/rfc9457
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse

import tracing

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = {429: 2, 503: 5}
# Trying these again leads nowhere.
FINAL_CODES = frozenset({"vote_uncertain"})
# What a status needs besides its body: RFC 9110 asks for a challenge with every 401.
HEADERS = {
    401: {"WWW-Authenticate": 'Session realm="movies"'},
    **{status: {"Retry-After": str(seconds)} for status, seconds in RETRY_AFTER_SECONDS.items()},
}


class Problem(Exception):
    """An error that the API itself finds; extra are more members, as of error_response."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.extra = extra


def error_response(
    request: HttpRequest, status: int, code: str, message: str, **extra: Any
) -> JsonResponse:
    """Return the answer that tells of an error.

    extra: more members of the problem, such as fields={"year": "…"}.
    """
    trace = tracing.current_trace()
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "code": code,
        "trace_id": trace.trace_id if trace else None,
        **extra,
    }
    response = JsonResponse(problem, status=status, content_type=CONTENT_TYPE)
    # Searchable on X-Ray: which errors do clients meet, and where?
    tracing.put_annotation("error_code", code)
    response["Cache-Control"] = "no-store"
    for name, value in HEADERS.get(status, {}).items():
        if name != "Retry-After" or code not in FINAL_CODES:
            response[name] = value
    return response


def is_api_request(request: HttpRequest) -> bool:
    """Say whether errors of this request are told as problems and not as pages."""
    return request.path_info.startswith("/api/")
