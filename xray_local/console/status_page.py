"""The page of what has been counted since the start, and the same as JSON."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from xray_local.intake.counts import count_kernel_drops, read_buffer_bytes
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import get_counts, list_refusals

from .view import page


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
