"""Roll-ups: the counts of elements by minute and by hour, kept as traces come and change.

A trace counts in the minute in which it started. When it is touched again, what it had contributed
is taken off and what it contributes now is put in its place, so that the counts stay exact. When
traces are pruned, what they contributed stays until the whole minute (the whole hour) is older
than every trace that is left.
"""

import sqlite3
from collections import defaultdict

from xray_local.traces.tallies import sum_buckets

MINUTE_SECONDS = 60
# What a row of each table counts.
SECONDS_OF = {"minutes": MINUTE_SECONDS, "hours": 3600}

# The minute, the number of the shape, and the bucket.
Key = tuple[int, int, int]
# The microseconds of elements, by the number of their shape.
Times = dict[int, list[int]]


class RollUps:
    """Gathers what a batch changes, and adds it to the tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # What came and what was taken off, by minute.
        self._added: defaultdict[int, Times] = defaultdict(dict)
        self._removed: defaultdict[int, Times] = defaultdict(dict)

    def add(self, minute: int, times: Times) -> None:
        """Count the elements of a trace that started in the minute."""
        _extend(self._added[minute], times)

    def remove(self, minute: int, times: Times) -> None:
        """Take elements off that have been counted."""
        _extend(self._removed[minute], times)

    def write(self) -> None:
        """Bring the tables up to date."""
        changes = [
            ((minute, shape_no, bucket), sign * count, sign * microseconds)
            for sign, minutes in ((1, self._added), (-1, self._removed))
            for minute, times in minutes.items()
            for shape_no, each in times.items()
            for bucket, count, microseconds in sum_buckets(each)
        ]
        self.forget()
        for table, seconds in SECONDS_OF.items():
            totals: dict[Key, list[int]] = {}
            for (minute, shape_no, bucket), count, microseconds in changes:
                key = (minute // seconds * seconds, shape_no, bucket)
                total = totals.setdefault(key, [0, 0])
                total[0] += count
                total[1] += microseconds
            self._connection.executemany(
                f"INSERT INTO {table} (time, shape_no, bucket, count, microseconds) "  # noqa: S608
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (time, shape_no, bucket) DO UPDATE SET "
                "count = count + excluded.count, "
                "microseconds = microseconds + excluded.microseconds",
                sorted(
                    (
                        *key,
                        count,
                        microseconds if abs(microseconds) < 1 << 63 else float(microseconds),
                    )
                    for key, (count, microseconds) in totals.items()
                    if count or microseconds
                ),
            )
            self._connection.executemany(
                f"DELETE FROM {table} WHERE time = ? AND shape_no = ? AND bucket = ? "  # noqa: S608
                "AND count <= 0",
                [key for key, total in totals.items() if total[0] < 0],
            )

    def prune(self, first: float, last: float) -> bool:
        """Delete what ended before the first start of the traces that are left, or began after
        the last; return whether an hour went.

        The clock of a client may be years ahead.
        """
        deleted = {}
        for table, seconds in SECONDS_OF.items():
            deleted[table] = self._connection.execute(
                f"DELETE FROM {table} WHERE time <= ? OR time > ?",  # noqa: S608 - our names
                (first - seconds, last),
            ).rowcount
        return deleted["hours"] > 0

    def forget(self) -> None:
        """Drop what has been gathered."""
        self._added.clear()
        self._removed.clear()


def _extend(all_times: Times, times: Times) -> None:
    for shape_no, each in times.items():
        if shape_no in all_times:
            all_times[shape_no] += each
        else:
            all_times[shape_no] = each.copy()
