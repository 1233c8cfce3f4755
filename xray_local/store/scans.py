"""Which rows of the table `traces` are looked at for a page, and in which order.

The list begins with the newest. Where terms say which blocks of traces are worth looking at, only
these are. Else the index by start has the order of the list, and what is common is soon found; but
what it does not have is in the table, row by row, and reading that from end to end is quicker.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

from xray_local.filters import Condition

from .terms import BLOCK_TRACES

# With no more blocks than this to look at, they are read as they are; else in the list's order.
BLOCKS_READ = 400
# More blocks than this share of all are not worth a look at the number of each row's.
BLOCKS_SHARE_MAX = 0.9
# In another order than the list's all of them are read, up to this share.
BLOCKS_SHARE_RANKED = 0.5
# What is not found often enough among so many of the newest is rare.
NEWEST_LOOKED_AT = 5000
# So many blocks, evenly spread, tell at about which place a page in another order ends, if at least
# so many of their rows fit and there are many other blocks.
BLOCKS_SAMPLED = 40
SAMPLED_FITTING = 3
SAMPLED_STEP_MIN = 2
# How many that come before that place are looked up, where the index does not tell all.
FIRST_LOOKED_AT = 1500
# To look up fewer rows than this share, one by one, is quicker than to read all.
UNDECIDED_SHARE_MAX = 0.1
# Of the time that there are traces of: to look up fewer rows than this share has is quicker.
TABLE_SHARE_MIN = 0.5
# Columns that the index by start has not.
TEXT_COLUMNS = re.compile(
    r"\b(http_url|http_method|user_agent|client_ip|users|zones|instance_ids|resource_arns"
    r"|annotations|root_name|root_type|root_account_id)\b"
)
# Read from end to end.
TABLE = "traces NOT INDEXED"
TRACES_OF_BLOCKS = (
    "(SELECT value * :size AS first FROM json_each(:blocks)) AS b "
    "CROSS JOIN traces ON traces.no BETWEEN b.first AND b.first + :size - 1"
)


class Order(Enum):
    """How a list is ordered: by what, and whether the largest is first."""

    NEWEST = ("start_time", True)
    OLDEST = ("start_time", False)
    SLOWEST = ("response_time", True)
    FASTEST = ("response_time", False)
    HIGHEST_STATUS = ("COALESCE(http_status, 0)", True)
    LOWEST_STATUS = ("COALESCE(http_status, 0)", False)

    @property
    def column(self) -> str:
        """What is compared, in SQL."""
        return self.value[0]

    @property
    def direction(self) -> str:
        """The same, for ORDER BY."""
        return "DESC" if self.value[1] else "ASC"

    @property
    def comparison(self) -> str:
        """How what comes earlier in the order compares with what comes later, in SQL."""
        return ">" if self.value[1] else "<"

    @property
    def after(self) -> str:
        """The condition of all that come after the place `:before` and the number `:no`."""
        return f"({self.column}, traces.no) {'<' if self.value[1] else '>'} (:before, :no)"


class Row(NamedTuple):
    """A trace for which a condition may hold; is_sure: it does.

    place: what the list is ordered by.
    """

    start_time: float
    no: int
    id: str
    revision: int
    root_name: str
    place: float
    is_sure: int


class Spot(NamedTuple):
    """What the index by start has of such a trace."""

    no: int
    start_time: float
    end_time: float
    is_sure: int


ROW_COLUMNS = "start_time, traces.no, traces.id, revision, root_name"
SPOT_COLUMNS = "traces.no, start_time, end_time"


def scan(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    limit: int,
) -> Iterator[Row]:
    """Yield the rows for which the condition may hold, the newest first.

    wanted: what else has to hold, with the values that it names; `start` and `end`, if they are
    there, are a range of time. limit: as many and one more are enough if the condition is exact.
    """
    rows = _scan(connection, f"{ROW_COLUMNS}, start_time", wanted, values, condition, limit)
    return map(Row._make, rows)


def scan_spots(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    limit: int,
    most: int = 0,
) -> Iterator[Spot]:
    """Yield the same as `scan`, in less time.

    most: where all has to be read for the limit, so many and one more.
    """
    rows = _scan(connection, SPOT_COLUMNS, wanted, values, condition, limit, most)
    return map(Spot._make, rows)


def _scan(
    connection: sqlite3.Connection,
    columns: str,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    limit: int,
    most: int = 0,
) -> Iterator[Any]:
    """Return these columns of the rows; the last of them is whether a row is sure."""
    is_exact = condition.may == condition.must
    values = {**values, **condition.values, "limit": limit + 1 if is_exact else -1}
    everything = {"limit": max(limit, most) + 1 if is_exact else -1}
    must = "1" if is_exact else condition.must

    def select(tables: str, *more: str) -> Iterator[Any]:
        return connection.execute(
            f"SELECT {columns}, {must} "  # noqa: S608 - fixed texts
            f"FROM {tables} WHERE {' AND '.join([*more, *wanted, condition.may])} "
            "ORDER BY start_time DESC, traces.no DESC LIMIT :limit",
            values,
        )

    blocks = _find_blocks(connection, condition)
    if blocks is not None:
        values |= {"blocks": json.dumps(blocks), "size": BLOCK_TRACES}
        if len(blocks) <= BLOCKS_READ:
            values |= everything
            return select(TRACES_OF_BLOCKS)
        is_share = len(blocks) < BLOCKS_SHARE_MAX * _count_blocks(connection)
        if is_share and not _is_quick(condition):
            return select("traces", "traces.no / :size IN (SELECT value FROM json_each(:blocks))")
    if not is_exact or not TEXT_COLUMNS.search(condition.may):
        return select("traces")
    if not is_wide(connection, values):
        return select("traces")
    newest = _find_newest(connection, wanted, values)
    if newest is None:
        return select("traces")
    values |= {"newest": newest}
    found = list(select("traces", "start_time >= :newest"))
    if len(found) > limit:
        return iter(found)
    values |= everything
    if _is_soon_decided(connection, wanted, values, condition):
        return select("traces")
    return select(TABLE)


def pick(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    numbers: Sequence[int],
    order: Order,
    limit: int,
    must: str = "1",
) -> Iterator[Row]:
    """Yield the rows of these traces for which what is wanted holds, so many and one more."""
    rows = connection.execute(
        f"SELECT {ROW_COLUMNS}, {order.column} AS place, {must} "  # noqa: S608
        "FROM json_each(:numbers) AS n CROSS JOIN traces ON traces.no = n.value "
        f"WHERE {' AND '.join(wanted)} "
        f"ORDER BY place {order.direction}, traces.no {order.direction} LIMIT :limit",
        {**values, "numbers": json.dumps(list(numbers)), "limit": limit + 1},
    )
    return map(Row._make, rows)


def rank(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    order: Order,
    limit: int,
    unsure: int,
) -> Iterator[Row]:
    """Yield the rows for which the condition may hold, in an order that is not the index's.

    All rows are looked at; where the index has what is asked for, in it alone. unsure: of rows for
    which the condition only may hold, as many and one more are enough. See `scan`.
    """
    is_exact = condition.may == condition.must
    must = "1" if is_exact else condition.must
    enough = limit + 1 if is_exact else limit + unsure + 1
    values = {**values, **condition.values}
    is_quick = _is_quick(condition)

    def list_places(tables: str, *more: str) -> str:
        return (
            f"SELECT {order.column} AS place, traces.no AS ranked FROM {tables} "  # noqa: S608
            f"WHERE {' AND '.join([*more, *wanted])} "
            f"ORDER BY place {order.direction}, ranked {order.direction} LIMIT :limit"
        )

    def select(inside: str) -> list[Row]:
        rows = connection.execute(
            f"SELECT {ROW_COLUMNS}, place, {must} FROM ({inside}) "  # noqa: S608
            "CROSS JOIN traces ON traces.no = ranked "
            f"ORDER BY place {order.direction}, ranked {order.direction}",
            values | {"limit": enough},
        )
        return list(map(Row._make, rows))

    place = _estimate_place(connection, wanted, values, condition, order, enough)
    if place is not None:
        # What comes after it is neither sorted nor asked for more, unless the others are too few.
        values |= {"near": place}
        near = f"{order.column} {order.comparison}= :near"
        if is_quick:
            found = select(list_places("traces", near, condition.may))
        else:
            first = connection.execute(
                list_places("traces", near), values | {"limit": FIRST_LOOKED_AT}
            )
            found = []
            while len(found) < enough and (rows := first.fetchmany(2 * enough)):
                numbers = [row[1] for row in rows]
                found += pick(
                    connection, [condition.may], values, numbers, order, len(numbers), must
                )
        if len(found) >= enough:
            return iter(found[:enough])
    blocks = _find_blocks(connection, condition)
    blocks_max = BLOCKS_READ if is_quick else BLOCKS_SHARE_RANKED * _count_blocks(connection)
    tables = "traces"
    if blocks is not None and len(blocks) <= blocks_max:
        values |= {"blocks": json.dumps(blocks), "size": BLOCK_TRACES}
        tables = TRACES_OF_BLOCKS
    elif TEXT_COLUMNS.search(condition.may) and is_wide(connection, values):
        tables = TABLE
    return iter(select(list_places(tables, condition.may)))


def _estimate_place(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    order: Order,
    enough: int,
) -> float | None:
    """Return a place before which in the order there are most likely enough rows, but few more.

    None if that cannot be said, or says nothing that the index has not in its own order.
    """
    if order is Order.OLDEST:
        return None
    first, last = _find_numbers(connection, values)
    step = (last - first) // (BLOCK_TRACES * BLOCKS_SAMPLED)
    if step < SAMPLED_STEP_MIN:
        return None
    blocks = range(first // BLOCK_TRACES + step // 2, last // BLOCK_TRACES, step)
    row = connection.execute(
        f"SELECT {order.column} AS place FROM {TRACES_OF_BLOCKS} "  # noqa: S608 - fixed texts
        f"WHERE {' AND '.join([*wanted, condition.may])} "
        f"ORDER BY place {order.direction} LIMIT 1 OFFSET :offset",
        values
        | {"blocks": json.dumps(list(blocks)), "size": BLOCK_TRACES}
        | {"offset": SAMPLED_FITTING - 1 + 2 * enough // step},
    ).fetchone()
    return row[0] if row else None


def _is_quick(condition: Condition) -> bool:
    """Whether the index by start tells of nearly all rows whether they fit."""
    if TEXT_COLUMNS.search(condition.may):
        return False
    # What failed is soon found by the index: few traces are left to look at the shapes of.
    return "trace_shapes" not in condition.may or "any_" in condition.may


def _is_soon_decided(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
) -> bool:
    """Whether the index tells of nearly all of the newest that they do not fit."""
    indexed = [each for each in condition.parts if not TEXT_COLUMNS.search(each)]
    if not indexed:
        return False
    row = connection.execute(
        "SELECT COUNT(*) FROM traces WHERE start_time >= :newest "  # noqa: S608 - fixed texts
        f"AND {' AND '.join([*wanted, *indexed])}",
        values,
    ).fetchone()
    return bool(row[0] < UNDECIDED_SHARE_MAX * NEWEST_LOOKED_AT)


def _find_blocks(connection: sqlite3.Connection, condition: Condition) -> list[int] | None:
    """Return the blocks that have all the terms that the condition asks for; None for any."""
    if not condition.terms:
        return None
    # Both at once would look at every term.
    first, last = (
        connection.execute(f"SELECT {end}(era) FROM terms").fetchone()[0]  # noqa: S608
        for end in ("MIN", "MAX")
    )
    searches = (
        f"SELECT block FROM eras CROSS JOIN terms AS t ON era = n AND ({each})"  # noqa: S608
        for each in condition.terms
    )
    rows = connection.execute(
        "WITH RECURSIVE eras (n) AS "  # noqa: S608 - fixed texts
        "(SELECT :last UNION ALL SELECT n - 1 FROM eras WHERE n > :first) "
        f"{' INTERSECT '.join(searches)}",
        {"first": first or 0, "last": last or 0, **condition.values},
    )
    return list({row[0] for row in rows})


def _count_blocks(connection: sqlite3.Connection) -> int:
    """Return how many blocks there are, those between that are empty included."""
    first, last = _find_ends(connection, "no")
    return int(last // BLOCK_TRACES - first // BLOCK_TRACES + 1)


def _find_numbers(connection: sqlite3.Connection, values: dict[str, Any]) -> tuple[int, int]:
    """Return the numbers of the first and the last trace that began in the range of time."""
    first, last = _find_ends(connection, "start_time")
    row = connection.execute(
        "SELECT (SELECT no FROM traces WHERE start_time >= ? ORDER BY start_time LIMIT 1), "
        "(SELECT no FROM traces WHERE start_time < ? ORDER BY start_time DESC LIMIT 1)",
        (max(first, values.get("start", first)), min(last, values.get("end", last))),
    ).fetchone()
    return row[0] or 0, row[1] or 0


def _find_newest(
    connection: sqlite3.Connection, wanted: Sequence[str], values: dict[str, Any]
) -> float | None:
    """Return the start of the last of the newest to be looked at; None if there are no more."""
    row = connection.execute(
        f"SELECT start_time FROM traces WHERE {' AND '.join(wanted)} "  # noqa: S608 - fixed texts
        "ORDER BY start_time DESC LIMIT 1 OFFSET :offset",
        values | {"offset": NEWEST_LOOKED_AT},
    ).fetchone()
    return row[0] if row else None


def is_wide(connection: sqlite3.Connection, values: dict[str, Any]) -> bool:
    """Whether the range from `start` to `end` has much of the time that there are traces of."""
    first, last = _find_ends(connection, "start_time")
    start, end = max(first, values.get("start", first)), min(last, values.get("end", last))
    return bool(end - start >= TABLE_SHARE_MIN * (last - first))


def _find_ends(connection: sqlite3.Connection, column: str) -> tuple[float, float]:
    first, last = (
        connection.execute(f"SELECT {end}({column}) FROM traces").fetchone()[0]  # noqa: S608
        for end in ("MIN", "MAX")
    )
    return first or 0, last or 0
