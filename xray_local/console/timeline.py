"""The timeline of a trace: a row for each segment and subsegment, with a bar on a common scale."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xray_local.traces.documents import as_mapping, as_text
from xray_local.traces.facts import as_status
from xray_local.traces.trees import Element, walk_tree

# Units across the drawing; its width on the screen is the style sheet's business.
SCALE = 1000.0
# A bar narrower than this could not be seen.
NARROWEST_BAR = 3.0
# The style sheet indents this many levels; deeper rows stand under each other.
DEEPEST_INDENT = 15


@dataclass(frozen=True, slots=True)
class Row:
    """A segment or subsegment in the timeline."""

    element: Element
    name: str
    level: int  # 1 is a root
    indent: int
    kind: str  # segment, aws, remote, sql or local; also the class of its bar
    flags: tuple[str, ...]
    status: int | None
    note: str  # what it did, in a few words
    query: str | None
    query_count: int  # how often the same query stands in the trace
    offset_ms: float | None  # after the start of the trace
    duration_ms: float | None  # None while it is in progress
    bar_x: float
    bar_width: float


@dataclass(frozen=True, slots=True)
class Query:
    """A query and how often the trace has it."""

    text: str
    count: int
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """All rows of a trace."""

    rows: tuple[Row, ...]
    start: float | None  # seconds since 1970
    duration_ms: float
    queries: tuple[Query, ...]

    @property
    def ticks_ms(self) -> list[float]:
        """The times at the quarters of the scale."""
        return [self.duration_ms * quarter / 4 for quarter in range(5)]


def draw_timeline(roots: Sequence[Element]) -> Timeline:
    """Return the rows of the trace, parents before children, and what they have in common."""
    placed = list(walk_tree(list(roots)))
    times = [
        time for element, _ in placed for time in (element.start, element.end) if time is not None
    ]
    start, end = (min(times), max(times)) if times else (None, None)
    length = (end - start) if start is not None and end is not None else 0.0
    counts = Counter(query for element, _ in placed if (query := read_query(element)))
    rows = tuple(_make_row(element, depth, start, length, counts) for element, depth in placed)
    return Timeline(rows, start, length * 1000, tuple(_list_queries(rows)))


def _make_row(
    element: Element, depth: int, trace_start: float | None, length: float, counts: Counter[str]
) -> Row:
    start, end = element.start, element.end
    query = read_query(element)
    if start is None or trace_start is None:
        offset, bar_x, bar_width = None, 0.0, 0.0
    else:
        offset = start - trace_start
        # What is in progress reaches as far as the trace is known.
        until = end if end is not None else trace_start + length
        scale = SCALE / length if length else 0.0
        bar_width = max(NARROWEST_BAR, (until - start) * scale)
        bar_x = min(offset * scale, SCALE - NARROWEST_BAR)
    return Row(
        element=element,
        name=as_text(element.content.get("name"), 500) or "unnamed",
        level=depth + 1,
        indent=min(depth, DEEPEST_INDENT),
        kind=name_kind(element),
        flags=read_flags(element),
        status=_read_status(element),
        note=describe_briefly(element),
        query=query,
        query_count=counts[query] if query else 0,
        offset_ms=None if offset is None else offset * 1000,
        duration_ms=None if start is None or end is None else max(0.0, end - start) * 1000,
        bar_x=bar_x,
        bar_width=bar_width,
    )


def name_kind(element: Element) -> str:
    """Return what sort of work the element is."""
    if element.is_segment:
        return "segment"
    if isinstance(element.content.get("sql"), dict):
        return "sql"
    namespace = element.content.get("namespace")
    return namespace if namespace in ("aws", "remote") else "local"


def read_flags(element: Element) -> tuple[str, ...]:
    """Return what is to be said of the element beside its name; nothing if all is well."""
    flags = [name for name in ("fault", "error", "throttle") if element.content.get(name) is True]
    if element.is_open:
        flags.append("in progress")
    if element.is_orphan:
        flags.append("orphan")
    return tuple(flags)


def read_query(element: Element) -> str | None:
    """Return the SQL of the element, if it has any; the SDK has taken the values out of it."""
    return as_text(as_mapping(element.content.get("sql")).get("sanitized_query"), 20_000)


def describe_briefly(element: Element) -> str:
    """Return the method and URL, or the operation and its table, or the query: one line."""
    request = as_mapping(as_mapping(element.content.get("http")).get("request"))
    aws = as_mapping(element.content.get("aws"))
    words = [as_text(aws.get("operation"), 100)]
    words += [as_text(aws.get(key), 200) for key in ("table_name", "bucket_name", "key")]
    if not any(words):
        words = [as_text(request.get("method"), 20), as_text(request.get("url"), 500)]
    if not any(words):
        words = [" ".join((read_query(element) or "").split())[:200]]
    return " ".join(word for word in words if word)


def _read_status(element: Element) -> int | None:
    response = as_mapping(as_mapping(element.content.get("http")).get("response"))
    return as_status(response.get("status"))


def _list_queries(rows: Iterable[Row]) -> list[Query]:
    """Return each query once: the most frequent first, then the one that took longest."""
    durations: dict[str, float] = {}
    for row in rows:
        if row.query:
            durations[row.query] = durations.get(row.query, 0.0) + (row.duration_ms or 0.0)
    counts: dict[str, Any] = {row.query: row.query_count for row in rows if row.query}
    queries = [Query(text, counts[text], duration) for text, duration in durations.items()]
    return sorted(queries, key=lambda query: (-query.count, -query.duration_ms))
