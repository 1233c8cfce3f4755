"""Traces that call a service again and again."""

import json
import sqlite3
from collections.abc import Sequence


def list_busiest(
    connection: sqlite3.Connection, numbers: Sequence[int], least: int, limit: int
) -> list[int]:
    """Return those of the traces that call some service most often, at least so many times.

    One for each service and number of calls, the last of these: others are mostly like it.
    limit: so many of these are enough, those with most calls.
    """
    rows = connection.execute(
        # Only what comes several times has a list of times.
        "SELECT MAX(trace_no), json_array_length(times) AS calls FROM json_each(:numbers) "
        "CROSS JOIN trace_shapes ON trace_no = value WHERE calls >= :least "
        "GROUP BY shape_no, calls ORDER BY calls DESC, shape_no LIMIT :limit",
        {"numbers": json.dumps(list(numbers)), "least": least, "limit": limit},
    )
    return list(dict.fromkeys(number for number, _ in rows))
