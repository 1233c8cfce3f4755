"""The screen that tells how to send a first segment."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.usage import measure_usage

from .scope import read_scope
from .view import page


@page
def show_start(request: HttpRequest) -> HttpResponse:
    """Show how to send a first segment, whatever is stored."""
    with reading(get_parts(request).database) as connection:
        traces = measure_usage(connection).traces
    context = {
        "section": "start",
        "scope": read_scope(request),
        "address": request.get_host(),
        "traces": traces,
    }
    return render(request, "xray_local/start.html", context)
