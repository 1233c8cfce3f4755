"""PutTraceSegments without Django's signals and routing, which take longer than its answer.

The guard, the view and what becomes of an exception are those that Django would use.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from .api.segments import put_trace_segments
from .middleware import guard

PATH = "/TraceSegments"
_answer: Callable[[HttpRequest], Any] = convert_exception_to_response(
    guard(cast(Any, convert_exception_to_response(put_trace_segments)))
)


def take_segments(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request to the path, as a WSGI application."""
    response = _answer(WSGIRequest(environ))
    start_response(
        f"{response.status_code} {response.reason_phrase}", list(response.headers.items())
    )
    return [response.content]
