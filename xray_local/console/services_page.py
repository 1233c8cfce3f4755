"""The screen of services and routes: how often, how long, how well, and where the time goes.

What is said of services is counted as the X-Ray API counts: of all traces of the range; of those
that fit a filter or a group, the newest GROUP_TRACES. Routes are nothing that X-Ray knows: they are
found in the newest ROUTED_TRACES, or as many as the services if there is a filter, and what the
time was spent on in the newest WORK_TRACES.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.api.graphs import make_graph
from xray_local.errors import InvalidRequest
from xray_local.filters import Filter
from xray_local.filters.syntax import Id, ServiceTest, write
from xray_local.graph import Graph, Statistics, build_graph
from xray_local.graph.model import CLIENT
from xray_local.graph.sources import (
    GROUP_TRACES,
    add_up,
    collect_series,
    collect_tallies,
    find_fitting,
)
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import (
    ASKED_MAX,
    RangeType,
    TimeRange,
    count_traces,
    get_documents,
    is_empty,
    list_sure,
)
from xray_local.store.roots import Root, read_roots
from xray_local.store.totals import count_periods
from xray_local.traces.documents import show
from xray_local.traces.services import Service
from xray_local.traces.tallies import Shape, Tally

from .charts import Sparkline, draw_sparkline
from .figures import write_count, write_rate
from .outcomes import count_root
from .routes import Route, make_route
from .scope import Scope, read_scope
from .selection import choose_period, find_start
from .shares import Share
from .view import page
from .work import add_work, list_shares, measure_work

ROUTED_TRACES = 2000
WORK_TRACES = 60
SPARKS = 30
# A change smaller than this share of what was before is none.
CHANGE_LEAST = 0.1
PERCENTILES = (0.5, 0.95, 0.99)


@dataclass(slots=True)
class Line:
    """A service or a route: what is known of it in the range.

    traces: a filter expression for its traces. per_minute: of its requests. before: of the same
    service in the time before; None where that is not known. work: seconds by kind.
    """

    name: str
    type: str
    traces: str
    statistics: Statistics
    per_minute: float
    spark: Sparkline | None = None
    before: Statistics | None = None
    work: dict[str, float] = field(default_factory=dict)
    service: Service | None = None

    @property
    def average_ms(self) -> float:
        """How long it took on average."""
        return self.statistics.average_seconds * 1000

    @property
    def is_timed(self) -> bool:
        """Whether it is known how long any of its requests took."""
        return bool(self.statistics.histogram)

    @property
    def percentiles_ms(self) -> list[float]:
        """The 50th, the 95th and the 99th percentile."""
        return [self.statistics.find_percentile(share) * 1000 for share in PERCENTILES]

    @property
    def error_percent(self) -> float:
        """How many of a hundred requests were errors, throttles among them."""
        return _measure_share(self.statistics.errors, self.statistics)

    @property
    def fault_percent(self) -> float:
        """How many of a hundred requests were faults."""
        return _measure_share(self.statistics.faults, self.statistics)

    @property
    def shares(self) -> list[Share]:
        """What its time was spent on."""
        return list_shares(self.work)

    @property
    def trend(self) -> str:
        """How its 95th percentile has changed, as a person says it; "" for hardly or unknown."""
        if self.before is None or not self.before.total or not self.statistics.total:
            return ""
        was, now = (each.find_percentile(0.95) for each in (self.before, self.statistics))
        if not was or abs(now - was) <= CHANGE_LEAST * was:
            return ""
        return f"{now / was:.1f} times slower" if now > was else f"{was / now:.1f} times faster"


def _measure_share(count: int, statistics: Statistics) -> float:
    return 100 * count / statistics.total if statistics.total else 0.0


ORDERS: dict[str, Callable[[Line], float]] = {
    "requests": lambda line: line.per_minute,
    "average": lambda line: line.average_ms,
    "p50": lambda line: line.percentiles_ms[0],
    "p95": lambda line: line.percentiles_ms[1],
    "p99": lambda line: line.percentiles_ms[2],
    "errors": lambda line: line.error_percent,
    "faults": lambda line: line.fault_percent,
}
COLUMNS = {
    "requests": "Requests",
    "average": "Average",
    "p50": "p50",
    "p95": "p95",
    "p99": "p99",
    "errors": "Errors",
    "faults": "Faults",
}


@page
def show_services(request: HttpRequest) -> HttpResponse:
    """Show each service and each route of the range; ?sort= is one of ORDERS, or name."""
    scope = read_scope(request)
    order = request.GET.get("sort", "requests")
    if order != "name" and order not in ORDERS:
        raise InvalidRequest(f"Expected name or one of {', '.join(ORDERS)}, got {show(order)}.")
    chosen = scope.read_filter()
    with reading(get_parts(request).database) as connection:
        period_seconds = choose_period(scope.seconds)
        start = find_start(scope)
        fitting = find_fitting(connection, scope.start, scope.end, chosen)
        if fitting is None:
            graph = make_graph(connection, scope.start, scope.end)
            periods = count_periods(connection, start, scope.end, period_seconds)
            time_range = TimeRange(scope.start, scope.end, RangeType.TRACE_ID)
            routed = list_sure(connection, time_range, None, ROUTED_TRACES)
            whole = count_traces(connection, time_range)
        else:
            series = list(
                collect_series(connection, scope.start, scope.end, period_seconds, fitting)
            )
            graph = build_graph(add_up(series))
            periods = _count_periods(series)
            routed, whole = fitting, None
        services = _list_services(connection, scope, graph, chosen)
        _draw_runs(services, scope, start, period_seconds, periods)
        roots = list(read_roots(connection, routed.numbers))
        routes = _list_routes(roots, scope, is_all=routed.is_all)
        worked = _add_work(connection, roots[:WORK_TRACES], services, routes)
        has_none = is_empty(connection)
    context = {
        "section": "services",
        "scope": scope,
        "order": order,
        "columns": COLUMNS,
        "at_most": None if chosen is None else GROUP_TRACES,
        "asked_at_most": ASKED_MAX,
        "services": _sort(services.values(), order),
        "routes": _sort(routes.values(), order),
        "routed": len(roots),
        "is_all": routed.is_all,
        "whole": whole,
        "worked": worked,
        "is_empty": has_none,
        "address": request.get_host(),
    }
    return render(request, "xray_local/services.html", context)


def _list_services(
    connection: sqlite3.Connection, scope: Scope, graph: Graph, chosen: Filter | None
) -> dict[Service, Line]:
    """Return a line for each service of the graph, with its trend."""
    minutes = scope.seconds / 60
    times_before = scope.start - scope.seconds, scope.start
    fitting = find_fitting(connection, *times_before, chosen)
    before = _sum_up(collect_tallies(connection, *times_before, fitting))
    lines: dict[Service, Line] = {}
    for node in graph.list_nodes():
        if node.service.type != CLIENT:
            name, kind, _ = node.service
            lines[node.service] = Line(
                name,
                kind or "",
                write(ServiceTest(Id(name, kind) if kind else Id(name))),
                node.statistics,
                node.statistics.total / minutes,
                before=before.get(node.service, Statistics()),
                service=node.service,
            )
    return lines


def _draw_runs(
    lines: Mapping[Service, Line],
    scope: Scope,
    start: float,
    period_seconds: int,
    periods: Iterable[tuple[float, Shape, int]],
) -> None:
    """Draw how many requests each service had in each period; the first begins at the start."""
    length = int((scope.end - start) // period_seconds) + 1
    # A service may have been there in the part of the first period before the range alone.
    runs: dict[Service, list[float]] = defaultdict(lambda: [0.0] * length)
    for time, shape, count in periods:
        place = int((time - start) // period_seconds)
        if shape.is_node and not shape.is_partial and 0 <= place < length:
            runs[shape.service][place] += count
    for service, line in lines.items():
        line.spark = _draw_spark(runs[service], period_seconds)


def _count_periods(
    series: Iterable[tuple[float, list[Tally]]],
) -> Iterator[tuple[float, Shape, int]]:
    """Yield how many of each shape there were in each period."""
    for time, tallies in series:
        for tally in tallies:
            yield time, tally.shape, tally.count


def _sum_up(tallies: Iterable[Tally]) -> dict[Service, Statistics]:
    """Return the statistics of each service."""
    found: dict[Service, Statistics] = {}
    for tally in tallies:
        if tally.shape.is_node:
            found.setdefault(tally.shape.service, Statistics()).add(tally)
    return found


def _list_routes(roots: Sequence[Root], scope: Scope, *, is_all: bool) -> dict[Route, Line]:
    """Return a line for each route."""
    # Of a part the newest alone are known: the time that they are of is as long as they reach.
    start = scope.start if is_all else min((root.start_time for root in roots), default=scope.start)
    seconds = max(1.0, scope.end - start)
    lines: dict[Route, Line] = {}
    runs: dict[Route, list[float]] = {}
    for root in roots:
        route = make_route(root.service, root.method, root.url, root.route)
        if route not in lines:
            lines[route] = Line(route.label, route.service, route.expression, Statistics(), 0.0)
            runs[route] = [0.0] * SPARKS
        if root.is_partial:
            continue
        count_root(lines[route].statistics, root)
        place = int((root.start_time - start) / seconds * SPARKS)
        runs[route][min(SPARKS - 1, max(0, place))] += 1
    for route, line in lines.items():
        line.per_minute = line.statistics.total / seconds * 60
        line.spark = _draw_spark(runs[route], seconds / SPARKS)
    return lines


def _draw_spark(counts: Sequence[float], period_seconds: float) -> Sparkline:
    rates = [60 * count / period_seconds for count in counts]
    most = write_rate(max(rates, default=0.0))
    words = f"Requests over time: {write_count(round(sum(counts)))}, at most {most}."
    return draw_sparkline(rates, words=words)


def _add_work(
    connection: sqlite3.Connection,
    roots: Sequence[Root],
    services: Mapping[Service, Line],
    routes: Mapping[Route, Line],
) -> int:
    """Add what the time was spent on in these traces; return how many were there."""
    for root in roots:
        route = make_route(root.service, root.method, root.url, root.route)
        for service, work in measure_work(get_documents(connection, root.id)).items():
            if route in routes:
                add_work(routes[route].work, work)
            if service in services:
                add_work(services[service].work, work)
    return len(roots)


def _sort(lines: Iterable[Line], order: str) -> list[Line]:
    """Return the lines in an order, the largest first; by name, those in that of the alphabet."""
    by_name = sorted(lines, key=lambda line: (line.name, line.type))
    return by_name if order == "name" else sorted(by_name, key=ORDERS[order], reverse=True)
