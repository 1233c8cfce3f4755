"""The JSON that goes in and out, as JSON Schema: exact, nothing more is sent or taken.

https://json-schema.org/draft/2020-12
"""

from typing import Any

from movies.fields import (
    MAX_GENRES,
    MAX_NAMES,
    NAME_MAX_CHARS,
    PLOT_MAX_CHARS,
    RUNTIME_MAX_MINUTES,
)
from movies.lines import BLANK, CONTROL, LINE
from movies.movie import FIRST_YEAR, GENRES, MAX_STARS, MIN_STARS, TITLE_MAX_CHARS, last_year
from movies.reviews import TEXT_MAX_CHARS
from movies.terms import MAX_WORDS

Schema = dict[str, Any]

# Text of several lines: no control characters but tabs and line ends.
_REFUSED_IN_TEXT = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
TEXT = f"^[^{_REFUSED_IN_TEXT}]*$"
FILLED_TEXT = f"^[^{_REFUSED_IN_TEXT}]*[^{CONTROL}{BLANK}][^{_REFUSED_IN_TEXT}]*$"
# TitleConverter's escaping: no "/", "~" only before "~" or "s", and dots alone as "~d".
TITLE_SEGMENT = r"^(?:\.*(?:[^/~.]|~[~s])(?:[^/~]|~[~s])*|(?:~d)+)$"

OPTIONAL = ("plot", "genres", "directors", "actors", "runtime_minutes", "release_date")

EXAMPLE_PLOT = "A programmer learns that the world he lives in is a program."
EXAMPLE_FIELDS: Schema = {
    "year": 1999,
    "title": "The Matrix",
    "plot": EXAMPLE_PLOT,
    "genres": ["Action", "Science Fiction"],
    "directors": ["Lana Wachowski", "Lilly Wachowski"],
    "actors": ["Keanu Reeves", "Carrie-Anne Moss"],
    "runtime_minutes": 136,
    "release_date": "1999-03-31",
}
EXAMPLE_MOVIE: Schema = {
    **EXAMPLE_FIELDS,
    "rating": 8.67,
    "votes": 3,
    "version": 56102938475610,
    "poster_url": None,
    "url": "/api/movies/1999/The%20Matrix/",
    "reviews_url": "/api/movies/1999/The%20Matrix/reviews/",
}
EXAMPLE_REVIEW: Schema = {
    "author": "trinity",
    "stars": 9,
    "text": "It holds up.",
    "created_at": "2026-01-31T20:15:00+00:00",
    "updated_at": "2026-01-31T20:15:00+00:00",
}


def closed(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema, max_items: int | None = None) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": items} | ({"maxItems": max_items} if max_items else {})


def components() -> dict[str, Schema]:
    """Return the document's schemas by name."""
    link: Schema = {"type": "string", "format": "uri-reference"}
    page: Schema = {
        "next_cursor": {
            "type": ["string", "null"],
            "description": "Begins the next page; null on the last.",
        },
        "next": {"type": ["string", "null"], "format": "uri-reference"},
    }
    moment: Schema = {"type": "string", "format": "date-time"}
    stars: Schema = {"type": "integer", "minimum": MIN_STARS, "maximum": MAX_STARS}
    fields = _movie_fields()
    return {
        "Movie": closed(
            {
                # Read loosely: the table may hold films that no editor's rules have seen.
                "year": {"type": "integer"},
                "title": {"type": "string"},
                "plot": {"type": "string"},
                "genres": list_of({"type": "string"}),
                "directors": list_of({"type": "string"}),
                "actors": list_of({"type": "string"}),
                "runtime_minutes": {"type": ["integer", "null"]},
                "release_date": {"type": ["string", "null"], "format": "date"},
                "rating": {
                    "type": ["number", "null"],
                    "minimum": MIN_STARS,
                    "maximum": MAX_STARS,
                    "description": "The mean of the votes; null where nobody has voted.",
                },
                "votes": {"type": "integer", "minimum": 0},
                "version": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "What the ETag says; votes don't change it.",
                },
                "poster_url": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Presigned: it shows the poster for an hour.",
                },
                "url": link,
                "reviews_url": link,
            }
        ),
        "MovieFields": {
            **closed(fields, optional=OPTIONAL),
            "examples": [EXAMPLE_FIELDS],
        },
        "MoviePage": closed({"movies": list_of(ref("Movie")), **page}),
        "Vote": {**closed({"stars": stars}), "examples": [{"stars": 9}]},
        "Review": closed(
            {
                "author": {"type": "string"},
                "stars": stars,
                "text": {"type": "string"},
                "created_at": moment,
                "updated_at": moment,
            }
        ),
        "ReviewFields": {
            **closed(
                {
                    "stars": stars,
                    "text": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": TEXT_MAX_CHARS,
                        "pattern": FILLED_TEXT,
                    },
                }
            ),
            "examples": [{"stars": 9, "text": "It holds up."}],
        },
        "ReviewPage": closed({"reviews": list_of(ref("Review")), **page}),
        "Genres": closed({"genres": list_of({"enum": list(GENRES)})}),
        "Index": closed({"movies": link, "genres": link, "openapi": link}),
        "Problem": _problem(),
    }


def _movie_fields() -> dict[str, Schema]:
    line: Schema = {"type": "string", "minLength": 1, "pattern": LINE}
    names = list_of({**line, "maxLength": NAME_MAX_CHARS}, MAX_NAMES)
    return {
        "year": {"type": "integer", "minimum": FIRST_YEAR, "maximum": last_year()},
        "title": {
            **line,
            "maxLength": TITLE_MAX_CHARS,
            "description": "Kept composed (NFC), with one space for each run of blanks and none "
            f"around it. At most {MAX_WORDS} different words. "
            "Nothing invisible, but joiners (U+200C, U+200D) between letters or emoji, and U+FE0F "
            "behind a symbol that it makes an emoji.",
        },
        "plot": {"type": "string", "maxLength": PLOT_MAX_CHARS, "pattern": TEXT},
        "genres": list_of({"enum": list(GENRES)}, MAX_GENRES),
        "directors": names,
        "actors": names,
        "runtime_minutes": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": RUNTIME_MAX_MINUTES,
        },
        "release_date": {
            "type": ["string", "null"],
            "format": "date",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "description": "A day in the film's year.",
        },
    }


def _problem() -> Schema:
    return {
        **closed(
            {
                "type": {"const": "about:blank"},
                "title": {"type": "string", "description": "The phrase of the HTTP status."},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string", "description": "What was wrong, for people."},
                "code": {
                    "type": "string",
                    "pattern": "^[a-z_]+$",
                    "description": "What was wrong, for programs.",
                },
                "trace_id": {
                    "type": ["string", "null"],
                    "description": "The request's trace on AWS X-Ray.",
                },
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Each wrong parameter or member, with its reason.",
                },
                "current": ref("Movie"),
            },
            optional=("fields", "current"),
        ),
        "description": "Every error: problem details of RFC 9457, with members of our own.",
    }
