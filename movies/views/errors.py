"""Error pages: one template, what went wrong, what to do, and the trace to look at.

Under /api/ the same errors are told as JSON, by movies.api.errors.
"""

import logging
from typing import NamedTuple

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.views.decorators.csrf import requires_csrf_token

from movies.api.errors import RETRY_AFTER_SECONDS, error_response, is_api_request
from movies.context_processors import describe_site

logger = logging.getLogger(__name__)


class Explanation(NamedTuple):
    """What an error page says for a status: what it is, and what the visitor can do."""

    code: str
    heading: str
    advice: str


EXPLANATIONS = {
    400: Explanation(
        "bad_request",
        "That request can't be read",
        "Go back, mend what is named here, and send it again.",
    ),
    403: Explanation(
        "forbidden",
        "That is not for this account",
        "Sign in as somebody who may do it, or ask an administrator for the right.",
    ),
    404: Explanation(
        "not_found",
        "There is nothing here",
        "Look for mistakes in the address, or search the catalogue above.",
    ),
    405: Explanation(
        "method_not_allowed",
        "That can't be done here",
        "Go back, and use the links and buttons of the page.",
    ),
    409: Explanation(
        "conflict",
        "That doesn't fit what is there now",
        "Look at the film as it is now, and decide again.",
    ),
    413: Explanation(
        "too_large",
        "That is too much to send",
        "Send less: a poster may have 2 MB, and a form a good deal less.",
    ),
    415: Explanation(
        "unsupported_type",
        "That kind of file isn't taken",
        "Send a picture: PNG, JPEG or WebP.",
    ),
    429: Explanation(
        "throttled",
        "Too much at once",
        "The database is asked more than it may answer. Wait a few seconds, then try again.",
    ),
    500: Explanation(
        "server_error",
        "Something broke here",
        "It is not your fault. Try again; if it stays, report it with the trace id below.",
    ),
    503: Explanation(
        "unavailable",
        "That is out of reach right now",
        "Try again in a little while. Other pages may work meanwhile.",
    ),
}


def show_error(
    request: HttpRequest, status: int, reason: str = "", code: str | None = None
) -> HttpResponse:
    """Answer an error: a page of the site or, under /api/, its JSON.

    reason: a sentence that the visitor may read; the page escapes it.
    """
    explanation = EXPLANATIONS.get(status) or EXPLANATIONS[400 if status < 500 else 500]
    if is_api_request(request):
        message = reason or f"{explanation.heading}. {explanation.advice}"
        return error_response(request, status, code or explanation.code, message)
    context = {
        "status": status,
        "heading": explanation.heading,
        "reason": reason,
        "advice": explanation.advice,
    }
    response = HttpResponse(_render(request, status, context), status=status)
    response["Cache-Control"] = "no-store"
    if status in RETRY_AFTER_SECONDS:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS[status])
    return response


def _render(request: HttpRequest, status: int, context: dict[str, object]) -> str:
    """Return the page; where the visitor can't be looked up, the same page for anybody."""
    if status < 500:
        try:
            return render_to_string("movies/error.html", context, request)
        except Exception:
            logger.exception("Could not render the page for status %d as usual.", status)
    try:
        return render_to_string("movies/error.html", {**describe_site(), **context})
    except Exception:
        logger.exception("Could not render the page for status %d at all.", status)
    return format_html(
        "<!doctype html><title>{heading}</title><h1>{heading}</h1><p>{reason}</p><p>{advice}</p>",
        **context,
    )


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django could not read: 413 where it was too large, else 400."""
    if isinstance(exception, RequestDataTooBig):
        return show_error(request, 413, str(exception))
    return show_error(request, 400, str(exception))


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 with the reason that was given, if any."""
    return show_error(request, 403, str(exception))


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without its token: it was open too long, or comes from another site."""
    return show_error(
        request,
        403,
        "The form came without its token: cookies are off, it was open for too long, or it is "
        "another site's. Go back, reload the page, and send it again.",
        code="csrf_failed",
    )


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 with the reason of whoever looked, or else with the address."""
    reason = exception.args[0] if exception.args else None
    if not isinstance(reason, str):
        reason = f"This site has no page {request.path[:200]!r}."
    return show_error(request, 404, reason)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody foresaw; Django has logged it by now."""
    return show_error(request, 500)
