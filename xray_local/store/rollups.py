"""Roll-ups: the counts of elements by minute and by hour, kept as traces come and change.

A trace counts in the minute in which it started. When it is touched again, what it had contributed
is taken off and what it contributes now is put in its place, so that the counts stay exact. When
traces are pruned, what they contributed stays until the whole minute (the whole hour) is older
than every trace that is left.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

MINUTE_SECONDS = 60
# What a row of each table counts.
SECONDS_OF = {"minutes": MINUTE_SECONDS, "hours": 3600}

# The minute, the number of the shape, and the bucket.
Key = tuple[int, int, int]
# Of an element: where it counts, and its microseconds.
Contribution = tuple[Key, int]


class RollUps:
    """Gathers what a batch changes, and adds it to the tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # The microseconds of what came and of what was taken off.
        self._added: defaultdict[Key, list[int]] = defaultdict(list)
        self._removed: defaultdict[Key, list[int]] = defaultdict(list)

    def add(self, contributions: Iterable[Contribution]) -> None:
        """Count elements."""
        added = self._added
        for key, microseconds in contributions:
            added[key].append(microseconds)

    def remove(self, contributions: Iterable[Contribution]) -> None:
        """Take elements off that have been counted."""
        removed = self._removed
        for key, microseconds in contributions:
            removed[key].append(microseconds)

    def write(self) -> None:
        """Bring the tables up to date."""
        changes = [(key, len(times), sum(times)) for key, times in self._added.items()]
        changes += [(key, -len(times), -sum(times)) for key, times in self._removed.items()]
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
                sorted((*key, *total) for key, total in totals.items() if any(total)),
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
