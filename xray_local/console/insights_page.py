"""The screens of insights: when more requests were faults than usual, and what began it."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.api.insights import list_insights, read_expression, summarise
from xray_local.control.groups import DEFAULT, Group
from xray_local.graph import Graph, build_graph
from xray_local.graph.insights import (
    QUIET_MINUTES,
    Event,
    Impact,
    Insight,
    count_requests,
    list_impacted,
)
from xray_local.graph.sources import collect_series, collect_tallies, find_fitting
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.rollups import MINUTE_SECONDS
from xray_local.traces.services import Service

from .charts import Chart, Line, draw_stacks
from .map_drawing import ROUND, Map, draw_map
from .scope import Scope, read_scope
from .selection import Selection, choose_period
from .view import page, show_failure

# What is drawn before an insight begins, and after it ends.
AROUND_SECONDS = QUIET_MINUTES * MINUTE_SECONDS


@dataclass(frozen=True, slots=True)
class InsightLine:
    """An insight as it is written; group: that it was found in."""

    insight: Insight
    group: Group

    @property
    def id(self) -> str:
        """The id, a UUID."""
        return self.insight.id

    @property
    def state(self) -> str:
        """Whether it goes on, in one word."""
        return "active" if self.insight.is_active else "closed"

    @property
    def milliseconds(self) -> float:
        """How long it lasted, or has so far."""
        return 1000 * (self.insight.end - self.insight.start)

    @property
    def summary(self) -> str:
        """What happened, in the API's words."""
        return summarise(self.insight)

    @property
    def cause(self) -> "Share":
        """What became of the requests of the service that began it."""
        return Share(self.insight.root_cause_impact)

    @property
    def client(self) -> "Share":
        """What became of the requests of clients."""
        return Share(self.insight.client_impact)

    @property
    def events(self) -> Iterator[tuple[Event, "Share", "Share"]]:
        """Yield what happened in each minute, the newest first: of the cause, and of clients."""
        for event in reversed(self.insight.events):
            yield event, Share(event.root_cause), Share(event.client)


@dataclass(frozen=True, slots=True)
class Share:
    """How many requests were faults, as it is written."""

    impact: Impact

    @property
    def percent(self) -> float:
        """How many of a hundred."""
        return 100 * self.impact.faults / self.impact.total if self.impact.total else 0.0


@page
def show_insights(request: HttpRequest) -> HttpResponse:
    """Show the insights of the group that overlap the range, those that go on first."""
    scope = read_scope(request)
    group = next(each for each in scope.groups if each.name == (scope.group or DEFAULT))
    found = list_insights(request, group)
    lines = [
        InsightLine(insight, group)
        for insight in found
        if insight.start < scope.end and insight.end > scope.start
    ]
    context = {
        "section": "insights",
        "scope": scope,
        "group": group,
        "active": [line for line in lines if line.insight.is_active],
        "closed": [line for line in lines if not line.insight.is_active],
        "others": len(found) - len(lines),
    }
    return render(request, "xray_local/insights.html", context)


@page
def show_insight(request: HttpRequest, insight_id: str) -> HttpResponse:
    """Show one insight: what happened minute by minute, and who was impacted."""
    scope = read_scope(request)
    line = _find(request, scope, insight_id)
    if line is None:
        return show_failure(
            request,
            404,
            "This insight is not here",
            "It may have gone with its traces, or with the insights of its group switched off.",
        )
    insight, group = line.insight, line.group
    chosen = read_expression(group)
    with reading(get_parts(request).database) as connection:
        fitting = find_fitting(connection, insight.start, insight.end, chosen)
        tallies = collect_tallies(connection, insight.start, insight.end, fitting)
        timeline = _draw_timeline(connection, line)
    graph = build_graph(tallies)
    impacted = _keep(graph, list_impacted(tallies, insight.root_cause))
    failed = Selection(insight.root_cause, outcome="fault").write_expression(graph)
    around = replace(
        scope,
        start=insight.start,
        end=insight.end,
        range="",
        is_live=False,
        group=group.name if group.expression else "",
        filter="",
    )
    context = {
        "section": "insights",
        "scope": scope,
        "around": around,
        "line": line,
        "timeline": timeline,
        "map": _draw(impacted, insight),
        "failed": failed,
    }
    return render(request, "xray_local/insight.html", context)


def _find(request: HttpRequest, scope: Scope, insight_id: str) -> InsightLine | None:
    for group in scope.groups:
        for insight in list_insights(request, group):
            if insight.id == insight_id.lower():
                return InsightLine(insight, group)
    return None


def _draw_timeline(connection: sqlite3.Connection, line: InsightLine) -> Chart:
    """Draw the requests of the root cause over time, from before it began until after."""
    insight = line.insight
    start, end = insight.start - AROUND_SECONDS, insight.end + AROUND_SECONDS
    period = choose_period(end - start)
    start = start // period * period
    fitting = find_fitting(connection, start, end, read_expression(line.group))
    series = collect_series(connection, start, end, period, fitting)
    impacts = [
        (time, count_requests(tallies).get(insight.root_cause, Impact()))
        for time, tallies in series
    ]
    return draw_stacks(
        [time for time, _ in impacts],
        period,
        _make_layers([impact for _, impact in impacts]),
        name=f"Requests of {insight.root_cause.name}",
        start=start,
        end=end,
    )


def _make_layers(impacts: Sequence[Impact]) -> list[Line]:
    return [
        Line("no fault", "ok", [impact.total - impact.faults for impact in impacts]),
        Line("fault", "fault", [impact.faults for impact in impacts]),
    ]


def _keep(graph: Graph, services: set[Service]) -> Graph:
    """Return what is left of a graph with these services only."""
    kept = Graph()
    for service, node in graph.nodes.items():
        if service in services:
            edges = {key: edge for key, edge in node.edges.items() if edge.target in services}
            kept.nodes[service] = replace(node, edges=edges)
    return kept


def _draw(graph: Graph, insight: Insight) -> Map:
    minutes = (insight.end - insight.start) / MINUTE_SECONDS
    return draw_map(graph, minutes, target=insight.root_cause, forms=(ROUND, ROUND))
