"""Films and reviews as JSON: what movies.api.schemas describes."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from movies import posters
from movies.models import Review
from movies.movie import Movie, MovieKey


def movie_to_json(movie: Movie) -> dict[str, Any]:
    """Return a film; its poster's URL is presigned and good for an hour."""
    return {
        "year": movie.year,
        "title": movie.title,
        "plot": movie.plot,
        "genres": list(movie.genres),
        "directors": list(movie.directors),
        "actors": list(movie.actors),
        "runtime_minutes": movie.runtime_minutes,
        "release_date": movie.release_date.isoformat() if movie.release_date else None,
        "rating": None if movie.rating is None else round(movie.rating, 2),
        "votes": movie.votes,
        "version": movie.version,
        "poster_url": posters.presign_poster(movie.poster) if movie.poster else None,
        "url": movie_url(movie.key),
        "reviews_url": movie_url(movie.key, "api-reviews"),
    }


def review_to_json(review: Review) -> dict[str, Any]:
    """Return a review with its author's name."""
    return {
        "author": review.user.get_username(),
        "stars": review.stars,
        "text": review.text,
        "created_at": review.created_at.isoformat(),
        "updated_at": review.updated_at.isoformat(),
    }


def movie_url(key: MovieKey, name: str = "api-movie") -> str:
    """Return the address of a film, or of what belongs to it."""
    return reverse(name, kwargs={"year": key.year, "title": key.title})


def next_link(request: HttpRequest, cursor: str | None) -> str | None:
    """Return the address of the page that the cursor begins, with the same filters."""
    if cursor is None:
        return None
    return f"{request.path}?{urlencode({**request.GET.dict(), 'cursor': cursor})}"
