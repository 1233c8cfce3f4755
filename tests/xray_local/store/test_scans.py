"""Pages are the same in whichever way the rows are looked at."""

import random
import sqlite3
from itertools import product

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment
from xray_local.filters import read_filter
from xray_local.store import scans
from xray_local.store.queries import RangeType, TimeRange, count_traces, list_traces

TRACES = 300


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


@pytest.mark.parametrize("newest_looked_at", [0, 100, 250, 1000])
@pytest.mark.parametrize(
    ("table_share_min", "undecided_share_max"), [(0.0, 0.0), (0.0, 2.0), (1.1, 0.0)]
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
    newest_looked_at: int,
    table_share_min: float,
    undecided_share_max: float,
    expression: str,
    factor: int,
) -> None:
    for name in ("BLOCKS_READ", "BLOCKS_SHARE_MAX"):
        monkeypatch.setattr(scans, name, -1)
    monkeypatch.setattr(scans, "NEWEST_LOOKED_AT", newest_looked_at)
    monkeypatch.setattr(scans, "TABLE_SHARE_MIN", table_share_min)
    monkeypatch.setattr(scans, "UNDECIDED_SHARE_MAX", undecided_share_max)
    segments = [
        make_segment(
            # Two at each moment, so that the start alone would not tell them apart.
            start_time=NOON + number // 2,
            http=make_request(f"/{number % 10}", 200),
            annotations={"k": "x" if number % 50 else "so rare"},
            user="a" if number % 2 else "b",
        )
        for number in range(TRACES)
    ]
    random.Random(7).shuffle(segments)
    store(*segments)
    time_range = TimeRange(NOON + 10, NOON + TRACES // 2 - 10, RangeType.EVENT)

    found: list[float] = []
    token = None
    while True:
        page = list_traces(
            connection,
            time_range=time_range,
            chosen=read_filter(expression),
            token=token,
            limit=4,
        )
        found += [each["StartTime"] for each in page.summaries]
        token = page.next_token
        if token is None:
            break

    fitting = [NOON + number // 2 for number in range(TRACES) if number % factor == 0]
    assert found == [each for each in fitting[::-1] if NOON + 10 <= each < NOON + TRACES // 2 - 10]


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
    monkeypatch.setattr(scans, "BLOCKS_SAMPLED", blocks_sampled)
    monkeypatch.setattr(scans, "SAMPLED_FITTING", sampled_fitting)
    monkeypatch.setattr(scans, "FIRST_LOOKED_AT", first_looked_at)
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
        scans.Order.NEWEST: lambda number: segments[number]["start_time"],
        scans.Order.OLDEST: lambda number: segments[number]["start_time"],
        scans.Order.SLOWEST: lambda number: number,
        scans.Order.FASTEST: lambda number: number,
        scans.Order.HIGHEST_STATUS: lambda number: (number % 2, number),
        scans.Order.LOWEST_STATUS: lambda number: (number % 2, number),
    }
    for order, (expression, numbers) in product(scans.Order, ORDERED.items()):
        found: list[str] = []
        token = None
        while not found or token is not None:
            page = list_traces(
                connection,
                chosen=read_filter(expression),
                token=token,
                limit=12,
                order=order,
            )
            found += [each["Id"] for each in page.summaries]
            token = page.next_token

        ranked = sorted(numbers, key=places[order], reverse=order.direction == "DESC")
        expected = [segments[number]["trace_id"] for number in ranked]
        assert found == expected, (order, expression)


def test_how_many_are_in_a_range(connection: sqlite3.Connection, store: Store) -> None:
    store(*[make_segment(start_time=NOON + n, end_time=NOON + n + n % 40) for n in range(TRACES)])

    for start, end in product((-10, 0, 0.5, 3, 200, 299, 300), (-5, 0, 1, 150.5, 299, 300, 1000)):
        counted = count_traces(connection, TimeRange(NOON + start, NOON + end, RangeType.EVENT))
        assert counted == sum(n + n % 40 >= start and n < end for n in range(TRACES)), (start, end)
