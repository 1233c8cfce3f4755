"""Which members a JSON body has, and of which type: exactly what the description says.

Types only, and lengths as they were sent. Whether a year is one of a film, MovieFields knows; but
it reads forms too, and takes "1999" for a year and "Drama, War" for a list.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from movies.errors import BadInput
from movies.fields import MAX_GENRES, MAX_NAMES, NAME_MAX_CHARS, PLOT_MAX_CHARS
from movies.movie import GENRES, TITLE_MAX_CHARS
from movies.reviews import TEXT_MAX_CHARS

ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SHOWN_CHARS = 50


class Member(NamedTuple):
    """One member of a body: how to know a right value, and how to say what is right."""

    is_right: Callable[[Any], bool]
    expected: str
    is_required: bool = False


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object, max_chars: int) -> bool:
    return isinstance(value, str) and len(value) <= max_chars


def _is_names(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_NAMES
        and all(_is_text(name, NAME_MAX_CHARS) for name in value)
    )


def _is_genres(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_GENRES
        and all(isinstance(genre, str) and genre in GENRES for genre in value)
    )


def _is_date(value: object) -> bool:
    return isinstance(value, str) and ISO_DATE.fullmatch(value) is not None


NAMES = Member(_is_names, f"at most {MAX_NAMES} texts of at most {NAME_MAX_CHARS} characters")
STARS = Member(_is_whole, "a whole number", is_required=True)

MOVIE: Mapping[str, Member] = {
    "year": Member(_is_whole, "a whole number", is_required=True),
    "title": Member(
        lambda value: _is_text(value, TITLE_MAX_CHARS),
        f"a text of at most {TITLE_MAX_CHARS} characters",
        is_required=True,
    ),
    "plot": Member(
        lambda value: _is_text(value, PLOT_MAX_CHARS),
        f"a text of at most {PLOT_MAX_CHARS} characters",
    ),
    "genres": Member(_is_genres, f"at most {MAX_GENRES} of {', '.join(GENRES)}"),
    "directors": NAMES,
    "actors": NAMES,
    "runtime_minutes": Member(
        lambda value: value is None or _is_whole(value), "a whole number or null"
    ),
    "release_date": Member(
        lambda value: value is None or _is_date(value), "a day such as 1999-03-31, or null"
    ),
}
VOTE: Mapping[str, Member] = {"stars": STARS}
REVIEW: Mapping[str, Member] = {
    "stars": STARS,
    "text": Member(
        lambda value: _is_text(value, TEXT_MAX_CHARS),
        f"a text of at most {TEXT_MAX_CHARS} characters",
        is_required=True,
    ),
}


def check_members(body: Mapping[str, Any], members: Mapping[str, Member]) -> None:
    """Raise BadInput with every member that is missing, unknown or of another type."""
    fields = {
        name: f"Expected {member.expected}; it is missing."
        for name, member in members.items()
        if member.is_required and name not in body
    }
    for name, value in body.items():
        member = members.get(name)
        if member is None:
            fields[name[:SHOWN_CHARS]] = f"This isn't known; expected {', '.join(members)}."
        elif not member.is_right(value):
            fields[name] = f"Expected {member.expected}."
    if fields:
        raise BadInput.of_fields(fields)
