"""Vote on a film; write, change and delete one's own review of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

import tracing
from movies import catalogue, departures, reviews
from movies.catalogue import Movie, MovieKey
from movies.errors import AlreadyVoted, BadInput, MovieNotFound, VoteUncertain
from movies.failures import log_failure
from movies.forms import ReviewForm, VoteForm

from .access import get_viewer, needs_user
from .cards import movie_url
from .moved import follow_moves
from .movies import render_movie

HAS_MOVED = (
    "Somebody has moved this film meanwhile: your review is not saved yet. If this is the film "
    "that you mean, send it again."
)


@require_http_methods(["GET", "HEAD", "POST"])
@needs_user
@follow_moves("movie", but="your vote is not counted yet")
def vote(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Count a vote, once for each account; GET, as after signing in, leads to the film."""
    key = MovieKey(year, title)
    response = redirect(movie_url(key))
    if request.method == "POST":
        form = VoteForm(request.POST)
        if not form.is_valid():
            return render_movie(request, catalogue.get_movie(key), form, status=400)
        try:
            reviews.cast_vote(get_viewer(request), key, form.cleaned_data["stars"])
        except (AlreadyVoted, VoteUncertain) as exc:
            messages.warning(request, str(exc))
            tracing.put_annotation("error_code", exc.code)
            log_failure(request, response, exc)
        else:
            messages.success(request, "Your vote is counted.")
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs_user
@follow_moves("review")
def write_review(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Show one's review of a film in a form, or an empty one; save what it comes back with.

    What is written of a film that has moved meanwhile comes back, to be sent to where it is now.
    """
    key = MovieKey(year, title)
    try:
        return _write_review(request, key)
    except MovieNotFound:
        moved = catalogue.find_moved(key) if request.method == "POST" else None
        if moved is None:
            raise
        form = ReviewForm(request.POST)
        return _show_form(request, moved, form, status=409, problem=HAS_MOVED)


def _write_review(request: HttpRequest, key: MovieKey) -> HttpResponse:
    movie = departures.get_movie(key)
    user = get_viewer(request)
    review = reviews.get_review(user, movie.key)
    initial = {"stars": review.stars, "text": review.text} if review else None
    form = ReviewForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            reviews.save_review(
                user, movie.key, form.cleaned_data["stars"], form.cleaned_data["text"]
            )
        except BadInput as exc:
            for field, reason in exc.fields.items():
                form.add_error(field, reason)
        else:
            messages.success(request, "Your review is saved.")
            return redirect(movie_url(movie.key) + "#reviews")
    status = 400 if form.errors else 200
    return _show_form(request, movie, form, status=status, has_review=review is not None)


def _show_form(
    request: HttpRequest,
    movie: Movie,
    form: ReviewForm,
    *,
    status: int,
    problem: str = "",
    has_review: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "problem": problem,
        "action": reverse("review", args=[movie.year, movie.title]),
        "heading": f"Your review of {movie.title} ({movie.year})",
        "verb": "Save",
        "back_url": movie_url(movie.key),
        "has_review": has_review,
        "year": movie.year,
        "title": movie.title,
    }
    return render(request, "movies/review.html", context, status=status)


@require_POST
@needs_user
@follow_moves("movie", but="your review is still there")
def delete_review(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Delete one's own review."""
    key = MovieKey(year, title)
    departures.get_movie(key)
    if reviews.delete_review(get_viewer(request), key):
        messages.success(request, "Your review is deleted.")
    else:
        messages.warning(request, "There was no review of yours to delete.")
    return redirect(movie_url(key))
