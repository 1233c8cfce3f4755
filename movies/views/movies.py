"""The catalogue: lists of films, and one film."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from movies import catalogue, departures, reviews
from movies.api.limits import decades
from movies.catalogue import GENRES, Movie, MovieKey
from movies.context_processors import EDIT_PERMISSION
from movies.errors import BadInput
from movies.forms import VoteForm
from movies.models import Vote

from .browsing import (
    BEST_MATCH_FIRST,
    EVERYTHING,
    NEWEST_FIRST,
    find_page,
    list_years,
    read_choice,
)
from .cards import make_card, movie_url
from .moved import follow_moves


@require_safe
def list_movies(request: HttpRequest) -> HttpResponse:
    """Show a page of films: all, those of a year, decade or genre, or those that a search finds.

    What can't be listed is said on the page, beside all that can.
    """
    choice, problem, page = EVERYTHING, None, catalogue.Page((), None)
    try:
        choice = read_choice(request)
        page = find_page(choice)
    except BadInput as exc:
        problem = exc.message
    return render(
        request,
        "movies/movies.html",
        {
            "problem": problem,
            "heading": "The catalogue" if problem else choice.heading,
            "order": BEST_MATCH_FIRST if choice.query else NEWEST_FIRST,
            "query": choice.query,
            "year": choice.year,
            "current_decade": choice.decade,
            "genre": choice.genre,
            "is_everything": choice.name is None,
            "is_later_page": choice.cursor is not None,
            "first_url": choice.make_url(),
            "next_url": choice.make_url(page.next_cursor) if page.next_cursor else None,
            "decades": decades()[::-1],
            "years": list_years(choice.decade),
            "genres": GENRES,
            "cards": [make_card(movie) for movie in page.movies],
        },
        status=400 if problem else 200,
    )


@require_safe
@follow_moves("movie")
def show_movie(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Show one film with its reviews, and what this visitor may do with it."""
    return render_movie(request, catalogue.get_movie(MovieKey(year, title)), VoteForm())


def render_movie(
    request: HttpRequest, movie: Movie, vote_form: VoteForm, status: int = 200
) -> HttpResponse:
    """Answer the film's page, with a vote form that may hold a mistake."""
    context = {
        "movie": movie,
        "card": make_card(movie),
        "is_sample": movie.is_sample,
        "vote_form": vote_form,
    }
    if reviews.has_sql():
        context |= _find_opinions(request, movie)
    return render(request, "movies/movie.html", context, status=status)


def _find_opinions(request: HttpRequest, movie: Movie) -> dict[str, Any]:
    """Return the reviews, and what this visitor has said about the film."""
    departures.settle(movie.key)
    page = reviews.list_reviews(movie.key, cursor=request.GET.get("reviews") or None)
    user = request.user
    older = urlencode({"reviews": page.next_cursor}) if page.next_cursor else None
    opinions: dict[str, Any] = {
        "reviews": page.reviews,
        "older_reviews_url": f"{movie_url(movie.key)}?{older}#reviews" if older else None,
        "review_url": reverse("review", args=[movie.year, movie.title]),
    }
    if isinstance(user, AnonymousUser):
        return opinions
    vote = Vote.objects.filter(user=user, year=movie.year, title=movie.title).first()
    return opinions | {
        "own_review": reviews.get_review(user, movie.key),
        "own_vote": vote.stars if vote else None,
        "may_change": user.has_perm(EDIT_PERMISSION) and not movie.is_sample,
    }
