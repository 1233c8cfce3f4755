"""Addresses that a film had before: they lead to the same page of it, where it is now."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from movies import catalogue
from movies.errors import MovieNotFound
from movies.movie import MovieKey

View = Callable[[HttpRequest, int, str], HttpResponse]


def follow_moves(name: str, *, but: str = "") -> Callable[[View], View]:
    """Lead to the address of this name where the film is now; for now only, another may come here.

    but: what to tell whoever sent something, and where it is left out, that is a 404.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, year: int, title: str) -> HttpResponse:
            try:
                return view(request, year, title)
            except MovieNotFound:
                is_sent = request.method == "POST"
                moved = None if is_sent and not but else catalogue.find_moved(MovieKey(year, title))
                if moved is None:
                    raise
                if is_sent:
                    messages.warning(request, f"Somebody has moved this film meanwhile: {but}.")
                return redirect(reverse(name, args=[moved.year, moved.title]))

        return guarded

    return decorate
