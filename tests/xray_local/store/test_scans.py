"""Pages are the same in whichever way the rows are looked at."""

import random
import sqlite3

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment
from xray_local.filters import read_filter
from xray_local.store import scans
from xray_local.store.queries import RangeType, TimeRange, list_traces

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
