"""Insights: when more requests of a service were faults than usual, and which service began it.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-insights.html

How X-Ray finds them is not documented. The rules here are ours, and made of the counts of each
minute alone, so that they find the same each time:

- A minute of a service is anomalous when at least FAULTS_MIN of its requests were faults, and more
  than SHARE_MIN of them, and more than FACTOR times the share in the hour before.
- Anomalous minutes of services that call each other with faults make one insight, as long as no
  more than QUIET_MINUTES pass between one and the next. It is active until then, and closed after.
- The root cause is the service at the end of the calls that were faults: of those that had faults
  and called nobody that had, the one with the most faults.
- Clients are impacted at the roots that the root cause can be reached from.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from xray_local.graph import build_graph
from xray_local.store.rollups import MINUTE_SECONDS
from xray_local.traces.services import Service
from xray_local.traces.tallies import Tally

BEFORE_SECONDS = 3600
FAULTS_MIN = 5
SHARE_MIN = 0.05
FACTOR = 3
QUIET_MINUTES = 10

# What was counted, by the time at which each minute begins.
Minutes = Mapping[float, list[Tally]]


class Impact(NamedTuple):
    """How many requests there were, and how many of them were faults."""

    faults: int = 0
    total: int = 0

    def __add__(self, other: object) -> "Impact":
        """Return what both are together."""
        if not isinstance(other, Impact):
            return NotImplemented
        return Impact(self.faults + other.faults, self.total + other.total)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in one minute of an insight; time is its end, in seconds since 1970."""

    time: float
    client: Impact
    root_cause: Impact
    anomalous: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class Insight:
    """A time in which there were more faults than usual; seconds since 1970.

    anomalous: the services whose faults were more than usual, those with the most faults first.
    """

    id: str
    start: float
    end: float
    is_active: bool
    root_cause: Service
    anomalous: tuple[Service, ...]
    client_impact: Impact
    root_cause_impact: Impact
    events: tuple[Event, ...]


def find_insights(minutes: Minutes, group: str, now: float) -> list[Insight]:
    """Return the insights of a group, the newest first.

    minutes: of the group's traces, all of the minutes of `find_spans`; and of each service that had
    FAULTS_MIN faults in some minute, what it did then and in the hour before.
    """
    insights = [
        _describe(minutes, group, now, cluster)
        for span in _split(_find_anomalies(minutes))
        for cluster in _connect(minutes, span)
    ]
    return sorted(insights, key=lambda insight: (-insight.start, insight.id))


def find_spans(minutes: Minutes) -> list[tuple[float, float]]:
    """Return the first and the last minute of each time in which minutes are anomalous."""
    return [
        (min(time for time, _ in span), max(time for time, _ in span))
        for span in _split(_find_anomalies(minutes))
    ]


def list_impacted(tallies: Iterable[Tally], cause: Service) -> set[Service]:
    """Return the service and all from which calls lead to it."""
    callers: dict[Service, set[Service]] = {}
    for node in build_graph(tallies).nodes.values():
        for edge in node.edges.values():
            callers.setdefault(edge.target, set()).add(node.service)
    found, pending = {cause}, [cause]
    while pending:
        for caller in callers.get(pending.pop(), set()) - found:
            found.add(caller)
            pending.append(caller)
    return found


_Anomalies = set[tuple[float, Service]]


def count_requests(tallies: Iterable[Tally]) -> dict[Service, Impact]:
    """Return what was completed, by service."""
    found: dict[Service, Impact] = {}
    for tally in tallies:
        shape = tally.shape
        if shape.is_node and not shape.is_partial:
            impact = Impact(tally.count if shape.has_fault else 0, tally.count)
            found[shape.service] = found.get(shape.service, Impact()) + impact
    return found


def _find_anomalies(minutes: Minutes) -> _Anomalies:
    """Return the anomalous minutes, each with the service."""
    counts = {time: count_requests(tallies) for time, tallies in minutes.items()}
    found: _Anomalies = set()
    for time, services in counts.items():
        for service, impact in services.items():
            if impact.faults < FAULTS_MIN:
                continue
            faults = total = 0
            for step in range(MINUTE_SECONDS, BEFORE_SECONDS + 1, MINUTE_SECONDS):
                before = counts.get(time - step, {}).get(service)
                if before is not None:
                    faults += before.faults
                    total += before.total
            usual = faults / total if total else 0.0
            if impact.faults / impact.total > max(SHARE_MIN, FACTOR * usual):
                found.add((time, service))
    return found


def _split(anomalies: _Anomalies) -> list[_Anomalies]:
    """Return the anomalies of each time between longer times of quiet."""
    spans: list[_Anomalies] = []
    last = 0.0
    for time, service in sorted(anomalies, key=lambda each: each[0]):
        if not spans or time - last > QUIET_MINUTES * MINUTE_SECONDS:
            spans.append(set())
        spans[-1].add((time, service))
        last = time
    return spans


def _connect(minutes: Minutes, span: _Anomalies) -> list[_Anomalies]:
    """Return the anomalies of services that hang together by calls that were faults."""
    start, end = min(time for time, _ in span), max(time for time, _ in span)
    neighbours: dict[Service, set[Service]] = {}
    for tally in _list_tallies(minutes, start, end):
        shape = tally.shape
        if shape.source is not None and shape.has_fault:
            neighbours.setdefault(shape.source, set()).add(shape.service)
            neighbours.setdefault(shape.service, set()).add(shape.source)
    left = {service for _, service in span}
    clusters: list[_Anomalies] = []
    for service in sorted(left, key=_order):
        if service not in left:
            continue
        reached, pending = {service}, [service]
        while pending:
            for other in neighbours.get(pending.pop(), set()) - reached:
                reached.add(other)
                pending.append(other)
        left -= reached
        # Those that do not call each other may have had their faults at different times.
        clusters += _split({each for each in span if each[1] in reached})
    return clusters


def _describe(minutes: Minutes, group: str, now: float, anomalies: _Anomalies) -> Insight:
    times = sorted({time for time, _ in anomalies})
    start, end = times[0], times[-1] + MINUTE_SECONDS
    tallies = _list_tallies(minutes, start, times[-1])
    cause = _find_cause(tallies, {service for _, service in anomalies})
    impacted = list_impacted(tallies, cause)
    counts = count_requests(tallies)
    return Insight(
        id=_make_id(group, cause, start),
        start=start,
        end=end,
        is_active=end + QUIET_MINUTES * MINUTE_SECONDS > now,
        root_cause=cause,
        anomalous=_sort({service for _, service in anomalies}, counts),
        client_impact=_count_roots(tallies, impacted),
        root_cause_impact=counts.get(cause, Impact()),
        events=tuple(
            Event(
                time + MINUTE_SECONDS,
                _count_roots(minutes[time], impacted),
                count_requests(minutes[time]).get(cause, Impact()),
                _sort(
                    {each for at, each in anomalies if at == time}, count_requests(minutes[time])
                ),
            )
            for time in times
        ),
    )


def _list_tallies(minutes: Minutes, start: float, last: float) -> list[Tally]:
    """Return what was counted in the minutes from one to the other, both included."""
    return [
        tally for time, tallies in minutes.items() if start <= time <= last for tally in tallies
    ]


def _find_cause(tallies: Iterable[Tally], anomalous: set[Service]) -> Service:
    """Return the service at the end of the calls that were faults."""
    faults: Counter[Service] = Counter()
    called: dict[Service, set[Service]] = {}
    for tally in tallies:
        shape = tally.shape
        if shape.has_fault and shape.is_node:
            faults[shape.service] += tally.count
        if shape.has_fault and shape.source is not None and shape.source != shape.service:
            called.setdefault(shape.source, set()).add(shape.service)
    reached, pending = set(anomalous), list(anomalous)
    while pending:
        for service in called.get(pending.pop(), set()) - reached:
            reached.add(service)
            pending.append(service)
    # In a circle everybody calls somebody: then it is the one with the most faults.
    ends = {each for each in reached if not called.get(each) and faults[each]} or anomalous
    return min(ends, key=lambda service: (-faults[service], _order(service)))


def _count_roots(tallies: Iterable[Tally], impacted: set[Service]) -> Impact:
    """Return what clients asked of the roots that are impacted."""
    roots = [each for each in tallies if each.shape.is_root and each.shape.service in impacted]
    return sum(count_requests(roots).values(), Impact())


def _sort(services: set[Service], counts: Mapping[Service, Impact]) -> tuple[Service, ...]:
    """Return the services, those with the most faults first."""
    return tuple(
        sorted(
            services,
            key=lambda service: (-counts.get(service, Impact()).faults, _order(service)),
        )
    )


def _order(service: Service) -> tuple[str, ...]:
    return tuple(part or "" for part in service)


def _make_id(group: str, cause: Service, start: float) -> str:
    """Return the id of the insight: a UUID that is the same each time."""
    text = repr((group, tuple(cause), int(start)))
    return str(UUID(bytes=blake2b(text.encode(), digest_size=16).digest(), version=5))
