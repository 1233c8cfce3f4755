"""The rows of the table of traces, as HTML: `format_html` escapes all that is in them.

A template takes as long for 50 rows of ten cells as it took to find them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .figures import write_units
from .flags import name_class, write_flags
from .lines import TraceLine
from .scope import Scope
from .times import write_clock, write_duration, write_iso, write_moment


class Row(NamedTuple):
    """What the cells of a row are made of.

    url: of the trace; clock: when it began; has_url: whether there is a cell for what it asked for;
    has_origin: whether that tells the scheme and the host.
    """

    line: TraceLine
    url: str
    clock: str
    has_url: bool
    has_origin: bool


def write_rows(
    lines: Iterable[TraceLine], columns: Sequence[str], scope: Scope, *, has_origins: bool
) -> SafeString:
    """Return the rows, with the cells of these columns; has_origins: where several are."""
    has_url = "url" in columns
    # To reverse the URL of each would take longer than all else.
    before, after = reverse("trace", args=["-"]).removesuffix("-"), scope.link("")
    rows = (
        Row(line, f"{before}{quote(line.id)}{after}", write_clock(line.start), has_url, has_origins)
        for line in lines
    )
    return format_html_join(
        "",
        '    <tr id="trace-{}" data-row>'
        '<td class="pick"><input type="checkbox" name="trace" value="{}" form="chosen"'
        ' aria-label="Choose the trace of {}"></td>' + "{}" * len(columns) + "</tr>\n",
        (
            (row.line.id, row.line.id, row.clock, *[CELLS[name](row) for name in columns])
            for row in rows
        ),
    )


def _write_time(row: Row) -> SafeString:
    start = row.line.start
    return format_html(
        '<td class="time"><time datetime="{}" title="{}">{}</time></td>',
        write_iso(start),
        write_moment(start),
        row.clock,
    )


def _write_id(row: Row) -> SafeString:
    trace_id = row.line.id
    if row.has_url:
        return format_html(
            '<td class="id" title="{}"><code>…{}</code></td>', trace_id, trace_id[-8:]
        )
    return format_html(
        '<td class="id" title="{}"><a href="{}"><code>{}</code></a></td>',
        trace_id,
        row.url,
        trace_id,
    )


def _write_method(row: Row) -> SafeString:
    method = row.line.method
    return format_html('<td class="method" title="{}">{}</td>', method, method)


def _write_url(row: Row) -> SafeString:
    origin, title = row.line.origin, row.line.title
    shown: str = title
    if origin and row.has_origin:
        shown = format_html('<span class="origin">{}</span>{}', origin, title)
    return format_html(
        '<td class="url" title="{}{}"><a class="untrusted" href="{}">{}</a></td>',
        origin,
        title,
        row.url,
        shown,
    )


def _write_status(row: Row) -> SafeString:
    status: str = ""
    if row.line.status:
        status = format_html('<span class="code">{}</span> ', row.line.status)
    return format_html('<td class="status">{}{}</td>', status, write_flags(row.line.flags))


def _write_response(row: Row) -> SafeString:
    line = row.line
    return format_html(
        '<td class="response"><span class="number">{}</span><svg class="small-bar"'
        ' viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"></rect>'
        '<rect class="bar-{}" width="{}" height="8"></rect></svg></td>',
        "…" if line.is_partial and not line.response_ms else write_duration(line.response_ms),
        name_class(line.flags[0]),
        write_units(line.bar_width),
    )


def _write_duration(row: Row) -> SafeString:
    duration = write_duration(row.line.duration_ms)
    return format_html('<td class="duration number">{}</td>', duration)


def _write_services(row: Row) -> SafeString:
    names = ", ".join(row.line.services)
    return format_html(
        '<td class="services" title="{}"><div class="names untrusted">{}</div></td>',
        names,
        names or "not known yet",
    )


def _write_user(row: Row) -> SafeString:
    users = format_html_join(
        "",
        '<span class="chip chip-user untrusted"><span class="hidden">User </span>{}</span> ',
        ((user,) for user in row.line.users),
    )
    return format_html('<td class="user" title="{}">{}</td>', ", ".join(row.line.users), users)


def _write_annotations(row: Row) -> SafeString:
    annotations, left_out = row.line.annotations, row.line.annotations_left_out
    chips = format_html_join("", '<span class="chip untrusted"><b>{}</b> {}</span> ', annotations)
    more: str = format_html('<span class="muted">{} more</span>', left_out) if left_out else ""
    return format_html(
        '<td class="annotations" title="{}"><div class="chips">{}{}</div></td>',
        ", ".join(f"{key} {value}" for key, value in annotations),
        chips,
        more,
    )


# By the names of the columns.
CELLS = {
    "time": _write_time,
    "id": _write_id,
    "method": _write_method,
    "url": _write_url,
    "status": _write_status,
    "response": _write_response,
    "duration": _write_duration,
    "services": _write_services,
    "user": _write_user,
    "annotations": _write_annotations,
}
