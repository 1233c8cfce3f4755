"""What every page of the console is: only for reading, with words for what can go wrong."""

import functools
import sqlite3
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xray_local.errors import DatabaseUnusable, InvalidRequest
from xray_local.parts import get_parts

View = Callable[..., HttpResponse]


def page(function: View) -> View:
    """Make a page of a view: only for reading, with words for what can go wrong."""

    @require_safe
    @functools.wraps(function)
    def view(request: HttpRequest, **arguments: str) -> HttpResponse:
        try:
            response = function(request, **arguments)
        except InvalidRequest as error:
            return show_failure(request, 400, "This link does not lead anywhere", str(error))
        except DatabaseUnusable as error:
            return show_failure(request, 503, "The groups cannot be read", str(error))
        except sqlite3.Error as error:
            return show_failure(
                request,
                503,
                "The traces cannot be read",
                f"The database {str(get_parts(request).database)!r} answered: {error}.",
            )
        # What is shown may be different a moment later.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return view


def show_failure(request: HttpRequest, status: int, title: str, reason: str) -> HttpResponse:
    """Show that something went wrong, and what."""
    context = {"title": title, "reason": reason}
    return render(request, "xray_local/failure.html", context, status=status)


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere."""
    return show_failure(
        request, 404, "There is nothing here", f"No page has the path {request.path[:200]!r}."
    )
