"""Pages of films, read by Query and never by Scan.

A list is read in phases, one after the other; each is one part of one term's rows. A cursor holds
the phase and the position of the last film shown, so a page begins after it whatever was added or
taken away meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from . import cursors
from .aws import get_client, translate_errors
from .errors import BadInput, Throttled
from .items import to_key, to_movie, to_row
from .movie import Movie, MovieKey, Page
from .terms import TermRow, finds
from .transactions import pause

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import KeysAndAttributesUnionTypeDef

DEFAULT_LIMIT = 24
MAX_LIMIT = 100
# What one BatchGetItem may ask for.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_BATCH_KEYS = 100
BATCH_ATTEMPTS = 6
# A filter may leave nothing of many rows: then the page is short, and the next goes on from there.
MAX_QUERIES = 10
FILTERED_ROWS = 100


class Phase(NamedTuple):
    """One part of a term's rows: those whose position begins so and whose text passes."""

    term: str
    begins_with: str = ""
    contains: tuple[str, ...] = ()
    begins_not_with: str = ""
    is_wanted: Callable[[TermRow], bool] | None = None

    @property
    def is_filtered(self) -> bool:
        return bool(self.contains or self.begins_not_with)


class _Reader:
    """Reads rows from a phase and a position on, as far as they are asked for."""

    def __init__(
        self, phases: Sequence[Phase], phase: int, position: str | None, needed: int
    ) -> None:
        self.phases = phases
        self.phase = phase
        self.position = position
        self.needed = needed
        self.queries_left = MAX_QUERIES
        self.is_cut_short = False

    def rows(self) -> Iterator[tuple[int, TermRow]]:
        while self.phase < len(self.phases):
            phase = self.phases[self.phase]
            size = max(self.needed, FILTERED_ROWS) if phase.is_filtered else self.needed
            while True:
                if not self.queries_left:
                    self.is_cut_short = True
                    return
                self.queries_left -= 1
                rows, last = _query(phase, self.position, size)
                for row in rows:
                    if phase.is_wanted is None or phase.is_wanted(row):
                        yield self.phase, row
                self.position = last
                if last is None:
                    break
                size *= 2
            self.phase += 1


def read_page(listing: str, phases: Sequence[Phase], cursor: str | None, limit: int) -> Page:
    """Return the films after the cursor, at most `limit` of them.

    A film that was deleted since its row was read is passed over, and the page filled up.
    Raises BadCursor for a cursor of another listing, BadInput for a limit not in 1 to 100.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise BadInput("limit", f"Expected a number from 1 to {MAX_LIMIT}.")
    phase, position = (0, None) if cursor is None else cursors.decode(listing, cursor)
    reader = _Reader(phases, phase, position, needed=limit + 1)
    rows = reader.rows()
    found: list[tuple[Movie, int, str]] = []
    while len(found) <= limit:
        wanted = list(islice(rows, limit + 1 - len(found)))
        if not wanted:
            break
        movies = get_movies(row.key for _, row in wanted)
        found += [
            (movies[row.key], phase, row.position)
            for phase, row in wanted
            if row.key in movies and finds(row, movies[row.key].genres)
        ]
    shown = found[:limit]
    next_cursor = None
    if len(found) > limit:
        _, phase, position = shown[-1]
        next_cursor = cursors.encode(listing, phase, position)
    elif reader.is_cut_short:
        next_cursor = cursors.encode(listing, reader.phase, reader.position)
    return Page(tuple(movie for movie, _, _ in shown), next_cursor)


def get_movies(keys: Iterable[MovieKey]) -> dict[MovieKey, Movie]:
    """Return those of the films that exist, in no order."""
    movies: dict[MovieKey, Movie] = {}
    unique = iter(dict.fromkeys(keys))
    while batch := list(islice(unique, MAX_BATCH_KEYS)):
        movies.update((movie.key, movie) for movie in _get_batch(batch))
    return movies


def _get_batch(keys: Sequence[MovieKey]) -> Iterator[Movie]:
    table = settings.MOVIES_TABLE
    wanted: Mapping[str, KeysAndAttributesUnionTypeDef] = {
        table: {"Keys": [to_key(key) for key in keys], "ConsistentRead": True}
    }
    for attempt in range(BATCH_ATTEMPTS):
        with translate_errors(f"BatchGetItem on {table}"):
            answer = get_client("dynamodb").batch_get_item(RequestItems=wanted)
        yield from map(to_movie, answer["Responses"].get(table, ()))
        # AWS returns what it had no capacity for, to be asked for again.
        wanted = answer.get("UnprocessedKeys") or {}
        if not wanted:
            return
        pause(attempt)
    raise Throttled(f"BatchGetItem on {table}", "UnprocessedKeys", "Too many reads at once.")


def _query(phase: Phase, after: str | None, size: int) -> tuple[list[TermRow], str | None]:
    """Return up to `size` rows after a position, and where to go on, None at the end."""
    table = settings.MOVIES_TERMS_TABLE
    values = {":term": phase.term}
    condition = "#term = :term"
    names = {"#term": "term"}
    if phase.begins_with:
        condition += " AND begins_with(#position, :begin)"
        names["#position"] = "position"
        values[":begin"] = phase.begins_with
    options: dict[str, Any] = {}
    filters = [f"contains(#text, :part{number})" for number in range(len(phase.contains))]
    values |= {f":part{number}": part for number, part in enumerate(phase.contains)}
    if phase.begins_not_with:
        filters.append("NOT begins_with(#text, :not)")
        values[":not"] = phase.begins_not_with
    if filters:
        options["FilterExpression"] = " AND ".join(filters)
        names["#text"] = "text"
    if after is not None:
        options["ExclusiveStartKey"] = {"term": {"S": phase.term}, "position": {"S": after}}
    with translate_errors(f"Query on {table}"):
        answer = get_client("dynamodb").query(
            TableName=table,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
            Limit=size,
            ConsistentRead=True,
            **options,
        )
    last = answer.get("LastEvaluatedKey")
    return [to_row(item) for item in answer["Items"]], last["position"]["S"] if last else None
