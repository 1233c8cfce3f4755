"""The page of one trace: its timeline, with the details of each segment and subsegment."""

import json
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.errors import InvalidRequest
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import get_documents, get_summary
from xray_local.traces.facts import gather_facts
from xray_local.traces.summaries import find_root
from xray_local.traces.trees import build_tree
from xray_local.traces.whole import describe_trace

from .details import describe
from .lines import TraceLine
from .timeline import Timeline, draw_timeline
from .view import page

# A page with the details of more rows than this would be slow to load: each then has its own.
DETAILS_INLINE = 200
ROWS_PER_PAGE = 1000


@dataclass(frozen=True, slots=True)
class _Found:
    """A trace as it is stored."""

    line: TraceLine
    timeline: Timeline


@page
def show_trace(request: HttpRequest, trace_id: str) -> HttpResponse:
    """Show one trace; with ?element=ID one segment or subsegment of it."""
    found = _find_trace(request, trace_id)
    if found is None:
        return _show_missing(request, trace_id)
    if "element" in request.GET:
        return _show_element(request, found, request.GET["element"])
    rows = found.timeline.rows
    first = _read_row_number(request.GET.get("row"), len(rows))
    shown = rows[first : first + ROWS_PER_PAGE]
    is_inline = len(rows) <= DETAILS_INLINE
    context = {
        "line": found.line,
        "timeline": found.timeline,
        "entries": [(row, describe(row.element) if is_inline else None) for row in shown],
        "first": first + 1,
        "last": first + len(shown),
        "before": first - ROWS_PER_PAGE + 1 if first else None,
        "after": first + ROWS_PER_PAGE + 1 if first + len(shown) < len(rows) else None,
    }
    return render(request, "xray_local/trace.html", context)


def _show_element(request: HttpRequest, found: _Found, element_id: str) -> HttpResponse:
    for row in found.timeline.rows:
        if row.element.id == element_id:
            context = {
                "line": found.line,
                "timeline": found.timeline,
                "row": row,
                "details": describe(row.element),
            }
            return render(request, "xray_local/element.html", context)
    return _show_missing(request, found.line.id)


def _find_trace(request: HttpRequest, trace_id: str) -> _Found | None:
    with reading(get_parts(request).database) as connection:
        summary = get_summary(connection, trace_id)
        documents = get_documents(connection, trace_id)
    if summary is None or not documents:
        return None
    # The one that the list names the trace after.
    name = find_root([gather_facts(each) for each in documents]).service.name
    return _Found(TraceLine.read(summary, name), draw_timeline(build_tree(documents)))


def _read_row_number(text: str | None, rows: int) -> int:
    """Return the index of the row that a page begins with."""
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 0 < int(text) <= rows:
        raise InvalidRequest(f"Expected a row from 1 to {rows}, got {text[:50]!a}.")
    return int(text) - 1


def _show_missing(request: HttpRequest, trace_id: str) -> HttpResponse:
    context = {"trace_id": trace_id, "here": request.get_full_path()}
    return render(request, "xray_local/missing.html", context, status=404)


@page
def download_trace(request: HttpRequest, trace_id: str) -> HttpResponse:
    """Return the trace as BatchGetTraces does, but with documents that are JSON, not text."""
    with reading(get_parts(request).database) as connection:
        documents = get_documents(connection, trace_id)
    if not documents:
        return _show_missing(request, trace_id)
    trace = describe_trace(trace_id, documents)
    return HttpResponse(json.dumps(trace), content_type="application/json")
