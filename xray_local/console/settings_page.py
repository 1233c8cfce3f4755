"""The screen of what is kept and what came: limits, theme, export, import, clearing, counts."""

import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from xray_local.control.database import changing, locate
from xray_local.control.limits import find_limits, keep_limits
from xray_local.errors import CannotTransfer, DatabaseUnusable, IntakeDown, InvalidRequest
from xray_local.filters import BadFilter
from xray_local.intake.arrivals import Document
from xray_local.intake.counts import count_kernel_drops, read_buffer_bytes
from xray_local.intake.pipeline import Limits
from xray_local.options import read_hours
from xray_local.parts import Parts, get_parts
from xray_local.store.database import reading
from xray_local.store.queries import RangeType, TimeRange, get_counts, list_refusals
from xray_local.store.usage import Usage, measure_usage
from xray_local.traces.documents import show
from xray_local.transfer.exports import END_OF_TIME, export
from xray_local.transfer.imports import MISTAKES_SHOWN, Report, import_lines

from .forms import Field, has_mistakes, read_fields
from .scope import Scope, read_scope
from .view import SeeOther, form_page, page, show_failure

# What one download holds at most: it is written to a file first, as its length has to be told.
EXPORTED_TRACES = 10_000
# How long a page waits for the writer to have deleted all.
CLEAR_SECONDS = 5.0
MEGABYTE = 1_000_000
# More than any disk has, and as many as SQLite counts.
NUMBER_DIGITS = 12
POLL_SECONDS = 0.02


@dataclass(slots=True)
class ImportReport(Report):
    """What became of a file that was sent; start, end: of the traces, seconds since 1970."""

    reasons: list[tuple[int, str]] = field(default_factory=list)
    trace_ids: set[str] = field(default_factory=set)
    start: float = END_OF_TIME
    end: float = 0.0

    def add_mistake(self, number: int, reason: object) -> None:
        """Keep what is wrong with a line, if not too much has been kept."""
        self.mistakes += 1
        if self.mistakes <= MISTAKES_SHOWN:
            self.reasons.append((number, str(reason)))

    @property
    def until(self) -> float:
        """A time after the last of them."""
        return self.end + 1

    def add(self, documents: Sequence[Document]) -> None:
        """Note of which traces the documents are, and of which time."""
        self.trace_ids.update(document.trace_id for document in documents)
        self.start = min(self.start, *(document.facts.start for document in documents))
        self.end = max(self.end, *(document.facts.end for document in documents))


@form_page
def show_settings(request: HttpRequest) -> HttpResponse:
    """Show the settings; take limits, a file to import, or the word that all traces are to go.

    ?clear=1 asks before they go.
    """
    scope = read_scope(request)
    report = None
    refusal = ""
    fields = _list_fields(get_parts(request).get_limits())
    shown = {field.name: field.value for field in fields}
    if request.method == "POST":
        try:
            match request.POST.get("do"):
                case "clear":
                    is_done = _clear(get_parts(request))
                    cleared = "done" if is_done else "soon"
                    return SeeOther(scope.link(reverse("settings"), cleared=cleared))
                case "limits":
                    typed = request.POST.dict()
                    fields, values = read_fields(fields, typed, partial(_read_limit, shown))
                    if not has_mistakes(fields):
                        _set_limits(get_parts(request), values)
                        return SeeOther(scope.link(reverse("settings"), saved="1"))
                case "import":
                    report = ImportReport()
                    _import(request, report)
                case unknown:
                    raise InvalidRequest(
                        f"Expected limits, import or clear as do, got {show(unknown)}."
                    )
        except (IntakeDown, _NoFile, _NotKept) as error:
            refusal = str(error)
    return render(
        request,
        "xray_local/settings.html",
        _make_context(request, scope) | {"report": report, "refusal": refusal, "fields": fields},
    )


@page
def show_counts(request: HttpRequest) -> HttpResponse:
    """Return what has been counted since the start, as JSON."""
    with reading(get_parts(request).database) as connection:
        return JsonResponse(_collect_counts(get_parts(request), get_counts(connection)))


@page
def download_traces(request: HttpRequest) -> HttpResponseBase:
    """Return the newest traces that fit as JSON Lines; ?all=1 for those of any time."""
    scope = read_scope(request)
    try:
        scope.read_filter()
    except BadFilter:
        # The page says what is wrong with it.
        return SeeOther(scope.link(reverse("settings")))
    time_range = (
        TimeRange(0.0, END_OF_TIME, RangeType.EVENT)
        if request.GET.get("all")
        else TimeRange(scope.start, scope.end, RangeType.EVENT)
    )
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    database = get_parts(request).database
    try:
        export(database, file, time_range, scope.expression or None, EXPORTED_TRACES)
    except CannotTransfer as error:
        file.close()
        return show_failure(request, 503, "The traces cannot be exported", str(error))
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename="traces.jsonl", content_type="application/jsonl"
    )


def _list_fields(limits: Limits) -> list[Field]:
    """Return the fields of the form of limits."""
    return [
        Field("megabytes", "Size in MB", kind="number", value=f"{limits.max_bytes / MEGABYTE:.0f}"),
        Field("traces", "Traces", kind="number", value=str(limits.max_traces)),
        Field("hours", "Hours", "0 for any", kind="number", value=str(limits.max_hours)),
    ]


def _read_limit(shown: Mapping[str, str], name: str, text: str) -> int | None:
    """Return the bytes, traces or hours; None where the text is what was shown."""
    if text == shown[name]:
        return None
    if name == "hours":
        return read_hours(text)
    is_number = text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS
    if not is_number or int(text) < 1:
        raise InvalidRequest(f"Expected a whole number from 1 on, got {show(text)}.")
    return int(text) * (MEGABYTE if name == "megabytes" else 1)


def _set_limits(parts: Parts, values: Mapping[str, int | None]) -> None:
    """Keep as much from now on, and after the next start. Raises IntakeDown, _NotKept.

    What was not changed stays to the byte, and what the command says is for this start alone.
    """

    def change(limits: Limits) -> Limits:
        hours = values["hours"]
        return Limits(
            values["megabytes"] or limits.max_bytes,
            values["traces"] or limits.max_traces,
            limits.max_hours if hours is None else hours,
        )

    kept = find_limits(parts.database)
    parts.set_limits(change(parts.get_limits()))
    try:
        with changing(parts.database) as connection:
            keep_limits(connection, change(kept))
    except (sqlite3.Error, DatabaseUnusable) as error:
        raise _NotKept(
            "This much is kept now, but after the next start as much as before: the settings "
            f"{str(locate(parts.database))!r} answered: {error}."
        ) from error


class _NotKept(InvalidRequest):
    """What was set holds, but for this start alone."""


class _NoFile(InvalidRequest):
    """The form came without what it is for."""


def _import(request: HttpRequest, report: ImportReport) -> None:
    """Pass on what the file holds. Raises IntakeDown, and then the report says how far it came."""
    upload = request.FILES.get("file")
    if upload is None or upload.file is None:
        raise _NoFile("Expected a file of traces, got none: choose one.")
    parts = get_parts(request)

    def save(documents: Sequence[Document]) -> None:
        parts.send([document.body for document in documents])
        report.add(documents)

    import_lines(upload.file, save, report)


def _clear(parts: Parts) -> bool:
    """Have all traces deleted; return whether that is done. Raises IntakeDown."""
    before = _count_clears(parts)
    parts.clear()
    deadline = time.monotonic() + CLEAR_SECONDS
    while _count_clears(parts) == before:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _count_clears(parts: Parts) -> int:
    with reading(parts.database) as connection:
        return get_counts(connection).get("clears", 0)


def _make_context(request: HttpRequest, scope: Scope) -> dict[str, Any]:
    parts = get_parts(request)
    with reading(parts.database) as connection:
        counts = get_counts(connection)
        refusals = list_refusals(connection)
        usage = measure_usage(connection)
    return {
        "section": "settings",
        "scope": scope,
        "counts": _collect_counts(parts, counts),
        "refusals": refusals,
        "database": parts.database,
        "limits": parts.get_limits(),
        "usage": usage,
        "shares": _list_shares(usage, parts),
        "exported": EXPORTED_TRACES,
        # Rounded down: the rest of the form needs room, too.
        "upload_megabytes": (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) // 1_000_000,
        "mistake": _find_mistake(scope),
        "address": request.get_host(),
        "is_clearing": "clear" in request.GET,
        "is_saved": "saved" in request.GET,
        "cleared": request.GET.get("cleared", ""),
    }


def _list_shares(usage: Usage, parts: Parts) -> list[tuple[str, float]]:
    """Return what is limited, and how many hundredths of it are used."""
    limits = parts.get_limits()
    return [
        ("of the size", min(100.0, 100 * usage.used_bytes / max(1, limits.max_bytes))),
        ("of the traces", min(100.0, 100 * usage.traces / max(1, limits.max_traces))),
    ]


def _find_mistake(scope: Scope) -> str:
    """Return what is wrong with the filter of the export, if something is."""
    try:
        scope.read_filter()
    except BadFilter as error:
        return str(error)
    return ""


def _collect_counts(parts: Parts, counts: dict[str, int]) -> dict[str, Any]:
    return (
        counts
        | parts.count_forwarded()
        | {
            "kernel_dropped": count_kernel_drops(parts.udp),
            "socket_buffer_bytes": read_buffer_bytes(parts.udp),
        }
    )
