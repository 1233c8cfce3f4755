"""What is counted, as tallies: by the roll-ups of a range of time, or of some traces alone."""

import itertools
import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec

from xray_local.traces.services import Service
from xray_local.traces.tallies import LAST_BUCKET, Shape, Tally, count_buckets

from .rollups import MINUTE_SECONDS, SECONDS_OF
from .scans import Spot
from .shapes import OTHER, read_shapes

_decode = msgspec.json.Decoder(list[int]).decode


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
    # To put rows in order by one number is quicker than by two.
    rows = connection.execute(
        """
        SELECT key / :buckets, key % :buckets, SUM(count), TOTAL(microseconds), MIN(time), MAX(last)
        FROM (
            SELECT shape_no * :buckets + bucket AS key, count, microseconds, time, time + 60 AS last
            FROM minutes WHERE time >= :first AND time < :hours_first
            UNION ALL
            SELECT shape_no * :buckets + bucket, count, microseconds, time, time + 3600
            FROM hours WHERE time >= :hours_first AND time < :hours_last
            UNION ALL
            SELECT shape_no * :buckets + bucket, count, microseconds, time, time + 60
            FROM minutes WHERE time >= :hours_last AND time < :last
        ) GROUP BY key
        """,
        {
            "first": first,
            "last": last,
            "hours_first": hours_first,
            "hours_last": hours_last,
            "buckets": LAST_BUCKET + 1,
        },
    )
    return _make_tallies(read_shapes(connection), rows)


def read_series(
    connection: sqlite3.Connection,
    start: float,
    end: float,
    period_seconds: int,
    is_wanted: Callable[[Shape], bool] | None = None,
) -> Iterator[tuple[float, list[Tally]]]:
    """Yield the tallies of each period that has any, with the time at which the period begins.

    period_seconds: a multiple of 60. Periods begin at multiples of it since 1970.
    is_wanted: of which shapes; None for all.
    """
    shapes = read_shapes(connection)
    wanted = [number for number, shape in shapes.items() if is_wanted is None or is_wanted(shape)]
    first, last = widen(start, end)
    table = _choose_table(first, period_seconds)
    rows = connection.execute(
        "SELECT time / :period * :period AS begin, shape_no, bucket, "  # noqa: S608 - our names
        f"SUM(count), TOTAL(microseconds), MIN(time), MAX(time) + {SECONDS_OF[table]} FROM {table} "
        "WHERE time >= :first AND time < :last "
        f"{'AND shape_no IN (SELECT value FROM json_each(:wanted)) ' if is_wanted else ''}"
        "GROUP BY begin, shape_no, bucket",
        {"period": period_seconds, "first": first, "last": last, "wanted": json.dumps(wanted)},
    )
    for begin, group in itertools.groupby(rows, key=itemgetter(0)):
        yield float(begin), _make_tallies(shapes, (row[1:] for row in group))


def tally_chosen(
    connection: sqlite3.Connection, chosen: Sequence[Spot], period_seconds: int | None = None
) -> dict[float, list[Tally]]:
    """Return the tallies of these traces, by the period in which they began.

    period_seconds: None for one period, 0.
    """
    if not chosen:
        return {}
    shapes = read_shapes(connection)
    places = ", ".join(["(?, ?, ?, ?)"] * len(chosen))
    # What is known of the traces is given, not looked up again; and what they have is gathered by
    # SQLite, as to take thousands of rows one by one would be most of the time.
    rows = connection.execute(
        f"WITH chosen (no, period, first, last) AS (VALUES {places}) "  # noqa: S608 - our names
        "SELECT period, shape_no, MIN(first), MAX(last), "
        "group_concat(IFNULL(TRIM(times, '[]'), CAST(ROUND(low * 1000000) AS INTEGER))) "
        "FROM chosen CROSS JOIN trace_shapes ON trace_no = chosen.no WHERE shape_no != ? "
        "GROUP BY period, shape_no",
        (
            *chain.from_iterable(
                (
                    spot.no,
                    spot.start_time // period_seconds * period_seconds if period_seconds else 0.0,
                    spot.start_time,
                    spot.end_time,
                )
                for spot in chosen
            ),
            OTHER,
        ),
    )
    periods: defaultdict[float, list[Tally]] = defaultdict(list)
    for period, shape_no, first, last, took in rows:
        microseconds = _decode(f"[{took}]")
        periods[period].append(
            Tally(
                shapes[shape_no],
                len(microseconds),
                sum(microseconds) / 1_000_000,
                count_buckets(microseconds),
                first,
                last,
            )
        )
    return dict(periods)


def _choose_table(first: int, period_seconds: int) -> str:
    """Return the table of which periods that begin then can be made, the smaller one if any."""
    hour = SECONDS_OF["hours"]
    return "hours" if period_seconds % hour == 0 and first % hour == 0 else "minutes"


def count_periods(
    connection: sqlite3.Connection, start: float, end: float, period_seconds: int
) -> Iterator[tuple[float, Shape, int]]:
    """Yield how many of each shape were counted in each period that has any.

    As `read_series`, without how long they took, in a fraction of its time.
    """
    shapes = read_shapes(connection)
    first, last = widen(start, end)
    # In the order in which they are stored: to sort them by period would take most of the time.
    rows = connection.execute(
        "SELECT time, shape_no, SUM(count) "  # noqa: S608 - our names
        f"FROM {_choose_table(first, period_seconds)} WHERE time >= ? AND time < ? "
        "AND shape_no != ? GROUP BY time, shape_no",
        (first, last, OTHER),
    )
    counts: Counter[tuple[int, int]] = Counter()
    for time, number, count in rows:
        counts[time // period_seconds * period_seconds, number] += count
    for (begin, number), count in counts.items():
        yield float(begin), shapes[number], count


def count_faulty(
    connection: sqlite3.Connection, start: float, end: float, least: int, before_seconds: int
) -> dict[float, list[Tally]]:
    """Return what the services with so many faults in a minute did then, and so long before it.

    Tallies are those of the services' own nodes, and have no histograms.
    """
    first, last = widen(start, end)
    numbers: defaultdict[Service, list[int]] = defaultdict(list)
    faulty: defaultdict[Service, list[int]] = defaultdict(list)
    shapes = read_shapes(connection)
    for number, shape in shapes.items():
        if shape.is_node and not shape.is_partial:
            numbers[shape.service].append(number)
            if shape.has_fault:
                faulty[shape.service].append(number)
    services = {number: service for service, found in faulty.items() for number in found}
    hour = SECONDS_OF["hours"]
    rows = connection.execute(
        "SELECT time, shape_no, SUM(count) FROM hours WHERE time >= ? AND time < ? "
        "AND shape_no IN (SELECT value FROM json_each(?)) GROUP BY time, shape_no",
        (first // hour * hour, last, json.dumps(list(services))),
    )
    hours: defaultdict[Service, Counter[int]] = defaultdict(Counter)
    for time, number, count in rows:
        hours[services[number]][time] += count
    minutes: defaultdict[float, list[Tally]] = defaultdict(list)
    for service, counts in hours.items():
        # Only hours with as many are looked into.
        near = _list_minutes(((time, time + hour) for time, n in counts.items() if n >= least))
        faults: Counter[int] = Counter()
        for time, _, count, _ in _read_minutes(connection, near, faulty[service]):
            faults[time] += count
        around = _list_minutes(
            (max(first, time - before_seconds), time + MINUTE_SECONDS)
            for time, count in faults.items()
            if count >= least and first <= time < last
        )
        for time, number, count, took in _read_minutes(connection, around, numbers[service]):
            minutes[time].append(_make_plain_tally(shapes[number], time, count, took))
    return minutes


def _list_minutes(ranges: Iterable[tuple[int, int]]) -> list[int]:
    """Return every minute of these ranges once."""
    return sorted({time for each in ranges for time in range(*each, MINUTE_SECONDS)})


def _read_minutes(
    connection: sqlite3.Connection, minutes: Sequence[int], numbers: Sequence[int]
) -> Iterator[tuple[int, int, int, float]]:
    """Yield minute, shape, count and microseconds; each of both is looked up, nothing else read."""
    yield from connection.execute(
        "SELECT time, shape_no, SUM(count), TOTAL(microseconds) FROM minutes "
        "WHERE time IN (SELECT value FROM json_each(?)) "
        "AND shape_no IN (SELECT value FROM json_each(?)) GROUP BY time, shape_no",
        (json.dumps(list(minutes)), json.dumps(list(numbers))),
    )


def count_minutes(
    connection: sqlite3.Connection, start: float, end: float
) -> Iterator[tuple[float, list[Tally]]]:
    """Yield the tallies of each minute that has any, without their histograms."""
    shapes = read_shapes(connection)
    rows = connection.execute(
        "SELECT time, shape_no, SUM(count), TOTAL(microseconds) FROM minutes "
        "WHERE time >= ? AND time < ? AND shape_no != ? GROUP BY time, shape_no",
        (*widen(start, end), OTHER),
    )
    for time, group in itertools.groupby(rows, key=itemgetter(0)):
        yield (
            float(time),
            [
                _make_plain_tally(shapes[number], time, count, took)
                for _, number, count, took in group
            ],
        )


def widen(start: float, end: float) -> tuple[int, int]:
    """Return the minute that the start falls into, and the end of the one that the end does."""
    return (
        int(start // MINUTE_SECONDS) * MINUTE_SECONDS,
        int(-(-end // MINUTE_SECONDS)) * MINUTE_SECONDS,
    )


def _make_plain_tally(shape: Shape, minute: int, count: int, microseconds: float) -> Tally:
    return Tally(shape, count, microseconds / 1_000_000, {}, minute, minute + MINUTE_SECONDS)


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
