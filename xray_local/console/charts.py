"""Drawings of numbers: their geometry, which small templates draw as SVG.

Across, places are hundredths of the width: a drawing is as wide as its place, and what is written
in it stays as large as other text. Down, they are pixels. Lines are drawn in a box of their own,
LINE_WIDTH units wide, that is stretched.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from xray_local.traces.tallies import LAST_BUCKET, value_of

from .figures import write_count
from .times import write_clock, write_duration

HEIGHT = 120.0
LINE_WIDTH = 1000.0
# Of what has no neighbour to be connected with.
DASH = 10.0
COLUMNS = 48
TICKS_MAX = 6
SPARK_HEIGHT = 20.0
# Seconds between the ticks of an axis of time.
TIME_STEPS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis; place is in hundredths across, in pixels down."""

    place: float
    label: str

    @property
    def anchor(self) -> str:
        """Which end of the label is at the place: at the edges of the drawing it stays inside."""
        return "start" if self.place < 4 else "end" if self.place > 96 else "middle"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: from low (excluded) to high (included) in the unit of the axis."""

    x: float
    width: float
    y: float
    height: float
    kind: str
    low: float
    high: float
    label: str


@dataclass(frozen=True, slots=True)
class Table:
    """The same in words and numbers."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Values over time, one for each period, None where there is none; kind is a CSS class."""

    name: str
    kind: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line as it is drawn."""

    name: str
    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with axes: columns, curves or both; words say what it shows to who cannot see."""

    words: str
    height: float
    columns: tuple[Column, ...]
    curves: tuple[Curve, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    table: Table
    legend: tuple[tuple[str, str], ...] = ()  # name and kind

    @property
    def full_height(self) -> float:
        """The height with the labels below."""
        return self.height + 18

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.columns and not self.curves


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line without axes, in a box of LINE_WIDTH by SPARK_HEIGHT."""

    words: str
    path: str
    area: str
    height: float = SPARK_HEIGHT


@dataclass(frozen=True, slots=True)
class Arc:
    """A part of a ring, in hundredths of it."""

    kind: str
    start: float
    length: float


def draw_histogram(
    histogram: Mapping[int, int],
    *,
    name: str,
    height: float = HEIGHT,
    scale_of: Mapping[int, int] | None = None,
) -> Chart:
    """Draw how many took how long, on a scale of which every step is as many times longer.

    histogram: counts by the bucket of tallies. scale_of: one that reaches as far, and whose scale
    is to be used, so that two can be compared. The ends of columns are ends of buckets, so that
    `responsetime > low AND responsetime <= high` finds as many as the column says.
    """
    counts = Counter({bucket: count for bucket, count in histogram.items() if count})
    if not counts:
        return Chart(f"{name}: nothing yet.", height, (), (), (), (), Table((), ()))
    edges = _make_edges(min(scale_of or counts), max(scale_of or counts))
    totals = [0] * (len(edges) - 1)
    for bucket, count in counts.items():
        totals[max(0, bisect_left(edges, value_of(bucket)) - 1)] += count
    scale = _Logarithm(edges[0], edges[-1])
    top, y_ticks = _make_y_axis(max(totals), height, _write_whole)
    columns = tuple(
        Column(
            x=scale.place(low),
            width=max(0.3, scale.place(high) - scale.place(low) - 0.15),
            y=height * (1 - count / top),
            height=height * count / top,
            kind="plain",
            low=low,
            high=high,
            label=f"{write_duration(low * 1000)} to {write_duration(high * 1000)}: "
            f"{write_count(count)}",
        )
        for (low, high), count in zip(pairwise(edges), totals, strict=True)
        if count
    )
    rows = tuple(tuple(reversed(column.label.rpartition(": ")[::2])) for column in columns)
    return Chart(
        f"{name}: {write_count(counts.total())} from {write_duration(edges[0] * 1000)} "
        f"to {write_duration(edges[-1] * 1000)}, most of them "
        f"{columns[max(range(len(columns)), key=lambda n: columns[n].height)].label}.",
        height,
        columns,
        (),
        tuple(
            Tick(scale.place(value), write_duration(value * 1000)) for value in scale.list_ticks()
        ),
        y_ticks,
        Table(("How many", "Response time"), rows),
    )


def draw_lines(
    times: Sequence[float],
    lines: Sequence[Line],
    *,
    name: str,
    start: float,
    end: float,
    write: Callable[[float], str],
    height: float = HEIGHT,
) -> Chart:
    """Draw lines over time; times are the middles of the periods, write says a value."""
    values = [value for line in lines for value in line.values if value is not None]
    top, y_ticks = _make_y_axis(max(values, default=0.0), height, write)
    curves = tuple(
        Curve(line.name, line.kind, _write_path(times, line.values, start, end, top, height))
        for line in lines
    )
    return Chart(
        _say(name, lines, write),
        height,
        (),
        curves if values else (),
        tuple(list_time_ticks(start, end)),
        y_ticks,
        _make_table(times, lines, write),
        tuple((line.name, line.kind) for line in lines),
    )


def draw_stacks(
    starts: Sequence[float],
    period: float,
    layers: Sequence[Line],
    *,
    name: str,
    start: float,
    end: float,
    write: Callable[[float], str] | None = None,
    height: float = HEIGHT,
) -> Chart:
    """Draw a column for each period, made of layers from below.

    starts: of the periods, each as many seconds long; write says a value, whole numbers by default.
    """
    write = write or _write_whole
    sums = [sum(line.values[n] or 0 for line in layers) for n in range(len(starts))]
    top, y_ticks = _make_y_axis(max(sums, default=0.0), height, write)
    columns: list[Column] = []
    for number, begin in enumerate(starts):
        low, high = max(begin, start), min(begin + period, end)
        x, width = _place(low, start, end), 100 * (high - low) / (end - start)
        base = 0.0
        said = ", ".join(f"{write(line.values[number] or 0)} {line.name}" for line in layers)
        for line in layers:
            value = line.values[number] or 0
            if value and width > 0:
                columns.append(
                    Column(
                        x=x,
                        width=max(0.1, width - min(0.2, width / 5)),
                        y=height * (1 - (base + value) / top),
                        height=height * value / top,
                        kind=line.kind,
                        low=begin,
                        high=begin + period,
                        label=f"{write_clock(begin)}: {said}",
                    )
                )
                base += value
    return Chart(
        _say(name, layers, write),
        height,
        tuple(columns),
        (),
        tuple(list_time_ticks(start, end)),
        y_ticks,
        _make_table(starts, layers, write),
        tuple((line.name, line.kind) for line in layers),
    )


def draw_sparkline(values: Sequence[float | None], *, words: str) -> Sparkline:
    """Draw the run of some values, evenly spaced, from 0 to the largest."""
    top = max((value for value in values if value is not None), default=0.0) or 1.0
    places = [float(number) for number in range(len(values))]
    last = max(1.0, len(values) - 1.0)
    path = _write_path(places, values, 0.0, last, top, SPARK_HEIGHT)
    filled = [value or 0.0 for value in values]
    area = _write_path(places, filled, 0.0, last, top, SPARK_HEIGHT)
    return Sparkline(
        words,
        path,
        f"{area} L{LINE_WIDTH:g},{SPARK_HEIGHT:g} L0,{SPARK_HEIGHT:g} Z" if values else "",
    )


def draw_ring(parts: Mapping[str, int]) -> tuple[Arc, ...]:
    """Return the arcs of a ring: each kind's share of all, in the order given."""
    total = sum(parts.values())
    arcs = []
    start = 0.0
    for kind, count in parts.items():
        if count:
            length = 100 * count / total
            arcs.append(Arc(kind, start, length))
            start += length
    return tuple(arcs)


def list_time_ticks(start: float, end: float) -> Iterator[Tick]:
    """Yield the ticks of an axis of time, at full hours or the like of this machine's clock."""
    step = next((each for each in TIME_STEPS if (end - start) / each <= TICKS_MAX), TIME_STEPS[-1])
    while (end - start) / step > TICKS_MAX:
        step *= 2
    offset = (datetime.fromtimestamp(start, UTC).astimezone().utcoffset() or timedelta()).seconds
    time = math.ceil((start + offset) / step) * step - offset
    while time <= end:
        moment = datetime.fromtimestamp(time, UTC).astimezone()
        is_day = step >= 86_400 or (moment.hour, moment.minute, moment.second) == (0, 0, 0)
        pattern = "%b %d" if is_day else "%H:%M" if step >= 60 else "%H:%M:%S"
        yield Tick(_place(time, start, end), f"{moment:{pattern}}")
        time += step


@dataclass(frozen=True, slots=True)
class _Logarithm:
    """A scale on which every step is as many times longer; low is more than 0."""

    low: float
    high: float

    def place(self, value: float) -> float:
        return 100 * math.log(value / self.low) / math.log(self.high / self.low)

    def list_ticks(self) -> list[float]:
        """Return round values on the scale, no more than TICKS_MAX."""
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for factors in ((1, 2, 5), (1, 3), (1,)):
            values = [
                factor * 10.0**exponent
                for exponent in exponents
                for factor in factors
                if self.low <= factor * 10.0**exponent <= self.high
            ]
            if len(values) <= TICKS_MAX:
                return values or [self.low, self.high]
        return values[:: math.ceil(len(values) / TICKS_MAX)]


def _make_edges(first: int, last: int) -> list[float]:
    """Return the ends of columns of the same number of buckets, which have these two in them."""
    low = max(1, first - 1)
    step = max(1, math.ceil((last - low) / COLUMNS))
    columns = max(2, math.ceil((last - low) / step))
    bounds = (min(low + number * step, LAST_BUCKET) for number in range(columns + 1))
    return [value_of(bucket) for bucket in dict.fromkeys(bounds)]


def _make_y_axis(
    highest: float, height: float, write: Callable[[float], str]
) -> tuple[float, tuple[Tick, ...]]:
    """Return the value at the top, a round one, and the ticks at the top and the middle."""
    if highest <= 0:
        return 1.0, ()
    unit = 10.0 ** math.floor(math.log10(highest))
    top = next(
        factor * unit
        for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
        if factor * unit >= highest * 0.9999
    )
    labels = [(0.0, write(top))]
    if write is not _write_whole or (top / 2).is_integer():
        labels.append((height / 2, write(top / 2)))
    return top, tuple(Tick(place, label) for place, label in labels)


def _write_whole(value: float) -> str:
    return write_count(round(value))


def _place(time: float, start: float, end: float) -> float:
    return 100 * (time - start) / (end - start)


def _write_path(
    times: Sequence[float],
    values: Sequence[float | None],
    start: float,
    end: float,
    top: float,
    height: float,
) -> str:
    """Return the path through the values; where there is none, the line is broken."""
    runs: list[list[tuple[float, float]]] = [[]]
    for time, value in zip(times, values, strict=True):
        if value is None:
            runs.append([])
        else:
            x = LINE_WIDTH * (time - start) / (end - start)
            runs[-1].append((x, height * (1 - value / top)))
    return " ".join(_write_run(run) for run in runs if run)


def _write_run(points: Sequence[tuple[float, float]]) -> str:
    """Return the path through the points; one alone is a dash, as a dot would hardly be seen."""
    if len(points) == 1:
        ((x, y),) = points
        return f"M{x - DASH / 2:.1f},{y:.1f} h{DASH:g}"
    return f"M{' L'.join(f'{x:.1f},{y:.1f}' for x, y in points)}"


def _say(name: str, lines: Sequence[Line], write: Callable[[float], str]) -> str:
    said = []
    for line in lines:
        values = [value for value in line.values if value is not None]
        if values:
            said.append(f"{line.name} up to {write(max(values))}, last {write(values[-1])}")
    return f"{name}: {'; '.join(said) or 'nothing yet'}."


def _make_table(
    times: Iterable[float], lines: Sequence[Line], write: Callable[[float], str]
) -> Table:
    rows = tuple(
        (
            write_clock(time).partition(".")[0],
            *("" if line.values[n] is None else write(line.values[n] or 0) for line in lines),
        )
        for n, time in enumerate(times)
    )
    return Table(("Time", *(line.name for line in lines)), rows)
