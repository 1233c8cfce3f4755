"""What is read of traces: lists of them, their documents, their links; nothing here writes.

A list of traces begins with the newest start. Rules of ours:

- A trace that has just begun is before the pages that were read, never in those that follow.
- Sampling: with the strategy FixedRate, a trace is in the list if the end of its id, read as a
  share of all such ends, is below the value: always the same ones, whatever the range. With
  PartialScan, the list ends when this share of the traces in the range, the newest, has been looked
  at. Without a strategy all are in it: they are few enough. (doubtful)
"""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from xray_local import tokens
from xray_local.errors import InvalidRequest
from xray_local.filters import Condition, Filter
from xray_local.traces.causes import find_causes
from xray_local.traces.documents import as_number
from xray_local.traces.facts import load_facts
from xray_local.traces.summaries import find_owners, summarise
from xray_local.traces.trees import growing_tree

from .extents import is_wide
from .orders import Order, Ranking
from .rows import ID_AHEAD_MAX_SECONDS
from .scans import Row, Spot, pick, rank, scan, scan_spots
from .shapes import read_shapes

PAGE_TRACES = 100
# A page may end sooner where Python decides on each trace; the token then goes on from there.
EXAMINED_MAX = 200
# Where all is read for those of a graph, which of so many have failed is known as well.
READ_MAX = 20_000
# What counts traces has no pages, and to ask 200,000 would take a quarter of a minute.
ASKED_MAX = 400


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
# Follows from that of TRACE_ID, and is what the index by start can be entered with.
STARTS_BY_ID = f"start_time >= :start - {ID_AHEAD_MAX_SECONDS}"


class TimeRange(NamedTuple):
    """From start (included) to end (excluded), in seconds since 1970."""

    start: float
    end: float
    type: RangeType


class Strategy(NamedTuple):
    """Which of the traces in a range are looked at: FixedRate or PartialScan, and the share."""

    name: str
    value: float


class Cursor(NamedTuple):
    """The place after a trace in a list: what the list is ordered by, and the trace's number.

    floor: the start of the last trace that is looked at, of a partial scan.
    """

    place: float
    trace_no: int
    floor: float = 0.0

    def encode(self) -> str:
        """Return a text that `decode` reads."""
        return tokens.encode(self)

    @classmethod
    def decode(cls, token: str) -> "Cursor":
        """Read what `encode` returned. Raises InvalidRequest."""
        try:
            place, trace_no, floor = tokens.decode(token)
            start, lowest = as_number(place), as_number(floor)
        except ValueError:
            start = lowest = trace_no = None
        is_number = type(trace_no) is int and 0 <= trace_no < 1 << 63
        if start is None or lowest is None or not is_number:
            raise InvalidRequest(
                f"Expected a token that an earlier page gave, got {token[:100]!a}."
            )
        return cls(start, trace_no, lowest)


@dataclass(frozen=True, slots=True)
class Page:
    """Some traces, newest first: each summary in the API's shape, and its root's name.

    processed: how many traces the page was chosen from, if they were counted; reached: the start of
    the last of them, None if there is none.
    """

    summaries: tuple[dict[str, Any], ...]
    root_names: tuple[str, ...]
    processed: int
    reached: float | None
    next_token: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A trace that was looked for, with its documents as they are stored."""

    start_time: float
    id: str
    revision: int
    root_name: str
    bodies: list[bytes]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a page is made of."""

    traces: tuple[Found, ...]
    processed: int
    reached: float | None
    next_token: str | None


def list_traces(
    connection: sqlite3.Connection,
    *,
    time_range: TimeRange | None = None,
    chosen: Filter | None = None,
    strategy: Strategy | None = None,
    token: str | None = None,
    limit: int = PAGE_TRACES,
    order: Order = Order.NEWEST,
    among: Sequence[int] | None = None,
    within: Sequence[int] | None = None,
    is_counted: bool = True,
    has_causes: bool = True,
) -> Page:
    """Return the newest traces in the range that fit the filter, after the token if there is one.

    order: another one; then all of the range are looked at. among, within, is_counted: see
    `choose_traces`. has_causes: whether the summaries have the root causes; to find them takes as
    long as the rest.

    A page may be short, or empty, and yet have a next one.
    Raises InvalidRequest if the token is not one of ours.
    """
    choice = choose_traces(
        connection,
        time_range=time_range,
        chosen=chosen,
        strategy=strategy,
        token=token,
        limit=limit,
        order=order,
        among=among,
        within=within,
        is_counted=is_counted,
    )
    describe = _summarise if has_causes else _summarise_briefly
    summaries = [describe(each.id, each.revision, each.bodies) for each in choice.traces]
    if time_range is not None and time_range.type is RangeType.EVENT:
        for summary in summaries:
            # The first moment of the trace that lies in the range.
            summary["MatchedEventTime"] = max(summary["StartTime"], time_range.start)
    return Page(
        tuple(summaries),
        tuple(each.root_name for each in choice.traces),
        choice.processed,
        choice.reached,
        choice.next_token,
    )


def choose_traces(
    connection: sqlite3.Connection,
    *,
    time_range: TimeRange | None = None,
    chosen: Filter | None = None,
    strategy: Strategy | None = None,
    token: str | None = None,
    limit: int = PAGE_TRACES,
    order: Order = Order.NEWEST,
    among: Sequence[int] | None = None,
    within: Sequence[int] | None = None,
    is_counted: bool = False,
) -> Choice:
    """Return the traces of a page of `list_traces`, which it summarises.

    among: the numbers of all traces that fit, or of enough of the first in the order, where they
    are known; no others are looked at. within: the numbers of traces of which only some may fit,
    likewise. is_counted: whether it is asked how many traces they were chosen from.
    Raises InvalidRequest if the token is not one of ours.
    """
    cursor = Cursor.decode(token) if token else None
    conditions = ["1"]
    values: dict[str, Any] = {}
    if time_range is not None:
        conditions += _list_conditions(connection, time_range)
        values |= {"start": time_range.start, "end": time_range.end}
    floor = cursor.floor if cursor else 0.0
    if strategy is not None and strategy.name == "PartialScan":
        if cursor is None:
            floor = _find_floor(connection, conditions, values, strategy.value)
        conditions.insert(0, "start_time >= :floor")
        values["floor"] = floor
    if cursor is not None:
        # Of two that say where the index is entered, SQLite takes the first.
        conditions.insert(0, order.after)
        values |= {"before": cursor.place, "no": cursor.trace_no}
    wanted = conditions
    if strategy is not None and strategy.name == "FixedRate":
        connection.create_function("share_of", 1, share_of, deterministic=True)
        wanted = [*conditions, "share_of(id) < :share"]
        values["share"] = strategy.value
    if among is not None:
        rows = pick(connection, wanted, values, among, order, limit)
    else:
        condition = _compile(connection, chosen)
        if within is not None:
            wanted = [*wanted, condition.may]
            values |= condition.values
            rows = pick(connection, wanted, values, within, order, len(within), condition.sure)
        elif order.is_of_index:
            rows = scan(connection, wanted, values, condition, limit, order)
        else:
            rows = rank(connection, wanted, values, condition, order, limit, EXAMINED_MAX)
    shown: list[Row] = []
    bodies: dict[int, list[bytes]] = {}
    last: Cursor | None = None
    reached: float | None = None
    has_more = False
    examined = 0
    for row in rows:
        if len(shown) == limit or examined == EXAMINED_MAX:
            has_more = True
            break
        last, reached = Cursor(row.place, row.no, floor), row.start_time
        if chosen is not None and not row.is_sure:
            examined += 1
            found = _read_bodies(connection, row.no)
            if not chosen.matches(found):
                continue
            bodies[row.no] = found
        shown.append(row)
    processed = len(shown)
    if is_counted and (chosen is not None or strategy is not None):
        is_part = has_more and order is Order.NEWEST
        if time_range is not None and not (is_part or cursor or floor):
            processed = count_traces(connection, time_range)
        else:
            processed = _count_processed(connection, conditions, values, last if is_part else None)
    return Choice(
        tuple(
            Found(
                row.start_time,
                row.id,
                row.revision,
                row.root_name,
                bodies.get(row.no) or _read_bodies(connection, row.no),
            )
            for row in shown
        ),
        processed,
        reached,
        last.encode() if last and has_more else None,
    )


class Fitting(NamedTuple):
    """The newest traces that fit.

    is_all: whether there are no others that may fit. is_gapless: whether none of these others is
    newer than the last. failed: the numbers of those of which the root is a fault or an error,
    among these others as well; None where to find them would need another look.
    """

    spots: list[Spot]
    is_all: bool
    is_gapless: bool
    failed: list[int] | None = None

    @property
    def numbers(self) -> list[int]:
        """The numbers of the traces."""
        return [spot.no for spot in self.spots]

    def split(self, time: float) -> tuple["Fitting", "Fitting"]:
        """Return those that began before the time, and the others."""
        before = [spot for spot in self.spots if spot.start_time < time]
        others = [spot for spot in self.spots if spot.start_time >= time]
        return self._replace(spots=before), self._replace(spots=others)


def list_fitting(
    connection: sqlite3.Connection, start: float, end: float, chosen: Filter, most: int
) -> Fitting:
    """Return the newest traces that fit and began from start to before end.

    most: no more than so many. Documents are asked where nothing else can tell, those of ASKED_MAX
    traces at most: the others, which are older, are left out, and none of them has failed.
    """
    time_range = TimeRange(start, end, RangeType.EVENT)
    conditions = ["1", *_list_conditions(connection, time_range), "start_time >= :start"]
    condition = _compile(connection, chosen)
    values = {"start": start, "end": end}
    read_max = READ_MAX if condition.is_exact else most
    found: list[Spot] = []
    asked = 0
    has_more = False
    for spot in scan_spots(connection, conditions, values, condition, most, most=read_max):
        if len(found) == read_max or asked == ASKED_MAX:
            has_more = True
            break
        if not spot.is_sure:
            asked += 1
            if not chosen.matches(_read_bodies(connection, spot.no)):
                continue
        found.append(spot)
    # One more than the most says that there are others, but not how many.
    is_known = asked or (not has_more and len(found) != most + 1)
    return Fitting(
        found[:most],
        is_all=not has_more and len(found) <= most,
        is_gapless=True,
        failed=[spot.no for spot in found if spot.has_failed] if is_known else None,
    )


def list_sure(
    connection: sqlite3.Connection,
    time_range: TimeRange,
    chosen: Filter | None,
    limit: int,
    most: int = 0,
    ranking: Ranking | None = None,
) -> Fitting:
    """Return the newest traces that fit for sure, as many as the limit.

    most: there may be so many where it takes no longer to find them, or where this ranking, which
    can then be among these, would take as long.
    Where documents would have to be asked, a trace is none of them.
    """
    condition = _compile(connection, chosen)
    most = max(limit, most) if condition.is_exact else limit
    spots = scan_spots(
        connection,
        ["1", *_list_conditions(connection, time_range)],
        {"start": time_range.start, "end": time_range.end},
        condition,
        limit,
        most=most,
        ranking=ranking,
    )
    # Where documents have to be asked in any case, none is sure.
    found = list(islice(spots, 1 if condition.must == "0" else most + 1))
    sure = [spot for spot in found if spot.is_sure]
    is_gapless = len(found) == len(sure)
    # One more than the limit says that there are others, but not how many.
    is_all = is_gapless and (len(found) <= limit or limit + 1 < len(found) <= most)
    return Fitting(sure[: most if is_all else limit], is_all, is_gapless)


def _compile(connection: sqlite3.Connection, chosen: Filter | None) -> Condition:
    """Return the condition of a filter; without one, that of every trace."""
    if chosen is None:
        return Condition("1", "1", {}, ())
    return chosen.compile(lambda: read_shapes(connection))


def count_traces(connection: sqlite3.Connection, time_range: TimeRange) -> int:
    """Return how many traces there are in the range."""
    values = {"start": time_range.start, "end": time_range.end}
    conditions = _list_conditions(connection, time_range)
    if not conditions or time_range.type is not RangeType.EVENT or not is_wide(connection, values):
        return _count(connection, conditions, values)
    # Few are outside. None of them is both before and after: no trace ends before it starts.
    before, after = ["start_time < :start", "end_time < :start"], ["start_time >= :end"]
    outside = _count(connection, before, values) + _count(connection, after, values)
    return _count(connection, [], values) - outside


def _count(
    connection: sqlite3.Connection, conditions: Sequence[str], values: dict[str, Any]
) -> int:
    # Without any condition, SQLite need not look into the rows.
    tests = [each for each in conditions if each != "1"]
    where = f"WHERE {' AND '.join(tests)}" if tests else ""
    row = connection.execute(f"SELECT COUNT(*) FROM traces {where}", values)  # noqa: S608
    return int(row.fetchone()[0])


def _list_conditions(connection: sqlite3.Connection, time_range: TimeRange) -> list[str]:
    """Return what a trace of the range fulfils; nothing where all there are do."""
    first, last = connection.execute(
        "SELECT (SELECT MIN(start_time) FROM traces), (SELECT MAX(start_time) FROM traces)"
    ).fetchone()
    is_all = first is not None and time_range.start <= first and last < time_range.end
    # No trace ends before it starts.
    if is_all and time_range.type is RangeType.EVENT:
        return []
    more = [STARTS_BY_ID] if time_range.type is RangeType.TRACE_ID else []
    return [RANGE_CONDITIONS[time_range.type], *more]


def share_of(trace_id: str) -> float:
    """Return where the id stands among all ids, from 0 to 1, by its end, which is random."""
    return int(trace_id[-8:], 16) / 0x1_0000_0000


def _find_floor(
    connection: sqlite3.Connection, conditions: list[str], values: dict[str, Any], share: float
) -> float:
    """Return the start of the last trace that belongs to the share of the newest."""
    where = " AND ".join(conditions)
    count = connection.execute(f"SELECT COUNT(*) FROM traces WHERE {where}", values)  # noqa: S608
    number = math.ceil(count.fetchone()[0] * share)
    row = connection.execute(
        f"SELECT start_time FROM traces WHERE {where} "  # noqa: S608 - fixed texts
        "ORDER BY start_time DESC, no DESC LIMIT 1 OFFSET :offset",
        values | {"offset": max(0, number - 1)},
    ).fetchone()
    return float(row[0]) if row and number else math.inf


def _count_processed(
    connection: sqlite3.Connection,
    conditions: list[str],
    values: dict[str, Any],
    last: Cursor | None,
) -> int:
    """Return how many traces there are down to the last one, or to the end of the range."""
    if last is not None:
        conditions = ["(start_time, traces.no) >= (:last_start, :last_no)", *conditions]
        values = values | {"last_start": last.place, "last_no": last.trace_no}
    return _count(connection, conditions, values)


_decode = msgspec.json.Decoder().decode


def _read_bodies(connection: sqlite3.Connection, trace_no: int) -> list[bytes]:
    """Return the documents of the trace as they are stored, in the order of arrival."""
    rows = connection.execute(
        "SELECT document FROM segments WHERE trace_no = ? ORDER BY no", (trace_no,)
    )
    return [row[0] for row in rows]


def _summarise_briefly(trace_id: str, revision: int, bodies: Sequence[bytes]) -> dict[str, Any]:
    facts = [load_facts(body) for body in bodies]
    return summarise(trace_id, facts, find_owners(facts), revision)


def _summarise(trace_id: str, revision: int, bodies: Sequence[bytes]) -> dict[str, Any]:
    summary = _summarise_briefly(trace_id, revision, bodies)
    with growing_tree(map(_decode, bodies)) as roots:
        causes = find_causes(roots)
    summary["FaultRootCauses"] = causes["fault"]
    summary["ErrorRootCauses"] = causes["error"]
    summary["ResponseTimeRootCauses"] = causes["responsetime"]
    return summary


def get_documents(connection: sqlite3.Connection, trace_id: str) -> list[dict[str, Any]]:
    """Return every document of the trace, in the order of arrival; none if it is unknown."""
    return [_decode(body) for body in get_bodies(connection, trace_id)]


def get_bodies(connection: sqlite3.Connection, trace_id: str) -> list[bytes]:
    """Return every document of the trace as JSON, in the order of arrival; none if unknown."""
    row = connection.execute("SELECT no FROM traces WHERE id = ?", (trace_id,)).fetchone()
    return _read_bodies(connection, row[0]) if row else []


def get_summary(connection: sqlite3.Connection, trace_id: str) -> dict[str, Any] | None:
    """Return the summary of the trace; None if it is unknown."""
    row = connection.execute("SELECT no, revision FROM traces WHERE id = ?", (trace_id,)).fetchone()
    return None if row is None else _summarise(trace_id, row[1], _read_bodies(connection, row[0]))


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether no trace is stored."""
    return connection.execute("SELECT 1 FROM traces LIMIT 1").fetchone() is None


def get_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return what has been counted since the start, every name present."""
    names = (
        "datagrams",
        "documents",
        "stored",
        "replaced",
        "refused",
        "ignored",
        "dropped",
        "pruned_traces",
    )
    return dict.fromkeys(names, 0) | dict(connection.execute("SELECT name, value FROM counts"))


def list_refusals(connection: sqlite3.Connection) -> Sequence[tuple[float, str, str]]:
    """Return the time, code and reason of the last documents refused, newest first."""
    return connection.execute(
        "SELECT time, code, reason FROM refusals ORDER BY rowid DESC"
    ).fetchall()


class Link(NamedTuple):
    """A segment, and one of another trace that it was caused by."""

    trace_id: str
    segment_id: str
    linked_trace_id: str
    linked_segment_id: str


_LINKS = (
    "SELECT traces.id, segment_id, linked_trace_id, linked_segment_id "
    "FROM links CROSS JOIN traces ON traces.no = trace_no"
)


def list_links(connection: sqlite3.Connection, start: float, end: float, limit: int) -> list[Link]:
    """Return the newest links of the traces that started in [start, end)."""
    rows = connection.execute(
        f"{_LINKS} WHERE start_time >= ? AND start_time < ? "
        "ORDER BY trace_no DESC, segment_id DESC, linked_trace_id DESC, linked_segment_id DESC "
        "LIMIT ?",
        (start, end, limit),
    )
    return list(map(Link._make, rows))


def list_links_of(
    connection: sqlite3.Connection, trace_ids: Iterable[str], limit: int
) -> list[Link]:
    """Return the links of these traces, up to the limit of each."""
    return [
        Link._make(row)
        for trace_id in dict.fromkeys(trace_ids)
        for row in connection.execute(
            "SELECT id, segment_id, linked_trace_id, linked_segment_id "
            "FROM traces JOIN links ON trace_no = traces.no WHERE id = ? LIMIT ?",
            (trace_id, limit),
        )
    ]
