"""Traces from a file, and there and back."""

import io
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, find_free_port
from tests.xray_local.aws import run_aws
from tests.xray_local.conftest import make_client
from tests.xray_local.made import NOON, make_late, make_segment, make_subsegment
from tests.xray_local.program import AS_COMMAND, Program, run_xray
from xray_local.__main__ import main
from xray_local.control.database import locate
from xray_local.store import storage
from xray_local.store.database import reading
from xray_local.store.lock import hold
from xray_local.store.queries import get_documents, get_summary
from xray_local.transfer import imports

Read = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def nowhere() -> str:
    """An address where nothing runs."""
    return f"127.0.0.1:{find_free_port()}"


def read_names(database: Path, *trace_ids: str) -> list[str]:
    with reading(database) as connection:
        return [
            document["name"]
            for trace_id in trace_ids
            for document in get_documents(connection, trace_id)
        ]


def write_lines(folder: Path, *values: Any) -> str:
    path = folder / "traces.jsonl"
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return str(path)


def test_a_trace_that_is_too_large(
    tmp_path: Path,
    nowhere: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage, "DOCUMENTS_PER_TRACE", 1)
    root = make_segment()
    file = write_lines(tmp_path, root, make_late(root))

    main([f"--address={nowhere}", f"--database={tmp_path / 'xray.sqlite3'}", "import", file])

    assert "Left out 1 segments; the last: Expected at most 1 doc" in capsys.readouterr().err


def test_straight_into_the_database(
    tmp_path: Path, nowhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database is made where there is none, and times stay as they are."""
    database = tmp_path / "new" / "xray.sqlite3"
    root = make_segment(name="production", start_time=NOON)
    file = write_lines(tmp_path, root, make_late(root))

    assert main([f"--address={nowhere}", f"--database={database}", "import", file]) == 0

    assert capsys.readouterr().err == f"X-Ray: Imported 2 segments into {database}.\n"
    assert read_names(database, root["trace_id"]) == ["production", "late"]
    with reading(database) as connection:
        summary = get_summary(connection, root["trace_id"])
    assert summary
    assert summary["StartTime"] == NOON


def test_what_aws_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the standard input, as of `aws xray batch-get-traces ... | xray_local import -`."""
    call = make_subsegment("DynamoDB", namespace="aws")
    root = make_segment(subsegments=[call])
    inferred = make_segment(
        name="DynamoDB", inferred=True, parent_id=call["id"], trace_id=root["trace_id"]
    )
    segments = [{"Id": each["id"], "Document": json.dumps(each)} for each in (root, inferred)]
    answer = {
        "Traces": [{"Id": root["trace_id"], "Duration": 0.1, "Segments": segments}],
        "UnprocessedTraceIds": [],
    }
    data = json.dumps(answer, indent=4).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    database = tmp_path / "xray.sqlite3"

    assert main(["import", "-", f"--database={database}"]) == 0

    assert read_names(database, root["trace_id"]) == ["movies"]


def test_bad_lines_are_told_and_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = make_segment(name="good")
    file = write_lines(tmp_path, "nonsense", make_segment(id="short"), good)
    database = tmp_path / "xray.sqlite3"

    assert main(["import", file, f"--database={database}"]) == 1

    first, second, last = capsys.readouterr().err.splitlines()
    assert first.startswith("X-Ray: Skipped line 1: Expected a trace with Segments")
    assert second.startswith("X-Ray: Skipped line 2: Invalid segment. ErrorCode: InvalidId.")
    assert last == f"X-Ray: Imported 1 segment into {database}."
    assert read_names(database, good["trace_id"]) == ["good"]


def test_many_bad_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_lines(tmp_path, *range(1000))

    assert main(["import", file, f"--database={tmp_path / 'xray.sqlite3'}"]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 22
    assert lines[-2:] == [
        "X-Ray: Skipped 1,000 lines in all.",
        f"X-Ray: Imported 0 segments into {tmp_path / 'xray.sqlite3'}.",
    ]


def test_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(tmp_path / "none")]) == 1

    assert capsys.readouterr().err == (
        f"X-Ray: Cannot read '{tmp_path / 'none'}': No such file or directory. "
        "Expected a file of traces, or '-'.\n"
    )


def test_a_database_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "xray.sqlite3"
    with hold(database):
        assert main(["import", write_lines(tmp_path), f"--database={database}"]) == 1

    assert "another X-Ray writes to it, process " in capsys.readouterr().err
    assert not database.exists()


def test_settings_that_cannot_be_read(
    tmp_path: Path, nowhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "xray.sqlite3"
    locate(database).write_text("This is no database.")
    file = write_lines(tmp_path, make_segment())

    assert main(["import", file, f"--address={nowhere}", f"--database={database}"]) == 1

    told = capsys.readouterr().err
    assert "Cannot use the settings" in told
    assert told.count("\n") == 1


def test_the_oldest_go_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_DOCUMENTS", 50)
    segments = [make_segment(name=str(number)) for number in range(120)]
    database = tmp_path / "xray.sqlite3"

    assert (
        main(
            [
                "--max-traces=10",
                "import",
                write_lines(tmp_path, *segments),
                f"--database={database}",
            ]
        )
        == 0
    )

    kept = read_names(database, *(each["trace_id"] for each in segments))
    assert kept == [str(number) for number in range(110, 120)]


def test_full_disk(tmp_path: Path) -> None:
    segments = [make_segment(metadata={"x": {"y": "z" * 50_000}}) for _ in range(60)]
    file = write_lines(tmp_path, *segments)
    database = tmp_path / "new" / "xray.sqlite3"
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)); "
        "from xray_local.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program, "import", file, f"--database={database}"],
        capture_output=True,
        text=True,
        check=False,
        # Coverage could not write its file either.
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )

    assert ran.returncode == 1
    assert ran.stderr == "X-Ray: Cannot store the traces: disk I/O error.\n"


def test_the_server_goes_away(
    tmp_path: Path,
    nowhere: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(imports, "_is_running", lambda address: True)

    assert main(["import", write_lines(tmp_path, make_segment()), f"--address={nowhere}"]) == 1

    assert capsys.readouterr().err.startswith(f"X-Ray: Lost the X-Ray at {nowhere}: ")


def test_something_else_answers_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with run_aws() as aws:
        address = aws.url.removeprefix("http://")
        assert main(["import", write_lines(tmp_path), f"--address={address}"]) == 1

    error = capsys.readouterr().err
    assert error.startswith(f"X-Ray: What answers at {address} is no local X-Ray: ")
    assert error.count("\n") == 1


def test_something_there_speaks_no_http(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 \x1b[31mmail\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"127.0.0.1:{listening.getsockname()[1]}"

        assert main(["import", write_lines(tmp_path), f"--address={address}"]) == 1
        thread.join()

    error = capsys.readouterr().err
    assert f"What answers at {address} is no local X-Ray: " in error
    assert "\x1b" not in error


def test_the_server_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is asked again while it starts its writer, and not for ever."""
    monkeypatch.setattr(imports, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(imports, "_is_running", lambda address: True)
    answers = [(429, {"Message": "later"})] * 3
    file = write_lines(tmp_path, make_segment())
    with run_aws(lambda documents: answers.pop() if answers else (200, {})) as aws:
        address = aws.url.removeprefix("http://")
        assert main(["import", file, f"--address={address}"]) == 0
        assert len(aws.ids) == 1
        answers += [(429, {"Message": "later"})] * 100

        assert main(["import", file, f"--address={address}"]) == 1

    assert 'does not take the traces: \'{"Message": "later"}\'.' in capsys.readouterr().err


# There and back.


def make_traces() -> list[dict[str, Any]]:
    """Return documents of traces of every kind that an import could spoil."""
    call = make_subsegment("orders", namespace="remote")
    table = make_subsegment("DynamoDB", namespace="aws", aws={"table_name": "movies"})
    root = make_segment(
        user="Zoë",
        annotations={"key": "välue", "count": 3, "flag": True},
        http={"request": {"url": "http://a/b", "method": "GET"}, "response": {"status": 500}},
        fault=True,
        subsegments=[call, table],
    )
    answer = make_segment(name="orders", parent_id=call["id"], trace_id=root["trace_id"])
    opened = make_segment(name="opened", end_time=None, in_progress=True)
    alone = make_late(make_segment(), name="alone")
    return [root, answer, make_late(root), make_late(make_late(root)), opened, alone]


def read_all(program: Program, documents: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Return what an X-Ray says of the traces, but for how often they were changed."""
    client = make_client(program.url)
    ids = sorted({each["trace_id"] for each in documents})
    traces = client.batch_get_traces(TraceIds=ids)["Traces"]
    for trace in traces:
        trace["Segments"] = sorted(
            ((each["Id"], json.loads(each["Document"])) for each in trace["Segments"]),
            key=lambda pair: str(pair[0]),
        )
    summaries = client.get_trace_summaries(StartTime=NOON - 60, EndTime=NOON + 60)["TraceSummaries"]
    for summary in summaries:
        summary.pop("Revision", None)
    client.close()
    return traces, sorted(summaries, key=lambda summary: str(summary["Id"]))


def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Out of a running X-Ray, into one that runs and into one that does not yet."""
    documents = make_traces()
    file = str(tmp_path / "traces.jsonl")
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    with run_xray(tmp_path / "first") as first, run_xray(tmp_path / "second") as second:
        first.send(*documents)
        first.wait_for_count("stored", len(documents))
        assert main([f"--database={first.database}", "export", f"--output={file}"]) == 0
        wanted = read_all(first, documents)

        assert main([f"--address=127.0.0.1:{second.port}", "import", file]) == 0
        imported = capsys.readouterr().err.splitlines()[-1]
        second.wait_for_count("stored", int(imported.split()[2]))

        assert read_all(second, documents) == wanted
        assert len(wanted[0]) == len(wanted[1]) == 3
    third = tmp_path / "third" / "xray.sqlite3"
    assert main(["import", file, f"--database={third}"]) == 0

    with run_xray(tmp_path / "third", database=third) as program:
        assert read_all(program, documents) == wanted


def test_by_manage_py(tmp_path: Path) -> None:
    """The same words after manage.py, with the database where the site keeps it."""

    root = make_segment()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "movies_site.settings_local",
        "LOCAL_DIR": str(tmp_path),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *AS_COMMAND, *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            cwd=ROOT,
        )

    file = write_lines(tmp_path, root)
    run("--address", f"127.0.0.1:{find_free_port()}", "import", file)
    exported = run("export", "--filter", 'name = "movies"')

    assert json.loads(exported.stdout)["Id"] == root["trace_id"]
    assert exported.stderr == "X-Ray: Exported 1 traces.\n"
    assert (tmp_path / "xray.sqlite3").exists()
