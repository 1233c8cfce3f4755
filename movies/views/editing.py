"""Add, change and delete films; nobody's save is overwritten by another's."""

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from movies import catalogue, edits
from movies.catalogue import Movie, MovieFields, MovieKey
from movies.errors import MovieChanged, MovieExists, MovieNotFound
from movies.forms import NO_VERSION, MovieEditForm, MovieForm, describe_fields, to_lines

from .access import needs_editor, read_version
from .cards import movie_url
from .moved import follow_moves

ANOTHER_FILM = "The film that you saw here is gone already: this is another one."


class Difference(NamedTuple):
    """One field of a film in two versions, as text."""

    label: str
    yours: str
    theirs: str

    @property
    def differs(self) -> bool:
        return self.yours != self.theirs


@require_http_methods(["GET", "HEAD", "POST"])
@needs_editor
def add_movie(request: HttpRequest) -> HttpResponse:
    """Show an empty form; add the film that it comes back with."""
    form = MovieForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            movie = catalogue.add_movie(form.movie_fields)
        except MovieExists as exc:
            form.add_error("title", str(exc))
        else:
            messages.success(request, f"{movie.title} is in the catalogue.")
            return redirect(movie_url(movie.key))
    return _show_form(request, form, "Add a film", reverse("movies"))


@require_http_methods(["GET", "HEAD", "POST"])
@needs_editor
@follow_moves("movie-edit")
def edit_movie(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Show the film in a form; save it over the version that the editor saw, or show both."""
    key = MovieKey(year, title)
    if request.method != "POST":
        movie = catalogue.get_movie(key)
        initial = describe_fields(MovieFields.from_movie(movie)) | {"version": movie.version}
        return _show_edit_form(request, MovieEditForm(initial=initial), key)
    form = MovieEditForm(request.POST)
    if form.is_valid():
        version = form.cleaned_data["version"]
        try:
            movie = edits.change_movie(key, form.movie_fields, version=version)
        except MovieExists as exc:
            form.add_error("title", str(exc))
        except (MovieChanged, MovieNotFound) as exc:
            stranger = exc.current if isinstance(exc, MovieChanged) else None
            return _show_conflict(request, form, edits.find_seen(key, version, exc), stranger)
        else:
            messages.success(request, f"{movie.title} is saved.")
            return redirect(movie_url(movie.key))
    return _show_edit_form(request, form, key)


def _show_edit_form(request: HttpRequest, form: MovieEditForm, key: MovieKey) -> HttpResponse:
    return _show_form(request, form, f"Edit {key.title} ({key.year})", movie_url(key))


def _show_form(request: HttpRequest, form: MovieForm, heading: str, back_url: str) -> HttpResponse:
    context = {"form": form, "heading": heading, "verb": "Save", "back_url": back_url}
    return render(request, "movies/form.html", context, status=400 if form.errors else 200)


def _show_conflict(
    request: HttpRequest, form: MovieEditForm, current: Movie | None, there: Movie | None
) -> HttpResponse:
    """Show both versions, what differs, and what can be done; current is None if it was deleted.

    Where the film has another key by now, its own form saves to that. there: what is at the key
    that the editor wrote to; it may be another film.
    """
    yours = form.movie_fields
    theirs = MovieFields.from_movie(current) if current else None
    again: MovieForm = MovieForm(initial=describe_fields(yours))
    urls = {"action": reverse("movie-add")}
    if current:
        initial = describe_fields(yours) | {"version": current.version}
        again = MovieEditForm(initial=initial)
        edit_url = reverse("movie-edit", args=[current.year, current.title])
        urls = {"action": edit_url, "edit_url": edit_url, "current_url": movie_url(current.key)}
    context = {
        "current": current,
        "stranger_url": movie_url(there.key) if there and not current else None,
        "heading_title": yours.title,
        "rows": compare(yours, theirs or yours),
        "form": again,
        **urls,
    }
    return render(request, "movies/conflict.html", context, status=409)


def compare(yours: MovieFields, theirs: MovieFields) -> list[Difference]:
    """Return every field of both versions, as text."""
    ours, others = _describe(yours), _describe(theirs)
    return [Difference(label, ours[label], others[label]) for label in ours]


def _describe(fields: MovieFields) -> dict[str, str]:
    return {
        "Title": fields.title,
        "Year": str(fields.year),
        "Plot": fields.plot,
        "Genres": ", ".join(fields.genres),
        "Directors": to_lines(fields.directors),
        "Actors": to_lines(fields.actors),
        "Minutes": str(fields.runtime_minutes or ""),
        "Released": str(fields.release_date or ""),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needs_editor
@follow_moves("movie-delete")
def delete_movie(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Ask once; then delete the version that the editor saw."""
    key = MovieKey(year, title)
    if request.method != "POST":
        return _ask_to_delete(request, key)
    version = read_version(request)
    if version is None:
        return _ask_to_delete(request, key, NO_VERSION, status=400)
    try:
        edits.delete_movie(key, version=version)
    except (MovieChanged, MovieNotFound) as exc:
        seen = edits.find_seen(key, version, exc)
        if seen is None and isinstance(exc, MovieNotFound):
            raise
        if seen is None:
            messages.warning(request, ANOTHER_FILM)
            return redirect(movie_url(key))
        if seen.key == key:
            problem = "Somebody has saved this film meanwhile; look at it again first."
            return _ask_to_delete(request, key, problem, status=409)
        messages.warning(request, "Somebody has moved this film meanwhile: it is not deleted.")
        return redirect(movie_url(seen.key))
    messages.success(request, f"{key.title} is deleted.")
    return redirect("movies")


def _ask_to_delete(
    request: HttpRequest, key: MovieKey, problem: str = "", status: int = 200
) -> HttpResponse:
    """Answer the question, for the film as it is now."""
    movie = catalogue.get_movie(key)
    context = {
        "heading": f"Delete {movie.title} ({movie.year})?",
        "question": "Its poster, votes and reviews go with it. That can't be undone.",
        "problem": problem,
        "action": reverse("movie-delete", args=[key.year, key.title]),
        "hidden": {"version": movie.version},
        "verb": "Delete it",
        "is_dangerous": True,
        "back_url": movie_url(key),
    }
    return render(request, "movies/confirm.html", context, status=status)
