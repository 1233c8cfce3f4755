"""What is read from the database; nothing here writes."""

import base64
import binascii
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

from .documents import as_number, is_in_progress
from .errors import InvalidRequest
from .facts import gather_facts
from .filters import Filter
from .tallies import Tally, merge_tallies, tally_trace

PAGE_TRACES = 100
# A page may end sooner where Python decides on each trace; the token then goes on from there.
EXAMINED_MAX = 2000


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
    """Some traces, newest first: each summary in the API's shape, and its root's name.

    processed: how many traces the page was chosen from; reached: the start of the last of them,
    None if there is none.
    """

    summaries: tuple[dict[str, Any], ...]
    root_names: tuple[str, ...]
    processed: int
    reached: float | None
    next_token: str | None


def list_traces(
    connection: sqlite3.Connection,
    *,
    time_range: TimeRange | None = None,
    chosen: Filter | None = None,
    token: str | None = None,
    limit: int = PAGE_TRACES,
) -> Page:
    """Return the newest traces in the range that fit the filter, after the token if there is one.

    A page may be short, or empty, and yet have a next one.
    Raises InvalidRequest if the token is not one of ours.
    """
    conditions = ["1"]
    values: dict[str, Any] = {}
    if time_range is not None:
        conditions.append(RANGE_CONDITIONS[time_range.type])
        values |= {"start": time_range.start, "end": time_range.end}
    if token:
        cursor = Cursor.decode(token)
        conditions.append("(start_time, id) < (:before, :id)")
        values |= {"before": cursor.start_time, "id": cursor.trace_id}
    wanted = [*conditions, chosen.sql] if chosen else conditions
    is_exact = chosen is None or chosen.is_exact
    rows = connection.execute(
        "SELECT start_time, id, root_name, summary FROM traces "  # noqa: S608 - fixed texts
        f"WHERE {' AND '.join(wanted)} ORDER BY start_time DESC, id DESC LIMIT :limit",
        values
        | (dict(chosen.values) if chosen else {})
        | {"limit": limit + 1 if is_exact else EXAMINED_MAX + 1},
    )
    shown: list[tuple[dict[str, Any], str]] = []
    last: Cursor | None = None
    has_more = False
    for examined, (start_time, trace_id, name, summary) in enumerate(rows):
        if len(shown) == limit or examined == EXAMINED_MAX:
            has_more = True
            break
        last = Cursor(start_time, trace_id)
        if is_exact or chosen is None or chosen.matches(get_documents(connection, trace_id)):
            shown.append((json.loads(summary), name))
    token = last.encode() if last and has_more else None
    processed = len(shown)
    if chosen is not None:
        until = last if has_more else None
        processed = _count_processed(connection, conditions, values, until)
    return Page(
        tuple(summary for summary, _ in shown),
        tuple(name for _, name in shown),
        processed,
        last.start_time if last else None,
        token,
    )


def _count_processed(
    connection: sqlite3.Connection,
    conditions: list[str],
    values: dict[str, Any],
    last: Cursor | None,
) -> int:
    """Return how many traces there are down to the last one, or to the end of the range."""
    if last is not None:
        conditions = [*conditions, "(start_time, id) >= (:last_start, :last_id)"]
        values = values | {"last_start": last.start_time, "last_id": last.trace_id}
    row = connection.execute(
        f"SELECT COUNT(*) FROM traces WHERE {' AND '.join(conditions)}",  # noqa: S608 - fixed texts
        values,
    ).fetchone()
    return int(row[0])


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


MINUTE_SECONDS = 60


def read_tallies(connection: sqlite3.Connection, start: float, end: float) -> list[Tally]:
    """Return what was counted of the traces that started in these minutes, one tally a shape.

    start, end: seconds since 1970; the minutes that begin in [start, end) count, and the one that
    start falls into.
    """
    return merge_tallies(
        tally
        for _, tallies in read_series(connection, start, end, MINUTE_SECONDS)
        for tally in tallies
    )


def read_series(
    connection: sqlite3.Connection, start: float, end: float, period_seconds: int
) -> Iterator[tuple[float, list[Tally]]]:
    """Yield the tallies of each period that has any, with the time at which the period begins.

    period_seconds: a multiple of 60. Periods begin at multiples of it since 1970.
    """
    first = start // MINUTE_SECONDS * MINUTE_SECONDS
    periods: dict[float, list[Tally]] = {}
    rows = connection.execute(
        "SELECT id, start_time FROM traces WHERE start_time >= ? AND start_time < ?",
        (first, -(-end // MINUTE_SECONDS) * MINUTE_SECONDS),
    )
    for trace_id, time in rows.fetchall():
        documents = get_documents(connection, trace_id)
        facts = [gather_facts(each["id"], each, is_open=is_in_progress(each)) for each in documents]
        minute = time // MINUTE_SECONDS * MINUTE_SECONDS
        periods.setdefault(time // period_seconds * period_seconds, []).extend(
            replace(tally, first=minute, last=minute + MINUTE_SECONDS)
            for tally in tally_trace(facts)
        )
    for time, tallies in sorted(periods.items()):
        yield float(time), merge_tallies(tallies)
