"""Tests of movies.indexing: every film found again, as it is by then."""

import json

import pytest
from django.conf import settings

from movies import transactions
from movies.aws import get_client
from movies.catalogue import add_movie, change_movie, delete_movie, list_movies
from movies.chain import put_sample
from movies.errors import Throttled
from movies.indexing import index_movie, is_complete, mark_complete, scan_movies
from movies.movie import SAMPLE_KEY, Movie, MovieKey
from movies.seeding import seed_movie
from movies.terms import rows_of
from movies.transactions import delete_row
from tests.movies.films import make_fields, refusing


@pytest.fixture
def lost(aws: str) -> Movie:
    """A film whose rows are lost: no list finds it."""
    movie = add_movie(make_fields(genres=("Action",)))
    actions = [delete_row(row) for row in rows_of(movie.key, movie.genres).values()]
    get_client("dynamodb").transact_write_items(TransactItems=actions)
    assert list_movies().movies == ()
    return movie


def test_complete_once_that_is_noted(aws: str) -> None:
    assert not is_complete()

    mark_complete()

    assert is_complete()
    assert list_movies().movies == ()


def test_scan_passes_over_marks(aws: str) -> None:
    seed_movie(make_fields())
    put_sample(settings.MOVIES_TABLE)

    keys = {movie.key for movie in scan_movies()}

    assert keys == {MovieKey(1999, "The Matrix"), SAMPLE_KEY}


def test_index_movie(lost: Movie) -> None:
    index_movie(lost)

    assert list_movies(genre="Action").movies == (lost,)


def test_index_the_sample_that_has_no_version(aws: str) -> None:
    put_sample(settings.MOVIES_TABLE)

    index_movie(next(scan_movies()))

    assert [movie.key for movie in list_movies().movies] == [SAMPLE_KEY]


def test_film_that_was_changed_meanwhile(lost: Movie) -> None:
    """An edit writes those rows only that change, and so not all."""
    changed = change_movie(lost.key, make_fields(genres=("Drama",)), version=lost.version)

    index_movie(lost)

    assert list_movies().movies == list_movies(genre="Drama").movies == (changed,)
    assert list_movies(genre="Action").movies == ()


def test_film_that_was_deleted_meanwhile(lost: Movie) -> None:
    delete_movie(lost.key, version=lost.version)

    index_movie(lost)

    answer = get_client("dynamodb").scan(TableName=settings.MOVIES_TERMS_TABLE)
    assert answer["Items"] == []


def test_film_that_others_always_write(lost: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MAX_PAUSE_SECONDS", 0.01)
    body = json.dumps(
        {
            "__type": "TransactionCanceledException",
            "message": "-",
            "CancellationReasons": [{"Code": "TransactionConflict"}],
        }
    )

    with (
        refusing("TransactWriteItems", body, times=999) as calls,
        pytest.raises(Throttled, match="a write of 'The Matrix'"),
    ):
        index_movie(lost)

    assert len(calls) == transactions.WRITE_ATTEMPTS
