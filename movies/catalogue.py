"""The films in DynamoDB: lists, and writes that never overwrite what somebody else has saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings

from . import terms
from .aws import ONCE, get_client, translate_errors
from .errors import (
    AWSRefused,
    BadInput,
    MovieChanged,
    MovieExists,
    MovieNotFound,
    SampleIsReadOnly,
    Throttled,
)
from .fields import MovieFields, read_decade, read_genre, read_stars, read_year
from .items import to_key, to_movie, to_row
from .listing import DEFAULT_LIMIT, MAX_LIMIT, Phase, get_movies, read_page
from .movie import (
    FIRST_YEAR,
    GENRES,
    MAX_SAVES,
    SAMPLE_KEY,
    TITLE_MAX_CHARS,
    VERSION_MAX_DIGITS,
    Movie,
    MovieKey,
    Page,
    last_year,
)
from .search import search_movies
from .terms import TermRow, departure_row, moved_row
from .transactions import (
    BESIDE_SQL,
    NotWritten,
    attempts,
    change_rows,
    delete,
    delete_row,
    may_be_done,
    put_new,
    put_row,
    too_busy,
    update_info,
    write,
    write_once,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef as Action

# How often a film may get another year or title while somebody looks for it at its old address.
MAX_MOVES = 10
# What a write of a film takes along in SQL, begun anew for each attempt.
Beside = Callable[[], AbstractContextManager[None]]

__all__ = [
    "DEFAULT_LIMIT",
    "FIRST_YEAR",
    "GENRES",
    "MAX_LIMIT",
    "SAMPLE_KEY",
    "Movie",
    "MovieFields",
    "MovieKey",
    "Page",
    "add_movie",
    "change_movie",
    "count_vote",
    "delete_movie",
    "find_moved",
    "get_movie",
    "get_movies",
    "has_moved",
    "last_year",
    "list_movies",
    "search_movies",
    "set_poster",
    "was_deleted",
]


def list_movies(
    *,
    year: int | str | None = None,
    decade: int | str | None = None,
    genre: str | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page:
    """Return a page of films, newest first, then by title: all, or those of one of the three.

    decade is its first year, as 1990. Raises BadInput or BadCursor for what can't be listed.
    """
    ways = {
        "year": None if year is None else lambda: terms.year_term(read_year(year)),
        "decade": None if decade is None else lambda: terms.decade_term(read_decade(decade)),
        "genre": None if genre is None else lambda: terms.genre_term(read_genre(genre)),
    }
    chosen = [name for name, make_term in ways.items() if make_term]
    if len(chosen) > 1:
        raise BadInput(chosen[1], f"Expected only one of {' and '.join(chosen)}.")
    term = next((make_term() for make_term in ways.values() if make_term), terms.ALL)
    return read_page(term, [Phase(term)], cursor, limit)


def get_movie(key: MovieKey) -> Movie:
    """Return one film. Raises MovieNotFound."""
    _refuse_impossible(key)
    table = settings.MOVIES_TABLE
    with translate_errors(f"GetItem on {table}"):
        answer = get_client("dynamodb").get_item(
            TableName=table, Key=to_key(key), ConsistentRead=True
        )
    if "Item" not in answer:
        raise MovieNotFound(key)
    return to_movie(answer["Item"])


def find_moved(key: MovieKey, *, version: int | None = None) -> Movie | None:
    """Return the film that had this key and got another since; None if there is none.

    version: one that the film was at; without it, it is the last film that left this key.
    """
    if not _is_possible(key):
        return None
    for _ in range(MAX_MOVES):
        row = _find_last_departure(key) if version is None else _find_departure(key, version)
        if row is None:
            return None
        key, version = row.key, int(row.text) + 1
        movie = get_movies([key]).get(key)
        if movie and movie.has_been_at(version):
            return movie
    return None


def has_moved(key: MovieKey, new_key: MovieKey, *, version: int) -> bool:
    """Say whether the film that was at this version left this key for that one, then or later."""
    row = _get_row(terms.departure_position(key, version))
    return row is not None and row.key == new_key


def was_deleted(key: MovieKey, *, version: int) -> bool:
    """Say whether the film that was at this version at this key is gone, and not to another."""
    current = get_movies([key]).get(key)
    if current and current.has_been_at(version):
        return False
    return _find_departure(key, version) is None


def _find_last_departure(key: MovieKey) -> TermRow | None:
    return _get_row(terms.moved_position(key))


def _find_departure(key: MovieKey, version: int) -> TermRow | None:
    """Return the row of the film that was at this version and left the key then or later."""
    table = settings.MOVIES_TERMS_TABLE
    latest = min(version + MAX_SAVES, 10**VERSION_MAX_DIGITS) - 1
    with translate_errors(f"Query on {table}"):
        answer = get_client("dynamodb").query(
            TableName=table,
            KeyConditionExpression="#term = :term AND #position BETWEEN :first AND :last",
            ExpressionAttributeNames={"#term": "term", "#position": "position"},
            ExpressionAttributeValues={
                ":term": {"S": terms.MOVED},
                ":first": {"S": terms.departure_position(key, version)},
                ":last": {"S": terms.departure_position(key, latest)},
            },
            Limit=1,
            ConsistentRead=True,
        )
    return next(map(to_row, answer["Items"]), None)


def _get_row(position: str) -> TermRow | None:
    """Return a row of the term `moved`."""
    table = settings.MOVIES_TERMS_TABLE
    with translate_errors(f"GetItem on {table}"):
        answer = get_client("dynamodb").get_item(
            TableName=table,
            Key={"term": {"S": terms.MOVED}, "position": {"S": position}},
            ConsistentRead=True,
        )
    return to_row(answer["Item"]) if "Item" in answer else None


def add_movie(movie_fields: MovieFields) -> Movie:
    """Add a film and return it. Raises MovieExists, SampleIsReadOnly."""
    movie = movie_fields.make_movie()
    _refuse_sample(movie.key)
    if write(movie.key, [put_new(movie), *change_rows(None, movie)]):
        raise MovieExists(movie.key)
    return movie


def change_movie(
    key: MovieKey, fields: MovieFields, *, version: int, beside: Beside | None = None
) -> Movie:
    """Save new fields over the version given; return the film as it is then.

    Another year or title moves the film, with its votes and poster, in the same transaction.
    beside: entered around each write; what it does is taken back where nothing is written.
    Raises MovieNotFound, MovieChanged if somebody saved it since, MovieExists if the new key is
    another film's, SampleIsReadOnly.
    """
    _refuse_sample(fields.key)
    for current in _read_until_written(key, version):
        changed = fields.apply_to(current)
        if changed.key == key:
            actions = [update_info(changed, version)]
        else:
            rows = [make(key, changed.key, version) for make in (moved_row, departure_row)]
            actions = [put_new(changed), delete(current), *map(put_row, rows)]
        try:
            _write_beside(
                beside,
                [*actions, *change_rows(current, changed)],
                partial(has_moved, key, changed.key, version=version),
            )
        except NotWritten as refusal:
            if changed.key != key and 0 in refusal.failed:
                raise MovieExists(changed.key) from refusal
        else:
            return changed
    raise too_busy(key)


def delete_movie(key: MovieKey, *, version: int, beside: Beside | None = None) -> Movie:
    """Delete the version given of a film, and return it; its poster is the caller's to delete.

    beside: as in change_movie. Raises MovieNotFound, MovieChanged, SampleIsReadOnly.
    """
    for current in _read_until_written(key, version):
        # What had this key before and moved is another film: this one is told of as deleted.
        moved = delete_row(moved_row(key, key, version))
        with suppress(NotWritten):
            actions = [delete(current), moved, *change_rows(current, None)]
            _write_beside(beside, actions, partial(was_deleted, key, version=version))
            return current
    raise too_busy(key)


def set_poster(key: MovieKey, poster: str | None, *, version: int) -> Movie:
    """Give the version given of a film another poster, or none; return the film.

    Raises MovieNotFound, MovieChanged, SampleIsReadOnly.
    """
    for current in _read_until_written(key, version):
        changed = current._replace(poster=poster, version=version + 1)
        with suppress(NotWritten):
            write_once([update_info(changed, version)])
            return changed
    raise too_busy(key)


def count_vote(key: MovieKey, stars: int) -> Movie:
    """Add one vote of 1 to 10 stars, atomically; return the film with it.

    Never counted twice: after a lost answer it is not tried again, and AWSUnreachable is raised.
    Raises MovieNotFound, BadInput for other stars, SampleIsReadOnly.
    """
    stars = read_stars(stars)
    _refuse_sample(key)
    _refuse_impossible(key)
    for _ in attempts():
        try:
            return _add_vote(key, stars)
        except AWSRefused as error:
            if error.aws_code == "ConditionalCheckFailedException":
                raise MovieNotFound(key) from error
            # Both say that nothing was written, so that it is safe to try again.
            if (
                not isinstance(error, Throttled)
                and error.aws_code != "TransactionConflictException"
            ):
                raise
    raise too_busy(key)


def _add_vote(key: MovieKey, stars: int) -> Movie:
    table = settings.MOVIES_TABLE
    with translate_errors(f"UpdateItem on {table}"):
        answer = get_client("dynamodb", patience=ONCE).update_item(
            TableName=table,
            Key=to_key(key),
            UpdateExpression="ADD #votes :one, #stars :stars",
            ConditionExpression="attribute_exists(#title)",
            ExpressionAttributeNames={"#votes": "votes", "#stars": "stars", "#title": "title"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":stars": {"N": str(stars)}},
            ReturnValues="ALL_NEW",
        )
    return to_movie(answer["Attributes"])


def _read_until_written(key: MovieKey, version: int) -> Iterator[Movie]:
    """Yield the film at this version for each attempt: a vote may come between read and write.

    Raises MovieChanged as soon as it is at another version.
    """
    _refuse_sample(key)
    for _ in attempts():
        current = get_movie(key)
        if current.version != version:
            raise MovieChanged(current, version)
        yield current


def _write_beside(
    beside: Beside | None, actions: list[Action], is_written: Callable[[], bool]
) -> None:
    """Write all actions or none, and have `beside` share their fate.

    Where the answer is lost, is_written is asked: what had been taken back is done again then.
    """
    if beside is None:
        write_once(actions)
        return
    try:
        with beside():
            write_once(actions, BESIDE_SQL)
    except AWSRefused as error:
        if not may_be_done(error) or not is_written():
            raise
        with beside():
            pass


def _refuse_sample(key: MovieKey) -> None:
    if key == SAMPLE_KEY:
        raise SampleIsReadOnly(key)


def _refuse_impossible(key: MovieKey) -> None:
    """Raise MovieNotFound for a key that no film can have, and that DynamoDB may refuse."""
    if not _is_possible(key):
        raise MovieNotFound(key)


def _is_possible(key: MovieKey) -> bool:
    is_possible = FIRST_YEAR <= key.year <= 9999 and 1 <= len(key.title) <= TITLE_MAX_CHARS
    return is_possible and not any("\ud800" <= char <= "\udfff" for char in key.title)
