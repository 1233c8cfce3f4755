"""How much is stored."""

import sqlite3
from pathlib import Path

from tests.xray_local.conftest import Store
from tests.xray_local.made import NOON, make_segment
from xray_local.store.storage import Storage
from xray_local.store.usage import measure_bytes, measure_usage


def test_nothing(connection: sqlite3.Connection) -> None:
    usage = measure_usage(connection)

    assert (usage.traces, usage.oldest, usage.newest) == (0, None, None)


def test_traces(connection: sqlite3.Connection, store: Store, database: Path) -> None:
    store(*[make_segment(start_time=NOON + number) for number in range(3)])

    usage = measure_usage(connection)

    assert (usage.traces, usage.oldest, usage.newest) == (3, NOON, NOON + 2)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert usage.used_bytes == database.stat().st_size


def test_what_was_deleted_is_not_used(
    connection: sqlite3.Connection, store: Store, storage: Storage
) -> None:
    empty = measure_bytes(connection)
    store(*[make_segment(metadata={"x": {"y": "z" * 60_000}}) for _ in range(10)])
    assert measure_bytes(connection) > empty + 600_000

    connection.execute("DELETE FROM segments")

    assert measure_bytes(connection) < empty + 100_000
