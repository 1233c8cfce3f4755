"""What the roll-ups have counted, as tallies: of a range of time, by periods, by minutes."""

import itertools
import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from xray_local.traces.tallies import Shape, Tally

from .rollups import MINUTE_SECONDS, SECONDS_OF
from .shapes import OTHER, read_shapes


def read_tallies(connection: sqlite3.Connection, start: float, end: float) -> list[Tally]:
    """Return what was counted of the traces that started in these minutes, one tally a shape.

    start, end: seconds since 1970; the minutes that begin in [start, end) count, and the one that
    start falls into. See rollups.py for what is counted when.
    """
    first, last = widen(start, end)
    # Whole hours from the hours, what is before and after from the minutes.
    hour = SECONDS_OF["hours"]
    hours_first, hours_last = -(-first // hour) * hour, last // hour * hour
    if hours_first >= hours_last:
        hours_first = hours_last = last
    rows = connection.execute(
        """
        SELECT shape_no, bucket, SUM(count), SUM(microseconds), MIN(time), MAX(last) FROM (
            SELECT shape_no, bucket, count, microseconds, time, time + 60 AS last FROM minutes
            WHERE time >= :first AND time < :hours_first
            UNION ALL
            SELECT shape_no, bucket, count, microseconds, time, time + 3600 FROM hours
            WHERE time >= :hours_first AND time < :hours_last
            UNION ALL
            SELECT shape_no, bucket, count, microseconds, time, time + 60 FROM minutes
            WHERE time >= :hours_last AND time < :last
        ) GROUP BY shape_no, bucket
        """,
        {"first": first, "last": last, "hours_first": hours_first, "hours_last": hours_last},
    )
    return _make_tallies(read_shapes(connection), rows)


def read_series(
    connection: sqlite3.Connection, start: float, end: float, period_seconds: int
) -> Iterator[tuple[float, list[Tally]]]:
    """Yield the tallies of each period that has any, with the time at which the period begins.

    period_seconds: a multiple of 60. Periods begin at multiples of it since 1970.
    """
    is_hourly = period_seconds % SECONDS_OF["hours"] == 0
    shapes = read_shapes(connection)
    first, last = widen(start, end)
    table = "hours" if is_hourly and first % SECONDS_OF["hours"] == 0 else "minutes"
    rows = connection.execute(
        "SELECT time / :period * :period AS begin, shape_no, bucket, "  # noqa: S608 - our names
        f"SUM(count), SUM(microseconds), MIN(time), MAX(time) + {SECONDS_OF[table]} FROM {table} "
        "WHERE time >= :first AND time < :last GROUP BY begin, shape_no, bucket",
        {"period": period_seconds, "first": first, "last": last},
    )
    for begin, group in itertools.groupby(rows, key=itemgetter(0)):
        yield float(begin), _make_tallies(shapes, (row[1:] for row in group))


def count_periods(
    connection: sqlite3.Connection, start: float, end: float, period_seconds: int
) -> Iterator[tuple[float, Shape, int]]:
    """Yield how many of each shape were counted in each period that has any.

    As `read_series`, without how long they took, in a fraction of its time.
    """
    shapes = read_shapes(connection)
    first, last = widen(start, end)
    is_hourly = period_seconds % SECONDS_OF["hours"] == 0 and first % SECONDS_OF["hours"] == 0
    rows = connection.execute(
        "SELECT time / :period * :period AS begin, shape_no, SUM(count) "  # noqa: S608 - our names
        f"FROM {'hours' if is_hourly else 'minutes'} WHERE time >= :first AND time < :last "
        "AND shape_no != :other GROUP BY begin, shape_no",
        {"period": period_seconds, "first": first, "last": last, "other": OTHER},
    )
    for begin, number, count in rows:
        yield float(begin), shapes[number], count


def find_faulty_minutes(
    connection: sqlite3.Connection, start: float, end: float, least: int
) -> list[int]:
    """Return the minutes in which all nodes together had at least so many faults."""
    faulty = [no for no, each in read_shapes(connection).items() if each.is_node and each.has_fault]
    first, last = widen(start, end)
    hour = SECONDS_OF["hours"]
    # Only hours with as many are looked into.
    hours = _find_faulty(connection, "hours", first // hour * hour, last, faulty, least)
    return [
        minute
        for time in hours
        for minute in _find_faulty(
            connection, "minutes", max(first, time), min(last, time + hour), faulty, least
        )
    ]


def _find_faulty(
    connection: sqlite3.Connection, table: str, first: int, last: int, shapes: list[int], least: int
) -> list[int]:
    """Return the times of a table at which these shapes were counted so often."""
    rows = connection.execute(
        f"SELECT time FROM {table} WHERE time >= ? AND time < ? "  # noqa: S608 - our names
        "AND shape_no IN (SELECT value FROM json_each(?)) GROUP BY time HAVING SUM(count) >= ?",
        (first, last, json.dumps(shapes), least),
    )
    return [row[0] for row in rows]


def count_minutes(
    connection: sqlite3.Connection, start: float, end: float
) -> Iterator[tuple[float, list[Tally]]]:
    """Yield the tallies of each minute that has any, without their histograms."""
    shapes = read_shapes(connection)
    rows = connection.execute(
        "SELECT time, shape_no, SUM(count), SUM(microseconds) FROM minutes "
        "WHERE time >= ? AND time < ? AND shape_no != ? GROUP BY time, shape_no",
        (*widen(start, end), OTHER),
    )
    for time, group in itertools.groupby(rows, key=itemgetter(0)):
        yield (
            float(time),
            [
                Tally(shapes[no], count, took / 1_000_000, {}, time, time + MINUTE_SECONDS)
                for _, no, count, took in group
            ],
        )


def widen(start: float, end: float) -> tuple[int, int]:
    """Return the minute that the start falls into, and the end of the one that the end does."""
    return (
        int(start // MINUTE_SECONDS) * MINUTE_SECONDS,
        int(-(-end // MINUTE_SECONDS)) * MINUTE_SECONDS,
    )


def _make_tallies(shapes: Mapping[int, Shape], rows: Iterable[Any]) -> list[Tally]:
    """Return the tallies of rows that are sorted by shape."""
    tallies: list[Tally] = []
    for shape_no, group in itertools.groupby(rows, key=itemgetter(0)):
        if shape_no == OTHER:
            continue
        count, microseconds, first, last = 0, 0, math.inf, 0.0
        histogram: dict[int, int] = {}
        for _, bucket, each, took, begin, until in group:
            histogram[bucket] = each
            count += each
            microseconds += took
            first, last = min(first, begin), max(last, until)
        tallies.append(
            Tally(shapes[shape_no], count, microseconds / 1_000_000, histogram, first, last)
        )
    return tallies
