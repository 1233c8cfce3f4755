"""What is in the database after documents of all kinds, in any order."""

import json
import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import (
    NOON,
    make_id,
    make_late,
    make_request,
    make_segment,
    make_trace_id,
)
from xray_local import storage as storage_module
from xray_local.database import open_for_writing
from xray_local.errors import DocumentRefused
from xray_local.intake import Document, read_document
from xray_local.queries import get_counts, get_documents, get_summary, list_refusals
from xray_local.storage import Storage


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
