"""The traces beside a trace in a list by time: the next one that began later, and earlier."""

import sqlite3
from typing import NamedTuple

from xray_local.filters import Filter

from .orders import Order
from .queries import Cursor, RangeType, TimeRange, choose_traces


class Neighbours(NamedTuple):
    """Ids; None at the ends of the list, and where the search would take long."""

    newer: str | None = None
    older: str | None = None


def find_neighbours(
    connection: sqlite3.Connection,
    trace_id: str,
    start: float,
    end: float,
    chosen: Filter | None = None,
) -> Neighbours:
    """Return the neighbours of the trace among those of [start, end) that fit; none if unknown."""
    row = connection.execute(
        "SELECT start_time, no FROM traces WHERE id = ?", (trace_id,)
    ).fetchone()
    if row is None:
        return Neighbours()
    token = Cursor(row[0], row[1]).encode()

    def find(order: Order) -> str | None:
        found = choose_traces(
            connection,
            time_range=TimeRange(start, end, RangeType.TRACE_ID),
            chosen=chosen,
            token=token,
            limit=1,
            order=order,
        )
        return found.traces[0].id if found.traces else None

    return Neighbours(find(Order.OLDEST), find(Order.NEWEST))
