"""Upload and remove a film's poster."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from movies import catalogue, edits
from movies.catalogue import MovieKey
from movies.errors import MovieChanged, MovieNotFound, PosterRefused
from movies.forms import NO_VERSION, PosterForm

from .access import needs_editor, read_version
from .cards import make_card, movie_url
from .editing import ANOTHER_FILM
from .moved import follow_moves


@require_http_methods(["GET", "HEAD", "POST"])
@needs_editor
@follow_moves("movie-poster")
def change_poster(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Show the poster and a form; put up the picture that comes back, or take the poster down."""
    key = MovieKey(year, title)
    if request.method != "POST":
        return _show_form(request, key, PosterForm())
    form = PosterForm(request.POST, request.FILES)
    is_removal = "remove" in request.POST
    if not is_removal and not form.is_valid():
        return _show_form(request, key, form, status=400)
    version = read_version(request)
    if version is None:
        return _show_form(request, key, PosterForm(), status=400, problem=NO_VERSION)
    try:
        if is_removal:
            edits.remove_poster(key, version=version)
        else:
            # One byte more than may be is enough to be refused.
            content = form.cleaned_data["image"].read(settings.POSTER_MAX_BYTES + 1)
            edits.replace_poster(key, content, version=version)
    except PosterRefused as exc:
        return _show_form(request, key, PosterForm(), status=exc.status, problem=str(exc))
    except (MovieChanged, MovieNotFound) as exc:
        seen = edits.find_seen(key, version, exc)
        if seen is None and isinstance(exc, MovieNotFound):
            raise
        if seen is None:
            messages.warning(request, ANOTHER_FILM)
            return redirect(movie_url(key))
        if seen.key == key:
            return _show_form(request, key, PosterForm(), status=409, problem=str(exc))
        messages.warning(request, "Somebody has moved this film meanwhile: begin again from here.")
        return redirect(reverse("movie-poster", args=[seen.year, seen.title]))
    messages.success(request, "The poster is changed.")
    return redirect(movie_url(key))


def _show_form(
    request: HttpRequest, key: MovieKey, form: PosterForm, status: int = 200, problem: str = ""
) -> HttpResponse:
    """Answer the form; a file can't be sent back, so it is always for the newest version."""
    movie = catalogue.get_movie(key)
    context = {
        "card": make_card(movie),
        "form": form,
        "problem": problem,
        "hidden": {"version": movie.version},
        "heading": f"Poster of {movie.title} ({movie.year})",
        "verb": "Upload",
        "back_url": movie_url(key),
    }
    return render(request, "movies/poster.html", context, status=status)
