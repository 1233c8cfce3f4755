"""How much is stored, as the limits count it."""

import sqlite3
from typing import NamedTuple

from .database import PAGE_BYTES


class Usage(NamedTuple):
    """What there is; oldest, newest: when the first and the last trace began, None for no trace."""

    used_bytes: int
    traces: int
    oldest: float | None
    newest: float | None


def measure_usage(connection: sqlite3.Connection) -> Usage:
    """Return how much is stored."""
    traces, oldest, newest = (
        connection.execute(f"SELECT {what} FROM traces").fetchone()[0]  # noqa: S608 - our names
        for what in ("COUNT(*)", "MIN(start_time)", "MAX(start_time)")
    )
    return Usage(measure_bytes(connection), traces, oldest, newest)


def measure_bytes(connection: sqlite3.Connection) -> int:
    """Return how much of the file is in use."""
    pages, free = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count")
    )
    return int(pages - free) * PAGE_BYTES
