"""What is read from the database; nothing here writes."""

import base64
import binascii
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from .documents import as_number
from .errors import InvalidRequest

PAGE_TRACES = 100


class RangeType(Enum):
    """What of a trace must lie in a range of time; the values are the API's."""

    TRACE_ID = "TraceId"  # the time in its id
    EVENT = "Event"  # any moment of it
    SERVICE = "Service"  # its end


RANGE_CONDITIONS = {
    RangeType.TRACE_ID: "id_time >= :start AND id_time < :end",
    RangeType.EVENT: "end_time >= :start AND start_time < :end",
    RangeType.SERVICE: "end_time >= :start AND end_time < :end",
}


class TimeRange(NamedTuple):
    """From start (included) to end (excluded), in seconds since 1970."""

    start: float
    end: float
    type: RangeType


class Cursor(NamedTuple):
    """The place after a trace in the list that begins with the newest."""

    start_time: float
    trace_id: str

    def encode(self) -> str:
        """Return a text that `decode` reads."""
        return base64.urlsafe_b64encode(json.dumps(self).encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, token: str) -> "Cursor":
        """Read what `encode` returned. Raises InvalidRequest."""
        try:
            padded = token.encode() + b"=" * (-len(token) % 4)
            start_time, trace_id = json.loads(base64.b64decode(padded, b"-_", validate=True))
            number = as_number(start_time)
        except (ValueError, TypeError, binascii.Error, RecursionError):
            number = trace_id = None
        if number is None or not isinstance(trace_id, str) or not trace_id.isascii():
            raise InvalidRequest(
                f"Expected a token that an earlier page gave, got {token[:100]!a}."
            )
        return cls(number, trace_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Some traces, newest first: each summary in the API's shape, and its root's name."""

    summaries: tuple[dict[str, Any], ...]
    root_names: tuple[str, ...]
    next_token: str | None


def list_traces(
    connection: sqlite3.Connection,
    *,
    time_range: TimeRange | None = None,
    token: str | None = None,
    limit: int = PAGE_TRACES,
) -> Page:
    """Return the newest traces in the range, after the token if there is one.

    Raises InvalidRequest if the token is not one of ours.
    """
    conditions = ["1"]
    values: dict[str, Any] = {"limit": limit + 1}
    if time_range is not None:
        conditions.append(RANGE_CONDITIONS[time_range.type])
        values |= {"start": time_range.start, "end": time_range.end}
    if token:
        cursor = Cursor.decode(token)
        conditions.append("(start_time, id) < (:before, :id)")
        values |= {"before": cursor.start_time, "id": cursor.trace_id}
    rows = connection.execute(
        "SELECT start_time, id, root_name, summary FROM traces "  # noqa: S608 - fixed texts
        f"WHERE {' AND '.join(conditions)} ORDER BY start_time DESC, id DESC LIMIT :limit",
        values,
    ).fetchall()
    shown = rows[:limit]
    has_more = len(rows) > limit
    return Page(
        tuple(json.loads(summary) for *_, summary in shown),
        tuple(name for _, _, name, _ in shown),
        Cursor(shown[-1][0], shown[-1][1]).encode() if has_more else None,
    )


def get_documents(connection: sqlite3.Connection, trace_id: str) -> list[dict[str, Any]]:
    """Return every document of the trace, in the order of arrival; none if it is unknown."""
    rows = connection.execute(
        "SELECT document FROM segments WHERE trace_id = ? ORDER BY rowid", (trace_id,)
    )
    return [json.loads(document) for (document,) in rows]


def get_summary(connection: sqlite3.Connection, trace_id: str) -> dict[str, Any] | None:
    """Return the summary of the trace; None if it is unknown."""
    row = connection.execute("SELECT summary FROM traces WHERE id = ?", (trace_id,)).fetchone()
    return None if row is None else dict(json.loads(row[0]))


def get_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return what has been counted since the start, every name present."""
    names = (
        "datagrams",
        "documents",
        "stored",
        "replaced",
        "refused",
        "dropped",
        "pruned_traces",
    )
    return dict.fromkeys(names, 0) | dict(connection.execute("SELECT name, value FROM counts"))


def list_refusals(connection: sqlite3.Connection) -> Sequence[tuple[float, str, str]]:
    """Return the time, code and reason of the last documents refused, newest first."""
    return connection.execute(
        "SELECT time, code, reason FROM refusals ORDER BY rowid DESC"
    ).fetchall()
