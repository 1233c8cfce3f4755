"""The films that ship with the site: put in once, and never over what editors did since.

Each film put in leaves a mark in the films' own table, so that both are kept or lost together. The
marks stand under the year 0, which no film has. What has one is not put in again: not the film that
was deleted, nor the one that was moved to another title.
"""

from django.conf import settings

from .aws import get_client, translate_errors
from .fields import MovieFields
from .items import from_attribute
from .movie import SAMPLE_KEY, SAMPLE_PLOT, MovieKey
from .transactions import change_rows, put_mark, put_new, write

MARKS_YEAR = 0
# The film of /app, as it stands in the catalogue until /app writes it anew.
SAMPLE = MovieFields(SAMPLE_KEY.year, SAMPLE_KEY.title, plot=SAMPLE_PLOT)


def find_seeded() -> set[MovieKey]:
    """Return the keys that films had when they were put in."""
    table = settings.MOVIES_TABLE
    keys: set[MovieKey] = set()
    with translate_errors(f"Query on {table}"):
        pages = (
            get_client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=table,
                KeyConditionExpression="#year = :marks",
                ExpressionAttributeNames={"#year": "year"},
                ExpressionAttributeValues={":marks": {"N": str(MARKS_YEAR)}},
                ConsistentRead=True,
            )
        )
        for page in pages:
            keys.update(_read_mark(from_attribute(item["title"])) for item in page["Items"])
    return keys


def seed_movie(fields: MovieFields) -> bool:
    """Put a film in and note that; False, and no change, where somebody has added it already."""
    movie = fields.make_movie()
    mark = put_mark(make_mark(movie.key))
    rows = change_rows(None, movie)
    if not write(movie.key, [put_new(movie), *rows, mark]):
        return True
    # /app puts its film without the rows that find it.
    write(movie.key, [*rows, mark] if movie.is_sample else [mark])
    return False


def make_mark(key: MovieKey) -> MovieKey:
    """Return the key of the mark that says that a film was put in."""
    return MovieKey(MARKS_YEAR, f"{key.year} {key.title}")


def _read_mark(text: str) -> MovieKey:
    year, _, title = text.partition(" ")
    return MovieKey(int(year), title)
