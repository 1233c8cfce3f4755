"""What people think of a film: votes and reviews."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse

from movies import departures, reviews
from movies.movie import MovieKey

from . import members
from .access import needs_sql, needs_user
from .bodies import read_json
from .errors import Problem
from .limits import CURSOR_MAX_CHARS, MAX_LIMIT, REVIEWS_LIMIT
from .queries import read_number, read_text
from .serialisation import movie_to_json, movie_url, next_link, review_to_json


@needs_user
def cast_vote(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Count the signed-in person's vote, once for each film; answer the film with it."""
    body = read_json(request)
    members.check_members(body, members.VOTE)
    movie = reviews.cast_vote(_user(request), MovieKey(year, title), body["stars"])
    return JsonResponse(movie_to_json(movie))


@needs_sql
def list_reviews(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Answer a page of a film's reviews, the newest first."""
    key = MovieKey(year, title)
    departures.get_movie(key)
    page = reviews.list_reviews(
        key,
        cursor=read_text(request, "cursor", CURSOR_MAX_CHARS),
        limit=read_number(request, "limit", 1, MAX_LIMIT) or REVIEWS_LIMIT,
    )
    return JsonResponse(
        {
            "reviews": [review_to_json(review) for review in page.reviews],
            "next_cursor": page.next_cursor,
            "next": next_link(request, page.next_cursor),
        }
    )


@needs_user
def get_own_review(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Answer what the signed-in person wrote about the film."""
    key = MovieKey(year, title)
    departures.get_movie(key)
    review = reviews.get_review(_user(request), key)
    if review is None:
        raise _no_review(key)
    return JsonResponse(review_to_json(review))


@needs_user
def save_own_review(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Write or change the signed-in person's review."""
    key = MovieKey(year, title)
    body = read_json(request)
    members.check_members(body, members.REVIEW)
    review, is_new = reviews.save_review(_user(request), key, body["stars"], body["text"])
    response = JsonResponse(review_to_json(review), status=201 if is_new else 200)
    if is_new:
        response["Location"] = movie_url(key, "api-review")
    return response


@needs_user
def delete_own_review(request: HttpRequest, year: int, title: str) -> HttpResponse:
    """Delete the signed-in person's review."""
    key = MovieKey(year, title)
    departures.get_movie(key)
    if not reviews.delete_review(_user(request), key):
        raise _no_review(key)
    return HttpResponse(status=204)


def _user(request: HttpRequest) -> User:
    """Return who is signed in; needs_user has seen to it that somebody is."""
    return cast(User, request.user)


def _no_review(key: MovieKey) -> Problem:
    return Problem(
        404, "review_not_found", f"You have not reviewed {key.title!r} ({key.year}) yet."
    )
