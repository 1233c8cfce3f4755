"""The file of settings."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.xray_local.conftest import make_client
from tests.xray_local.program import AS_MODULE, run_xray, start_xray
from xray_local.control import choices
from xray_local.control.database import changing, kept_open, locate, prepare, reading
from xray_local.errors import DatabaseUnusable


def test_beside_the_traces(traces: Path) -> None:
    prepare(traces)

    assert locate(traces) == traces.with_name("xray.sqlite3-settings")
    assert locate(traces).exists()
    assert not traces.exists()


def test_kept_until_changed(traces: Path) -> None:
    with changing(traces) as connection:
        choices.set_choice(connection, "colour", {"red": 1})

    prepare(traces)

    with reading(traces) as connection:
        assert choices.get_choice(connection, "colour") == {"red": 1}
        assert choices.get_choice(connection, "shape", "round") == "round"


def test_all_changes_or_none(traces: Path) -> None:
    def change() -> None:
        with changing(traces) as connection:
            choices.set_choice(connection, "colour", "red")
            raise RuntimeError("half done")

    with pytest.raises(RuntimeError, match="half done"):
        change()

    with reading(traces) as connection:
        assert choices.get_choice(connection, "colour") is None


def test_made_by_many_at_once(traces: Path) -> None:
    failures: list[BaseException] = []

    def change(number: int) -> None:
        try:
            with changing(traces) as connection:
                count = choices.get_choice(connection, "count", 0)
                choices.set_choice(connection, "count", count + 1)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with reading(traces) as connection:
        assert choices.get_choice(connection, "count") == 20


def test_a_file_of_another_version(traces: Path) -> None:
    prepare(traces)
    with closing(sqlite3.connect(locate(traces))) as connection:
        connection.execute("PRAGMA user_version = 99")

    with pytest.raises(DatabaseUnusable, match=r"has version 99, expected 1. Delete it"):
        prepare(traces)


def test_a_database_of_somebody_else(traces: Path) -> None:
    with closing(sqlite3.connect(locate(traces))) as connection:
        connection.execute("CREATE TABLE films (title TEXT)")

    with pytest.raises(DatabaseUnusable, match=r"has version 0, expected 1. Delete it"):
        prepare(traces)


def test_a_file_that_is_no_database(traces: Path) -> None:
    locate(traces).write_bytes(b"no database " * 1000)

    with pytest.raises(DatabaseUnusable, match=r"settings .* is not a database. .*Delete it"):
        prepare(traces)


def test_the_program_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "xray.sqlite3-settings").write_bytes(b"no database " * 1000)

    program = start_xray(tmp_path, command=AS_MODULE)

    assert program.process.wait(30) == 1
    (line,) = program.output().splitlines()
    assert line.startswith("X-Ray: Cannot use the settings")


def test_settings_outlive_the_program_and_the_traces(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        client = make_client(program.url)
        client.create_group(GroupName="kept", FilterExpression="fault")
        client.close()
    program.database.unlink()

    with run_xray(tmp_path) as program:
        client = make_client(program.url)
        group = client.get_group(GroupName="kept")["Group"]
        client.close()

    assert group["FilterExpression"] == "fault"


def test_no_change_waits_for_the_disk_while_kept_open(traces: Path) -> None:
    """The log of changes is written into the file, and the disk waited for, at the very end."""
    log = locate(traces).with_name(f"{locate(traces).name}-wal")
    with kept_open(traces):
        with changing(traces) as connection:
            choices.set_choice(connection, "colour", "red")
        assert log.stat().st_size > 0

    assert not log.exists()
    with reading(traces) as connection:
        assert choices.get_choice(connection, "colour") == "red"
