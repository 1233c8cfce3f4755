"""The rows of two traces side by side, as HTML: `format_html` escapes all that is in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from xray_local.traces.trees import Element

from .comparison import Pair
from .figures import write_count, write_units
from .scope import Scope
from .times import write_duration

NOTE_CHARACTERS = 160
NOTHING = format_html('<span class="muted">{}</span>', "\N{EN DASH}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; indent: of its name; widths are hundredths of the longest."""

    pair: Pair
    indent: int
    one_width: float
    other_width: float


def write_rows(rows: Iterable[Row], ids: tuple[str, str], scope: Scope) -> SafeString:
    """Return the rows; ids: of the two traces, which the names lead to."""
    # To reverse the URL of each would take longer than all else.
    one, other = (scope.link(reverse("trace", args=[each])) for each in ids)
    return format_html_join("", "{}", ((_write_row(row, one, other),) for row in rows))


def _write_row(row: Row, one: str, other: str) -> SafeString:
    pair = row.pair
    number = only = note = ""
    if pair.occurrence > 1:
        number = format_html(' <span class="muted">no. {}</span>', write_count(pair.occurrence))
    if pair.one is None:
        only = format_html(' <span class="flag only-{}">only in {}</span>', "b", "B")
    elif pair.other is None:
        only = format_html(' <span class="flag only-{}">only in {}</span>', "a", "A")
    if pair.operation.note:
        note = format_html(
            ' <span class="muted untrusted">{}</span>',
            Truncator(pair.operation.note).chars(NOTE_CHARACTERS),
        )
    link = _link(other, pair.other) if pair.other else _link(one, pair.one)
    kind = pair.operation.kind
    ratio = "" if pair.ratio is None else f"{floatformat(pair.ratio, 2)} \N{MULTIPLICATION SIGN}"
    return format_html(
        '    <tr data-row><th scope="row"><div class="indent-{}"><span class="dot dot-{}"></span>'
        '<span class="hidden">{} </span><a class="untrusted" href="{}">{}</a>{}{}{}</div></th>'
        '<td class="number right">{}</td><td class="number right">{}</td>'
        '<td class="bars"><svg width="100%" height="14" aria-hidden="true">'
        '<rect class="bar-a" width="{}%" height="6"></rect>'
        '<rect class="bar-b" y="8" width="{}%" height="6"></rect></svg></td>'
        '<td class="number right"><span class="{}">{}</span></td>'
        '<td class="number right">{}</td></tr>\n',
        *(row.indent, kind, kind, link, pair.operation.name, number, only, note),
        NOTHING if pair.one is None else write_duration(pair.one_ms),
        NOTHING if pair.other is None else write_duration(pair.other_ms),
        *(write_units(row.one_width), write_units(row.other_width)),
        *(_name_class(pair.difference_ms), pair.difference, ratio),
    )


def _link(trace: str, element: Element | None) -> str:
    if element is None or not element.id:
        return trace
    return f"{trace}{'&' if '?' in trace else '?'}{urlencode({'element': element.id})}"


def _name_class(difference_ms: float) -> str:
    """Return what the style sheet calls it, as `_difference.html` does."""
    if difference_ms > 0:
        return "slower"
    return "quicker" if difference_ms < 0 else "muted"
