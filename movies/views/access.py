"""Who may do what: accounts need SQL, writing needs an account, editing needs the permission."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from movies.context_processors import EDIT_PERMISSION
from movies.forms import VersionForm
from movies.reviews import has_sql

from .errors import show_error

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

READ_ONLY = (
    "This site runs without an SQL database: films can be browsed, but there are no accounts, "
    "reviews, votes or edits."
)


def needs_sql(view: View[P]) -> View[P]:
    """Answer 503 where there is no database to keep accounts in."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not has_sql():
            return show_error(request, 503, READ_ONLY, "read_only")
        return view(request, *args, **kwargs)

    return guarded


def needs_user(view: View[P]) -> View[P]:
    """Send whoever isn't signed in to sign in, and back here after."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return needs_sql(guarded)


def needs_editor(view: View[P]) -> View[P]:
    """Answer 403 to an account that may not edit the catalogue."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.has_perm(EDIT_PERMISSION):
            raise PermissionDenied("Only editors may change the catalogue, and you aren't one yet.")
        return view(request, *args, **kwargs)

    return needs_user(guarded)


def get_viewer(request: HttpRequest) -> User:
    """Return who is signed in, in a view that only they reach."""
    return cast(User, request.user)


def read_version(request: HttpRequest) -> int | None:
    """Return the version that a form was made from; None where it doesn't say."""
    form = VersionForm(request.POST)
    return form.cleaned_data["version"] if form.is_valid() else None
