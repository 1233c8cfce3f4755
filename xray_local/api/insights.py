"""The operations of insights, by the rules of `xray_local.graph.insights`.

https://docs.aws.amazon.com/xray/latest/api/API_GetInsightSummaries.html

Insights are found at reading, in all that is stored of the last 30 days; of a group with a filter
expression, in the traces that its graph is made of. Groups without InsightsEnabled have none. An
insight belongs to a range of time that it overlaps (doubtful: X-Ray says that it starts and ends in
it), and one that is active has an EndTime too, the end of the last minute that was anomalous.
"""

import time
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from xray_local.control.database import reading as reading_settings
from xray_local.control.groups import Group, find_group, list_groups
from xray_local.errors import InvalidRequest
from xray_local.filters import Filter, read_filter
from xray_local.graph import build_graph
from xray_local.graph.insights import (
    Event,
    Impact,
    Insight,
    find_insights,
    list_impacted,
)
from xray_local.graph.sources import collect_faulty, collect_tallies, find_fitting
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.traces.documents import show
from xray_local.traces.tallies import Tally

from .graphs import read_times
from .pages import take_page
from .wire import operation, read_integer, read_text, read_texts, require

KEPT_SECONDS = 30 * 86_400
# Clients' clocks, and the time that a request takes.
LATE_SECONDS = 60
GRAPH_SECONDS = 6 * 3600
SUMMARIES_MAX = 100
EVENTS_MAX = 50
GRAPH_ROWS = 1000
STATES = ("ACTIVE", "CLOSED")
INSIGHT_ID = (
    "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)


@operation
def get_insight_summaries(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the insights of a group in a range of time, the newest first."""
    start, end = _read_recent_times(fields)
    name, arn = _read_group_names(fields)
    states = read_texts(fields, "States", at_most=1) if fields.get("States") is not None else []
    for state in states:
        if state not in STATES:
            raise InvalidRequest(f"Expected one of {', '.join(STATES)}, got {show(state)}.")
    limit = read_integer(fields, "MaxResults", at_least=1, at_most=SUMMARIES_MAX)
    with reading_settings(get_parts(request).database) as settings:
        group = find_group(settings, name, arn)
    found = [
        insight
        for insight in list_insights(request, group)
        if insight.start < end and insight.end > start and (not states or _state(insight) in states)
    ]
    page, token = take_page(
        found, lambda each: (-each.start, each.id), _read_token(fields), limit or SUMMARIES_MAX
    )
    summaries = [_write_insight(each, group) | {"LastUpdateTime": each.end} for each in page]
    return {"InsightSummaries": summaries} | ({"NextToken": token} if token else {})


@operation
def get_insight(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return one insight."""
    insight, group = _find_insight(fields, request)
    return {"Insight": _write_insight(insight, group)}


@operation
def get_insight_events(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return what happened in each minute of an insight that was anomalous, the newest first."""
    limit = read_integer(fields, "MaxResults", at_least=1, at_most=EVENTS_MAX)
    insight, _ = _find_insight(fields, request)
    page, token = take_page(
        insight.events[::-1], lambda each: (-each.time,), _read_token(fields), limit or EVENTS_MAX
    )
    events = [_write_event(event) for event in page]
    return {"InsightEvents": events} | ({"NextToken": token} if token else {})


@operation
def get_insight_impact_graph(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the services from which calls lead to the root cause, and that itself."""
    start, end = _read_recent_times(fields)
    if end - start > GRAPH_SECONDS:
        raise InvalidRequest(
            f"Expected StartTime and EndTime at most 6 hours apart, got {end - start:g} seconds."
        )
    insight, group = _find_insight(fields, request)
    with reading(get_parts(request).database) as connection:
        fitting = find_fitting(connection, start, end, read_expression(group))
        tallies = collect_tallies(connection, start, end, fitting)
    services = _write_graph(tallies, insight)
    page, token = take_page(
        services, lambda each: (each["ReferenceId"],), _read_token(fields), GRAPH_ROWS
    )
    return {
        "InsightId": insight.id,
        "StartTime": start,
        "EndTime": end,
        "ServiceGraphStartTime": min((tally.first for tally in tallies), default=start),
        "ServiceGraphEndTime": max((tally.last for tally in tallies), default=end),
        "Services": page,
    } | ({"NextToken": token} if token else {})


def _read_recent_times(fields: dict[str, Any]) -> tuple[float, float]:
    start, end = read_times(fields)
    if start < time.time() - KEPT_SECONDS - LATE_SECONDS:
        raise InvalidRequest(f"Expected a StartTime of the last 30 days, got {show(start)}.")
    return start, end


def _read_group_names(fields: dict[str, Any]) -> tuple[str | None, str | None]:
    return (
        read_text(fields, "GroupName", at_least=1, at_most=32),
        read_text(fields, "GroupARN", at_least=1, at_most=400),
    )


def _read_token(fields: dict[str, Any]) -> str | None:
    return read_text(fields, "NextToken", at_least=1, at_most=2000)


def _find_insight(fields: dict[str, Any], request: HttpRequest) -> tuple[Insight, Group]:
    """Return the insight that InsightId names, and its group. Raises InvalidRequest."""
    insight_id = require(read_text(fields, "InsightId", pattern=INSIGHT_ID), "InsightId").lower()
    with reading_settings(get_parts(request).database) as settings:
        groups = list_groups(settings)
    for group in groups:
        for insight in list_insights(request, group):
            if insight.id == insight_id:
                return insight, group
    raise InvalidRequest(
        f"Expected an InsightId that GetInsightSummaries answers, got {show(insight_id)}."
    )


def list_insights(request: HttpRequest, group: Group) -> list[Insight]:
    """Return the insights of a group, the newest first; none where they are switched off."""
    if not group.has_insights:
        return []
    now = time.time()
    with reading(get_parts(request).database) as connection:
        minutes = collect_faulty(
            connection, now - KEPT_SECONDS, now + LATE_SECONDS, read_expression(group)
        )
    return find_insights(minutes, group.name, now)


def read_expression(group: Group) -> Filter | None:
    """Return what chooses the traces of the group, None for all."""
    return read_filter(group.expression) if group.expression else None


def _state(insight: Insight) -> str:
    return "ACTIVE" if insight.is_active else "CLOSED"


def _write_insight(insight: Insight, group: Group) -> dict[str, Any]:
    """Return the shape Insight, which is InsightSummary without LastUpdateTime."""
    return {
        "InsightId": insight.id,
        "GroupARN": group.arn,
        "GroupName": group.name,
        "RootCauseServiceId": insight.root_cause.to_api(),
        "Categories": ["FAULT"],
        "State": _state(insight),
        "StartTime": insight.start,
        "EndTime": insight.end,
        "Summary": summarise(insight),
        "ClientRequestImpactStatistics": _write_impact(insight.client_impact),
        "RootCauseServiceRequestImpactStatistics": _write_impact(insight.root_cause_impact),
        "TopAnomalousServices": _write_services(insight),
    }


def summarise(insight: Insight) -> str:
    """Return what happened, in words."""
    # Tools show what stands between the first full stop and the second.
    faults, total = insight.root_cause_impact
    return (
        f"More faults than usual. Of the {total} requests of the service that began it, {faults} "
        f"were faults, and of the {insight.client_impact.total} requests of clients "
        f"{insight.client_impact.faults}. That service is {insight.root_cause.name} "
        f"({insight.root_cause.type or 'of no known type'})."
    )


def _write_event(event: Event) -> dict[str, Any]:
    return {
        "Summary": (
            f"Of {event.root_cause.total} requests of the service that began it, "
            f"{event.root_cause.faults} were faults."
        ),
        "EventTime": event.time,
        "ClientRequestImpactStatistics": _write_impact(event.client),
        "RootCauseServiceRequestImpactStatistics": _write_impact(event.root_cause),
        "TopAnomalousServices": _write_services(event),
    }


def _write_impact(impact: Impact) -> dict[str, int]:
    return {
        "FaultCount": impact.faults,
        "OkCount": impact.total - impact.faults,
        "TotalCount": impact.total,
    }


def _write_services(found: Insight | Event) -> list[dict[str, Any]]:
    return [{"ServiceId": service.to_api()} for service in found.anomalous]


def _write_graph(tallies: Iterable[Tally], insight: Insight) -> list[dict[str, Any]]:
    """Return a list of the shape InsightImpactGraphService, in the order of the numbers."""
    tallies = list(tallies)
    impacted = list_impacted(tallies, insight.root_cause)
    nodes = [node for node in build_graph(tallies).list_nodes() if node.service in impacted]
    numbers = {node.service: number for number, node in enumerate(nodes)}
    return [
        {"ReferenceId": number, **node.service.to_api(), "Edges": edges}
        for number, node in enumerate(nodes)
        for edges in [
            [
                {"ReferenceId": numbers[target]}
                for target in sorted(
                    {edge.target for edge in node.edges.values()} & impacted,
                    key=numbers.__getitem__,
                )
            ]
        ]
    ]
