"""Drawings of numbers."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from django.template.loader import render_to_string

from xray_local.console.charts import (
    HEIGHT,
    TICKS_MAX,
    Line,
    draw_histogram,
    draw_lines,
    draw_ring,
    draw_sparkline,
    draw_stacks,
    list_time_ticks,
)
from xray_local.console.times import write_duration
from xray_local.traces.tallies import bucket_of

HOUR = 3600.0
START = 1_700_000_000.0


def make_histogram(*seconds: float) -> Counter[int]:
    return Counter(map(bucket_of, seconds))


@pytest.mark.parametrize("spread", [1.0, 1.01, 3.0, 1e6])
def test_every_request_is_in_the_column_that_says_so(spread: float) -> None:
    seconds = [0.002 * spread ** (number / 99) for number in range(100)]

    chart = draw_histogram(make_histogram(*seconds), name="Response time")

    for column in chart.columns:
        said = int(column.label.rpartition(": ")[2])
        assert said == sum(column.low < each <= column.high for each in seconds)
    assert sum(int(column.label.rpartition(": ")[2]) for column in chart.columns) == 100


def test_columns_of_a_histogram_lie_side_by_side_within_it() -> None:
    chart = draw_histogram(make_histogram(0.001, 0.01, 0.01, 0.1, 1.0, 10.0), name="x")

    ends = [(column.x, column.x + column.width) for column in chart.columns]
    assert all(one[1] <= other[0] for one, other in pairwise(ends))
    assert ends[0][0] >= 0
    assert ends[-1][1] <= 100.01
    assert max(column.height for column in chart.columns) <= HEIGHT
    assert 2 <= len(chart.x_ticks) <= TICKS_MAX
    assert all(0 <= tick.place <= 100 for tick in chart.x_ticks)
    assert chart.words.startswith("x: 6 from ")


def test_nothing_to_draw() -> None:
    chart = draw_histogram({}, name="Response time")

    assert chart.is_empty
    assert chart.words == "Response time: nothing yet."


def test_requests_without_a_duration() -> None:
    assert len(draw_histogram(make_histogram(0.0, 0.0), name="x").columns) == 1


def test_lines_are_broken_where_there_is_no_value() -> None:
    line = Line("p95", "p95", [1.0, 2.0, None, 4.0])

    chart = draw_lines(
        [START + 60 * number for number in range(4)],
        [line],
        name="Latency",
        start=START,
        end=START + 240,
        write=write_duration,
    )

    (curve,) = chart.curves
    assert curve.path == "M0.0,90.0 L250.0,60.0 M745.0,0.0 h10"
    assert [tick.label for tick in chart.y_ticks] == ["4.00 ms", "2.00 ms"]
    assert chart.words == "Latency: p95 up to 4.00 ms, last 4.00 ms."
    assert [row[1] for row in chart.table.rows] == ["1.00 ms", "2.00 ms", "", "4.00 ms"]


def test_stacks_add_up() -> None:
    layers = [Line("ok", "ok", [6, 0]), Line("fault", "fault", [2, 3])]

    chart = draw_stacks(
        [START, START + 60], 60, layers, name="Requests", start=START, end=START + 120
    )

    ok, fault, other = chart.columns
    assert (ok.kind, fault.kind, other.kind) == ("ok", "fault", "fault")
    assert ok.y == pytest.approx(fault.y + fault.height)
    assert (fault.y, ok.height) == (0, HEIGHT * 6 / 8)
    assert other.x == 50
    assert (other.low, other.high) == (START + 60, START + 120)
    assert other.label.endswith("0 ok, 3 fault")


@pytest.mark.parametrize(
    ("most", "labels"), [(1, ["1"]), (3, ["3"]), (4, ["4", "2"]), (9, ["10", "5"])]
)
def test_what_is_counted_has_whole_ticks(most: int, labels: list[str]) -> None:
    chart = draw_stacks(
        [START], 60, [Line("ok", "ok", [most])], name="Requests", start=START, end=START + 60
    )

    assert [tick.label for tick in chart.y_ticks] == labels


@pytest.mark.parametrize("seconds", [1, 7, 60, 300, HOUR, 6 * HOUR, 86_400, 604_800, 3e9])
def test_ticks_of_time_are_few_and_in_order(seconds: float) -> None:
    ticks = list(list_time_ticks(START, START + seconds))

    assert 1 <= len(ticks) <= TICKS_MAX + 1
    assert [tick.place for tick in ticks] == sorted(tick.place for tick in ticks)
    assert all(0 <= tick.place <= 100 for tick in ticks)


def test_a_ring_is_closed() -> None:
    arcs = draw_ring({"ok": 3, "error": 0, "fault": 1})

    assert [(arc.kind, arc.start, arc.length) for arc in arcs] == [
        ("ok", 0, 75),
        ("fault", 75, 25),
    ]
    assert draw_ring({"ok": 0}) == ()


def test_sparkline() -> None:
    line = draw_sparkline([1.0, None, 2.0], words="1 to 2 a minute")

    assert line.path == "M-5.0,10.0 h10 M995.0,0.0 h10"
    assert line.area.endswith("Z")
    assert draw_sparkline([], words="none").path == ""


def test_names_are_escaped() -> None:
    chart = draw_lines(
        [START],
        [Line("<b>", "p50", [1.0])],
        name="<i>",
        start=START,
        end=START + 1,
        write=str,
    )

    drawn = render_to_string("xray_local/_chart.html", {"chart": chart})

    assert not re.search("<[bi]>", drawn)
    assert "&lt;b&gt;" in drawn
