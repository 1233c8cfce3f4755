"""The page of the traces: those of a range of time, or those of them that a filter chooses."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.filters import BadFilter
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import Page, RangeType, TimeRange, get_counts, list_traces

from .lines import make_lines
from .scope import read_scope
from .view import page


@page
def show_traces(request: HttpRequest) -> HttpResponse:
    """Show the newest traces of the range; with ?filter= those that fit the filter expression."""
    scope = read_scope(request)
    mistake = None
    found = Page((), (), 0, None, None)
    with reading(get_parts(request).database) as connection:
        try:
            chosen = scope.read_filter()
        except BadFilter as error:
            mistake = error
        else:
            found = list_traces(
                connection,
                time_range=TimeRange(scope.start, scope.end, RangeType.EVENT),
                chosen=chosen,
                token=request.GET.get("after"),
                limit=50,
            )
        counts = get_counts(connection)
    context = {
        "section": "traces",
        "scope": scope,
        "lines": make_lines(found),
        "next": found.next_token,
        "is_first": "after" not in request.GET,
        "filter": scope.filter,
        "mistake": mistake,
        "processed": found.processed,
        "counts": counts,
        "address": request.get_host(),
    }
    return render(request, "xray_local/traces.html", context)
