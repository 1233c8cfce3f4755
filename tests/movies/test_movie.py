"""Tests of movies.movie."""

from datetime import UTC, datetime

import pytest

from movies.movie import GENRES, SAMPLE_KEY, Movie, MovieKey, last_year


@pytest.mark.parametrize(("votes", "stars", "rating"), [(0, 0, None), (1, 7, 7.0), (4, 30, 7.5)])
def test_rating_is_mean_of_votes(votes: int, stars: int, rating: float | None) -> None:
    assert Movie(MovieKey(1999, "The Matrix"), votes=votes, stars=stars).rating == rating


def test_year_and_title_are_the_keys() -> None:
    movie = Movie(MovieKey(1999, "The Matrix"))

    assert (movie.year, movie.title, movie.is_sample) == (1999, "The Matrix", False)


def test_sample_knows_itself() -> None:
    assert Movie(SAMPLE_KEY).is_sample


def test_last_year_is_ten_years_ahead() -> None:
    assert last_year() == datetime.now(tz=UTC).year + 10


def test_genres_are_sorted_and_unique() -> None:
    assert list(GENRES) == sorted(set(GENRES))
