"""The rows of the table of traces: nothing in a trace becomes HTML."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.xray_local.made import NOON
from xray_local.console.lines import TraceLine
from xray_local.console.scope import Scope
from xray_local.console.table import CELLS, write_rows
from xray_local.console.traces_page import COLUMNS

BAD = """<b a="1" a='2'>&amp;{0}{x}%s"""
ESCAPED = "&lt;b a=&quot;1&quot; a=&#x27;2&#x27;&gt;&amp;amp;{0}{x}%s"
SCOPE = Scope(NOON, NOON + 60, range="", filter='user = "<"')
LINE = TraceLine(
    id="1-5f84c7a1-000000000000000000000001",
    origin=BAD,
    title=BAD,
    method=BAD,
    status=404,
    flags=("error", "in progress"),
    start=NOON,
    duration_ms=1500.0,
    response_ms=30.0,
    is_partial=True,
    services=(BAD, BAD),
    users=(BAD, BAD),
    annotations=((BAD, BAD), (BAD, BAD)),
    annotations_left_out=3,
    bar_width=33.333,
)


@pytest.fixture(autouse=True)
def urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "xray_local.urls"


def write(line: TraceLine, *columns: str, has_origins: bool = True) -> str:
    return write_rows([line], columns, SCOPE, has_origins=has_origins)


def test_every_column_has_a_cell() -> None:
    assert CELLS.keys() == COLUMNS.keys()


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_in_a_trace_is_escaped(name: str) -> None:
    row = write(LINE, name)

    assert re.findall(r'<td class="(\w+)', row) == ["pick", name]
    assert "<b a" not in row
    assert "a='" not in row
    expected = {"method": 2, "url": 4, "services": 4, "user": 4, "annotations": 8}
    assert row.count(ESCAPED) == expected.get(name, 0)


def test_a_cell_leads_to_the_trace() -> None:
    query = f"start={NOON:.0f}&amp;end={NOON + 60:.0f}&amp;filter=user+%3D+%22%3C%22"
    link = f'href="/traces/{LINE.id}?{query}"'

    for columns in (("id",), ("url",), ("id", "url")):
        assert write(LINE, *columns).count(link) == 1


def test_what_there_is_nothing_of() -> None:
    line = replace(
        LINE, status=None, flags=("ok",), response_ms=0.0, services=(), annotations_left_out=0
    )

    assert write(line, "status").count("<span") == 1
    assert ">…<" in write(line, "response")
    assert ">0.00 ms<" in write(replace(line, is_partial=False), "response")
    assert "not known yet" in write(line, "services")
    assert "more</span>" not in write(line, "annotations")
    assert "more</span>" in write(LINE, "annotations")
    assert write(LINE, "url", has_origins=False).count(ESCAPED) == 3
    assert write_rows([], ["url"], SCOPE, has_origins=True) == ""
