"""A film as a list shows it."""

from typing import NamedTuple

from django.urls import reverse

from movies import posters
from movies.catalogue import Movie, MovieKey


class Card(NamedTuple):
    """What a list shows of a film; poster_url is None where the poster is to be drawn."""

    title: str
    year: int
    genres: tuple[str, ...]
    runtime_minutes: int | None
    rating: float | None
    url: str
    poster_url: str | None


def make_card(movie: Movie) -> Card:
    """Return the film's card, with a URL that shows its poster for an hour."""
    return Card(
        title=movie.title,
        year=movie.year,
        genres=movie.genres,
        runtime_minutes=movie.runtime_minutes,
        rating=movie.rating,
        url=movie_url(movie.key),
        poster_url=posters.presign_poster(movie.poster) if movie.poster else None,
    )


def movie_url(key: MovieKey) -> str:
    """Return the path of a film's page."""
    return reverse("movie", args=[key.year, key.title])
