"""What is chosen on the map: a node or an edge, and all that is known of it in a range of time."""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from django.http import HttpRequest

from xray_local.errors import InvalidRequest
from xray_local.filters import Filter, read_filter
from xray_local.filters.syntax import (
    And,
    Comparison,
    EdgeTest,
    Expression,
    Id,
    ServiceTest,
    write,
)
from xray_local.graph import Graph, Statistics
from xray_local.graph.model import CLIENT, list_sources
from xray_local.graph.sources import add_up, collect_series, collect_tallies, find_fitting
from xray_local.store.queries import Fitting, RangeType, TimeRange, list_traces
from xray_local.store.rollups import MINUTE_SECONDS
from xray_local.traces.documents import show
from xray_local.traces.services import Service
from xray_local.traces.tallies import Shape, Tally, value_of

from .alarms import list_alarms
from .charts import Chart, Line, draw_histogram, draw_lines, draw_stacks
from .lines import TraceLine, make_lines
from .scope import Scope, read_limit
from .times import write_duration

# A chart has no more points than can be told apart.
POINTS_MAX = 60
LISTED_TRACES = 5
# Of as many that are slow or failed the list is made.
CANDIDATES = 20
# When each period begins, and what was counted in it.
Series = list[tuple[float, list[Tally]]]
OUTCOMES = ("ok", "error", "throttle", "fault")
PERCENTILES = (0.5, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Selection:
    """A node, or an edge where there is a source; and which of its requests are meant.

    low, high: longer than so many seconds, and no longer; outcome: how they ended, "" for however.
    """

    service: Service
    source: Service | None = None
    low: float | None = None
    high: float | None = None
    outcome: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether not all requests are meant."""
        return bool(self.outcome) or self.low is not None or self.high is not None

    @property
    def title(self) -> str:
        """What a person calls it."""
        if self.source is not None:
            return f"{_say(self.source)} → {self.service.name}"
        return f"client of {self.service.name}" if self.service.type == CLIENT else _say(self)

    def fits(self, shape: Shape) -> bool:
        """Whether what has the shape are requests of the node, or calls of the edge."""
        if self.source is not None or self.service.type == CLIENT:
            sources = list_sources(shape)
            if self.source is None:
                return self.service in sources
            return self.source in sources and shape.service == self.service
        return shape.is_node and shape.service == self.service

    def write_expression(self, graph: Graph, *more: Expression) -> str:
        """Return a filter expression for the traces that have such a request.

        more: what else must hold of the request.
        """
        parts = [*self._list_conditions(), *more]
        client = self.source if self.source is not None else self.service
        if client.type == CLIENT:
            # The root's own segment says how long the client waited, and for what.
            parts.insert(0, Comparison("root"))
        block = And(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None
        target = _name(self.service, graph)
        if self.source is None or self.source.type == CLIENT:
            return write(ServiceTest(target, block))
        return write(EdgeTest(_name(self.source, graph), target, block))

    def _list_conditions(self) -> Iterator[Expression]:
        if self.outcome:
            yield Comparison(self.outcome)
        for operator, limit in ((">", self.low), ("<=", self.high)):
            if limit is not None:
                yield Comparison("responsetime", operator, limit)


def read_selection(request: HttpRequest) -> Selection | None:
    """Return what ?node=NAME&type=TYPE chooses, or the edge from ?source=; None for nothing."""
    query = request.GET
    if not query.get("node"):
        return None
    source = query.get("source")
    outcome = query.get("outcome", "")
    if outcome and outcome not in OUTCOMES:
        raise InvalidRequest(
            f"Expected one of {', '.join(OUTCOMES)} as outcome, got {show(outcome)}."
        )
    return Selection(
        Service(query["node"], query.get("type") or None, query.get("account") or None),
        Service(source, query.get("source_type") or None, query.get("source_account") or None)
        if source
        else None,
        read_limit("low", query.get("low", "")),
        read_limit("high", query.get("high", "")),
        outcome,
    )


def write_query(service: Service, source: Service | None = None) -> dict[str, str | None]:
    """Return the query that chooses a node, or the edge from the source; None leaves out."""
    return {
        "node": service.name,
        "type": service.type,
        "account": service.account_id,
        "source": source.name if source else None,
        "source_type": source.type if source else None,
        "source_account": source.account_id if source else None,
        # What was meant of another.
        "low": None,
        "high": None,
        "outcome": None,
    }


def _say(each: "Service | Selection") -> str:
    service = each.service if isinstance(each, Selection) else each
    return "client" if service.type == CLIENT else service.name


def _name(service: Service, graph: Graph) -> Id:
    """Return what names the service, its type only where another has the same name."""
    same = [each for each in graph.nodes if each.name == service.name and each.type != CLIENT]
    if service.type == CLIENT or len(same) < 2:
        return Id(service.name)
    return Id(service.name, service.type)


@dataclass(frozen=True, slots=True)
class Period:
    """The statistics of one period; time is its begin, in seconds since 1970."""

    time: float
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Portrait:
    """All that is known of what is chosen.

    start, end: of the charts, seconds since 1970. traces: how its traces are chosen, as a filter
    expression. before: the statistics of the time before, as long as the range.
    """

    selection: Selection
    start: float
    end: float
    traces: str
    statistics: Statistics
    before: Statistics
    periods: Sequence[Period]
    period_seconds: int
    alarms: Sequence[str]
    slowest: Sequence[TraceLine]
    failing: Sequence[TraceLine]

    @property
    def period_words(self) -> str:
        """How long a period is, as a person says it."""
        minutes = self.period_seconds // MINUTE_SECONDS
        count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
        return f"a{'n' if unit == 'hour' else ''} {unit}" if count == 1 else f"{count} {unit}s"

    @property
    def histogram(self) -> Chart:
        """How many took how long."""
        return draw_histogram(self.statistics.histogram, name="Response times")

    @property
    def outcomes(self) -> Chart:
        """How many there were over time, and how they ended."""
        counts = [
            (each.ok, each.other_errors, each.throttles, each.faults)
            for each in (period.statistics for period in self.periods)
        ]
        layers = [
            Line(name, name, [count[number] for count in counts])
            for number, name in enumerate(OUTCOMES)
            if any(count[number] for count in counts)
        ]
        return draw_stacks(
            [period.time for period in self.periods],
            self.period_seconds,
            layers,
            name="Requests",
            start=self.start,
            end=self.end,
        )

    @property
    def latencies(self) -> Chart:
        """How long they took over time: percentiles, in milliseconds."""
        ended = [period for period in self.periods if period.statistics.histogram]
        return draw_lines(
            [period.time + self.period_seconds / 2 for period in ended],
            [
                Line(
                    f"p{share * 100:g}",
                    f"p{share * 100:g}",
                    [period.statistics.find_percentile(share) * 1000 for period in ended],
                )
                for share in (0.5, 0.95, 0.99)
            ],
            name="Response times",
            start=self.start,
            end=self.end,
            write=write_duration,
        )

    @property
    def percentiles(self) -> list[tuple[str, float]]:
        """How many milliseconds it took at most, of so many in a hundred."""
        return [
            (f"p{share * 100:g}", self.statistics.find_percentile(share) * 1000)
            for share in PERCENTILES
        ]


def draw_portrait(
    connection: sqlite3.Connection,
    scope: Scope,
    chosen: Filter | None,
    fitting: Fitting | None,
    graph: Graph,
    selection: Selection,
    series: Series,
) -> Portrait:
    """Return what is known of a node or an edge in the range.

    chosen: the scope's filter; fitting: what fits it since `find_start`; graph: of the range;
    series: what `read_series` returned, of parts that together are all.
    The statistics are those that GetServiceGraph tells of the same range and group, the periods
    those of GetTimeSeriesServiceStatistics.
    """
    period_seconds = choose_period(scope.seconds)
    start = find_start(scope)
    periods = [Period(time, _sum_up(selection, tallies)) for time, tallies in _merge(series)]
    statistics = _find_statistics(graph, selection)
    times_before = scope.start - scope.seconds, scope.start
    fitting_before = find_fitting(connection, *times_before, chosen)
    before = _sum_up(selection, collect_tallies(connection, *times_before, fitting_before))
    numbers = None if fitting is None else fitting.numbers
    return Portrait(
        selection,
        start,
        max(scope.end, start + period_seconds),
        selection.write_expression(graph),
        statistics,
        before,
        periods,
        period_seconds,
        list(list_alarms(statistics, before)),
        _list_slowest(connection, scope, numbers, graph, selection, statistics),
        _list_failing(connection, scope, numbers, graph, selection, statistics),
    )


def read_series(
    connection: sqlite3.Connection, scope: Scope, fitting: Fitting | None, selection: Selection
) -> Series:
    """Return the tallies of each period of a range, those of what is chosen at least."""
    period_seconds = choose_period(scope.seconds)
    start = find_start(scope)
    return list(
        collect_series(connection, start, scope.end, period_seconds, fitting, selection.fits)
    )


def _merge(series: Series) -> Iterator[tuple[float, list[Tally]]]:
    """Yield each period once."""
    for time, parts in groupby(series, key=itemgetter(0)):
        yield time, add_up(parts)


def find_start(scope: Scope) -> float:
    """Return where the charts of a range begin: with the period that its start falls into."""
    period_seconds = choose_period(scope.seconds)
    return scope.start // period_seconds * period_seconds


def choose_period(seconds: float) -> int:
    """Return how long the periods of a range are, in seconds: a multiple of a minute."""
    minutes = max(1, math.ceil(seconds / POINTS_MAX / MINUTE_SECONDS))
    # Of a long range whole hours, which are summed up already.
    return MINUTE_SECONDS * (minutes if minutes <= 10 else math.ceil(minutes / 60) * 60)


def _find_statistics(graph: Graph, selection: Selection) -> Statistics:
    source = selection.source
    if source is None and selection.service.type != CLIENT:
        node = graph.nodes.get(selection.service)
        return node.statistics if node else Statistics()
    node = graph.nodes.get(source or selection.service)
    statistics = Statistics()
    for edge in node.edges.values() if node else ():
        if source is None or (edge.target == selection.service and not edge.is_link):
            statistics.absorb(edge.statistics)
    return statistics


def _sum_up(selection: Selection, tallies: Sequence[Tally]) -> Statistics:
    statistics = Statistics()
    for tally in tallies:
        if selection.fits(tally.shape):
            statistics.add(tally)
    return statistics


def _list_slowest(
    connection: sqlite3.Connection,
    scope: Scope,
    numbers: Sequence[int] | None,
    graph: Graph,
    selection: Selection,
    statistics: Statistics,
) -> list[TraceLine]:
    """Return traces that waited longest for what is chosen; of many in one bucket, the newest."""
    low, left = 0.0, LISTED_TRACES
    for bucket, count in sorted(statistics.histogram.items(), reverse=True):
        low, left = value_of(max(0, bucket - 1)), left - count
        if left <= 0:
            break
    slow = Comparison("responsetime", ">" if low else ">=", low)
    lines = _read_lines(connection, scope, numbers, selection.write_expression(graph, slow))
    return sorted(lines, key=lambda line: -line.response_ms)[:LISTED_TRACES]


def _list_failing(
    connection: sqlite3.Connection,
    scope: Scope,
    numbers: Sequence[int] | None,
    graph: Graph,
    selection: Selection,
    statistics: Statistics,
) -> list[TraceLine]:
    """Return the newest traces in which what is chosen failed."""
    if not statistics.faults and not statistics.errors:
        return []
    flag = Comparison("fault" if statistics.faults else "error")
    expression = selection.write_expression(graph, flag)
    return _read_lines(connection, scope, numbers, expression)[:LISTED_TRACES]


def _read_lines(
    connection: sqlite3.Connection, scope: Scope, numbers: Sequence[int] | None, expression: str
) -> list[TraceLine]:
    """Return the newest traces that fit; of these numbers, where there is a filter."""
    page = list_traces(
        connection,
        time_range=TimeRange(scope.start, scope.end, RangeType.TRACE_ID),
        chosen=read_filter(expression),
        within=numbers,
        limit=CANDIDATES,
        is_counted=False,
        has_causes=False,
    )
    return make_lines(page)
