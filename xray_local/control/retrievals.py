"""Retrievals of traces, as Transaction Search makes them.

https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html

The traces are at hand here, so that a retrieval is COMPLETE at once, until it is CANCELLED or,
after 60 minutes, TIMEOUT. One that is complete can be cancelled as well (doubtful). Its token is
known for a day.
"""

import json
import secrets
import sqlite3
from typing import NamedTuple

from xray_local.errors import ResourceNotFound
from xray_local.traces.documents import show

COMPLETE = "COMPLETE"
CANCELLED = "CANCELLED"
TIMEOUT = "TIMEOUT"
TIMEOUT_SECONDS = 3600.0
KEPT_SECONDS = 86_400.0


class Retrieval(NamedTuple):
    """Which traces are asked for: those active from start to end, both included, in seconds."""

    status: str
    start: float
    end: float
    trace_ids: tuple[str, ...]


def start_retrieval(
    connection: sqlite3.Connection, trace_ids: list[str], start: float, end: float, now: float
) -> str:
    """Return the token of a new retrieval."""
    connection.execute("DELETE FROM retrievals WHERE started <= ?", (now - KEPT_SECONDS,))
    token = secrets.token_hex(32)
    ids = json.dumps(list(dict.fromkeys(trace_ids)))
    connection.execute(
        "INSERT INTO retrievals VALUES (?, ?, 0, ?, ?, ?)", (token, now, start, end, ids)
    )
    return token


def get_retrieval(connection: sqlite3.Connection, token: str, now: float) -> Retrieval:
    """Return the retrieval of a token. Raises ResourceNotFound."""
    row = connection.execute(
        "SELECT started, is_cancelled, start, end, trace_ids FROM retrievals WHERE token = ?",
        (token,),
    ).fetchone()
    if row is None:
        raise ResourceNotFound(
            f"Expected a RetrievalToken of StartTraceRetrieval, got {show(token)}.",
            token[:1011] or "none",
        )
    started, is_cancelled, start, end, trace_ids = row
    status = CANCELLED if is_cancelled else COMPLETE
    if status == COMPLETE and now >= started + TIMEOUT_SECONDS:
        status = TIMEOUT
    return Retrieval(status, start, end, tuple(json.loads(trace_ids)))


def cancel_retrieval(connection: sqlite3.Connection, token: str, now: float) -> None:
    """End a retrieval. Raises ResourceNotFound."""
    get_retrieval(connection, token, now)
    connection.execute("UPDATE retrievals SET is_cancelled = 1 WHERE token = ?", (token,))
