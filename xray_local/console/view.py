"""What every page of the console is: for reading or with forms, with words for what can go wrong.

A form needs no token against forged requests: whatever another site's page sends, also by a form, a
browser marks by Origin or Sec-Fetch-Site, and `xray_local.middleware.guard` refuses it.
"""

import functools
import sqlite3
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from xray_local.errors import DatabaseUnusable, InvalidRequest
from xray_local.filters import BadFilter
from xray_local.parts import get_parts

from .mistakes import find_mistake
from .pauses import without_collecting
from .scope import read_scope

View = Callable[..., HttpResponseBase]


def page(function: View) -> View:
    """Make a page of a view: only for reading, with words for what can go wrong."""
    return require_safe(_explain(function))


def form_page(function: View) -> View:
    """Make a page of a view that also takes the forms of its page, by POST.

    What was done is answered with `SeeOther`, what was refused with the page and what was typed.
    """
    return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(_explain(function)))


class SeeOther(HttpResponseRedirect):
    """Leads from a form that was taken to the page that shows it: to reload sends nothing again."""

    status_code = 303


def _explain(function: View) -> View:
    """Answer with words where a view fails."""

    @functools.wraps(function)
    def view(request: HttpRequest, **arguments: str) -> HttpResponseBase:
        try:
            with without_collecting():
                response = function(request, **arguments)
        except BadFilter as error:
            return show_mistake(request, error)
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


def show_mistake(request: HttpRequest, error: BadFilter) -> HttpResponse:
    """Show where the filter of a screen is wrong, with the bar in which it can be put right."""
    scope = read_scope(request)
    match = request.resolver_match
    context = {
        "section": match.url_name if match else "",
        "scope": scope,
        "mistake": find_mistake(scope.filter, error),
    }
    return render(request, "xray_local/mistake.html", context)


def show_failure(request: HttpRequest, status: int, title: str, reason: str) -> HttpResponse:
    """Show that something went wrong, and what."""
    context = {"title": title, "reason": reason}
    return render(request, "xray_local/failure.html", context, status=status)


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere."""
    return show_failure(
        request, 404, "There is nothing here", f"No page has the path {request.path[:200]!r}."
    )
