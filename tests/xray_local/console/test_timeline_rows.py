"""The rows of the timeline: nothing in a trace becomes HTML."""

from dataclasses import replace

import pytest

from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.console.outline import outline
from xray_local.console.scope import Scope
from xray_local.console.timeline import Row, choose_shown, draw_rows
from xray_local.console.timeline_rows import Entry, RowsPage, write_pages
from xray_local.console.times import write_clock
from xray_local.console.trace_query import TraceQuery
from xray_local.traces.trees import build_tree

BAD = """<b a="1" a='2'>&amp;{0}{x}%s"""
ESCAPED = "&lt;b a=&quot;1&quot; a=&#x27;2&#x27;&gt;&amp;amp;{0}{x}%s"
QUERY = TraceQuery(
    Scope(NOON, NOON + 60), "timeline", "", None, frozenset(), "", "", "", "start", None, ""
)


@pytest.fixture
def row() -> Row:
    call = make_subsegment(BAD, namespace="remote", sql={"sanitized_query": BAD})
    whole = outline(build_tree([make_segment(subsegments=[call])]))
    return draw_rows(whole, choose_shown(whole))[1]


def write(row: Row, query: TraceQuery = QUERY) -> str:
    return write_pages([RowsPage(1, 1, 1, "?page=1", [Entry(row, BAD, BAD)])], query)


def test_what_is_in_a_trace_is_escaped(row: Row) -> None:
    html = write(replace(row, below=3))

    assert "<b a" not in html
    assert "a='" not in html
    assert html.count(ESCAPED) == 4


def test_what_a_row_says(row: Row) -> None:
    plain = write(row)
    assert 'aria-rowindex="2"' in plain
    for words, changed in (
        ('aria-expanded="true"', replace(row, below=3)),
        ("Close the 3 below", replace(row, below=3)),
        ('aria-expanded="false"', replace(row, below=3, is_closed=True)),
        ("Open the 3 below", replace(row, below=3, is_closed=True)),
        ('class="row above"', replace(row, is_match=False)),
        ("20 \N{MULTIPLICATION SIGN}</b>", replace(row, same_count=20)),
        ('<span class="code">404</span>', replace(row, status=404)),
        (
            '<span class="flag flag-clock-skew">clock skew</span>',
            replace(row, flags=("clock skew",)),
        ),
        ("is-clock-skew", replace(row, flags=("clock skew",))),
        (">…<", replace(row, duration_ms=None)),
        ("9.00 ms on the critical path", replace(row, path_ms=9.0)),
        (">+7.00 ms<", replace(row, offset_ms=7.0)),
    ):
        assert words not in plain
        assert words in write(changed)


def test_what_is_asked_for(row: Row) -> None:
    assert 'aria-selected="true"' not in write(row)
    assert 'aria-selected="true"' in write(row, replace(QUERY, element=row.element.id))
    assert row.start is not None
    assert write_clock(row.start) in write(row, replace(QUERY, times="clock"))
    assert "+0" not in write(replace(row, start=None, offset_ms=None))


def test_rows_that_come_later() -> None:
    html = write_pages([RowsPage(2, 61, 70, "?a&page=2")], QUERY)

    assert 'data-count="10"' in html
    assert 'aria-rowindex="62"' in html
    assert '<a href="?a&amp;page=2" data-rows>Rows 61 to 70</a>' in html
    assert write_pages([], QUERY) == ""
