"""Edits of films with what belongs to them; test_postgresql runs this file on PostgreSQL too."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.contrib.auth.models import User

from movies import catalogue, edits, posters, reviews
from movies.aws import get_client
from movies.errors import (
    AWSRefused,
    AWSUnreachable,
    MovieChanged,
    MovieExists,
    MovieNotFound,
    PosterTypeRefused,
    SampleIsReadOnly,
)
from movies.fields import MovieFields
from movies.models import Review, Vote
from movies.movie import SAMPLE_KEY, Movie, MovieKey
from movies.transactions import BESIDE_SQL
from tests.movies.api.client import make_png
from tests.movies.films import breaking, hanging, losing_answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def film(aws: str) -> Movie:
    """A film with a poster, a review and a vote."""
    movie = catalogue.add_movie(MovieFields(1999, "The Matrix", plot="A program."))
    movie = edits.replace_poster(movie.key, make_png(), version=movie.version)
    user = User.objects.create_user("trinity")
    reviews.save_review(user, movie.key, 9, "Good.")
    reviews.cast_vote(user, movie.key, 9)
    return catalogue.get_movie(movie.key)


def has_object(poster: str | None, settings: Any) -> bool:
    """Say whether S3 has the object."""
    assert poster is not None
    try:
        get_client("s3").head_object(Bucket=settings.POSTERS_BUCKET, Key=poster)
    except ClientError:
        return False
    return True


def opinions() -> list[tuple[int, str]]:
    """Return the films that SQL speaks of."""
    return [(row.year, row.title) for model in (Review, Vote) for row in model.objects.all()]


def test_change_movie_in_place(film: Movie) -> None:
    fields = MovieFields(1999, "The Matrix", plot="Another plot.")

    movie = edits.change_movie(film.key, fields, version=film.version)

    assert movie.plot == "Another plot."
    assert movie.votes == 1
    assert opinions() == [(1999, "The Matrix")] * 2


def test_change_movie_takes_opinions_along(film: Movie, settings: Any) -> None:
    movie = edits.change_movie(film.key, MovieFields(2000, "Matrix"), version=film.version)

    assert movie.key == MovieKey(2000, "Matrix")
    assert movie.votes == 1
    assert opinions() == [(2000, "Matrix")] * 2
    assert has_object(movie.poster, settings)
    with pytest.raises(MovieNotFound):
        catalogue.get_movie(film.key)


def test_change_movie_to_another_films_key(film: Movie) -> None:
    """Nothing has moved, and nothing of the other film is gone."""
    other = catalogue.add_movie(MovieFields(1979, "Alien"))
    reviews.save_review(User.objects.get(), other.key, 8, "Better.")

    with pytest.raises(MovieExists):
        edits.change_movie(film.key, MovieFields(1979, "Alien"), version=film.version)

    assert sorted(opinions()) == [(1979, "Alien"), (1999, "The Matrix"), (1999, "The Matrix")]


@pytest.mark.parametrize("title", ["The Matrix", "Matrix"])
def test_change_movie_stale(film: Movie, title: str) -> None:
    with pytest.raises(MovieChanged) as refusal:
        edits.change_movie(film.key, MovieFields(1999, title), version=film.version - 1)

    assert refusal.value.current == film
    assert opinions() == [(1999, "The Matrix")] * 2


def test_delete_movie_with_all_of_it(film: Movie, settings: Any) -> None:
    edits.delete_movie(film.key, version=film.version)

    with pytest.raises(MovieNotFound):
        catalogue.get_movie(film.key)
    assert opinions() == []
    assert not has_object(film.poster, settings)


def test_delete_movie_stale(film: Movie, settings: Any) -> None:
    with pytest.raises(MovieChanged):
        edits.delete_movie(film.key, version=film.version - 1)

    assert catalogue.get_movie(film.key) == film
    assert len(opinions()) == 2
    assert has_object(film.poster, settings)


def test_delete_movie_unknown(aws: str) -> None:
    with pytest.raises(MovieNotFound):
        edits.delete_movie(MovieKey(1999, "Nothing"), version=1)


def test_change_movie_whose_answer_is_lost(film: Movie) -> None:
    """It has moved, and so do its reviews and votes."""
    with losing_answers("TransactWriteItems", BESIDE_SQL):
        movie = edits.change_movie(film.key, MovieFields(2000, "Matrix"), version=film.version)

    assert movie == catalogue.get_movie(MovieKey(2000, "Matrix"))
    assert opinions() == [(2000, "Matrix")] * 2


def test_delete_movie_whose_answer_is_lost(film: Movie, settings: Any) -> None:
    with losing_answers("TransactWriteItems", BESIDE_SQL):
        edits.delete_movie(film.key, version=film.version)

    assert opinions() == []
    assert not has_object(film.poster, settings)


@pytest.mark.parametrize(
    "act",
    [
        lambda film: edits.change_movie(
            film.key, MovieFields(2000, "Matrix"), version=film.version
        ),
        lambda film: edits.delete_movie(film.key, version=film.version),
    ],
)
def test_write_that_hangs(film: Movie, settings: Any, act: Callable[[Movie], object]) -> None:
    """Nothing has moved, and nothing is gone."""
    with hanging("TransactWriteItems", BESIDE_SQL), pytest.raises(AWSUnreachable):
        act(film)

    assert catalogue.get_movie(film.key) == film
    assert opinions() == [(1999, "The Matrix")] * 2
    assert has_object(film.poster, settings)


def test_vote_between_read_and_move(film: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found at the second attempt, and goes along."""
    once = iter([True])
    write_once = catalogue.write_once

    def write_and_be_overtaken(*args: Any) -> None:
        if next(once, False):
            catalogue.count_vote(film.key, 5)
        write_once(*args)

    monkeypatch.setattr(catalogue, "write_once", write_and_be_overtaken)

    movie = edits.change_movie(film.key, MovieFields(2000, "Matrix"), version=film.version)

    assert movie.votes == 2
    assert opinions() == [(2000, "Matrix")] * 2


def test_replace_poster_drops_the_one_before(film: Movie, settings: Any) -> None:
    movie = edits.replace_poster(film.key, make_png(), version=film.version)

    assert movie.version == film.version + 1
    assert has_object(movie.poster, settings)
    assert not has_object(film.poster, settings)


def test_replace_poster_stale(film: Movie, settings: Any) -> None:
    """The upload of who was late doesn't stay."""
    with pytest.raises(MovieChanged):
        edits.replace_poster(film.key, make_png(), version=film.version - 1)

    listed = get_client("s3").list_objects_v2(Bucket=settings.POSTERS_BUCKET)["Contents"]
    assert [found["Key"] for found in listed] == [film.poster]


def test_replace_poster_that_is_done_all_the_same(film: Movie, settings: Any) -> None:
    """AWS says that it broke, after the film got its new poster: that one stays in S3."""
    with breaking("TransactWriteItems"), pytest.raises(AWSRefused, match="InternalServerError"):
        edits.replace_poster(film.key, make_png(), version=film.version)

    poster = catalogue.get_movie(film.key).poster
    assert poster != film.poster
    assert has_object(poster, settings)


def test_replace_poster_no_picture(film: Movie) -> None:
    with pytest.raises(PosterTypeRefused):
        edits.replace_poster(film.key, b"<svg/>", version=film.version)

    assert catalogue.get_movie(film.key) == film


def test_replace_poster_of_the_sample(aws: str, settings: Any) -> None:
    with pytest.raises((SampleIsReadOnly, MovieNotFound)):
        edits.replace_poster(SAMPLE_KEY, make_png(), version=0)

    assert "Contents" not in get_client("s3").list_objects_v2(Bucket=settings.POSTERS_BUCKET)


def test_remove_poster(film: Movie, settings: Any) -> None:
    movie = edits.remove_poster(film.key, version=film.version)

    assert movie.poster is None
    assert catalogue.get_movie(film.key).poster is None
    assert not has_object(film.poster, settings)


def test_remove_poster_where_there_is_none(aws: str) -> None:
    movie = catalogue.add_movie(MovieFields(1999, "The Matrix"))

    assert edits.remove_poster(movie.key, version=movie.version).poster is None


def test_remove_poster_s3_refuses(
    film: Movie, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The film is right then, and the log says which object stays."""
    bucket, settings.POSTERS_BUCKET = settings.POSTERS_BUCKET, "no-such-bucket"

    with caplog.at_level(logging.WARNING, "movies.edits"):
        movie = edits.remove_poster(film.key, version=film.version)

    settings.POSTERS_BUCKET = bucket
    assert movie.poster is None
    assert film.poster is not None
    assert film.poster in caplog.text


def test_s3_refuses_an_upload(film: Movie, settings: Any) -> None:
    settings.POSTERS_BUCKET = "no-such-bucket"

    with pytest.raises(AWSRefused, match="NoSuchBucket"):
        edits.replace_poster(film.key, make_png(), version=film.version)

    assert catalogue.get_movie(film.key) == film
    assert film.poster
    assert posters.presign_poster(film.poster)
