"""Which rows of the table `traces` are looked at for a page, and in which order.

The list begins with the newest. Where terms say which blocks of traces are worth looking at, only
these are. Else the index by start has the order of the list, and what is common is soon found; but
what it does not have is in the table, row by row, and reading that from end to end is quicker.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from xray_local.filters import Condition

from .extents import count_blocks, is_wide, list_times
from .orders import Order, Ranking
from .samples import take_sample
from .terms import BLOCK_TRACES, ERA_BLOCKS, TRACES_OF_BLOCKS, bind_blocks

# With no more blocks than this to look at, they are read as they are; else in the list's order.
BLOCKS_READ = 400
# More blocks than this share of all are not worth a look at the number of each row's.
BLOCKS_SHARE_MAX = 0.9
# In another order than the list's all of them are read, up to this share.
BLOCKS_SHARE_RANKED = 0.5
# Of more eras than this, two are looked at first.
ERAS_FEW = 8
# What is not found often enough among so many of the first ones is rare.
FIRST_LOOKED_AT = 5000
# But if as many are most likely within this share of all, the others are looked at in turn.
SOON_SHARE_MAX = 0.25
# As many rows, of so many times together, say whether the index tells of nearly all.
PLACES_LOOKED_AT = 5
# In another order, so many are looked up where the index does not tell all.
RANKED_LOOKED_AT = 1500
# To look up fewer rows than this share, one by one, is quicker than to read all.
UNDECIDED_SHARE_MAX = 0.1
# Columns that the index by start has not.
TEXT_COLUMNS = re.compile(
    r"\b(http_url|http_method|user_agent|client_ip|users|zones|instance_ids|resource_arns"
    r"|annotations|root_name|root_type|root_account_id)\b"
)
# Likewise, or another table.
LOOKED_UP = re.compile(rf"{TEXT_COLUMNS.pattern}|\btrace_shapes\b")
# Read from end to end.
TABLE = "traces NOT INDEXED"


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
    """What the index by start has of such a trace; has_failed: its root is a fault or an error."""

    no: int
    start_time: float
    end_time: float
    has_failed: int
    is_sure: int


ROW_COLUMNS = "start_time, traces.no, traces.id, revision, root_name"
SPOT_COLUMNS = "traces.no, start_time, end_time, has_fault OR has_error"


def scan(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    limit: int,
    order: Order = Order.NEWEST,
) -> Iterator[Row]:
    """Yield the rows for which the condition may hold, the newest first, or the oldest.

    wanted: what else has to hold, with the values that it names; `start` and `end`, if they are
    there, are a range of time. limit: as many and one more are enough if the condition is exact.
    """
    columns = f"{ROW_COLUMNS}, start_time"
    return map(Row._make, _scan(connection, columns, wanted, values, condition, limit, order=order))


def scan_spots(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    limit: int,
    *,
    most: int = 0,
    ranking: Ranking | None = None,
) -> Iterator[Spot]:
    """Yield the same as `scan`, in less time.

    most: where all has to be read for the limit, so many and one more. ranking: where `rank` would
    have to read all for this, too.
    """
    rows = _scan(
        *(connection, SPOT_COLUMNS, wanted, values, condition, limit), most=most, ranking=ranking
    )
    return map(Spot._make, rows)


def _scan(
    connection: sqlite3.Connection,
    columns: str,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    limit: int,
    *,
    order: Order = Order.NEWEST,
    most: int = 0,
    ranking: Ranking | None = None,
) -> Iterator[Any]:
    """Return these columns of the rows; the last of them is whether a row is sure."""
    is_exact = condition.is_exact
    values = {**values, **condition.values, "limit": limit + 1 if is_exact else -1}
    everything = {"limit": max(limit, most) + 1 if is_exact else -1}

    # SQLite asks in this order: first what the index tells, last what is looked up for each row.
    indexed = _list_indexed(condition)

    def select(tables: str, *, start: str = "1", block: str = "1") -> Iterator[Any]:
        # Of two that say where the index is entered, SQLite takes the first.
        tests = " AND ".join([start, *indexed, *wanted, block, condition.may])
        return connection.execute(
            f"SELECT {columns}, {condition.sure} FROM {tables} WHERE {tests} "  # noqa: S608 - fixed texts
            f"ORDER BY start_time {order.direction}, traces.no {order.direction} LIMIT :limit",
            values,
        )

    @cache
    def is_quick() -> bool:
        return _is_quick(connection, wanted, values, condition)

    blocks = _find_blocks(connection, condition)
    is_all_read = (
        ranking is not None
        and is_exact
        and not is_quick()
        and _has_to_read_all(connection, wanted, values, condition, ranking, most)
    )
    if is_all_read:
        values |= everything
    if blocks is not None:
        values |= bind_blocks(blocks)
        if len(blocks) <= BLOCKS_READ:
            values |= everything
            return select(TRACES_OF_BLOCKS)
        is_share = len(blocks) < BLOCKS_SHARE_MAX * count_blocks(connection)
        if is_share and not is_quick():
            if is_all_read:
                return select(TRACES_OF_BLOCKS)
            is_in_blocks = "traces.no / :size IN (SELECT value FROM json_each(:blocks))"
            return select("traces", block=is_in_blocks)
    if not TEXT_COLUMNS.search(condition.may) or not is_wide(connection, values):
        return select("traces")
    last = _find_first(connection, wanted, values, order)
    if last is None or is_quick():
        return select("traces")
    values |= {"first_ones": last}
    first_ones = f"start_time {order.comparison}= :first_ones"
    if not is_all_read:
        found = list(select("traces", start=first_ones))
        if len(found) > limit:
            return iter(found) if is_exact else select("traces")
        rows = FIRST_LOOKED_AT * (limit + 1) / max(1, len(found))
        if rows <= SOON_SHARE_MAX * BLOCK_TRACES * count_blocks(connection):
            return select("traces")
    values |= everything
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
    must = condition.sure
    enough = limit + 1 if condition.is_exact else limit + unsure + 1
    values = {**values, **condition.values}
    is_quick = _is_quick(connection, wanted, values, condition)
    fits = [*_list_indexed(condition), condition.may]

    def list_places(tables: str, *more: str) -> str:
        return (
            f"SELECT {order.column} AS place, traces.no AS ranked FROM {tables} "  # noqa: S608
            f"WHERE {' AND '.join([*more, *wanted])} "
            f"ORDER BY place {order.direction}, ranked {order.direction} LIMIT :limit"
        )

    def look_up(*more: str) -> tuple[list[Row], int]:
        rows = connection.execute(
            list_places("traces", *more), values | {"limit": RANKED_LOOKED_AT}
        )
        found: list[Row] = []
        looked_at = 0
        while len(found) < enough and (some := rows.fetchmany(2 * enough)):
            numbers = [number for _, number in some]
            looked_at += len(numbers)
            found += pick(connection, [condition.may], values, numbers, order, len(numbers), must)
        return found, looked_at

    def select(inside: str) -> list[Row]:
        rows = connection.execute(
            f"SELECT {ROW_COLUMNS}, place, {must} FROM ({inside}) "  # noqa: S608
            "CROSS JOIN traces ON traces.no = ranked "
            f"ORDER BY place {order.direction}, ranked {order.direction}",
            values | {"limit": enough},
        )
        return list(map(Row._make, rows))

    blocks = _find_blocks(connection, condition)
    blocks_max = BLOCKS_READ if is_quick else BLOCKS_SHARE_RANKED * count_blocks(connection)
    by_blocks = blocks if blocks is not None and len(blocks) <= blocks_max else None
    estimate = None
    if blocks is None or len(blocks) > BLOCKS_READ:
        sample = take_sample(connection, wanted, values, condition, order)
        estimate = sample and sample.find_place(enough)
    if estimate:
        place, looked_at = estimate
        found: list[Row] = []
        # What comes after it is neither sorted nor asked for more, unless the others are too few.
        values |= {"near": place}
        near = f"{order.column} {order.comparison}= :near"
        if not is_quick and looked_at <= RANKED_LOOKED_AT:
            found, number = look_up(near)
            if len(found) < enough and number < RANKED_LOOKED_AT:
                # Those that the place was estimated from may stand close together.
                found, _ = look_up()
        elif by_blocks is None:
            found = select(list_places("traces", near, *fits))
        if len(found) >= enough:
            return iter(found[:enough])
    if by_blocks is not None:
        values |= bind_blocks(by_blocks)
        return iter(select(list_places(TRACES_OF_BLOCKS, *fits)))
    is_table = not is_quick and TEXT_COLUMNS.search(condition.may) and is_wide(connection, values)
    return iter(select(list_places(TABLE if is_table else "traces", *fits)))


def _has_to_read_all(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
    ranking: Ranking,
    most: int,
) -> bool:
    """Whether `rank` most likely reads all rows, as the index tells little, and few enough fit."""
    sample = take_sample(connection, wanted, values, condition, ranking.order)
    if sample is None or sample.fitting > most:
        return False
    estimate = sample.find_place(ranking.limit + 1)
    # It may well be twice as many.
    return estimate is None or 2 * estimate[1] > RANKED_LOOKED_AT


def _list_indexed(condition: Condition) -> list[str]:
    """Return what of the condition the index by start tells."""
    return [each for each in condition.parts if not LOOKED_UP.search(each)]


def _is_quick(
    connection: sqlite3.Connection,
    wanted: Sequence[str],
    values: dict[str, Any],
    condition: Condition,
) -> bool:
    """Whether the index by start tells of nearly all rows whether they fit."""
    if not LOOKED_UP.search(condition.may):
        return True
    indexed = _list_indexed(condition)
    if not indexed:
        return False
    undecided = looked_at = 0
    for time in list_times(connection, values, PLACES_LOOKED_AT):
        some, number = connection.execute(
            f"SELECT TOTAL(fits), COUNT(*) FROM (SELECT {' AND '.join(indexed)} AS fits "  # noqa: S608
            f"FROM traces WHERE start_time <= :time AND {' AND '.join(wanted)} "
            f"ORDER BY start_time DESC LIMIT {FIRST_LOOKED_AT // PLACES_LOOKED_AT})",
            {**values, **condition.values, "time": time},
        ).fetchone()
        undecided += some
        looked_at += number
    return undecided <= UNDECIDED_SHARE_MAX * looked_at


def _find_blocks(connection: sqlite3.Connection, condition: Condition) -> list[int] | None:
    """Return the blocks that have all the terms that the condition asks for; None for any."""
    if not condition.terms:
        return None
    # Both at once would look at every term.
    first, last = (
        connection.execute(f"SELECT {end}(era) FROM terms").fetchone()[0] or 0  # noqa: S608
        for end in ("MIN", "MAX")
    )

    def find(term: str, eras: Iterable[int]) -> set[int]:
        rows = connection.execute(
            "SELECT block FROM json_each(:eras) AS e "  # noqa: S608 - fixed texts
            f"CROSS JOIN terms AS t ON era = e.value AND ({term})",
            {"eras": json.dumps(list(eras)), **condition.values},
        )
        return set(chain.from_iterable(rows))

    found: set[int] | None = None
    # What nearly all blocks of two whole eras have says little of others.
    looked_at = {last - 1, (first + last) // 2} if last - first > ERAS_FEW else set()
    for term in condition.terms:
        if looked_at and len(find(term, looked_at)) > BLOCKS_SHARE_MAX * 2 * ERA_BLOCKS:
            continue
        blocks = find(term, range(first, last + 1))
        found = blocks if found is None else found & blocks
    return None if found is None else list(found)


def _find_first(
    connection: sqlite3.Connection, wanted: Sequence[str], values: dict[str, Any], order: Order
) -> float | None:
    """Return the start of the last of the first ones to be looked at; None if there are no more."""
    row = connection.execute(
        f"SELECT start_time FROM traces WHERE {' AND '.join(wanted)} "  # noqa: S608 - fixed texts
        f"ORDER BY start_time {order.direction} LIMIT 1 OFFSET :offset",
        values | {"offset": FIRST_LOOKED_AT},
    ).fetchone()
    return row[0] if row else None
