"""Where the tallies of a graph come from: the roll-ups, or the traces that fit a group.

The roll-ups know minutes, not groups: the graph of a group is made of the newest GROUP_TRACES
traces in the range that fit its filter expression, as it is now. See `list_fitting` for those of
which only documents tell whether they do. To look for these traces may take longer than all else:
what needs them several times asks `find_fitting` once.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator

from xray_local.filters import Filter
from xray_local.store.queries import Fitting, get_bodies, list_fitting
from xray_local.store.rollups import MINUTE_SECONDS
from xray_local.store.totals import (
    count_faulty,
    count_minutes,
    read_series,
    read_tallies,
    tally_chosen,
    widen,
)
from xray_local.traces.facts import Facts, load_facts
from xray_local.traces.tallies import Shape, Tally, tally_traces

from .insights import BEFORE_SECONDS, FAULTS_MIN, find_spans

GROUP_TRACES = 1000


def find_fitting(
    connection: sqlite3.Connection, start: float, end: float, chosen: Filter | None
) -> Fitting | None:
    """Return the traces that tallies from start to end are made of; None where it is all traces."""
    if chosen is None:
        return None
    return list_fitting(connection, *widen(start, end), chosen, GROUP_TRACES)


def collect_tallies(
    connection: sqlite3.Connection, start: float, end: float, fitting: Fitting | None = None
) -> list[Tally]:
    """Return what was counted from start to end, in whole minutes; seconds since 1970.

    fitting: what was found from there to there, None for all traces.
    """
    if fitting is None:
        return read_tallies(connection, start, end)
    return tally_chosen(connection, fitting.spots).get(0.0, [])


def collect_series(
    connection: sqlite3.Connection,
    start: float,
    end: float,
    period_seconds: int,
    fitting: Fitting | None = None,
    is_wanted: Callable[[Shape], bool] | None = None,
) -> Iterator[tuple[float, list[Tally]]]:
    """Yield the tallies of each period that has any, with the time at which it begins.

    fitting: what was found from start to end, None for all traces. is_wanted: which shapes are
    asked for; there may be others.
    """
    if fitting is None:
        yield from read_series(connection, start, end, period_seconds, is_wanted)
    else:
        yield from tally_chosen(connection, fitting.spots, period_seconds).items()


def add_up(series: Iterable[tuple[float, list[Tally]]]) -> list[Tally]:
    """Return the tallies of all periods; several of them may have the same shape."""
    return [tally for _, tallies in series for tally in tallies]


def collect_faulty(
    connection: sqlite3.Connection, start: float, end: float, chosen: Filter | None = None
) -> dict[float, list[Tally]]:
    """Return the minutes that `find_insights` needs.

    There may be more minutes, and there need not be histograms.
    """
    fitting = find_fitting(connection, start, end, chosen)
    if fitting is not None:
        return dict(collect_series(connection, start, end, MINUTE_SECONDS, fitting))
    minutes = count_faulty(connection, start, end, FAULTS_MIN, BEFORE_SECONDS)
    for first, last in find_spans(minutes):
        minutes |= dict(count_minutes(connection, first, last + MINUTE_SECONDS))
    return minutes


def collect_traces(connection: sqlite3.Connection, trace_ids: Iterable[str]) -> list[Tally]:
    """Return the tallies of these traces; ids that are unknown add nothing."""
    found = (read_facts(connection, trace_id) for trace_id in dict.fromkeys(trace_ids))
    return tally_traces(facts for facts in found if facts)


def read_facts(connection: sqlite3.Connection, trace_id: str) -> list[Facts]:
    """Return the facts of the trace's documents; none if it is unknown."""
    return [load_facts(body) for body in get_bodies(connection, trace_id)]
