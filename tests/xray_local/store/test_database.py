"""The file itself: new, used before, and unusable."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.xray_local.conftest import Store
from tests.xray_local.made import make_segment
from xray_local.errors import DatabaseUnusable
from xray_local.store.database import PAGE_BYTES, SCHEMA_VERSION, open_for_writing, prepare, reading


def test_prepare_makes_folders_and_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "it's 100% x?.sqlite3"

    prepare(path)

    with reading(path) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (PAGE_BYTES,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_prepare_keeps_traces_and_counts_from_zero(
    database: Path, store: Store, connection: sqlite3.Connection
) -> None:
    store(make_segment())
    assert connection.execute("SELECT COUNT(*) FROM counts").fetchone() == (1,)

    prepare(database)

    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (1,)
    assert connection.execute("SELECT COUNT(*) FROM counts").fetchone() == (0,)


def test_prepare_another_version(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 7")

    with pytest.raises(DatabaseUnusable, match=rf"version 7, expected {SCHEMA_VERSION}\. Delete"):
        prepare(database)


def test_prepare_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is not a database at all. " * 100)

    with pytest.raises(DatabaseUnusable, match="file is not a database"):
        prepare(path)


def test_prepare_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="unable to open database file"):
        prepare(tmp_path)


def test_prepare_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DatabaseUnusable, match="name another with --database"):
        prepare(tmp_path / "file" / "xray.sqlite3")


def test_prepare_locked(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xray_local.store.database.LOCK_TIMEOUT_SECONDS", 0.1)
    with closing(open_for_writing(database)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(DatabaseUnusable, match="database is locked"):
            prepare(database)


def test_reading_cannot_write(database: Path) -> None:
    with (
        reading(database) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM traces")


def test_reading_sees_one_moment(
    database: Path, store: Store, connection: sqlite3.Connection
) -> None:
    store(make_segment())

    with reading(database) as reader:
        before = reader.execute("SELECT COUNT(*) FROM traces").fetchone()
        connection.execute("DELETE FROM traces")

        assert reader.execute("SELECT COUNT(*) FROM traces").fetchone() == before == (1,)
    with reading(database) as reader:
        assert reader.execute("SELECT COUNT(*) FROM traces").fetchone() == (0,)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(sqlite3.OperationalError, match="unable to open"),
        reading(tmp_path / "none") as connection,
    ):
        connection.execute("SELECT 1")
