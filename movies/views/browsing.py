"""What a visitor chose to browse: a year, a decade, a genre, a search, or everything."""

from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from movies import catalogue
from movies.api.limits import decades
from movies.catalogue import FIRST_YEAR, GENRES, Page, last_year
from movies.errors import BadInput

FILTERS = ("q", "year", "decade", "genre")
NEWEST_FIRST = "Newest first, then by title."
BEST_MATCH_FIRST = (
    "First the titles that begin so, A to Z; "
    "then those with these words, word by word, newest first."
)


class Choice(NamedTuple):
    """At most one filter with its value as it was sent, and a page's cursor."""

    name: str | None
    value: str
    cursor: str | None

    @property
    def year(self) -> int | None:
        return self._read_number() if self.name == "year" else None

    @property
    def decade(self) -> int | None:
        """The decade chosen, or that of the year chosen."""
        if self.name == "decade":
            return self._read_number()
        return self.year // 10 * 10 if self.year is not None else None

    @property
    def genre(self) -> str | None:
        folded = self.value.casefold() if self.name == "genre" else None
        return next((genre for genre in GENRES if genre.casefold() == folded), None)

    @property
    def query(self) -> str:
        return self.value if self.name == "q" else ""

    @property
    def heading(self) -> str:
        match self.name:
            case "q":
                return f"Titles like “{self.value}”"
            case "year":
                return f"Films of {self.value}"
            case "decade":
                return f"Films of the {self.value}s"
            case "genre":
                return f"{self.genre or self.value} films"
        return "All films"

    def _read_number(self) -> int | None:
        """Return a number of four digits; what else was sent, the catalogue refuses."""
        return int(self.value) if len(self.value) == 4 and self.value.isdecimal() else None

    def make_url(self, cursor: str | None = None) -> str:
        """Return the address of this choice, from its first page or from a cursor."""
        query = {self.name: self.value} if self.name else {}
        if cursor:
            query["cursor"] = cursor
        return reverse("movies") + (f"?{urlencode(query)}" if query else "")


EVERYTHING = Choice(None, "", None)


def read_choice(request: HttpRequest) -> Choice:
    """Return what the query string asks for; an empty value counts as none.

    Raises BadInput where it asks for two things at once.
    """
    chosen = {name: request.GET[name].strip() for name in FILTERS if request.GET.get(name)}
    if len(chosen) > 1:
        raise BadInput(
            list(chosen)[1], f"Choose one of {', '.join(FILTERS)}; got {' and '.join(chosen)}."
        )
    cursor = request.GET.get("cursor") or None
    for name, value in chosen.items():
        return Choice(name, value, cursor)
    return Choice(None, "", cursor)


def find_page(choice: Choice) -> Page:
    """Return the page of films that was asked for. Raises BadInput or BadCursor."""
    match choice.name:
        case "q":
            return catalogue.search_movies(choice.value, cursor=choice.cursor)
        case "year":
            return catalogue.list_movies(year=choice.value, cursor=choice.cursor)
        case "decade":
            return catalogue.list_movies(decade=choice.value, cursor=choice.cursor)
        case "genre":
            return catalogue.list_movies(genre=choice.value, cursor=choice.cursor)
    return catalogue.list_movies(cursor=choice.cursor)


def list_years(decade: int | None) -> range:
    """Return the years of a decade that films may have; none without a decade."""
    if decade is None or decade not in decades():
        return range(0)
    return range(max(decade, FIRST_YEAR), min(decade + 9, last_year()) + 1)
