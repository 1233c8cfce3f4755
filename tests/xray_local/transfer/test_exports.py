"""Traces to a file."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import NOON, make_late, make_segment, make_subsegment
from xray_local.__main__ import main


def export(database: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the traces that were written."""
    output = database.parent / "exported.jsonl"
    code = main([f"--database={database}", "export", f"--output={output}", *arguments])
    lines = output.read_text().splitlines() if output.exists() else []
    return code, [json.loads(line) for line in lines]


def names(traces: list[dict[str, Any]]) -> list[str]:
    return [json.loads(trace["Segments"][0]["Document"])["name"] for trace in traces]


def test_as_batch_get_traces_answers(console: Console, database: Path, store: Store) -> None:
    root = make_segment(
        user="Zoë", subsegments=[make_subsegment("DynamoDB", namespace="aws", end_time=NOON + 3)]
    )
    store(make_late(root), root)
    answer = console.post("/Traces", {"TraceIds": [root["trace_id"]]}).json()

    code, traces = export(database)

    assert code == 0
    assert traces == answer["Traces"]
    assert any('"inferred":true' in each["Document"] for each in traces[0]["Segments"])


def test_more_than_a_page(database: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store(*[make_segment(name=f"{number}", start_time=NOON + number) for number in range(250)])

    code, traces = export(database)

    assert code == 0
    assert names(traces) == [str(number) for number in range(249, -1, -1)]
    assert capsys.readouterr().err == "X-Ray: Exported 250 traces.\n"


def test_filter(database: Path, store: Store) -> None:
    store(make_segment(name="a", fault=True), make_segment(name="b"))

    assert names(export(database, "--filter", 'fault = true AND service("a")')[1]) == ["a"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--start", "1700000010"], ["c", "b"]),
        (["--end", "1700000010"], ["a"]),
        (["--start", "2023-11-14T22:13:21Z", "--end", "2023-11-14 23:13:31+01:00"], ["b"]),
        (["--start", "2030-01-01"], []),
    ],
)
def test_times(database: Path, store: Store, arguments: list[str], expected: list[str]) -> None:
    for number, name in enumerate("abc"):
        store(make_segment(name=name, start_time=NOON + 10 * number, end_time=NOON + 10 * number))

    assert names(export(database, *arguments)[1]) == expected


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--filter", "fault ="], "Cannot filter by 'fault =': "),
        (["--start", "noon"], "Expected a time like '2026-11-20T17:30', "),
        (["--end", "-5"], "Expected a time like "),
    ],
)
def test_mistakes(
    database: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, traces = export(database, *arguments)

    error = capsys.readouterr().err
    assert (code, traces) == (1, [])
    assert error.startswith(f"X-Ray: {reason}")
    assert error.count("\n") == 1


def test_database_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.sqlite3"

    assert export(path) == (1, [])

    assert f"Cannot export from the database '{path}': unable to open" in capsys.readouterr().err
    assert not path.exists()


def test_database_of_an_older_version(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 1")

    assert export(database) == (1, [])

    assert "it has version 1, expected" in capsys.readouterr().err


def test_a_failure_leaves_the_file_of_before(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = database.parent / "exported.jsonl"
    output.write_text('{"before": 1}\n')

    code, traces = export(database, "--filter", "fault =")

    assert (code, traces) == (1, [{"before": 1}])
    assert {each.name for each in output.parent.glob("tmp*")} == set()


def test_folder_that_is_not_there(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([f"--database={database}", "export", "--output=/proc/here/x.jsonl"])

    assert code == 1
    assert "X-Ray: Cannot write '/proc/here/x.jsonl': " in capsys.readouterr().err


def test_whoever_reads_has_enough(database: Path, store: Store) -> None:
    """As in `xray_local export | head -1`."""
    store(*[make_segment(metadata={"x": {"y": "z" * 10_000}}) for _ in range(100)])
    command = [sys.executable, "-m", "xray_local", "export", "--database", str(database)]
    with subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        process.stdout.close()

        assert process.stderr.read() == b""
        assert process.wait(30) == 0
    assert json.loads(line)["Id"]
