"""Vote on a film; write, change and delete one's own review of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

import tracing
from movies import catalogue, departures, reviews
from movies.catalogue import MovieKey
from movies.errors import AlreadyVoted, BadInput, VoteUncertain
from movies.failures import log_failure
from movies.forms import ReviewForm, VoteForm

from .access import get_viewer, needs_user
from .cards import movie_url
from .movies import render_movie


@require_http_methods(["GET", "HEAD", "POST"])
@needs_user
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
def write_review(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Show one's review of a film in a form, or an empty one; save what it comes back with."""
    movie = departures.get_movie(MovieKey(year, title))
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
    context = {
        "form": form,
        "heading": f"Your review of {movie.title} ({movie.year})",
        "verb": "Save",
        "back_url": movie_url(movie.key),
        "has_review": review is not None,
        "year": year,
        "title": title,
    }
    return render(request, "movies/review.html", context, status=400 if form.errors else 200)


@require_POST
@needs_user
def delete_review(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Delete one's own review."""
    key = MovieKey(year, title)
    departures.get_movie(key)
    if reviews.delete_review(get_viewer(request), key):
        messages.success(request, "Your review is deleted.")
    else:
        messages.warning(request, "There was no review of yours to delete.")
    return redirect(movie_url(key))
