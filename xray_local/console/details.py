"""Everything that a document says of one segment or subsegment, in groups, as text for a page."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from xray_local.traces.documents import TRACE_ID, as_list, as_mapping, as_text, as_time
from xray_local.traces.trees import Element

from .intervals import find_interval, measure_own
from .operations import read_query
from .outline import Outline
from .sql_format import lay_out
from .timeline import SKEW_SECONDS, measure_lag, measure_lead
from .times import write_duration, write_moment

FRAMES_SHOWN = 100
EXCEPTIONS_SHOWN = 20
LINKS_SHOWN = 20
# Where code lives that is not the application's own.
LIBRARY = re.compile(
    r"site-packages|dist-packages|node_modules|lib/python[0-9]|^/(?:var/runtime|var/lang|opt)/"
    r"|^<|^node:|/\.venv/"
)


@dataclass(frozen=True, slots=True)
class Group:
    """A heading with names and values under it."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A line of a stack."""

    label: str
    path: str
    line: str
    is_library: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception with its stack, the innermost frame first."""

    id: str
    type: str
    message: str
    is_remote: bool
    frames: tuple[Frame, ...]
    frames_left_out: int

    @property
    def origin(self) -> Frame | None:
        """The innermost frame of the application's own code, else the innermost of all."""
        own = (frame for frame in self.frames if not frame.is_library)
        return next(own, self.frames[0] if self.frames else None)


@dataclass(frozen=True, slots=True)
class LinkedTrace:
    """A segment of another trace that this one was caused by."""

    trace_id: str
    element_id: str


@dataclass(frozen=True, slots=True)
class Details:
    """What the pane of one element shows."""

    groups: tuple[Group, ...]
    failures: tuple[Failure, ...]
    cause_id: str  # the id of an exception that another element of the trace tells
    query: str  # laid out
    links: tuple[LinkedTrace, ...]
    metadata: tuple[tuple[str, str], ...]
    raw: str


def describe(element: Element, outline: Outline) -> Details:
    """Return all there is to say of an element of the trace."""
    content = element.content
    http = as_mapping(content.get("http"))
    sql = content.get("sql")
    query = read_query(element) or ""
    if isinstance(sql, dict):
        sql = {key: value for key, value in sql.items() if key != "sanitized_query" or not query}
    groups = (
        Group("Overview", tuple(_list_overview(element))),
        Group("Times", tuple(_list_times(element, outline))),
        Group("Request", _list_pairs(http.get("request"))),
        Group("Response", _list_pairs(http.get("response"))),
        Group("Database", _list_pairs(sql)),
        Group("Resources", _list_pairs(content.get("aws"))),
        Group("Service", _list_pairs(content.get("service"))),
        Group("Annotations", _list_pairs(content.get("annotations"))),
    )
    cause = content.get("cause")
    return Details(
        groups=tuple(group for group in groups if group.pairs),
        failures=tuple(list_failures(cause)),
        cause_id=as_text(cause, 100) or "",
        query=lay_out(query),
        links=tuple(_list_links(content.get("links"))),
        metadata=tuple(
            (namespace, write_json(values))
            for namespace, values in as_mapping(content.get("metadata")).items()
        ),
        # What is embedded has rows of its own.
        raw=write_json({key: value for key, value in content.items() if key != "subsegments"}),
    )


def write_json(value: object) -> str:
    """Return the value as JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _list_overview(element: Element) -> Iterable[tuple[str, str]]:
    content = element.content
    yield "Id", element.id or "none"
    yield "Kind", "segment" if element.is_segment else "subsegment"
    if element.parent_id or element.parent:
        known = element.parent.id if element.parent else f"{element.parent_id} (has not arrived)"
        yield "Parent", known
    for title, key in (("Origin", "origin"), ("Namespace", "namespace"), ("User", "user")):
        if key in content:
            yield title, _write(content[key])
    for key in ("fault", "error", "throttle", "in_progress", "traced"):
        if content.get(key) is True:
            yield key.replace("_", " ").capitalize(), "yes"
    for key in ("resource_arn", "precursor_ids"):
        if content.get(key):
            yield key.replace("_", " ").capitalize(), _write(content[key])


def _list_times(element: Element, outline: Outline) -> Iterable[tuple[str, str]]:
    content = element.content
    for title, key in (("Start", "start_time"), ("End", "end_time")):
        time = as_time(content.get(key))
        if time is not None:
            yield title, f"{write_moment(time)} ({content[key]})"
        elif key in content:
            yield title, f"{_write(content[key])} (not a time)"
    whole = find_interval(element, outline.end)
    if whole is None or outline.start is None:
        return
    yield "After the trace's start", write_duration(1000 * (whole.start - outline.start))
    if element.end is None:
        yield "Duration", "in progress"
    else:
        yield "Duration", write_duration(1000 * whole.seconds)
    if element.children:
        yield "Self time", write_duration(1000 * measure_own(element, outline.end))
    on_path = sum(interval.seconds for interval in outline.path.get(element, ()))
    yield "On the critical path", write_duration(1000 * on_path)
    lead, lag = measure_lead(element), measure_lag(element)
    if lead > SKEW_SECONDS:
        words = "before its parent: their clocks differ by that much or more"
        yield "Began", f"{write_duration(1000 * lead)} {words}"
    if lag > SKEW_SECONDS:
        words = "after its parent: nobody waited for it, or their clocks differ"
        yield "Ended", f"{write_duration(1000 * lag)} {words}"


def _list_links(links: object) -> Iterable[LinkedTrace]:
    for link in map(as_mapping, as_list(links)[:LINKS_SHOWN]):
        trace_id = as_text(link.get("trace_id")) or ""
        if TRACE_ID.fullmatch(trace_id):
            yield LinkedTrace(trace_id, as_text(link.get("id")) or "")


def _list_pairs(block: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(block, dict):
        return () if block is None else (("(unexpected)", _write(block)),)
    return tuple((key, _write(value)) for key, value in block.items())


def _write(value: object) -> str:
    return value if isinstance(value, str) else write_json(value)


def list_failures(cause: object) -> Iterable[Failure]:
    """Yield the exceptions of a cause."""
    for exception in as_list(as_mapping(cause).get("exceptions"))[:EXCEPTIONS_SHOWN]:
        known: dict[str, Any] = as_mapping(exception)
        stack = as_list(known.get("stack"))
        yield Failure(
            id=as_text(known.get("id"), 100) or "",
            type=as_text(known.get("type"), 500) or "Exception",
            message=as_text(known.get("message"), 20_000) or "",
            is_remote=known.get("remote") is True,
            frames=tuple(_read_frame(as_mapping(frame)) for frame in stack[:FRAMES_SHOWN]),
            frames_left_out=max(0, len(stack) - FRAMES_SHOWN) + _as_count(known.get("truncated")),
        )


def _read_frame(frame: dict[str, Any]) -> Frame:
    label, path = (as_text(frame.get(key)) or "?" for key in ("label", "path"))
    return Frame(label, path, _write(frame.get("line", "?")), bool(LIBRARY.search(path)))


def _as_count(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 1_000_000 else 0
