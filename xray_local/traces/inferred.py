"""Inferred segments: of services that send none, as far as their callers tell.

A subsegment with the namespace `aws` or `remote` that no segment names as its parent becomes a
segment of its own: `parent_id` is the subsegment, `inferred` is true, `origin` is the type of the
service, and times, flags and the blocks http, aws and sql are the subsegment's.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

A call that says `traced`, so that the trace is broken until its answer arrives, is treated as any
other: until then it has an inferred segment (doubtful).

Its own id is made of the ids of the trace and the subsegment, so that it stays the same. The
exceptions stay with the caller alone: they are what its code saw (doubtful).
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from .documents import as_text
from .services import find_kind, name_callee
from .trees import Element, walk_tree

BEGINNING = ("start_time", "trace_id", "end_time", "in_progress", "parent_id")
COPIED = ("error", "throttle", "fault", "http", "aws", "sql")


def infer_segments(trace_id: str, roots: Iterable[Element]) -> list[dict[str, Any]]:
    """Return the segments that the trace implies, in the order of the calls."""
    return [
        _infer(trace_id, element)
        for element, _ in walk_tree(list(roots))
        if not element.is_segment
        and element.content.get("namespace") in ("aws", "remote")
        and not any(child.is_segment for child in element.children)
    ]


def _infer(trace_id: str, call: Element) -> dict[str, Any]:
    content = call.content
    name = as_text(content.get("name")) or "unnamed"
    kind = find_kind(name) if content["namespace"] == "aws" else None
    known = content | {"trace_id": trace_id, "parent_id": call.id}
    segment = {
        "id": make_inferred_id(trace_id, call.id),
        "name": kind.name if kind else name,
        **{key: known[key] for key in BEGINNING if key in known},
        "inferred": True,
        **{key: content[key] for key in COPIED if key in content},
    }
    callee = name_callee(content)
    if callee is not None and callee.type is not None:
        segment["origin"] = callee.type
    return segment


def make_inferred_id(trace_id: str, call_id: str) -> str:
    """Return the id of the segment inferred from a subsegment."""
    return blake2b(f"{trace_id}/{call_id}".encode(), digest_size=8).hexdigest()
