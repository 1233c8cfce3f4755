"""What to look at first: failing routes, queries that come again, routes that are slow at times.

They are found in the newest traces of a range, since only the traces themselves say so much: of
those that failed the newest FAILED_TRACES, of all the newest SAMPLE_TRACES. What comes again is
looked for in BUSY_TRACES more, those of the newest AMONG_TRACES that call a service most often.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from xray_local.filters import read_filter
from xray_local.filters.syntax import join_all
from xray_local.store.queries import Fitting, Found, RangeType, TimeRange, choose_traces, list_sure
from xray_local.store.repeats import list_busiest
from xray_local.traces.causes import Cause, find_causes
from xray_local.traces.facts import load_facts
from xray_local.traces.summaries import find_root
from xray_local.traces.trees import growing_tree, walk_tree

from .operations import Operation, name_call
from .routes import Route, name_route
from .scope import Scope

SAMPLE_TRACES = 60
FAILED_TRACES = 40
AMONG_TRACES = 1000
BUSY_TRACES = 20
# A call as often in one trace is worth a look.
REPEATED_LEAST = 5
# A request this much slower than another of its route is worth a comparison.
SPREAD_LEAST = 2.0
SHOWN = 5
FAILED = "fault OR error"


@dataclass(slots=True)
class Failing:
    """Requests of a route that failed alike; trace_id: the newest of them.

    flag: fault or error. place: the service where it began. type, message: of the exception, ""
    where none was recorded.
    """

    route: Route
    flag: str
    place: str
    type: str
    message: str
    trace_id: str
    count: int = 0

    @property
    def expression(self) -> str:
        """A filter expression for such traces."""
        return f"{self.flag} AND {self.route.expression}"


@dataclass(frozen=True, slots=True)
class Repeated:
    """A call that one trace makes again and again: the trace where it is made most often."""

    operation: Operation
    route: Route
    count: int
    duration_ms: float  # of all together
    trace_id: str


@dataclass(frozen=True, slots=True)
class Spread:
    """A fast and a slow request of the same route."""

    route: Route
    fast_id: str
    fast_ms: float
    slow_id: str
    slow_ms: float

    @property
    def factor(self) -> float:
        """How many times slower the slow one is."""
        return self.slow_ms / self.fast_ms if self.fast_ms else float("inf")


@dataclass(frozen=True, slots=True)
class Leads:
    """What to look at, the worst first.

    looked_at: how many traces of the newest were read; failed: of those that failed; among: of how
    many the busiest were read as well.
    """

    failing: Sequence[Failing] = ()
    repeated: Sequence[Repeated] = ()
    spreads: Sequence[Spread] = ()
    looked_at: int = 0
    failed: int = 0
    among: int = 0


@dataclass(slots=True)
class _Timed:
    """Requests of a route, by how long they took in seconds."""

    by_seconds: list[tuple[float, str]] = field(default_factory=list)


def find_leads(connection: sqlite3.Connection, scope: Scope, fitting: Fitting | None) -> Leads:
    """Return what stands out in the newest traces of the range.

    fitting: what fits the scope's filter, None without a filter.
    """
    time_range = TimeRange(scope.start, scope.end, RangeType.TRACE_ID)
    if fitting is None:
        fitting = list_sure(connection, time_range, None, AMONG_TRACES)
    numbers = fitting.numbers
    newest = choose_traces(connection, limit=SAMPLE_TRACES, among=numbers)
    busiest = list_busiest(connection, numbers, REPEATED_LEAST, BUSY_TRACES)
    busy = choose_traces(connection, limit=BUSY_TRACES, among=busiest)
    wrong = choose_traces(
        connection,
        time_range=time_range,
        chosen=read_filter(join_all(FAILED, scope.expression), scope.group_expressions),
        among=fitting.failed,
        limit=FAILED_TRACES,
    )
    repeated, spreads = _find_patterns(newest.traces, busy.traces)
    return Leads(
        *(_find_failing(wrong.traces), repeated, spreads),
        *(len(newest.traces), len(wrong.traces), len(numbers)),
    )


def _find_failing(traces: Sequence[Found]) -> list[Failing]:
    found: dict[tuple[Route, str, str, str, str], Failing] = {}
    for trace in traces:
        facts = [load_facts(body) for body in trace.bodies]
        root = find_root(facts)
        route = name_route(root, facts)
        flag = "fault" if root.has_fault else "error"
        place, kind, message = _find_cause(trace, flag, root.service.name)
        key = (route, flag, place, kind, message)
        if key not in found:
            found[key] = Failing(route, flag, place, kind, message, trace.id)
        found[key].count += 1
    return sorted(found.values(), key=lambda each: (each.flag != "fault", -each.count))[:SHOWN]


def _find_cause(trace: Found, flag: str, name: str) -> tuple[str, str, str]:
    """Return the service where it began, and the type and message of the exception."""
    with growing_tree(map(msgspec.json.decode, trace.bodies)) as roots:
        causes = find_causes(roots, (flag,))[flag]
    found = [_describe(cause) for cause in causes]
    # One that says why before one that the client saw: a caller often knows no reason.
    return next((each for each in found if any(each[1:])), found[0] if found else (name, "", ""))


def _describe(cause: Cause) -> tuple[str, str, str]:
    """Return the service at the end of the path, and the exception that is nearest to that."""
    services = cause["Services"]
    for service in reversed(services):
        for entity in reversed(service["EntityPath"]):
            for exception in entity.get("Exceptions", ()):
                name, message = exception.get("Name", ""), exception.get("Message", "")
                return services[-1]["Name"], name, message
    return services[-1]["Name"], "", ""


def _find_patterns(
    newest: Sequence[Found], busy: Sequence[Found]
) -> tuple[list[Repeated], list[Spread]]:
    """Return what comes again in any of the traces, and how the newest differ."""
    repeated: dict[tuple[Route, Operation], Repeated] = {}
    timed: dict[Route, _Timed] = {}
    known = {trace.id for trace in newest}
    for trace in (*newest, *(each for each in busy if each.id not in known)):
        facts = [load_facts(body) for body in trace.bodies]
        root = find_root(facts)
        route = name_route(root, facts)
        if trace.id in known and not root.is_open:
            timed.setdefault(route, _Timed()).by_seconds.append((root.seconds, trace.id))
        for each in _count_calls(trace, route):
            key = (route, each.operation)
            if key not in repeated or repeated[key].count < each.count:
                repeated[key] = each
    spreads = [
        each
        for each in map(_measure_spread, timed, timed.values())
        if each.fast_id != each.slow_id and each.factor >= SPREAD_LEAST
    ]
    return (
        sorted(repeated.values(), key=lambda each: (-each.count, -each.duration_ms))[:SHOWN],
        sorted(spreads, key=lambda each: each.fast_ms - each.slow_ms)[:SHOWN],
    )


def _count_calls(trace: Found, route: Route) -> Iterator[Repeated]:
    # A document that long is read only where it may have as many calls.
    if sum(body.count(b'"namespace"') for body in trace.bodies) < REPEATED_LEAST:
        return
    counts: dict[Operation, tuple[int, float]] = {}
    with growing_tree(map(msgspec.json.decode, trace.bodies)) as roots:
        for element, _ in walk_tree(roots):
            operation = name_call(element)
            if operation is not None:
                count, seconds = counts.get(operation, (0, 0.0))
                took = (element.end or 0.0) - (element.start or 0.0) if element.end else 0.0
                counts[operation] = count + 1, seconds + max(0.0, took)
    for operation, (count, seconds) in counts.items():
        if count >= REPEATED_LEAST:
            yield Repeated(operation, route, count, seconds * 1000, trace.id)


def _measure_spread(route: Route, timed: _Timed) -> Spread:
    fast, slow = min(timed.by_seconds), max(timed.by_seconds)
    return Spread(route, fast[1], fast[0] * 1000, slow[1], slow[0] * 1000)
