"""Tests of movies.transactions: all or nothing, and patience with other writers."""

import json
from typing import Any

import pytest

from movies import transactions
from movies.catalogue import get_movie, list_movies
from movies.errors import AWSRefused, Throttled
from movies.movie import Movie, MovieKey
from movies.transactions import change_rows, delete, put_new, update_info, write
from tests.movies.films import refusing

MOVIE = Movie(MovieKey(1999, "The Matrix"), genres=("Action",), version=1)


def cancelled(*codes: str) -> str:
    return json.dumps(
        {
            "__type": "com.amazonaws.dynamodb#TransactionCanceledException",
            "message": "Transaction cancelled.",
            "CancellationReasons": [{"Code": code} for code in codes],
        }
    )


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MAX_PAUSE_SECONDS", 0.01)


def test_write_all(aws: str) -> None:
    assert write(MOVIE.key, [put_new(MOVIE), *change_rows(None, MOVIE)]) == frozenset()

    assert get_movie(MOVIE.key) == MOVIE
    assert list_movies(genre="Action").movies == (MOVIE,)


def test_write_nothing_where_a_condition_fails(aws: str) -> None:
    write(MOVIE.key, [put_new(MOVIE)])
    other = Movie(MovieKey(2003, "The Matrix Reloaded"), version=1)

    failed = write(MOVIE.key, [put_new(other), put_new(MOVIE), *change_rows(None, other)])

    assert failed == {1}
    assert list_movies().movies == ()


def test_update_leaves_votes_alone(aws: str) -> None:
    write(MOVIE.key, [put_new(Movie(MOVIE.key, version=1, votes=2, stars=11))])

    write(MOVIE.key, [update_info(Movie(MOVIE.key, plot="New.", version=2), 1)])

    assert get_movie(MOVIE.key) == Movie(MOVIE.key, plot="New.", version=2, votes=2, stars=11)


@pytest.mark.parametrize("changed", [{"version": 2}, {"votes": 1}, {"stars": 1}])
def test_delete_only_what_was_read(aws: str, changed: dict[str, Any]) -> None:
    write(MOVIE.key, [put_new(MOVIE)])
    read = Movie(MOVIE.key, **{"version": 1, **changed})

    assert write(MOVIE.key, [delete(read)]) == {0}
    assert write(MOVIE.key, [delete(MOVIE)]) == frozenset()


def test_change_rows_touches_only_what_differs() -> None:
    after = Movie(MOVIE.key, genres=("Drama",), version=2)

    actions = change_rows(MOVIE, after)

    assert change_rows(MOVIE, MOVIE) == []
    assert [next(iter(action)) for action in actions] == ["Delete", "Put"]
    assert "genre#action" in str(actions[0])
    assert "genre#drama" in str(actions[1])


@pytest.mark.parametrize("times", [1, 3, 9])
def test_conflicts_are_waited_out(aws: str, times: int) -> None:
    with refusing("TransactWriteItems", cancelled("TransactionConflict", "None"), times=times):
        assert write(MOVIE.key, [put_new(MOVIE)]) == frozenset()

    assert get_movie(MOVIE.key) == MOVIE


def test_conflicts_for_ever(aws: str) -> None:
    with (
        refusing("TransactWriteItems", cancelled("TransactionConflict"), times=99) as calls,
        pytest.raises(Throttled, match="TransactionConflict"),
    ):
        write(MOVIE.key, [put_new(MOVIE)])

    assert len(calls) == transactions.WRITE_ATTEMPTS


def test_failed_condition_counts_more_than_a_conflict(aws: str) -> None:
    body = cancelled("TransactionConflict", "ConditionalCheckFailed")

    with refusing("TransactWriteItems", body):
        assert write(MOVIE.key, [put_new(MOVIE)]) == {1}


@pytest.mark.parametrize(
    ("code", "kind"), [("ValidationError", AWSRefused), ("ThrottlingError", Throttled)]
)
def test_other_reasons_are_refusals(aws: str, code: str, kind: type[AWSRefused]) -> None:
    with (
        refusing("TransactWriteItems", cancelled("None", code)),
        pytest.raises(kind, match="TransactWriteItems on Movies-") as caught,
    ):
        write(MOVIE.key, [put_new(MOVIE)])

    assert caught.value.reasons == ("None", code)
    assert type(caught.value) is kind


def test_lost_answer_is_written_once(aws: str) -> None:
    from movies.aws import get_client

    tokens: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        tokens.append(json.loads(params["body"])["ClientRequestToken"])

    client = get_client("dynamodb")
    client.meta.events.register("before-call.dynamodb.TransactWriteItems", note)
    body = json.dumps({"__type": "InternalServerError", "message": "Try again."})

    with refusing("TransactWriteItems", body, status=500) as calls:
        write(MOVIE.key, [put_new(MOVIE)])

    client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", note)
    assert len(calls) == 2
    assert len(set(tokens)) == 1
