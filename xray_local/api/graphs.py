"""The operations that tell who calls whom, in all, in single traces, and over time.

https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
https://docs.aws.amazon.com/xray/latest/api/API_GetTraceGraph.html
https://docs.aws.amazon.com/xray/latest/api/API_GetTimeSeriesServiceStatistics.html

A graph is told on one page, up to as many services as a map of X-Ray has, since their numbers hold
for one answer alone. Of a time series a page has PAGE_ROWS periods, and its token names the last of
them: what is counted meanwhile moves nothing. A group's expression applies to all traces as it is
now, so that no answer contains old versions of a group.
"""

import sqlite3
from itertools import islice
from typing import Any

from django.http import HttpRequest

from xray_local.control.database import reading as reading_settings
from xray_local.control.groups import find_group
from xray_local.errors import InvalidRequest
from xray_local.filters import Filter, read_filter
from xray_local.graph import Graph, build_graph
from xray_local.graph.links import LINKS_MAX, TRACE_LINKS_MAX, add_links
from xray_local.graph.selector import read_selector
from xray_local.graph.series import FORECAST_SECONDS, write_series
from xray_local.graph.sources import (
    collect_series,
    collect_tallies,
    collect_traces,
    find_fitting,
)
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import Fitting, list_links, list_links_of
from xray_local.store.rollups import MINUTE_SECONDS
from xray_local.store.totals import widen
from xray_local.traces.documents import MAX_TIME, show

from .pages import refuse_token, take_page
from .traces import read_trace_ids
from .wire import (
    operation,
    read_boolean,
    read_integer,
    read_number,
    read_text,
    require,
)

# "Your map can have up to 10,000 nodes."
PAGE_SERVICES = 10_000
PAGE_ROWS = 1000
DAY_SECONDS = 86_400


@operation
def get_service_graph(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the services of a range of time, or of the traces of a group in it."""
    start, end = read_times(fields)
    chosen = read_group(fields, request)
    with reading(get_parts(request).database) as connection:
        graph = make_graph(connection, start, end, find_fitting(connection, start, end, chosen))
    services, token = _take_services(graph.to_api(), read_text(fields, "NextToken"))
    return {
        "StartTime": start,
        "EndTime": end,
        "Services": services,
        "ContainsOldGroupVersions": False,
    } | token


def make_graph(
    connection: sqlite3.Connection, start: float, end: float, fitting: Fitting | None = None
) -> Graph:
    """Return the graph of the minutes from start to end; of what fits alone, it is unlinked."""
    graph = build_graph(collect_tallies(connection, start, end, fitting))
    if fitting is None:
        add_links(graph, connection, list_links(connection, *widen(start, end), LINKS_MAX))
    return graph


@operation
def get_trace_graph(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the services of single traces; ids that are unknown add nothing."""
    trace_ids = read_trace_ids(fields)
    with reading(get_parts(request).database) as connection:
        graph = make_trace_graph(connection, trace_ids)
    services, token = _take_services(graph.to_api(), read_text(fields, "NextToken"))
    return {"Services": services} | token


def make_trace_graph(connection: sqlite3.Connection, trace_ids: list[str]) -> Graph:
    """Return the graph of these traces, with the links between them and others."""
    graph = build_graph(collect_traces(connection, trace_ids))
    add_links(graph, connection, list_links_of(connection, trace_ids, TRACE_LINKS_MAX))
    return graph


@operation
def get_time_series_service_statistics(
    fields: dict[str, Any], request: HttpRequest
) -> dict[str, Any]:
    """Return the statistics of services or edges, period by period."""
    start, end = read_times(fields)
    chosen = read_group(fields, request)
    expression = read_text(fields, "EntitySelectorExpression", at_least=1, at_most=500)
    selector = read_selector(expression)
    period_seconds = read_period(fields)
    is_forecast = read_boolean(fields, "ForecastStatistics") or False
    if is_forecast and not selector.has_id:
        raise InvalidRequest(
            "Expected an EntitySelectorExpression with name and type, such as "
            f'service(id(name: "x", type: "t")), for ForecastStatistics, got {show(expression)}.'
        )
    # The period that the start falls into is told as a whole.
    start = start // period_seconds * period_seconds
    before = FORECAST_SECONDS if is_forecast else 0
    with reading(get_parts(request).database) as connection:
        first = start - before
        fitting = find_fitting(connection, first, end, chosen)
        periods = collect_series(connection, first, end, period_seconds, fitting)
        rows = list(
            write_series(
                periods,
                selector,
                start,
                forecast_period_seconds=period_seconds if is_forecast else None,
            )
        )
    page, token = take_page(
        rows, lambda row: (row["Timestamp"],), read_text(fields, "NextToken"), PAGE_ROWS
    )
    return {"TimeSeriesServiceStatistics": page, "ContainsOldGroupVersions": False} | (
        {"NextToken": token} if token else {}
    )


def read_times(fields: dict[str, Any]) -> tuple[float, float]:
    """Return StartTime and EndTime in seconds since 1970. Raises InvalidRequest."""
    start, end = (
        require(read_number(fields, key, at_least=0, at_most=MAX_TIME), key)
        for key in ("StartTime", "EndTime")
    )
    if start > end:
        raise InvalidRequest(
            f"Expected a StartTime before the EndTime, got {show(start)} and {show(end)}."
        )
    return start, end


def read_period(fields: dict[str, Any]) -> int:
    """Return the Period in seconds, a minute where it is left out. Raises InvalidRequest."""
    period = read_integer(fields, "Period", at_least=MINUTE_SECONDS, at_most=DAY_SECONDS)
    if period is not None and period % MINUTE_SECONDS:
        raise InvalidRequest(
            f"Expected a multiple of {MINUTE_SECONDS} seconds as Period, got {period}."
        )
    return period or MINUTE_SECONDS


def read_group(fields: dict[str, Any], request: HttpRequest) -> Filter | None:
    """Return what a trace of the group has to fit; None for all traces. Raises InvalidRequest."""
    name = read_text(fields, "GroupName", at_least=1, at_most=32)
    arn = read_text(fields, "GroupARN", at_least=1, at_most=400)
    if name is None and arn is None:
        return None
    with reading_settings(get_parts(request).database) as connection:
        group = find_group(connection, name, arn)
    return read_filter(group.expression) if group.expression else None


def _take_services(
    rows: list[dict[str, Any]], token: str | None
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the services of a page, and the member NextToken if there are more."""
    if token is not None and not (token.isascii() and token.isdigit() and len(token) < 10):
        raise refuse_token(token)
    first = int(token or 0)
    last = first + PAGE_SERVICES
    page = list(islice(rows, first, last))
    return page, {"NextToken": str(last)} if len(rows) > last else {}
