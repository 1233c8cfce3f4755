"""The console: pages about what has been stored, for a browser."""

import functools
import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from xray_local.control.groups import read_groups
from xray_local.errors import DatabaseUnusable, InvalidRequest
from xray_local.filters import BadFilter, read_filter
from xray_local.intake.counts import count_kernel_drops, read_buffer_bytes
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import (
    Page,
    get_counts,
    get_documents,
    get_summary,
    list_refusals,
    list_traces,
)
from xray_local.traces.facts import gather_facts
from xray_local.traces.summaries import find_root
from xray_local.traces.trees import build_tree
from xray_local.traces.whole import describe_trace

from .details import describe
from .lines import TraceLine, make_lines
from .timeline import Timeline, draw_timeline

ASSET_TYPES = {"console.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
ASSET_FILES = {name: Path(__file__).parent.parent / "assets" / name for name in ASSET_TYPES}
# A page with the details of more rows than this would be slow to load: each then has its own.
DETAILS_INLINE = 200
ROWS_PER_PAGE = 1000

View = Callable[..., HttpResponse]


def page(function: View) -> View:
    """Make a page of a view: only for reading, with words for what can go wrong."""

    @require_safe
    @functools.wraps(function)
    def view(request: HttpRequest, **arguments: str) -> HttpResponse:
        try:
            response = function(request, **arguments)
        except InvalidRequest as error:
            return show_failure(request, 400, "This link does not lead anywhere", str(error))
        except DatabaseUnusable as error:
            return show_failure(request, 503, "The groups cannot be read", str(error))
        except sqlite3.Error as error:
            return show_failure(
                request,
                503,
                "The traces cannot be read",
                f"The database {str(get_parts(request).database)!r} answered: {error}.",
            )
        # What is shown may be different a moment later.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return view


@page
def show_traces(request: HttpRequest) -> HttpResponse:
    """Show the newest traces; with ?filter= those that fit the filter expression."""
    expression = request.GET.get("filter", "").strip()
    mistake = None
    found = Page((), (), 0, None, None)
    groups = read_groups(get_parts(request).database) if expression else {}
    with reading(get_parts(request).database) as connection:
        try:
            chosen = read_filter(expression, groups) if expression else None
        except BadFilter as error:
            mistake = error
        else:
            token = request.GET.get("after")
            found = list_traces(connection, chosen=chosen, token=token, limit=50)
        counts = get_counts(connection)
    context = {
        "section": "traces",
        "lines": make_lines(found),
        "next": found.next_token,
        "is_first": "after" not in request.GET,
        "filter": expression,
        "mistake": mistake,
        "processed": found.processed,
        "counts": counts,
        "address": request.get_host(),
    }
    return render(request, "xray_local/traces.html", context, status=400 if mistake else 200)


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


@page
def show_status(request: HttpRequest) -> HttpResponse:
    """Show what has been counted, and why documents were refused."""
    with reading(get_parts(request).database) as connection:
        refusals = list_refusals(connection)
    context = {
        "section": "status",
        "counts": _collect_counts(request),
        "refusals": refusals,
        "database": get_parts(request).database,
    }
    return render(request, "xray_local/status.html", context)


@page
def show_counts(request: HttpRequest) -> HttpResponse:
    """Return what has been counted since the start, as JSON."""
    return JsonResponse(_collect_counts(request))


def _collect_counts(request: HttpRequest) -> dict[str, Any]:
    parts = get_parts(request)
    with reading(parts.database) as connection:
        counts = get_counts(connection)
    return (
        counts
        | parts.count_forwarded()
        | {
            "kernel_dropped": count_kernel_drops(parts.udp),
            "socket_buffer_bytes": read_buffer_bytes(parts.udp),
        }
    )


@require_safe
def show_asset(request: HttpRequest, name: str) -> HttpResponse:
    """Return a style sheet or a drawing."""
    content = ASSET_FILES[name].read_bytes()
    # The link names the version, so a browser may keep what it has for good.
    return HttpResponse(
        content,
        content_type=ASSET_TYPES[name],
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )


@functools.cache
def link_asset(name: str) -> str:
    """Return the path of an asset, with the version of what is in it."""
    version = hashlib.sha256(ASSET_FILES[name].read_bytes()).hexdigest()[:12]
    return f"{reverse('asset', kwargs={'name': name})}?{urlencode({'v': version})}"


def show_failure(request: HttpRequest, status: int, title: str, reason: str) -> HttpResponse:
    """Show that something went wrong, and what."""
    context = {"title": title, "reason": reason}
    return render(request, "xray_local/failure.html", context, status=status)


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere."""
    return show_failure(
        request, 404, "There is nothing here", f"No page has the path {request.path[:200]!r}."
    )
