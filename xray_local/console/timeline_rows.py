"""The rows of the timeline, as HTML: `format_html` escapes all that is in them.

A template takes as long for a page of them as it took to read the trace.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .flags import name_class, write_flags
from .timeline import Row
from .times import write_clock, write_duration, write_offset
from .trace_query import TraceQuery


@dataclass(frozen=True, slots=True)
class Entry:
    """A row with its links."""

    row: Row
    link: str
    toggle: str


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Some rows, or the place where they will stand. Numbers count from 1."""

    number: int
    first: int
    last: int
    link: str
    entries: Sequence[Entry] = ()

    @property
    def count(self) -> int:
        """How many rows it has."""
        return self.last - self.first + 1


def write_pages(pages: Iterable[RowsPage], query: TraceQuery) -> SafeString:
    """Return the rows of each page, or a link to them. Row 1 is the head of the timeline."""
    return format_html_join("", "{}", ((_write_page(page, query),) for page in pages))


def _write_page(page: RowsPage, query: TraceQuery) -> SafeString:
    if page.entries:
        rows = format_html_join(
            "",
            "{}\n",
            (
                (_write_row(entry, index, query),)
                for index, entry in enumerate(page.entries, page.first + 1)
            ),
        )
        return format_html(
            '<div class="rows" role="rowgroup" data-count="{}">\n{}</div>\n', page.count, rows
        )
    return format_html(
        '<div class="rows rows-left" role="rowgroup" data-count="{}">'
        '<div class="left" role="row" aria-rowindex="{}"><span role="gridcell">'
        '<a href="{}" data-rows>Rows {} to {}</a></span></div></div>\n',
        *(page.count, page.first + 1, page.link, page.first, page.last),
    )


def _write_row(entry: Entry, index: int, query: TraceQuery) -> SafeString:
    row = entry.row
    expanded = selected = start = ""
    if row.below:
        expanded = format_html(' aria-expanded="{}"', "false" if row.is_closed else "true")
    if row.element.id == query.element:
        selected = format_html(' aria-selected="{}"', "true")
    if row.start is not None and query.times:
        start = write_clock(row.start)
    elif row.offset_ms is not None:
        start = write_offset(row.offset_ms)
    return format_html(
        '<div class="row{}" role="row" id="row-{}" data-row aria-level="{}" aria-rowindex="{}"{}{}>'
        '{}<span role="gridcell" class="state">{}</span>'
        '<span role="gridcell" class="number offset">{}</span>'
        '<span role="gridcell" class="number length">{}</span>'
        '<span role="gridcell" class="track">{}</span></div>',
        *("" if row.is_match else " above", row.number, row.level, index, expanded, selected),
        *(_write_name(entry), _write_state(row), start),
        "…" if row.duration_ms is None else write_duration(row.duration_ms),
        _write_bar(row),
    )


def _write_name(entry: Entry) -> SafeString:
    row = entry.row
    twist = note = ""
    if row.below:
        twist = format_html(
            '<a class="twist" href="{}" data-swap aria-label="{} the {} below"></a>',
            *(entry.toggle, "Open" if row.is_closed else "Close", row.below),
        )
    if row.note:
        note = format_html('<bdi class="note">{}</bdi>', row.note)
    return format_html(
        '<span role="rowheader" class="name indent-{}"><a class="label" href="{}" data-swap="pane">'
        '<span class="dot dot-{}"></span><span class="hidden">{} </span><bdi>{}</bdi>'
        "</a>{}{}</span>",
        *(row.indent, entry.link, row.kind, row.kind, row.name, twist, note),
    )


def _write_state(row: Row) -> SafeString:
    same = status = ""
    if row.same_count > 1:
        same = format_html(
            '<b class="repeated" title="times the same call in this trace">{} {}</b> ',
            *(row.same_count, "\N{MULTIPLICATION SIGN}"),
        )
    if row.status:
        status = format_html('<span class="code">{}</span> ', row.status)
    return format_html("{}{}{}", same, status, write_flags(row.flags))


def _write_bar(row: Row) -> SafeString:
    path = own = critical = ""
    if row.path_ms:
        path = format_html(
            '<span class="hidden">{} on the critical path</span>', write_duration(row.path_ms)
        )
    if row.bar_own:
        own = format_html('<path class="own" d="{}"></path>', row.bar_own)
    if row.bar_path:
        critical = format_html('<path class="path" d="{}"></path>', row.bar_path)
    return format_html(
        '{}<svg class="bar bar-{}{}" viewBox="0 0 1000 16" preserveAspectRatio="none"'
        ' aria-hidden="true"><path d="{}"></path>{}{}</svg>',
        *(path, row.kind, "".join(f" is-{name_class(flag)}" for flag in row.flags)),
        *(row.bar, own, critical),
    )
