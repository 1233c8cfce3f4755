"""What stands out in a trace: exceptions, calls that come again, what is late, lost or unfinished.

And where its time went: the critical path by kind of work.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xray_local.traces.documents import as_list, as_mapping
from xray_local.traces.trees import Element

from .details import Failure, list_failures
from .operations import Operation, name_kind
from .outline import Outline, Place
from .shares import Share, divide
from .sql_format import lay_out
from .timeline import SKEW_SECONDS, measure_lag, measure_lead

# The same call as often as this is told.
SAME_LEAST = 3
SAME_SHOWN = 5
FAILURES_SHOWN = 5
PLACES_SHOWN = 20
KINDS = {
    "segment": "the services themselves",
    "local": "own code",
    "sql": "SQL",
    "aws": "AWS",
    "remote": "remote calls",
}


@dataclass(frozen=True, slots=True)
class Same:
    """A call that the trace makes again and again."""

    operation: Operation
    places: Sequence[Place]
    duration_ms: float  # of all together

    @property
    def count(self) -> int:
        """How often."""
        return len(self.places)

    @property
    def text(self) -> str:
        """What is called, a query laid out in lines."""
        return lay_out(self.operation.note)


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception, and where it passed."""

    failure: Failure
    places: Sequence[Place]


@dataclass(slots=True)
class Oddities:
    """What of the trace cannot be taken as it is."""

    open: list[Place]
    orphans: list[Place]
    skewed: list[Place]  # began before their parents
    lead_ms: float  # by how much at most
    late: list[Place]  # ended after their parents
    lag_ms: float


def list_same(outline: Outline) -> list[Same]:
    """Return the calls that come most often, those that took longest first."""
    found = [
        Same(call, places, _sum_ms(places))
        for call, places in outline.calls.items()
        if len(places) >= SAME_LEAST
    ]
    found.sort(key=lambda each: (-each.duration_ms, -each.count))
    return found[:SAME_SHOWN]


def list_queries(outline: Outline) -> list[Same]:
    """Return every query once: the most frequent first, then the one that took longest."""
    found = [
        Same(call, places, _sum_ms(places))
        for call, places in outline.calls.items()
        if call.kind == "sql"
    ]
    return sorted(found, key=lambda each: (-each.count, -each.duration_ms))


def list_raised(outline: Outline) -> list[Raised]:
    """Return each exception once, the innermost place first; those that came first first."""
    found: dict[tuple[str, str], tuple[Failure, list[Place]]] = {}
    for place in outline.places:
        cause = place.element.content.get("cause")
        if cause is None:
            continue
        if not as_list(as_mapping(cause).get("exceptions")):
            continue
        for failure in list_failures(cause):
            found.setdefault((failure.type, failure.message), (failure, []))[1].append(place)
    raised = []
    for failure, places in list(found.values())[:FAILURES_SHOWN]:
        innermost = sorted(places, key=lambda place: -place.depth)
        raised.append(Raised(failure, innermost[:PLACES_SHOWN]))
    return raised


def find_oddities(outline: Outline) -> Oddities:
    """Return what is unfinished, lost, or told by clocks that differ."""
    found = Oddities([], [], [], 0.0, [], 0.0)
    for place in outline.places:
        element = place.element
        if element.is_open:
            found.open.append(place)
        if element.parent is None:
            if element.is_orphan:
                found.orphans.append(place)
            continue
        if _is_within(element, element.parent):
            continue
        lead, lag = measure_lead(element), measure_lag(element)
        if lead > SKEW_SECONDS:
            found.skewed.append(place)
            found.lead_ms = max(found.lead_ms, 1000 * lead)
        if lag > SKEW_SECONDS:
            found.late.append(place)
            found.lag_ms = max(found.lag_ms, 1000 * lag)
    return found


def _is_within(element: Element, parent: Element) -> bool:
    """Whether it is known that it ran within its parent, as nearly all do."""
    start, end, first, last = element.start, element.end, parent.start, parent.end
    if start is None or end is None or first is None or last is None:
        return False
    return first <= start and end <= last


def divide_path(outline: Outline) -> list[Share]:
    """Return the kinds of work on the critical path, the longest first."""
    seconds: dict[str, float] = {}
    path = outline.path
    for place in outline.places:
        intervals = path.get(place.element)
        if intervals:
            kind = name_kind(place.element)
            took = seconds.get(kind, 0.0)
            for each in intervals:
                took += each.end - each.start
            seconds[kind] = took
    longest = dict(sorted(seconds.items(), key=lambda item: -item[1]))
    return divide(longest, KINDS)


def _sum_ms(places: Sequence[Place]) -> float:
    return sum(
        1000 * max(0.0, each.element.end - each.element.start)
        for each in places
        if each.element.start is not None and each.element.end is not None
    )
