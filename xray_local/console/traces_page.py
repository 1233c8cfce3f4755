"""The page of the traces: the newest, or those that a filter expression chooses."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.control.groups import read_groups
from xray_local.filters import BadFilter, read_filter
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import Page, get_counts, list_traces

from .lines import make_lines
from .view import page


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
