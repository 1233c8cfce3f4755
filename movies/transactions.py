"""Writes of a film together with the rows that find it: all of it or nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings

from .aws import USUAL, Patience, get_client, translate_errors
from .errors import AWSRefused, AWSUnreachable, Throttled
from .items import to_info, to_item, to_key, to_row_item, to_row_key
from .movie import Movie, MovieKey
from .terms import TermRow, rows_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef as CheckTypeDef
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef as Action

# A writer that meets others tries again, after longer and longer pauses: about 3 s in all.
WRITE_ATTEMPTS = 10
MAX_PAUSE_SECONDS = 0.8

# While SQL holds what belongs to the film, and SQLite every other writer: one attempt of 2 s.
BESIDE_SQL = Patience(1, 2, 1)
# boto3's errors for a request that never left. After any other, AWS may have done what was asked.
NEVER_SENT = frozenset({"ConnectTimeoutError", "EndpointConnectionError", "NoCredentialsError"})

_FAILED = "ConditionalCheckFailed"
_CONFLICT = "TransactionConflict"


class NotWritten(Exception):
    """Nothing was written; `failed` has the places of the actions whose condition failed.

    Where it is empty, others were writing the same items.
    """

    def __init__(self, failed: Iterable[int]) -> None:
        super().__init__()
        self.failed = frozenset(failed)


def write(key: MovieKey, actions: list[Action]) -> frozenset[int]:
    """Write all actions for a film or none; return the places of those whose condition failed.

    Empty means written. While others write the same items, it waits and tries again.
    Raises Throttled if they do so all the time, AWSRefused for every other refusal.
    """
    for _ in attempts():
        try:
            write_once(actions)
        except NotWritten as refusal:
            if refusal.failed:
                return refusal.failed
        else:
            return frozenset()
    raise too_busy(key)


def write_once(actions: list[Action], patience: Patience = USUAL) -> None:
    """Write all actions or none. Raises NotWritten, AWSRefused for every other refusal."""
    try:
        # boto3 adds a ClientRequestToken: its own retry after a lost answer writes once only.
        with translate_errors(f"TransactWriteItems on {settings.MOVIES_TABLE}"):
            client = get_client("dynamodb", patience=patience)
            client.transact_write_items(TransactItems=actions)
    except AWSRefused as error:
        failed = [place for place, code in enumerate(error.reasons) if code == _FAILED]
        if failed or _CONFLICT in error.reasons:
            raise NotWritten(failed) from error
        raise


def may_be_done(error: AWSRefused) -> bool:
    """Say whether AWS may have done what it was asked for: no answer came, or a server broke."""
    if isinstance(error, AWSUnreachable):
        return error.problem not in NEVER_SENT
    response = getattr(error.__cause__, "response", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return bool(status >= HTTPStatus.INTERNAL_SERVER_ERROR)


def attempts() -> Iterator[None]:
    """Yield once for each attempt that one write has, with a pause before every later one."""
    for attempt in range(WRITE_ATTEMPTS):
        if attempt:
            pause(attempt - 1)
        yield


def pause(attempt: int) -> None:
    """Sleep before another attempt: longer each time, and no two callers alike."""
    time.sleep(random.uniform(0, min(MAX_PAUSE_SECONDS, 0.05 * 2**attempt)))  # noqa: S311


def too_busy(key: MovieKey) -> Throttled:
    """Return the error for a film that others kept writing through every attempt."""
    return Throttled(f"a write of {key.title!r}", _CONFLICT, "Others were writing it all the time.")


def put_new(movie: Movie) -> Action:
    """Return the action that puts a film where there is none."""
    return {
        "Put": {
            "TableName": settings.MOVIES_TABLE,
            "Item": to_item(movie),
            "ConditionExpression": "attribute_not_exists(#title)",
            "ExpressionAttributeNames": {"#title": "title"},
        }
    }


def update_info(movie: Movie, version: int) -> Action:
    """Return the action that saves a film over a version of it, and leaves its votes alone."""
    return {
        "Update": {
            "TableName": settings.MOVIES_TABLE,
            "Key": to_key(movie.key),
            "UpdateExpression": "SET #info = :info, #version = :new",
            "ConditionExpression": "#version = :old",
            "ExpressionAttributeNames": {"#info": "info", "#version": "version"},
            "ExpressionAttributeValues": {
                ":info": to_info(movie),
                ":new": {"N": str(movie.version)},
                ":old": {"N": str(version)},
            },
        }
    }


def delete(movie: Movie) -> Action:
    """Return the action that deletes this version of a film, with just these votes."""
    return {
        "Delete": {
            "TableName": settings.MOVIES_TABLE,
            "Key": to_key(movie.key),
            "ConditionExpression": "#version = :version AND #votes = :votes AND #stars = :stars",
            "ExpressionAttributeNames": {
                "#version": "version",
                "#votes": "votes",
                "#stars": "stars",
            },
            "ExpressionAttributeValues": {
                ":version": {"N": str(movie.version)},
                ":votes": {"N": str(movie.votes)},
                ":stars": {"N": str(movie.stars)},
            },
        }
    }


def check_version(movie: Movie) -> Action:
    """Return the action that only sees to it that the film is still at this version."""
    check: CheckTypeDef = {
        "TableName": settings.MOVIES_TABLE,
        "Key": to_key(movie.key),
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(movie.version)}},
    }
    if not movie.version:
        # /app puts its film without one.
        check["ConditionExpression"] = "attribute_exists(#title) AND attribute_not_exists(#version)"
        check["ExpressionAttributeNames"] = {"#title": "title", "#version": "version"}
        del check["ExpressionAttributeValues"]
    return {"ConditionCheck": check}


def put_mark(key: MovieKey) -> Action:
    """Return the action that puts an item without a film into the films' table."""
    return {"Put": {"TableName": settings.MOVIES_TABLE, "Item": to_key(key)}}


def change_rows(before: Movie | None, after: Movie | None) -> list[Action]:
    """Return the actions that make the rows of one state of a film into those of another."""
    old = rows_of(before.key, before.genres) if before else {}
    new = rows_of(after.key, after.genres) if after else {}
    return [
        *(delete_row(row) for place, row in old.items() if place not in new),
        *(put_row(row) for place, row in new.items() if place not in old),
    ]


def put_row(row: TermRow) -> Action:
    return {"Put": {"TableName": settings.MOVIES_TERMS_TABLE, "Item": to_row_item(row)}}


def delete_row(row: TermRow) -> Action:
    return {"Delete": {"TableName": settings.MOVIES_TERMS_TABLE, "Key": to_row_key(row)}}
