"""What people may say about a film, checked: from a form or from JSON."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

from django.utils.datastructures import MultiValueDict

from .errors import BadInput
from .lines import collapse_blanks, find_fault
from .movie import (
    FIRST_VERSIONS,
    FIRST_YEAR,
    GENRES,
    MAX_STARS,
    MIN_STARS,
    TITLE_MAX_CHARS,
    Movie,
    MovieKey,
    last_year,
)
from .terms import MAX_WORDS, fold, split_words

PLOT_MAX_CHARS = 5000
MAX_GENRES = 6
MAX_NAMES = 20
NAME_MAX_CHARS = 100
RUNTIME_MAX_MINUTES = 1000

T = TypeVar("T")

_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GENRE_BY_NAME = {genre.casefold(): genre for genre in GENRES}


class MovieFields(NamedTuple):
    """All that an editor decides about a film; its key, and what goes into `info`."""

    year: int
    title: str
    plot: str = ""
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    runtime_minutes: int | None = None
    release_date: date | None = None

    @property
    def key(self) -> MovieKey:
        return MovieKey(self.year, self.title)

    def make_movie(self) -> Movie:
        """Return a new film with these fields, at a version that no film has had."""
        return self.apply_to(Movie(self.key, version=secrets.randbelow(FIRST_VERSIONS)))

    def apply_to(self, movie: Movie) -> Movie:
        """Return the next version of a film with these fields; votes and poster stay."""
        return Movie(
            key=self.key,
            plot=self.plot,
            genres=self.genres,
            directors=self.directors,
            actors=self.actors,
            runtime_minutes=self.runtime_minutes,
            release_date=self.release_date,
            poster=movie.poster,
            version=movie.version + 1,
            votes=movie.votes,
            stars=movie.stars,
        )

    @classmethod
    def from_movie(cls, movie: Movie) -> MovieFields:
        """Return the film's present fields, to be shown in a form or changed one by one."""
        return cls(
            movie.year,
            movie.title,
            movie.plot,
            movie.genres,
            movie.directors,
            movie.actors,
            movie.runtime_minutes,
            movie.release_date,
        )

    @classmethod
    def from_untrusted(cls, mapping: object) -> MovieFields:
        """Return the fields that a form (strings) or JSON (lists, numbers) holds.

        Lists may be one string: a line for each name, or commas where there is but one line.
        Names that aren't ours are passed over. Raises BadInput with every wrong field.
        """
        if not isinstance(mapping, Mapping):
            raise BadInput("body", "Expected an object with the film's fields.")
        wrong: dict[str, str] = {}

        def take(name: str, read: Callable[[object], T], default: T) -> T:
            try:
                return read(_get(mapping, name))
            except _Wrong as reason:
                wrong[name] = str(reason)
                return default

        year = take("year", _read_year, FIRST_YEAR)
        fields = cls(
            year=year,
            title=take("title", _read_title, ""),
            plot=take("plot", _read_plot, ""),
            genres=take("genres", _read_genres, ()),
            directors=take("directors", _read_names, ()),
            actors=take("actors", _read_names, ()),
            runtime_minutes=take("runtime_minutes", _read_runtime, None),
            release_date=take("release_date", _read_date, None),
        )
        if fields.release_date and "year" not in wrong and fields.release_date.year != year:
            wrong["release_date"] = f"Expected a day in the film's year, {year}."
        if wrong:
            raise BadInput.of_fields(wrong)
        return fields


def read_year(value: object) -> int:
    """Return the year of a film from a number or its digits. Raises BadInput for the field year."""
    try:
        return _read_year(value)
    except _Wrong as reason:
        raise BadInput("year", str(reason)) from None


def read_decade(value: object) -> int:
    """Return the first year of a decade. Raises BadInput for the field decade."""
    decade, first, last = _read_whole(value), FIRST_YEAR // 10 * 10, last_year() // 10 * 10
    if decade is None or decade % 10 or not first <= decade <= last:
        raise BadInput("decade", f"Expected the first year of a decade from {first} to {last}.")
    return decade


def read_genre(value: object) -> str:
    """Return the genre as it is written in GENRES. Raises BadInput for the field genre."""
    genre = _GENRE_BY_NAME.get(value.strip().casefold()) if isinstance(value, str) else None
    if genre is None:
        raise BadInput("genre", f"Expected one of {', '.join(GENRES)}.")
    return genre


def read_stars(value: object) -> int:
    """Return the stars of a vote. Raises BadInput for the field stars."""
    stars = _read_whole(value)
    if stars is None or not MIN_STARS <= stars <= MAX_STARS:
        raise BadInput("stars", f"Expected a whole number from {MIN_STARS} to {MAX_STARS}.")
    return stars


class _Wrong(Exception):
    """Why a value can't be taken."""


def _get(mapping: Mapping[object, object], name: str) -> object:
    if isinstance(mapping, MultiValueDict):
        values = mapping.getlist(name)
        return values[0] if len(values) == 1 else values or None
    return mapping.get(name)


def _read_whole(value: object) -> int | None:
    """Return a whole number of any kind that JSON or a form has for it, else None."""
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return None


def _read_year(value: object) -> int:
    year, last = _read_whole(value), last_year()
    if year is None or not FIRST_YEAR <= year <= last:
        raise _Wrong(f"Expected a year from {FIRST_YEAR} to {last}.")
    return year


def _read_runtime(value: object) -> int | None:
    if value is None or value == "":
        return None
    minutes = _read_whole(value)
    if minutes is None or not 1 <= minutes <= RUNTIME_MAX_MINUTES:
        raise _Wrong(f"Expected a number of minutes from 1 to {RUNTIME_MAX_MINUTES}.")
    return minutes


def _read_date(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and _ISO_DATE.fullmatch(value.strip()):
            return date.fromisoformat(value.strip())
    except ValueError:
        pass
    raise _Wrong("Expected a day such as 1999-03-31.")


def _read_line(value: object, max_chars: int) -> str:
    """Return one line of text, composed (NFC) and with single spaces: what looks the same is."""
    if not isinstance(value, str):
        raise _Wrong("Expected text.")
    line = unicodedata.normalize("NFC", value).strip()
    if not 1 <= len(line) <= max_chars:
        raise _Wrong(f"Expected 1 to {max_chars} characters.")
    if fault := find_fault(line):
        raise _Wrong(fault)
    return collapse_blanks(line)


def _read_title(value: object) -> str:
    title = _read_line(value, TITLE_MAX_CHARS)
    if len(set(split_words(fold(title)))) > MAX_WORDS:
        raise _Wrong(f"Expected at most {MAX_WORDS} different words.")
    return title


def _read_plot(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Wrong("Expected text.")
    plot = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(plot) > PLOT_MAX_CHARS:
        raise _Wrong(f"Expected at most {PLOT_MAX_CHARS} characters.")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in plot):
        raise _Wrong("Expected text without control characters.")
    return plot


def _read_list(value: object, max_items: int) -> list[object]:
    if value is None:
        return []
    if isinstance(value, str):
        lines = value.strip().splitlines()
        parts = lines if len(lines) > 1 else value.split(",")
        value = [part.strip() for part in parts if part.strip()]
    if not isinstance(value, list | tuple):
        raise _Wrong("Expected a list of texts.")
    if len(value) > max_items:
        raise _Wrong(f"Expected at most {max_items}.")
    return list(value)


def _read_names(value: object) -> tuple[str, ...]:
    names = (_read_line(item, NAME_MAX_CHARS) for item in _read_list(value, MAX_NAMES))
    return tuple(dict.fromkeys(names))


def _read_genres(value: object) -> tuple[str, ...]:
    chosen: dict[str, None] = {}
    for item in _read_list(value, MAX_GENRES):
        genre = _GENRE_BY_NAME.get(item.strip().casefold()) if isinstance(item, str) else None
        if genre is None:
            raise _Wrong(f"Expected genres out of {', '.join(GENRES)}.")
        chosen[genre] = None
    return tuple(chosen)
