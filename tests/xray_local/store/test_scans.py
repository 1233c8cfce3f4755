"""Pages are the same in whichever way the rows are looked at."""

import random
import sqlite3
from itertools import product
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment
from xray_local.filters import read_filter
from xray_local.store import extents, samples, scans
from xray_local.store.orders import Order, Ranking
from xray_local.store.queries import RangeType, TimeRange, count_traces, list_sure, list_traces

TRACES = 300


def walk(
    connection: sqlite3.Connection,
    expression: str,
    order: Order,
    limit: int,
    time_range: TimeRange | None = None,
) -> list[dict[str, Any]]:
    """Return the summaries of all pages."""
    summaries: list[dict[str, Any]] = []
    token = None
    while True:
        page = list_traces(
            connection,
            time_range=time_range,
            chosen=read_filter(expression),
            token=token,
            limit=limit,
            order=order,
        )
        summaries += page.summaries
        token = page.next_token
        if token is None:
            return summaries


@pytest.mark.parametrize("blocks_read", [0, 1000])
def test_what_is_rare_is_found_among_many(
    connection: sqlite3.Connection,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    blocks_read: int,
) -> None:
    monkeypatch.setattr(scans, "BLOCKS_READ", blocks_read)
    call = make_subsegment(name="api", namespace="remote", end_time=NOON + 9)
    rare = make_segment(
        start_time=NOON, user="ada", annotations={"k": "rare", "only": -0.0}, subsegments=[call]
    )
    store(rare, *[make_segment(start_time=NOON + n, annotations={"k": "x"}) for n in range(300)])
    store(rare | {"annotations": {"k": "rare", "only": -0.0, "late": True}})

    for expression in (
        'annotation.k = "rare"',
        "annotation.only = 0",
        "annotation.only > -0.5",
        "annotation.only <= 0 AND annotation.only >= 0",
        "!(annotation.only < 0) AND annotation.only < 1",
        "annotation.late",
        'user = "ada" AND annotation.k != "x"',
        'edge("movies", "api") { responsetime > 5 }',
        'service("api") { responsetime > 5 AND responsetime < 10 AND ok }',
        'ok AND service("api")',
    ):
        page = list_traces(connection, chosen=read_filter(expression))
        assert [each["Id"] for each in page.summaries] == [rare["trace_id"]], expression
        assert page.processed == 301


@pytest.mark.parametrize("first_looked_at", [0, 100, 250, 1000])
@pytest.mark.parametrize(
    ("table_share_min", "undecided_share_max", "soon_share_max"),
    [(0.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 9.0), (1.1, 0.0, 0.0)],
)
@pytest.mark.parametrize(
    ("expression", "factor"),
    [
        ('http.url ENDSWITH "/0"', 10),
        ('annotation.k CONTAINS "rare"', 50),
        ('user BEGINSWITH "b"', 2),
        ('responsetime >= 0 AND user BEGINSWITH "b"', 2),
    ],
)
def test_pages_of_what_no_term_finds(
    connection: sqlite3.Connection,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    first_looked_at: int,
    table_share_min: float,
    undecided_share_max: float,
    soon_share_max: float,
    expression: str,
    factor: int,
) -> None:
    for name in ("BLOCKS_READ", "BLOCKS_SHARE_MAX"):
        monkeypatch.setattr(scans, name, -1)
    monkeypatch.setattr(scans, "FIRST_LOOKED_AT", first_looked_at)
    monkeypatch.setattr(extents, "WIDE_SHARE_MIN", table_share_min)
    monkeypatch.setattr(scans, "UNDECIDED_SHARE_MAX", undecided_share_max)
    monkeypatch.setattr(scans, "SOON_SHARE_MAX", soon_share_max)
    segments = [
        make_segment(
            # Four at each moment, so that the start alone would not tell them apart.
            start_time=NOON + number // 4,
            http=make_request(f"/{number % 10}", 200),
            annotations={"k": "x" if number % 50 else "so rare"},
            user="a" if number % 2 else "b",
        )
        for number in range(TRACES)
    ]
    random.Random(7).shuffle(segments)
    store(*segments)
    time_range = TimeRange(NOON + 10, NOON + TRACES // 4 - 10, RangeType.EVENT)
    fitting = [NOON + number // 4 for number in range(TRACES) if number % factor == 0]
    expected = [each for each in fitting if time_range.start <= each < time_range.end]

    for order in (Order.OLDEST, Order.NEWEST):
        found = walk(connection, expression, order, 5, time_range)

        starts = [each["StartTime"] for each in found]
        assert starts == sorted(expected, reverse=order is Order.NEWEST), order
        assert len({each["Id"] for each in found}) == len(expected), order


ORDERED = {
    "responsetime >= 0": range(TRACES),
    "responsetime > 1 AND responsetime <= 3": range(11, 31),
    'service("api")': range(0, TRACES, 3),
    'service("api") { fault }': range(0, TRACES, 30),
    'service("movies") { http.status = 404 }': range(1, TRACES, 2),
    'annotation.k CONTAINS "rare"': range(0, TRACES, 50),
    'user = "b"': range(1, TRACES, 2),
}


@pytest.mark.parametrize(
    ("blocks_sampled", "sampled_fitting", "first_looked_at"),
    [(2, 1, 1500), (2, 9, 1500), (2, 1, 7), (2, 10_000, 1500), (10_000, 1, 1500)],
)
def test_pages_in_another_order(
    connection: sqlite3.Connection,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    blocks_sampled: int,
    sampled_fitting: int,
    first_looked_at: int,
) -> None:
    monkeypatch.setattr(samples, "BLOCKS_SAMPLED", blocks_sampled)
    monkeypatch.setattr(samples, "FITTING_MIN", sampled_fitting)
    monkeypatch.setattr(scans, "RANKED_LOOKED_AT", first_looked_at)
    monkeypatch.setattr(scans, "BLOCKS_READ", -1)
    monkeypatch.setattr(scans, "BLOCKS_SHARE_RANKED", -1.0)
    segments = []
    for number in range(TRACES):
        start = NOON + number * 7 % TRACES
        call = make_subsegment(
            name="api", namespace="remote", start_time=start, fault=number % 30 == 0
        )
        segments.append(
            make_segment(
                start_time=start,
                end_time=start + number / 10,
                http=make_request(f"/{number % 10}", 404 if number % 2 else 200),
                annotations={"k": "x" if number % 50 else "so rare"},
                user="b" if number % 2 else "a",
                subsegments=[] if number % 3 else [call],
            )
        )
    store(*segments)
    places = {
        Order.NEWEST: lambda number: segments[number]["start_time"],
        Order.OLDEST: lambda number: segments[number]["start_time"],
        Order.SLOWEST: lambda number: number,
        Order.FASTEST: lambda number: number,
        Order.HIGHEST_STATUS: lambda number: (number % 2, number),
        Order.LOWEST_STATUS: lambda number: (number % 2, number),
    }
    for order, (expression, numbers) in product(Order, ORDERED.items()):
        found = [each["Id"] for each in walk(connection, expression, order, 12)]

        ranked = sorted(numbers, key=places[order], reverse=order.direction == "DESC")
        expected = [segments[number]["trace_id"] for number in ranked]
        assert found == expected, (order, expression)


@pytest.mark.parametrize("share_max", [0.0, 2.0])
@pytest.mark.parametrize(
    ("expression", "factor"),
    [('user = "b"', 2), ('http.url ENDSWITH "/0"', 10), ('service("api")', 3)],
)
def test_all_are_listed_where_they_would_be_ranked(
    connection: sqlite3.Connection,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    share_max: float,
    expression: str,
    factor: int,
) -> None:
    monkeypatch.setattr(samples, "BLOCKS_SAMPLED", 2)
    monkeypatch.setattr(scans, "BLOCKS_READ", -1)
    monkeypatch.setattr(scans, "BLOCKS_SHARE_MAX", share_max)
    monkeypatch.setattr(scans, "FIRST_LOOKED_AT", 100)
    call = make_subsegment(name="api", namespace="remote")
    store(
        *[
            make_segment(
                start_time=NOON + number,
                http=make_request(f"/{number % 10}", 200),
                user="a" if number % 2 else "b",
                subsegments=[] if number % 3 else [call],
            )
            for number in range(TRACES)
        ]
    )
    chosen = read_filter(expression)
    time_range = TimeRange(NOON, NOON + TRACES, RangeType.EVENT)
    fitting = [number + 1 for number in range(TRACES) if number % factor == 0][::-1]
    ranking = Ranking(Order.SLOWEST, 5)

    def read(most: int, ranking: Ranking | None = ranking) -> tuple[list[int], bool]:
        found = list_sure(connection, time_range, chosen, 5, most, ranking=ranking)
        return found.numbers, found.is_all

    monkeypatch.setattr(scans, "RANKED_LOOKED_AT", -1)
    assert read(TRACES) == (fitting, True)
    # They are more than was thought, or than may be.
    assert read(len(fitting) - 1) == (fitting[:5], False)
    monkeypatch.setattr(samples, "FITTING_MIN", 1)
    monkeypatch.setattr(scans, "RANKED_LOOKED_AT", TRACES)
    assert read(TRACES) == (fitting[:5], False)
    assert read(TRACES, None) == (fitting[:5], False)


def test_how_many_are_in_a_range(connection: sqlite3.Connection, store: Store) -> None:
    store(*[make_segment(start_time=NOON + n, end_time=NOON + n + n % 40) for n in range(TRACES)])

    for start, end in product((-10, 0, 0.5, 3, 200, 299, 300), (-5, 0, 1, 150.5, 299, 300, 1000)):
        counted = count_traces(connection, TimeRange(NOON + start, NOON + end, RangeType.EVENT))
        assert counted == sum(n + n % 40 >= start and n < end for n in range(TRACES)), (start, end)
