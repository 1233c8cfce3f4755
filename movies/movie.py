"""A film, the key it has in DynamoDB, and what may be known about it."""

from datetime import UTC, date, datetime
from typing import NamedTuple

# The year of the oldest film that survives, "Roundhay Garden Scene".
FIRST_YEAR = 1888
YEARS_AHEAD = 10
TITLE_MAX_CHARS = 200
# A version counts from a random number on. After a deletion nothing is left to count on from, and
# a film that began at 1 again would let a save made to the deleted one through. With the saves
# that follow, it keeps to 15 digits: every program that reads JSON reads those exactly.
FIRST_VERSIONS, VERSION_MAX_DIGITS = 10**14, 15
# More than any film will see: a version within so many of another is one of the same film.
MAX_SAVES = 10**6
MIN_STARS, MAX_STARS = 1, 10

GENRES: tuple[str, ...] = (
    "Action",
    "Adventure",
    "Animation",
    "Biography",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Family",
    "Fantasy",
    "Film Noir",
    "History",
    "Horror",
    "Music",
    "Musical",
    "Mystery",
    "Romance",
    "Science Fiction",
    "Short",
    "Sport",
    "Thriller",
    "War",
    "Western",
)


def last_year() -> int:
    """Return the latest year that a film may have: announced films are welcome."""
    return datetime.now(tz=UTC).year + YEARS_AHEAD


class MovieKey(NamedTuple):
    """What tells one film from another: the year it came out in, and its title."""

    year: int
    title: str


# /app writes this film with an unconditional PutItem each time it runs.
SAMPLE_KEY = MovieKey(2015, "The Big New Movie")
SAMPLE_PLOT = "A studio announces the biggest film of its history, and then has to make it."


class Movie(NamedTuple):
    """One film as the catalogue has it.

    version grows by one at each save, from a random number on; votes don't change it. The film of
    /app is at 0. stars is the sum of all votes.
    poster is the key of an S3 object in POSTERS_BUCKET.
    """

    key: MovieKey
    plot: str = ""
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    runtime_minutes: int | None = None
    release_date: date | None = None
    poster: str | None = None
    version: int = 0
    votes: int = 0
    stars: int = 0

    @property
    def year(self) -> int:
        return self.key.year

    @property
    def title(self) -> str:
        return self.key.title

    @property
    def rating(self) -> float | None:
        """The mean of the votes, 1 to 10; None where nobody has voted."""
        return self.stars / self.votes if self.votes else None

    def has_been_at(self, version: int) -> bool:
        """Say whether this film, and not another that had its key, was at this version once."""
        return 0 <= self.version - version < MAX_SAVES

    @property
    def is_sample(self) -> bool:
        """Whether this is the film that /app writes, which nobody may change."""
        return self.key == SAMPLE_KEY


class Page(NamedTuple):
    """One page of a list; next_cursor is None on the last."""

    movies: tuple[Movie, ...]
    next_cursor: str | None
