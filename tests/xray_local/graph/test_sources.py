"""Where the tallies of graphs, series and insights come from."""

import random
import sqlite3
from collections.abc import Iterable

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.filters import read_filter
from xray_local.graph.insights import find_insights
from xray_local.graph.sources import (
    collect_faulty,
    collect_series,
    collect_tallies,
    collect_traces,
    find_fitting,
)
from xray_local.store.totals import count_faulty
from xray_local.traces.tallies import Tally

HOUR = NOON // 3600 * 3600


def test_insights_are_the_same_as_of_all_that_is_stored(
    store: Store, connection: sqlite3.Connection
) -> None:
    chance = random.Random(4)
    documents = []
    for _ in range(900):
        start = HOUR + chance.randrange(5) * 3600 + chance.randrange(8) * 60 + 3500
        call = make_subsegment(
            "SNS", namespace="aws", start_time=start, fault=chance.random() < 0.5
        )
        documents.append(
            make_segment(
                name=chance.choice("abc"),
                start_time=start,
                fault=chance.random() < 0.3,
                subsegments=[call],
            )
        )
    store(*documents)
    end = HOUR + 7 * 3600

    everything = dict(collect_series(connection, HOUR, end, 60))
    needed = collect_faulty(connection, HOUR, end)

    found = find_insights(needed, "Default", end)
    assert found == find_insights(everything, "Default", end)
    assert found


def test_minutes_with_faults(store: Store, connection: sqlite3.Connection) -> None:
    starts = [HOUR - 60, HOUR - 60, HOUR, HOUR + 60, HOUR + 60, HOUR + 61, HOUR + 7200]
    store(*[make_segment(start_time=start, fault=True) for start in starts])
    store(*[make_segment(start_time=HOUR + 120) for _ in range(5)])

    def find(start: float, end: float, least: int) -> list[float]:
        return sorted(count_faulty(connection, start, end, least, 0))

    assert find(0, HOUR * 2, 2) == [HOUR - 60, HOUR + 60]
    assert find(0, HOUR * 2, 3) == [HOUR + 60]
    assert find(HOUR, HOUR + 7200, 1) == [HOUR, HOUR + 60]
    assert find(HOUR + 60, HOUR + 7260, 1) == [HOUR + 60, HOUR + 7200]


def test_minutes_far_from_faults_are_not_read(store: Store, connection: sqlite3.Connection) -> None:
    store(*[make_segment(start_time=HOUR + 600, fault=True) for _ in range(5)])
    store(*[make_segment(start_time=HOUR + each) for each in (299, 300, 590, 660, 7200)])

    found = count_faulty(connection, HOUR, HOUR + 9000, 5, 300)

    assert sorted(found) == [HOUR + 300, HOUR + 540, HOUR + 600]


def test_of_the_hour_before_only_who_had_faults_is_read(
    store: Store, connection: sqlite3.Connection
) -> None:
    store(*[make_segment(name="bad", start_time=HOUR + 600, fault=True) for _ in range(5)])
    store(*[make_segment(name=name, start_time=HOUR + 300) for name in ("bad", "good")])

    found = collect_faulty(connection, HOUR, HOUR + 900)

    assert [tally.shape.service.name for tally in found[HOUR + 300]] == ["bad"]


def test_ids_that_are_unknown_or_twice_add_nothing(
    store: Store, connection: sqlite3.Connection
) -> None:
    segment = make_segment()
    store(segment)

    (tally,) = collect_traces(connection, [segment["trace_id"], "x", segment["trace_id"]])

    assert tally.count == 1


def test_what_is_stored_of_chosen_traces_is_what_their_documents_say(
    store: Store, connection: sqlite3.Connection
) -> None:
    chance = random.Random(7)
    traces = []
    for number in range(40):
        start = HOUR + number * 7 + chance.random()
        calls = [
            make_subsegment(
                chance.choice(["SNS", "S3"]),
                namespace="aws",
                start_time=start,
                end_time=start + chance.choice([0.0, 0.01, chance.random()]),
                fault=chance.random() < 0.2,
            )
            for _ in range(chance.randrange(6))
        ]
        segment = make_segment(
            start_time=start,
            end_time=start + 1 + chance.random(),
            subsegments=calls,
            error=number % 3 == 0,
        )
        store(segment)
        if number % 4 == 0:
            # What comes later changes what was counted.
            store(
                make_subsegment(
                    "SNS",
                    namespace="aws",
                    type="subsegment",
                    trace_id=segment["trace_id"],
                    parent_id=segment["id"],
                    start_time=start,
                    end_time=start + 3,
                )
            )
        if number % 3 == 0:
            traces.append((start, segment["trace_id"]))
    chosen = read_filter("error")

    ids = [trace_id for _, trace_id in traces]
    fitting = find_fitting(connection, HOUR, HOUR + 300, chosen)
    assert _sort(collect_tallies(connection, HOUR, HOUR + 300, fitting)) == _sort(
        collect_traces(connection, ids)
    )
    assert fitting
    for part, is_before in zip(fitting.split(HOUR + 120), (True, False), strict=True):
        inside = [each for start, each in traces if (start < HOUR + 120) is is_before]
        assert _sort(collect_tallies(connection, HOUR, HOUR + 300, part)) == _sort(
            collect_traces(connection, inside)
        )
    periods = list(collect_series(connection, HOUR, HOUR + 300, 60, fitting))
    assert [time for time, _ in periods] == [HOUR + each for each in (0, 60, 120, 180, 240)]
    for time, tallies in periods:
        inside = [trace_id for start, trace_id in traces if time <= start < time + 60]
        assert _sort(tallies) == _sort(collect_traces(connection, inside))


def _sort(tallies: Iterable[Tally]) -> list[Tally]:
    return sorted(tallies, key=lambda tally: repr(tally.shape))
