"""The films that ship with the site: put in once, and never over what editors did since.

Each film put in leaves a row under the term `seed`. What has one is not put in again: not the film
that was deleted, nor the one that was moved to another title.
"""

from django.conf import settings

from .aws import get_client, translate_errors
from .fields import MovieFields
from .items import to_row
from .movie import SAMPLE_KEY, SAMPLE_PLOT, MovieKey
from .terms import SEED, seed_row
from .transactions import change_rows, put_new, put_row, write

# The film of /app, as it stands in the catalogue until /app writes it anew.
SAMPLE = MovieFields(SAMPLE_KEY.year, SAMPLE_KEY.title, plot=SAMPLE_PLOT)


def find_seeded() -> set[MovieKey]:
    """Return the keys that films had when they were put in."""
    table = settings.MOVIES_TERMS_TABLE
    keys: set[MovieKey] = set()
    with translate_errors(f"Query on {table}"):
        pages = (
            get_client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=table,
                KeyConditionExpression="#term = :seed",
                ExpressionAttributeNames={"#term": "term"},
                ExpressionAttributeValues={":seed": {"S": SEED}},
                ConsistentRead=True,
            )
        )
        for page in pages:
            keys.update(to_row(item).key for item in page["Items"])
    return keys


def seed_movie(fields: MovieFields) -> bool:
    """Put a film in and note that; False, and no change, where somebody has added it already."""
    movie = fields.make_movie()
    mark = put_row(seed_row(movie.key))
    rows = change_rows(None, movie)
    if not write(movie.key, [put_new(movie), *rows, mark]):
        return True
    # /app puts its film without the rows that find it.
    write(movie.key, [*rows, mark] if movie.is_sample else [mark])
    return False
