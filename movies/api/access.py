"""Who may do what under /api/: a signed-in session, its CSRF token, and a permission."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_protect

from movies.context_processors import EDIT_PERMISSION
from movies.reviews import has_sql

from .errors import Problem

P = ParamSpec("P")
Handler = Callable[Concatenate[HttpRequest, P], HttpResponse]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def needs_sql(handler: Handler[P]) -> Handler[P]:
    """Answer 503 where there is no database: accounts, reviews and votes live there."""

    @wraps(handler)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not has_sql():
            raise Problem(
                503,
                "read_only",
                "This site runs without a database: the catalogue can be read, "
                "but there are no accounts, reviews, votes or edits.",
            )
        return handler(request, *args, **kwargs)

    return guarded


def needs_user(handler: Handler[P]) -> Handler[P]:
    """Answer 401 to who isn't signed in, and 403 to a write without the session's CSRF token.

    The order is this one, so that an anonymous client isn't told to send a token that it
    couldn't use.
    """

    @wraps(handler)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            raise Problem(
                401,
                "not_signed_in",
                "Sign in first: expected the cookie of a session that is signed in.",
            )
        if request.method not in SAFE_METHODS:
            _check_csrf(request)
        return handler(request, *args, **kwargs)

    return needs_sql(guarded)


def needs_editor(handler: Handler[P]) -> Handler[P]:
    """Answer 403 to whoever may not edit the catalogue, and 401 as needs_user does."""

    @wraps(handler)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.has_perm(EDIT_PERMISSION):
            raise Problem(
                403, "not_an_editor", "This account may not edit the catalogue; editors may."
            )
        return handler(request, *args, **kwargs)

    return needs_user(guarded)


@csrf_protect
def _passes_csrf(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def _check_csrf(request: HttpRequest) -> None:
    """Do what Django's middleware does for pages, but tell it as a problem."""
    if _passes_csrf(request).status_code != 204:
        raise Problem(
            403,
            "csrf_failed",
            "Expected the value of the csrftoken cookie in X-CSRFToken, from this site's origin. "
            "GET /api/ sets the cookie.",
        )
