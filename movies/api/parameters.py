"""The parameters of the operations, as OpenAPI: in the address, the query and If-Match."""

from typing import Any

from movies.movie import FIRST_YEAR, GENRES, VERSION_MAX_DIGITS, last_year

from .limits import (
    CURSOR_MAX_CHARS,
    MAX_LIMIT,
    MOVIES_LIMIT,
    QUERY_MAX_CHARS,
    REVIEWS_LIMIT,
    decades,
)
from .schemas import EXAMPLE_FIELDS, EXAMPLE_MOVIE, TITLE_SEGMENT, Schema

IF_MATCH = rf'^(?:"[0-9]{{1,{VERSION_MAX_DIGITS}}}"|\*)$'


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/parameters/{name}"}


FILM_PARAMETERS = [_ref("filmYear"), _ref("filmTitle")]
VERSION_PARAMETERS = [_ref("ifMatch")]
LIST_PARAMETERS = [_ref(name) for name in ("year", "decade", "genre", "q", "cursor", "moviesLimit")]
REVIEW_LIST_PARAMETERS = [_ref("cursor"), _ref("reviewsLimit")]


def describe_parameters() -> dict[str, Schema]:
    """Return the parameters by the name that operations refer to them by."""

    def in_query(name: str, description: str, **schema: Any) -> Schema:
        return {"name": name, "in": "query", "description": description, "schema": schema}

    def limit(default: int) -> Schema:
        return in_query(
            "limit",
            "How many are in a page.",
            type="integer",
            minimum=1,
            maximum=MAX_LIMIT,
            default=default,
        )

    return {
        "filmYear": {
            "name": "year",
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": FIRST_YEAR, "maximum": last_year()},
            "example": EXAMPLE_FIELDS["year"],
        },
        "filmTitle": {
            "name": "title",
            "in": "path",
            "required": True,
            "description": "The title, `~` written as `~~` and `/` as `~s`.",
            "schema": {"type": "string", "minLength": 1, "pattern": TITLE_SEGMENT},
            "example": EXAMPLE_FIELDS["title"],
        },
        "ifMatch": {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "The ETag of the film as the client has seen it; * for any.",
            "schema": {"type": "string", "pattern": IF_MATCH},
            "example": f'"{EXAMPLE_MOVIE["version"]}"',
        },
        "year": in_query(
            "year", "A year.", type="integer", minimum=FIRST_YEAR, maximum=last_year()
        ),
        "decade": in_query(
            "decade", "The first year of a decade.", type="integer", enum=list(decades())
        ),
        "genre": in_query("genre", "A genre.", type="string", enum=list(GENRES)),
        "q": in_query(
            "q",
            "The beginning of a title, or words of it; at least one letter, digit or symbol.",
            type="string",
            minLength=1,
            maxLength=QUERY_MAX_CHARS,
        ),
        "cursor": in_query(
            "cursor",
            "The next_cursor of the page before, of the same list.",
            type="string",
            format="cursor",
            minLength=1,
            maxLength=CURSOR_MAX_CHARS,
        ),
        "moviesLimit": limit(MOVIES_LIMIT),
        "reviewsLimit": limit(REVIEWS_LIMIT),
    }
