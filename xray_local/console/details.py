"""Everything that a document says of one segment or subsegment, in groups, as text for a page."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from xray_local.traces.documents import as_list, as_mapping, as_text, as_time
from xray_local.traces.trees import Element

from .times import write_moment

FRAMES_SHOWN = 100
EXCEPTIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Group:
    """A heading with names and values under it."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception with its stack, the innermost frame first."""

    id: str
    type: str
    message: str
    is_remote: bool
    frames: tuple[str, ...]
    frames_left_out: int


@dataclass(frozen=True, slots=True)
class Details:
    """What the pane of one element shows."""

    groups: tuple[Group, ...]
    failures: tuple[Failure, ...]
    cause_id: str  # the id of an exception that another element of the trace tells
    metadata: tuple[tuple[str, str], ...]
    raw: str


def describe(element: Element) -> Details:
    """Return all there is to say of the element."""
    content = element.content
    http = as_mapping(content.get("http"))
    groups = (
        Group("Overview", tuple(_list_overview(element))),
        Group("Request", _list_pairs(http.get("request"))),
        Group("Response", _list_pairs(http.get("response"))),
        Group("AWS", _list_pairs(content.get("aws"))),
        Group("SQL", _list_pairs(content.get("sql"))),
        Group("Annotations", _list_pairs(content.get("annotations"))),
        Group("Service", _list_pairs(content.get("service"))),
    )
    cause = content.get("cause")
    return Details(
        groups=tuple(group for group in groups if group.pairs),
        failures=tuple(_list_failures(cause)),
        cause_id=as_text(cause, 100) or "",
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
    for title, key in (("Start", "start_time"), ("End", "end_time")):
        time = as_time(content.get(key))
        if time is not None:
            yield title, f"{write_moment(time)} ({content[key]})"
        elif key in content:
            yield title, f"{_write(content[key])} (not a time)"
    for key in ("fault", "error", "throttle", "in_progress", "traced"):
        if content.get(key) is True:
            yield key.replace("_", " ").capitalize(), "yes"
    for key in ("resource_arn", "precursor_ids", "links"):
        if content.get(key):
            yield key.replace("_", " ").capitalize(), _write(content[key])


def _list_pairs(block: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(block, dict):
        return () if block is None else (("(unexpected)", _write(block)),)
    return tuple((key, _write(value)) for key, value in block.items())


def _write(value: object) -> str:
    return value if isinstance(value, str) else write_json(value)


def _list_failures(cause: object) -> Iterable[Failure]:
    for exception in as_list(as_mapping(cause).get("exceptions"))[:EXCEPTIONS_SHOWN]:
        known: dict[str, Any] = as_mapping(exception)
        stack = as_list(known.get("stack"))
        yield Failure(
            id=as_text(known.get("id"), 100) or "",
            type=as_text(known.get("type"), 500) or "Exception",
            message=as_text(known.get("message"), 20_000) or "",
            is_remote=known.get("remote") is True,
            frames=tuple(_write_frame(as_mapping(frame)) for frame in stack[:FRAMES_SHOWN]),
            frames_left_out=max(0, len(stack) - FRAMES_SHOWN) + _as_count(known.get("truncated")),
        )


def _write_frame(frame: dict[str, Any]) -> str:
    label, path = (as_text(frame.get(key)) or "?" for key in ("label", "path"))
    return f"{label} ({path}:{_write(frame.get('line', '?'))})"


def _as_count(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 1_000_000 else 0
