"""The index, MovieTerms, made again from the films where it was lost: it holds nothing of its own.

One row says that every film has its rows; without it, nobody knows what is missing.
"""

from collections.abc import Iterator
from contextlib import suppress

from django.conf import settings

from .aws import get_client, translate_errors
from .items import to_movie, to_row_item, to_row_key
from .listing import get_movies
from .movie import FIRST_YEAR, Movie
from .terms import COMPLETE
from .transactions import NotWritten, attempts, change_rows, check_version, too_busy, write_once


def is_complete() -> bool:
    """Say whether every film has its rows."""
    table = settings.MOVIES_TERMS_TABLE
    with translate_errors(f"GetItem on {table}"):
        answer = get_client("dynamodb").get_item(
            TableName=table, Key=to_row_key(COMPLETE), ConsistentRead=True
        )
    return "Item" in answer


def scan_movies() -> Iterator[Movie]:
    """Yield every film there is: slow and dear, and so only for what must not trust the index."""
    table = settings.MOVIES_TABLE
    with translate_errors(f"Scan of {table}"):
        pages = (
            get_client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=table, ConsistentRead=True)
        )
        for page in pages:
            for movie in map(to_movie, page["Items"]):
                # The marks of seed_movies stand before the first year.
                if movie.year >= FIRST_YEAR:
                    yield movie


def index_movie(movie: Movie) -> None:
    """Put the rows of a film; where an editor was faster, those of the film as it is by now."""
    current: Movie | None = movie
    for _ in attempts():
        if current is None:
            return
        with suppress(NotWritten):
            write_once([check_version(current), *change_rows(None, current)])
            return
        current = get_movies([movie.key]).get(movie.key)
    raise too_busy(movie.key)


def mark_complete() -> None:
    """Note that every film has its rows; edits keep it so."""
    table = settings.MOVIES_TERMS_TABLE
    with translate_errors(f"PutItem into {table}"):
        get_client("dynamodb").put_item(TableName=table, Item=to_row_item(COMPLETE))
