"""How far that reaches which is stored: in time, in numbers of traces, in blocks."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from .terms import BLOCK_TRACES

# A range of time with this share of all the time that there are traces of is wide: to read the
# table from end to end is quicker than to look up what the range has.
WIDE_SHARE_MIN = 0.5


def count_blocks(connection: sqlite3.Connection) -> int:
    """Return how many blocks there are, those between that are empty included."""
    first, last = _find_ends(connection, "no")
    return int(last // BLOCK_TRACES - first // BLOCK_TRACES + 1)


def find_numbers(connection: sqlite3.Connection, values: dict[str, Any]) -> tuple[int, int]:
    """Return the numbers of the first and the last trace that began in the range of time."""
    ends = _find_ends(connection, "start_time")
    row = connection.execute(
        "SELECT (SELECT no FROM traces WHERE start_time >= ? ORDER BY start_time LIMIT 1), "
        "(SELECT no FROM traces WHERE start_time < ? ORDER BY start_time DESC LIMIT 1)",
        _clip(values, *ends),
    ).fetchone()
    return row[0] or 0, row[1] or 0


def list_times(
    connection: sqlite3.Connection, values: dict[str, Any], number: int
) -> Iterator[float]:
    """Yield so many times, evenly spread over what the range has, the end first."""
    start, end = _clip(values, *_find_ends(connection, "start_time"))
    for place in range(number):
        yield end - (end - start) * place / number


def is_wide(connection: sqlite3.Connection, values: dict[str, Any]) -> bool:
    """Whether the range from `start` to `end` has much of the time that there are traces of."""
    first, last = _find_ends(connection, "start_time")
    start, end = _clip(values, first, last)
    return bool(end - start >= WIDE_SHARE_MIN * (last - first))


def _clip(values: dict[str, Any], first: float, last: float) -> tuple[float, float]:
    """Return what of the range from `start` to `end` there can be traces of."""
    return max(first, values.get("start", first)), min(last, values.get("end", last))


def _find_ends(connection: sqlite3.Connection, column: str) -> tuple[float, float]:
    first, last = (
        connection.execute(f"SELECT {end}({column}) FROM traces").fetchone()[0]  # noqa: S608
        for end in ("MIN", "MAX")
    )
    return first or 0, last or 0
