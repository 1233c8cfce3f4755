"""What is in the database after documents of all kinds, in any order."""

import json
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.filters.made import make_trace
from tests.xray_local.made import (
    NOON,
    make_id,
    make_late,
    make_request,
    make_segment,
    make_trace_id,
)
from xray_local.errors import DocumentRefused
from xray_local.filters import read_filter
from xray_local.intake.arrivals import Document, read_document
from xray_local.store import shapes as shapes_module
from xray_local.store import storage as storage_module
from xray_local.store.database import open_for_writing
from xray_local.store.queries import (
    Link,
    get_bodies,
    get_counts,
    get_documents,
    get_summary,
    list_links,
    list_refusals,
    list_traces,
)
from xray_local.store.storage import Storage
from xray_local.store.terms import BLOCK_TRACES, range_term_of, term_of
from xray_local.store.totals import count_faulty, count_minutes, read_series, read_tallies
from xray_local.traces.facts import load_facts
from xray_local.traces.tallies import tally_traces


def read(*documents: dict[str, Any]) -> list[Document]:
    return [read_document(json.dumps(each).encode()) for each in documents]


def summary_of(connection: sqlite3.Connection, segment: dict[str, Any]) -> dict[str, Any]:
    summary = get_summary(connection, segment["trace_id"])
    assert summary is not None
    return summary


def test_save(connection: sqlite3.Connection, store: Store) -> None:
    segment = make_segment(http=make_request("http://a/", 200), annotations={"k": 1})

    store(segment)

    assert get_documents(connection, segment["trace_id"]) == [segment]
    assert summary_of(connection, segment)["Http"]["HttpURL"] == "http://a/"
    row = connection.execute("SELECT id_time, annotations, root_name FROM traces").fetchone()
    assert row == (NOON, '{"k":[1.0]}', "movies")


def test_save_complete_after_in_progress(connection: sqlite3.Connection, store: Store) -> None:
    begun = make_segment(in_progress=True, end_time=None)
    ended = begun | {"end_time": NOON + 2, "in_progress": False}

    store(begun)
    assert summary_of(connection, begun)["IsPartial"]
    store(ended)

    assert get_documents(connection, begun["trace_id"]) == [ended]
    summary = summary_of(connection, begun)
    assert not summary["IsPartial"]
    assert summary["ResponseTime"] == 2
    assert summary["Revision"] == 2
    assert get_counts(connection)["replaced"] == 1


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_save_in_progress_after_complete(
    connection: sqlite3.Connection, store: Store, is_one_batch: bool
) -> None:
    ended = make_segment()
    begun = ended | {"end_time": None, "in_progress": True}

    if is_one_batch:
        store(ended, begun)
    else:
        store(ended)
        store(begun)

    assert get_documents(connection, ended["trace_id"]) == [ended]
    assert not summary_of(connection, ended)["IsPartial"]


def test_save_twice(connection: sqlite3.Connection, store: Store) -> None:
    segment = make_segment()

    store(segment, segment)
    store(segment)

    assert get_documents(connection, segment["trace_id"]) == [segment]
    counts = get_counts(connection)
    assert (counts["stored"], counts["replaced"]) == (1, 2)


def test_save_late_subsegments_in_any_order(connection: sqlite3.Connection, store: Store) -> None:
    root = make_segment(end_time=NOON + 5)
    late = [make_late(root, annotations={"n": number}) for number in range(20)]
    documents = [root, *late]
    random.shuffle(documents)

    for document in documents:
        store(document)

    summary = summary_of(connection, root)
    assert summary["Duration"] == 5
    assert len(summary["Annotations"]["n"]) == 20
    assert len(get_documents(connection, root["trace_id"])) == 21


def test_save_same_id_in_two_traces(connection: sqlite3.Connection, store: Store) -> None:
    one = make_segment()
    other = one | {"trace_id": make_trace_id()}

    store(one, other)

    assert get_documents(connection, one["trace_id"]) == [one]
    assert get_documents(connection, other["trace_id"]) == [other]


def test_save_to_a_trace_known_from_the_database_only(
    database: Path, connection: sqlite3.Connection, store: Store
) -> None:
    root = make_segment(annotations={"a": 1})
    store(root)

    Storage(connection).save(read(make_late(root, annotations={"b": 2})), Counter())

    summary = summary_of(connection, root)
    assert list(summary["Annotations"]) == ["a", "b"]
    assert summary["Revision"] == 2


def test_save_forgets_traces_but_not_what_is_stored(
    connection: sqlite3.Connection, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "KNOWN_TRACES", 2)
    roots = [make_segment(annotations={"a": 1}) for _ in range(5)]

    store(*roots)
    store(*[make_late(root, annotations={"b": 1}) for root in roots])

    for root in roots:
        assert list(summary_of(connection, root)["Annotations"]) == ["a", "b"]


def test_save_too_many_documents_of_one_trace(
    connection: sqlite3.Connection, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "DOCUMENTS_PER_TRACE", 3)
    root = make_segment()

    store(root, *[make_late(root) for _ in range(5)])
    store(root)

    assert len(get_documents(connection, root["trace_id"])) == 3
    assert get_counts(connection)["refused"] == 3
    assert [(code, reason) for _, code, reason in list_refusals(connection)] == [
        (
            "TraceTooLarge",
            f"Expected at most 3 documents of one trace, got one more of {root['trace_id']}.",
        )
    ] * 3


def test_save_nothing_when_it_fails(
    connection: sqlite3.Connection, storage: Storage, store: Store
) -> None:
    first = make_segment()
    store(first)
    connection.execute(
        "CREATE TEMP TRIGGER full BEFORE INSERT ON segments "
        "WHEN instr(NEW.document, CAST('second' AS BLOB)) "
        "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
    )
    second = make_late(first, name="second")

    with pytest.raises(sqlite3.IntegrityError, match="disk is full"):
        storage.save(read(make_segment(), second), Counter(datagrams=2))

    connection.execute("DROP TRIGGER full")
    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (1,)
    assert get_counts(connection)["datagrams"] == 0
    storage.save(read(second), Counter(datagrams=1))
    assert len(get_documents(connection, first["trace_id"])) == 2
    assert get_counts(connection)["datagrams"] == 1


def test_save_cannot_begin(database: Path, storage: Storage) -> None:
    other = open_for_writing(database)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        storage.save([], Counter())
    other.close()

    storage.save(read(make_segment()), Counter())


def test_save_counts_and_refusals(connection: sqlite3.Connection, storage: Storage) -> None:
    refusals = [DocumentRefused("ParseError", f"Reason {number}.") for number in range(60)]

    storage.save([], Counter(refused=60), refusals)
    storage.save([], Counter(refused=1), [DocumentRefused("InvalidId", "The last.")])

    assert get_counts(connection)["refused"] == 61
    kept = list_refusals(connection)
    assert len(kept) == 50
    assert kept[0][1:] == ("InvalidId", "The last.")
    assert kept[1][1:] == ("ParseError", "Reason 59.")


def test_clear(database: Path, connection: sqlite3.Connection, storage: Storage) -> None:
    segments = [
        make_segment(
            http=make_request(f"http://a/{number}", 200),
            metadata={"x": {"y": "z" * 50_000}},
            links=[{"trace_id": make_trace_id(), "id": make_id()}],
        )
        for number in range(100)
    ]
    storage.save(read(*segments), Counter(datagrams=100))

    storage.clear()

    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
        is_empty = not connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
        assert is_empty == (table != "counts"), table
    counts = get_counts(connection)
    assert (counts["datagrams"], counts["stored"], counts["clears"]) == (100, 100, 1)
    assert database.stat().st_size < 1_000_000
    # What was known is forgotten: a late document of a trace that went is stored as a new one.
    late = make_late(segments[0])
    storage.save(read(segments[1], late), Counter())
    assert get_documents(connection, segments[1]["trace_id"]) == [segments[1]]
    assert get_documents(connection, segments[0]["trace_id"]) == [late]
    assert read_tallies(connection, 0, 1e12)


def test_clear_all_or_nothing(database: Path, storage: Storage, store: Store) -> None:
    store(make_segment())
    with closing(open_for_writing(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            storage.clear()
        assert other.execute("SELECT COUNT(*) FROM traces").fetchone() == (1,)
        other.execute("ROLLBACK")

    storage.clear()

    store(make_segment())


def test_prune_by_number(connection: sqlite3.Connection) -> None:
    storage = Storage(connection, max_traces=3)
    segments = [make_segment(start_time=NOON - number) for number in range(5)]

    for segment in segments:
        storage.save(read(segment), Counter())

    kept = {row[0] for row in connection.execute("SELECT id FROM traces")}
    assert kept == {segment["trace_id"] for segment in segments[2:]}
    assert connection.execute("SELECT COUNT(*) FROM segments").fetchone() == (3,)
    assert get_counts(connection)["pruned_traces"] == 2
    storage.save(read(segments[0]), Counter())
    assert summary_of(connection, segments[0])["Revision"] == 1


def test_prune_by_number_what_another_run_left(connection: sqlite3.Connection) -> None:
    Storage(connection).save(read(*[make_segment() for _ in range(10)]), Counter())

    Storage(connection, max_traces=4).save([], Counter())

    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (4,)


def test_prune_by_age(connection: sqlite3.Connection) -> None:
    now = time.time()
    old, long, new, older = (
        make_segment(start_time=now - begin, end_time=now - end)
        for begin, end in ((9000, 8999), (9000, 60), (60, 59), (90_000, 89_999))
    )
    Storage(connection).save(read(old, long, new, older), Counter())
    storage = Storage(connection, max_hours=2)

    storage.save([], Counter())

    kept = {row[0] for row in connection.execute("SELECT id FROM traces")}
    assert kept == {long["trace_id"], new["trace_id"]}
    assert connection.execute("SELECT COUNT(*) FROM segments").fetchone() == (2,)
    assert get_counts(connection)["pruned_traces"] == 2
    # Whatever of it comes again is new, and what is kept is found as before.
    storage.save(read(old | {"start_time": now, "end_time": now}, new), Counter())
    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (3,)
    storage.set_limits(1 << 40, 1 << 40, 0)
    storage.save(read(older), Counter())
    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (4,)


def test_what_is_too_old_takes_no_room_of_what_is_new(connection: sqlite3.Connection) -> None:
    now = time.time()
    storage = Storage(connection, max_traces=10, max_hours=1)
    storage.save(
        read(*(make_segment(start_time=now - 60, end_time=now) for _ in range(10))), Counter()
    )

    day = 24 * 3600
    old = (make_segment(start_time=now - day, end_time=now - day + 1) for _ in range(10))
    storage.save(read(*old), Counter())

    starts = [row[0] for row in connection.execute("SELECT start_time FROM traces")]
    assert starts == [now - 60] * 10


def test_what_is_in_progress_is_not_too_old(connection: sqlite3.Connection) -> None:
    began = time.time() - 7200
    open_segment = make_segment(start_time=began, in_progress=True)
    storage = Storage(connection, max_hours=1)

    storage.save(read(open_segment), Counter())

    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (1,)


def test_terms_go_though_an_earlier_trace_stays(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xray_local.store.terms.ERA_BLOCKS", 1)
    now = time.time()
    ahead = make_segment(start_time=now, end_time=now + 1)
    old = [make_segment(start_time=now - 7200, end_time=now - 7199) for _ in range(BLOCK_TRACES)]
    storage = Storage(connection)
    storage.save(read(ahead, *old), Counter())
    eras = "SELECT DISTINCT era FROM terms ORDER BY era"
    assert connection.execute(eras).fetchall() == [(0,), (1,)]

    storage.set_limits(1 << 40, 1 << 40, 1)
    storage.save([], Counter())

    assert connection.execute(eras).fetchall() == [(0,)]
    # What comes there next is found.
    storage.save(read(*(make_segment(start_time=now, end_time=now) for _ in old)), Counter())
    assert (1,) in connection.execute(eras).fetchall()


def test_prune_by_size(database: Path, connection: sqlite3.Connection) -> None:
    limit = 2_000_000
    storage = Storage(connection, max_bytes=limit)
    last = ""

    for _ in range(40):
        batch = [make_segment(metadata={"x": {"y": make_id() * 500}}) for _ in range(20)]
        storage.save(read(*batch), Counter())
        last = batch[-1]["trace_id"]

    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert database.stat().st_size < 1.5 * limit
    assert get_summary(connection, last) is not None
    assert get_counts(connection)["pruned_traces"] > 400
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_prune_leaves_no_segment_without_its_trace(connection: sqlite3.Connection) -> None:
    storage = Storage(connection, max_traces=1)
    root = make_segment()

    storage.save(read(root, make_late(root), make_segment()), Counter())

    assert connection.execute("SELECT COUNT(*) FROM segments").fetchone() == (1,)


def tally_all(connection: sqlite3.Connection) -> dict[Any, tuple[int, int, dict[int, int]]]:
    """Return what the documents say, by shape: the count, the microseconds and the histogram."""
    trace_ids = [row[0] for row in connection.execute("SELECT id FROM traces")]
    tallies = tally_traces(
        [load_facts(body) for body in get_bodies(connection, trace_id)] for trace_id in trace_ids
    )
    return {
        each.shape: (each.count, round(each.seconds * 1_000_000), each.histogram)
        for each in tallies
    }


def read_all(
    connection: sqlite3.Connection, start: float, end: float
) -> dict[Any, tuple[int, int, dict[int, int]]]:
    """Return the same of the roll-ups."""
    return {
        each.shape: (each.count, round(each.seconds * 1_000_000), each.histogram)
        for each in read_tallies(connection, start, end)
    }


@pytest.mark.parametrize("known_traces", [1, 1000])
def test_roll_ups_stay_exact_however_traces_come(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, known_traces: int
) -> None:
    monkeypatch.setattr(storage_module, "KNOWN_TRACES", known_traces)
    chance = random.Random(7)
    pieces: list[dict[str, Any]] = []
    for number in range(40):
        trace = make_trace(chance, NOON + 60 * number)
        pieces += trace
        # Begun, ended, and sent twice.
        pieces += [each | {"in_progress": True, "end_time": None} for each in trace[:1]]
        pieces += trace[1:2]
    chance.shuffle(pieces)
    storage = Storage(connection)

    for first in range(0, len(pieces), 7):
        storage.save(read(*pieces[first : first + 7]), Counter())

    assert read_all(connection, NOON - 60, NOON + 4000) == tally_all(connection)
    table = "SELECT shape_no, bucket, SUM(count), SUM(microseconds) FROM {} GROUP BY 1, 2"
    assert (
        connection.execute(table.format("minutes")).fetchall()
        == connection.execute(table.format("hours")).fetchall()
    )
    assert connection.execute("SELECT * FROM minutes WHERE count <= 0").fetchall() == []


def test_roll_ups_move_with_the_start_of_the_trace(
    connection: sqlite3.Connection, store: Store
) -> None:
    late = make_segment(start_time=NOON + 3600)
    store(late)

    store(make_segment(trace_id=late["trace_id"], start_time=NOON, name="first"))

    assert read_tallies(connection, NOON + 3600, NOON + 3601) == []
    (first, second) = read_tallies(connection, NOON, NOON + 1)
    assert {first.shape.service.name, second.shape.service.name} == {"first", "movies"}
    assert (first.first, first.last) == (NOON // 60 * 60, NOON // 60 * 60 + 60)


def test_times_beyond_what_an_integer_of_the_database_holds(
    connection: sqlite3.Connection, store: Store
) -> None:
    """Each is within the schema: the longest, from 1970 to the year 9999, is a 37th of 63 bits."""
    longest, long = 253402300799.0, 800000000.0

    def make(start: float, end: float, number: int) -> list[dict[str, Any]]:
        return [make_segment(start_time=start, end_time=end, fault=True) for _ in range(number)]

    segments = [
        *make(0.0, longest, 40),  # in one bucket of a minute
        *(*make(3600.0, longest, 36), *make(3600.0, long, 200)),  # in two
        *make(7200.0, longest, 36),  # with those above
    ]
    store(*segments[:25])
    store(*segments[25:])

    (first,) = read_tallies(connection, 0.0, 3600.0)
    assert (first.count, first.seconds) == (40, pytest.approx(40 * longest))
    ((_, (tally,)),) = read_series(connection, 0.0, 10800.0, 10800)
    assert tally.count == 312
    for (tally,) in (
        read_tallies(connection, 3600.0, 10800.0),
        *(tallies for _, tallies in read_series(connection, 3600.0, 10800.0, 10800)),
    ):
        assert tally.count == 272
        assert tally.seconds == pytest.approx(72 * longest + 200 * long, rel=1e-6)
    minutes = list(count_minutes(connection, 0.0, 10800.0))
    assert [tally.count for _, tallies in minutes for tally in tallies] == [40, 236, 36]
    faulty = count_faulty(connection, 0.0, 10800.0, 1, 0)
    assert [tally.count for tallies in faulty.values() for tally in tallies] == [40, 236, 36]


def test_roll_ups_go_when_every_trace_of_the_minute_has_gone(
    connection: sqlite3.Connection,
) -> None:
    storage = Storage(connection, max_traces=2)
    minutes = [NOON // 60 * 60 + 60 * number for number in range(4)]

    storage.save(read(*[make_segment(start_time=minute) for minute in minutes]), Counter())

    rows = connection.execute("SELECT time FROM minutes").fetchall()
    assert rows == [(minute,) for minute in minutes[2:]]


def test_prune_takes_everything_of_a_trace(connection: sqlite3.Connection) -> None:
    storage = Storage(connection, max_traces=0)
    link = {"trace_id": make_trace_id(), "id": make_id()}

    storage.save(read(make_segment(links=[link], annotations={"k": 1})), Counter())

    for table in ("traces", "segments", "trace_shapes", "minutes", "hours", "links"):
        assert connection.execute(f"SELECT * FROM {table}").fetchall() == [], table  # noqa: S608
    # An era of terms goes with the last trace that could be in it, a shape with the next start.
    Storage(connection).save([], Counter())
    assert connection.execute("SELECT * FROM shapes").fetchall() == []


def test_prune_takes_the_terms_of_an_era(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xray_local.store.terms.BLOCK_TRACES", 2)
    monkeypatch.setattr("xray_local.store.terms.ERA_BLOCKS", 2)
    storage = Storage(connection, max_traces=4)

    storage.save(read(*[make_segment() for _ in range(10)]), Counter())

    # Of the numbers 1 to 10, four to an era, 7 to 10 are left.
    assert connection.execute("SELECT DISTINCT era FROM terms").fetchall() == [(1,), (2,)]


def test_prune_goes_on_with_the_next_batches(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "PRUNED_DOCUMENTS", 10)
    monkeypatch.setattr(storage_module, "PRUNED_AT_ONCE", 5)
    Storage(connection).save(read(*[make_segment() for _ in range(100)]), Counter())
    storage = Storage(connection, max_traces=5)
    counts = []

    for _ in range(11):
        storage.save([], Counter())
        counts.append(connection.execute("SELECT COUNT(*) FROM traces").fetchone()[0])

    assert counts == [90, 80, 70, 60, 50, 40, 30, 20, 10, 5, 5]


def test_more_shapes_than_are_kept(
    connection: sqlite3.Connection, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("xray_local.store.shapes", "xray_local.filters.compiler"):
        monkeypatch.setattr(f"{module}.SHAPES_MAX", 3)
    segments = [make_segment(name=f"service-{number}") for number in range(5)]

    store(*segments)

    assert len(read_tallies(connection, NOON - 60, NOON + 60)) == 3
    for segment in segments:
        page = list_traces(connection, chosen=read_filter(f'service("{segment["name"]}")'))
        assert [each["Id"] for each in page.summaries] == [segment["trace_id"]]


def test_links(connection: sqlite3.Connection, store: Store) -> None:
    cause = {"trace_id": make_trace_id(), "id": make_id()}
    segment = make_segment(links=[cause])

    store(segment)
    store(segment)

    link = Link(segment["trace_id"], segment["id"], cause["trace_id"], cause["id"])
    assert list_links(connection, NOON, NOON + 1, 10) == [link]
    assert list_links(connection, NOON + 1, NOON + 2, 10) == []


def test_what_a_full_trace_is_sent_changes_nothing(
    connection: sqlite3.Connection, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "DOCUMENTS_PER_TRACE", 2)
    trace_id = make_trace_id()
    storage.save(read(*[make_segment(trace_id=trace_id) for _ in range(2)]), Counter())
    get = "SELECT revision, documents FROM traces"
    before = connection.execute(get).fetchall()
    counts: Counter[str] = Counter()

    storage.save(read(make_segment(trace_id=trace_id)), counts)

    assert connection.execute(get).fetchall() == before
    assert connection.execute("SELECT value FROM counts WHERE name = 'refused'").fetchone() == (1,)


@pytest.mark.parametrize("limit", ["KNOWN_BYTES", "KNOWN_TERMS"])
def test_little_is_known(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """What does not stay in memory is read again: what is stored is the same."""
    monkeypatch.setattr(storage_module, limit, 1)
    storage = Storage(connection)
    segments = [
        make_segment(annotations={f"key{number}": number}) for number in range(2 * BLOCK_TRACES)
    ]
    for segment in segments:
        storage.save(read(segment), Counter())
    for segment in segments:
        storage.save(read(make_late(segment)), Counter())

    assert connection.execute("SELECT DISTINCT documents FROM traces").fetchall() == [(2,)]
    assert connection.execute("SELECT SUM(count) FROM hours").fetchone() == (len(segments),)
    for number in (0, 2 * BLOCK_TRACES - 1):
        found = connection.execute(
            "SELECT COUNT(*) FROM terms WHERE term = ?", (term_of(f"annotation.key{number}"),)
        )
        assert found.fetchone() == (1,)


def test_blocks_know_the_least_and_the_greatest_number(connection: sqlite3.Connection) -> None:
    term = range_term_of("annotation.items")

    def store(*values: object) -> list[tuple[object, ...]]:
        # Each time anew, as after a restart: what is in the database is widened, too.
        storage = Storage(connection)
        for value in values:
            storage.save(read(make_segment(annotations={"items": value})), Counter())
        found = connection.execute(
            "SELECT block, low, high FROM terms WHERE term = ? ORDER BY block", (term,)
        )
        return found.fetchall()

    assert store("many", True) == []
    assert store(4, "7") == [(0, 4, 4)]
    assert store(2.5) == [(0, 2.5, 4)]
    assert store(*[9] * (BLOCK_TRACES - 6), 1) == [(0, 2.5, 9), (1, 1, 1)]


def test_a_term_that_is_two_things_has_a_least_and_a_greatest(
    connection: sqlite3.Connection,
) -> None:
    """Terms are checksums: a text may have that of another annotation's numbers."""
    term = range_term_of("annotation.items")
    connection.execute("INSERT INTO terms VALUES (0, ?, 0, NULL, NULL)", (term,))

    Storage(connection).save(read(make_segment(annotations={"items": 4})), Counter())

    assert connection.execute("SELECT low, high FROM terms WHERE term = ?", (term,)).fetchall() == [
        (4, 4)
    ]


def test_counts_of_the_future_go(connection: sqlite3.Connection) -> None:
    """A client's clock may be years ahead: what it counted must not stay for good."""
    storage = Storage(connection, max_traces=1)
    ahead = make_segment(start_time=2 * NOON)
    storage.save(read(ahead), Counter())

    storage.save(read(make_segment()), Counter())

    for table in ("minutes", "hours"):
        (time,) = connection.execute(f"SELECT time FROM {table}").fetchone()  # noqa: S608
        assert time <= NOON


def test_services_of_today_are_counted_though_there_were_too_many(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes_module, "SHAPES_MAX", 3)
    storage = Storage(connection, max_traces=1)
    for number in range(5):
        storage.save(read(make_segment(name=f"old {number}", start_time=NOON + number)), Counter())

    for _ in range(2):
        storage.save(read(make_segment(name="new", start_time=NOON + 90_000)), Counter())

    names = connection.execute("SELECT name FROM shapes JOIN hours ON no = shape_no").fetchall()
    assert names == [("new",)]
