"""The screen that compares two sets of traces: what is different about the slow, the failing?

Each set is chosen by a filter expression, a range of time and one of response times; all of these
stand in the query, with the name of the set before them: a, a_from, a_to, a_low, a_high; b and so
on. Of a large set the newest SET_TRACES are looked at, and the page says so.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xray_local.filters import BadFilter, Filter, read_filter
from xray_local.filters.syntax import And, Comparison, join_all, write
from xray_local.graph import Statistics
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.facets import Facets, count_facets
from xray_local.store.queries import RangeType, TimeRange, is_empty, list_sure
from xray_local.store.roots import Root, read_roots

from .charts import Chart, Line, draw_histogram, draw_stacks
from .facets import Test, can_say, list_parts, list_tests, say
from .outcomes import OUTCOMES, count_roots, name_outcome
from .scope import Scope, read_limit, read_scope, read_time
from .view import page

SET_TRACES = 1000
COLUMNS = 40
VALUES_SHOWN = 8
PERCENTILES = (0.5, 0.9, 0.95, 0.99)
NAMES = ("a", "b")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a set is chosen by; low and high in seconds, times in seconds since 1970."""

    name: str
    expression: str
    start: float | None
    end: float | None
    low: float | None
    high: float | None

    @property
    def is_given(self) -> bool:
        """Whether anything of it was asked for."""
        limits = (self.start, self.end, self.low, self.high)
        return bool(self.expression) or any(each is not None for each in limits)

    def write_expression(self, scope: Scope) -> str:
        """Return the filter expression of the set, as the API would be asked for it."""
        limits = [
            write(Comparison("responsetime", operator, limit))
            for operator, limit in ((">", self.low), ("<=", self.high))
            if limit is not None
        ]
        return join_all(scope.expression, self.expression, *limits)


@dataclass(frozen=True, slots=True)
class Group:
    """A set: what is known of its traces, or of the newest of them; mistake: why nothing is."""

    choice: Choice
    expression: str
    start: float
    end: float
    statistics: Statistics
    roots: Sequence[Root]
    facets: Facets
    is_all: bool
    mistake: str = ""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.choice.name.upper()

    @property
    def from_name(self) -> str:
        """What the query calls the begin of its range."""
        return f"{self.choice.name}_from"

    @property
    def to_name(self) -> str:
        """What the query calls the end of its range."""
        return f"{self.choice.name}_to"

    @property
    def low_name(self) -> str:
        """What the query calls the time that its requests took more than."""
        return f"{self.choice.name}_low"

    @property
    def high_name(self) -> str:
        """What the query calls the time that its requests took at most."""
        return f"{self.choice.name}_high"

    @property
    def times_form(self) -> str:
        """The id of the form for its range."""
        return f"times-{self.choice.name}"

    @property
    def latency_form(self) -> str:
        """The id of the form for how long its requests took."""
        return f"latency-{self.choice.name}"

    @property
    def count(self) -> int:
        """How many traces are looked at."""
        return len(self.roots)

    @property
    def percentiles(self) -> list[tuple[str, float]]:
        """How many milliseconds so many of a hundred took at most."""
        return [
            (f"p{share * 100:g}", self.statistics.find_percentile(share) * 1000)
            for share in PERCENTILES
        ]


@dataclass(frozen=True, slots=True)
class Row:
    """A value, and how many traces of each set have it; links narrow the set to it."""

    label: str
    counts: tuple[int, ...]
    percents: tuple[float, ...]
    links: tuple[str, ...]

    @property
    def difference(self) -> float:
        """By how many hundredths the share in B is larger than that in A."""
        return self.percents[-1] - self.percents[0]

    @property
    def cells(self) -> list[tuple[int, float, str, str]]:
        """Count, share, link and name, set by set."""
        return list(
            zip(
                self.counts,
                self.percents,
                self.links,
                [name.upper() for name in NAMES],
                strict=False,
            )
        )


@dataclass(frozen=True, slots=True)
class Table:
    """The values of one kind, those that differ most first."""

    title: str
    rows: Sequence[Row]
    left_out: int


@page
def show_analytics(request: HttpRequest) -> HttpResponse:
    """Show the set A, and B beside it where anything of it is asked for."""
    scope = read_scope(request)
    choices = [_read_choice(request, name) for name in NAMES]
    wanted = [each for each in choices if each.name == "a" or each.is_given]
    with reading(get_parts(request).database) as connection:
        groups = [_read_group(connection, scope, choice) for choice in wanted]
        has_none = is_empty(connection)
    whole = sum((Counter(each.statistics.histogram) for each in groups), Counter[int]())
    context = {
        "section": "analytics",
        "scope": scope,
        "groups": [
            (
                group,
                _draw_times(group),
                draw_histogram(
                    group.statistics.histogram,
                    name=f"Response times of {group.title}",
                    scale_of=whole,
                ),
            )
            for group in groups
        ],
        "is_compared": len(groups) > 1,
        "tables": list(_list_tables(groups, scope)),
        "slow": round(groups[0].statistics.find_percentile(0.95), 6),
        "before": (scope.start - scope.seconds, scope.start),
        "is_empty": has_none,
        "address": request.get_host(),
    }
    return render(request, "xray_local/analytics.html", context)


def _read_choice(request: HttpRequest, name: str) -> Choice:
    query = request.GET

    def read(key: str) -> str:
        return query.get(f"{name}_{key}", "")

    return Choice(
        name,
        query.get(name, "").strip(),
        read_time(f"{name}_from", read("from")) if read("from") else None,
        read_time(f"{name}_to", read("to")) if read("to") else None,
        read_limit(f"{name}_low", read("low")),
        read_limit(f"{name}_high", read("high")),
    )


def _read_group(connection: sqlite3.Connection, scope: Scope, choice: Choice) -> Group:
    start = scope.start if choice.start is None else choice.start
    end = scope.end if choice.end is None else choice.end
    expression = choice.write_expression(scope)
    chosen: Filter | None = None
    mistake = ""
    try:
        if choice.expression:
            # By itself first: positions are then those of what was typed.
            read_filter(choice.expression, scope.group_expressions)
        if scope.expression:
            read_filter(scope.expression, scope.group_expressions)
        chosen = read_filter(expression, scope.group_expressions) if expression else None
    except BadFilter as error:
        mistake = str(error)
    numbers: list[int] = []
    is_all = True
    if not mistake:
        time_range = TimeRange(start, end, RangeType.EVENT)
        fitting = list_sure(connection, time_range, chosen, SET_TRACES)
        numbers, is_all = fitting.numbers, fitting.is_all
    roots = list(read_roots(connection, numbers))
    return Group(
        choice,
        expression,
        start,
        max(end, start + 1),
        count_roots(roots),
        roots,
        count_facets(connection, numbers),
        is_all,
        mistake,
    )


def _draw_times(group: Group) -> Chart:
    """Draw how many began when, and how they ended."""
    period = (group.end - group.start) / COLUMNS
    counts = {kind: [0] * COLUMNS for kind in OUTCOMES}
    for root in group.roots:
        place = int((root.start_time - group.start) / period)
        counts[name_outcome(root)][min(COLUMNS - 1, max(0, place))] += 1
    return draw_stacks(
        [group.start + number * period for number in range(COLUMNS)],
        period,
        [Line(kind, kind, values) for kind, values in counts.items()],
        name=f"Requests of {group.title}",
        start=group.start,
        end=group.end,
        height=80,
    )


def _list_tables(groups: Sequence[Group], scope: Scope) -> Iterator[Table]:
    """Yield a table for each kind of value that any trace has."""
    tests = [dict(list_tests(group.facets)) for group in groups]
    for title in dict.fromkeys(title for each in tests for title in each):
        found = [each.get(title, {}) for each in tests]
        counts = {
            test: tuple(each.get(test, 0) for each in found)
            for test in dict.fromkeys(test for each in found for test in each)
        }
        # What is as large comes in the same order each time.
        ranked = sorted(counts, key=lambda test: (*_rank(counts[test], groups), say(test)))
        shown = [_make_row(test, counts[test], groups, scope) for test in ranked[:VALUES_SHOWN]]
        if shown:
            yield Table(title, shown, len(ranked) - len(shown))


def _rank(counts: Sequence[int], groups: Sequence[Group]) -> tuple[float, float]:
    """Return what comes first: the largest difference, then the largest share of the last set."""
    percents = _measure_percents(counts, groups)
    return -abs(percents[-1] - percents[0]), -percents[-1]


def _measure_percents(counts: Sequence[int], groups: Sequence[Group]) -> tuple[float, ...]:
    """Return the share of each set, in hundredths."""
    return tuple(
        100 * count / group.count if group.count else 0.0
        for count, group in zip(counts, groups, strict=True)
    )


def _make_row(test: Test, counts: Sequence[int], groups: Sequence[Group], scope: Scope) -> Row:
    return Row(
        say(test),
        tuple(counts),
        _measure_percents(counts, groups),
        tuple(_narrow(test, group, scope) for group in groups),
    )


def _narrow(test: Test, group: Group, scope: Scope) -> str:
    """Return the link to this page with the set narrowed to what passes the test; "" if none."""
    if group.mistake or not can_say(test):
        return ""
    parts = list_parts(group.choice.expression)
    expression = write(test) if not parts else write(And((*parts, test)))
    return "" if test in parts else scope.here(**{group.choice.name: expression})
