"""What a laptop does to the whole program: full disks, taken files, clocks that jump, strangers."""

import http.client
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from tests.xray_local.conftest import make_client
from tests.xray_local.console.test_pages import check_nothing_runs, make_hostile
from tests.xray_local.made import (
    ALL_TRACES,
    HEADER,
    make_id,
    make_segment,
    make_trace_id,
    wait_until,
)
from tests.xray_local.program import Program, ask, is_alive, run_xray, start_xray


def put(program: Program, *documents: dict[str, Any]) -> None:
    """Pass documents by PutTraceSegments."""
    client = make_client(program.url)
    client.put_trace_segments(TraceSegmentDocuments=[json.dumps(each) for each in documents])
    client.close()


def count_traces(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM traces").fetchone()[0])


@contextmanager
def no_room(pid: int) -> Iterator[None]:
    """Let no file of the process grow, as where a disk is full."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_full_disk(tmp_path: Path) -> None:
    """What comes meanwhile waits, pages are shown, and it goes on when there is room again."""
    known = make_segment(name="before")
    with run_xray(tmp_path) as program:
        put(program, known)
        program.wait_for_count("stored", 1)
        with no_room(program.children()["writer"]):
            put(program, make_segment())
            wait_until(lambda: "Cannot store" in program.output())
            put(program, *[make_segment() for _ in range(50)])
            program.send(*[make_segment() for _ in range(40)])

            assert "before" in program.fetch(f"/traces/{known['trace_id']}")
            assert program.counts()["stored"] == 1
            # It has been tried again, more than once.
            time.sleep(1.2)
        program.wait_for_count("stored", 92)

        wait_until(lambda: "Storing again." in program.output())
        lines = program.output().splitlines()
    assert len(lines) == 3
    assert lines[1] == "X-Ray: Cannot store 1 documents yet: disk I/O error. Retrying."
    with closing(sqlite3.connect(program.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_end_while_the_disk_is_full(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        children = program.children()
        put(program, make_segment())
        # A writer that has no room before it has begun is started anew.
        program.wait_for_count("stored", 1)
        with no_room(children["writer"]):
            put(program, make_segment())
            wait_until(lambda: "Cannot store" in program.output())

            program.process.terminate()

            assert program.process.wait(20) == 0
            wait_until(lambda: not any(is_alive(pid) for pid in children.values()))
    assert "the last segments could not be stored in time" in program.output()
    with closing(sqlite3.connect(program.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def run_in_vain(folder: Path, database: Path, **options: Any) -> str:
    """Return the one line with which the program ends at once."""
    program = start_xray(folder, database=database, **options)
    assert program.process.wait(30) == 1
    output = program.output()
    assert output.startswith("X-Ray: ")
    assert output.count("\n") == 1
    return output


def test_disk_that_is_full_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A measurement of coverage would find no room either, and say so at length.
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        monkeypatch.delenv(name)
    program = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
        "runpy.run_module('xray_local', run_name='__main__', alter_sys=True)"
    )

    line = run_in_vain(tmp_path, tmp_path / "xray.sqlite3", command=("-c", program))

    assert "Cannot use the database" in line
    assert "disk I/O error" in line


def test_database_of_an_older_version(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE segments (document)")
        connection.execute("PRAGMA user_version = 2")

    line = run_in_vain(tmp_path, path)

    assert f"Cannot use the database '{path}': it has version 2, expected " in line
    assert "Delete it, or name another file with --database." in line


def test_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE letters (text)")
    before = path.read_bytes()

    line = run_in_vain(tmp_path, path)

    assert "it has version 0" in line
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"Dear reader. " * 1000, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter"
    path.write_bytes(content)

    assert f"Cannot use the database '{path}': file is not a database." in run_in_vain(
        tmp_path, path
    )
    assert path.read_bytes() == content


# Root may write anywhere but there.
@pytest.mark.parametrize("folder", ["/proc/here", "/dev/null/here"])
def test_folder_that_cannot_be_written(tmp_path: Path, folder: str) -> None:
    line = run_in_vain(tmp_path, Path(folder, "xray.sqlite3"))

    assert f"Cannot use the database '{folder}/xray.sqlite3': " in line
    assert "--database" in line


def test_a_second_xray_on_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with run_xray(tmp_path) as program:
        put(program, make_segment())
        program.wait_for_count("stored", 1)

        line = run_in_vain(tmp_path / "second", program.database)

        assert f"another X-Ray writes to it, process {program.process.pid}." in line
        # The second one would have counted from zero.
        assert program.counts()["stored"] == 1


def test_a_start_straight_after_a_kill(tmp_path: Path) -> None:
    with run_xray(tmp_path) as program:
        program.process.kill()
        program.process.wait()

        with run_xray(tmp_path, database=program.database) as again:
            put(again, make_segment())
            again.wait_for_count("stored", 1)


CLOCK = """
import os, time

real = time.time


def tell():
    with open(os.environ["CLOCK"]) as file:
        return real() + float(file.read() or 0)


time.time = tell
"""


def test_a_clock_that_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every process of the program: a year ahead, two years back, and home again."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    monkeypatch.setenv("CLOCK", str(clock))
    code = (
        f"import os, runpy; "
        f"exec(open({str(tmp_path / 'sitecustomize.py')!r}).read()); "
        f"os.environ['PYTHONPATH'] = {str(tmp_path)!r}; "
        "runpy.run_module('xray_local', run_name='__main__', alter_sys=True)"
    )
    year = 365 * 86_400
    with run_xray(tmp_path, command=("-c", code)) as program:
        children = program.children()
        client = make_client(program.url)
        for number, jump in enumerate((0, year, -year, 0), 1):
            # Whole at once: nobody may read half a number.
            (tmp_path / "new").write_text(str(jump))
            (tmp_path / "new").replace(clock)
            now = time.time() + jump
            root = make_segment(
                start_time=now, end_time=now + 0.1, trace_id=make_trace_id(now), fault=True
            )
            program.send(root)
            program.wait_for_count("stored", number)

            newest, *_ = client.get_trace_summaries(
                StartTime=now - 60, EndTime=now + 60, FilterExpression="fault"
            )["TraceSummaries"]
            targets = client.get_sampling_targets(
                SamplingStatisticsDocuments=[
                    {
                        "RuleName": "Default",
                        "ClientID": "0" * 24,
                        "Timestamp": now,
                        "RequestCount": 1,
                        "SampledCount": 1,
                    }
                ]
            )
            services = client.get_service_graph(StartTime=now - 300, EndTime=now + 300)["Services"]
            for path in ("/", "/traces", "/status", f"/traces/{root['trace_id']}"):
                program.fetch(path)

            assert newest["Id"] == root["trace_id"]
            assert targets["SamplingTargetDocuments"][0]["ReservoirQuotaTTL"].timestamp() > now - 60
            assert "movies" in {service["Name"] for service in services}
        client.close()
        assert program.children() == children
        assert program.output().count("\n") == 1


MARK = "h0st1le"
HOSTILE = [
    f"\"'></pre></title></textarea><script>{MARK}()</script><img src=x onerror={MARK}()>",
    f"' OR 1=1; DROP TABLE traces; DELETE FROM segments; -- {MARK}",  # noqa: S608 - on purpose
    f"\x1b[31m{MARK}\x1b[0m\x07\x08\x9b31m",
    f"{MARK}\nX-Ray: {MARK} a line that is none\r\n\u2028Set-Cookie: {MARK}=1\u2029\x85",
    f"{{{{ {MARK} }}}}{{% debug %}}${{{MARK}}}%s%n{{0.__class__}}",
    f"javascript:{MARK}()//\u202e\u2066\ufeff\0\ud800",
    f"../../../../etc/{MARK}\\..\\%2e%2e%2f",
]


def make_span(text: str) -> dict[str, Any]:
    """Return an OTLP request in JSON that holds the text wherever one can."""
    value = {"key": text, "value": {"stringValue": text}}
    names = ("http.url", "url.full", "db.statement", "enduser.id", "exception.message")
    known = [{"key": name, "value": {"stringValue": text}} for name in names]
    span = {
        "traceId": make_trace_id(time.time())[2:].replace("-", ""),
        "spanId": make_id(),
        "name": text,
        "kind": 2,
        "startTimeUnixNano": str(int(time.time() * 1e9)),
        "endTimeUnixNano": str(int(time.time() * 1e9) + 1000),
        "attributes": [value, *known],
        "events": [{"name": "exception", "attributes": [value, *known]}],
        "status": {"code": 2, "message": text},
    }
    resource_ = {"attributes": [{"key": "service.name", "value": {"stringValue": text}}, value]}
    return {"resourceSpans": [{"resource": resource_, "scopeSpans": [{"spans": [span]}]}]}


def post(url: str, fields: Any) -> tuple[int, bytes]:
    """Return the status and the body; JSON may hold half a character, as here."""
    return ask(url, json.dumps(fields).encode(), **{"Content-Type": "application/json"})


def send_hostile(program: Program, folder: Path) -> None:
    """Send every hostile text by every way in, in what is stored and in what is refused."""
    for text in HOSTILE:
        hostile = make_hostile(text)
        # What is removed from a document is not shown; so there is one that complies, too.
        plain = make_segment(
            name="plain",
            user=text,
            http={"request": {"url": text, "user_agent": text}, "response": {"status": 500}},
            annotations={"key": text},
            metadata={"default": {text: text}},
            fault=True,
        )
        bad = [plain | {key: text} for key in ("id", "trace_id", "start_time")]
        for document in (hostile, plain, *bad):
            program.send(document)
            again = document | {"trace_id": make_trace_id()} if document in (hostile, plain) else {}
            post(f"{program.url}/TraceSegments", {"TraceSegmentDocuments": [json.dumps(again)]})
        program.send(text.encode(errors="surrogatepass"))
        program.send(HEADER + text.encode(errors="surrogatepass"))
        program.send(b'{"format":"' + json.dumps(text).encode() + b'"}\n{}')
        post(f"{program.otlp_url}/v1/traces", make_span(text))
        for path in ("TraceSummaries", "Traces", "ServiceGraph", "CreateGroup", "SamplingTargets"):
            names = ("FilterExpression", "GroupName", "NextToken", "StartTime", "RuleName")
            fields: dict[str, Any] = dict.fromkeys(names, text)
            fields |= {"TraceIds": [text], "SamplingStatisticsDocuments": [{"RuleName": text}]}
            for asked in (fields, fields | {"StartTime": 0, "EndTime": 9e9}):
                status, body = post(f"{program.url}/{path}", asked)
                assert status < 500
                assert json.loads(body)
    file = folder / "hostile.jsonl"
    file.write_text("".join(json.dumps(make_hostile(text)) + "\n" for text in HOSTILE))
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "xray_local"),
            *("import", file, "--address", f"127.0.0.1:{program.port}"),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    check_lines(ran.stderr)


def list_pages(program: Program) -> Iterator[str]:
    """Yield the path of every page, with every hostile text where a path can hold one."""
    yield from ("/", "/status", "/traces", ALL_TRACES, "/counts")
    with closing(sqlite3.connect(program.database)) as connection:
        trace_ids = [row[0] for row in connection.execute("SELECT id FROM traces")]
    for trace_id in trace_ids:
        path = f"/traces/{trace_id}"
        yield path
        yield f"{path}.json"
        for document in json.loads(program.fetch(f"{path}.json"))["Segments"]:
            yield f"{path}?element={urllib.parse.quote(document['Id'])}"
    for text in HOSTILE:
        quoted = urllib.parse.quote(text.encode(errors="replace"), safe="")
        yield from (f"/{quoted}", f"/traces/{quoted}", f"/traces/{quoted}.json", f"/?{quoted}")
        names = ("filter", "after", "element", "row", "minutes", "range", "start", "end", "group")
        for path in ("/", "/traces", f"/traces/{trace_ids[0]}"):
            yield f"{path}?" + "&".join(f"{name}={quoted}" for name in names)
            yield from (f"{path}?{name}={quoted}" for name in names)


def check_lines(output: str) -> None:
    """Hold that every line is ours and that a terminal shows nothing but it."""
    for line in output.split("\n")[:-1]:
        assert line.startswith("X-Ray"), line
        assert line.isprintable(), ascii(line)
        assert f"X-Ray: {MARK}" not in line.partition(" ")[2][:20]


def fetch_raw(program: Program, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
    with closing(connection):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read().decode()


def test_nothing_in_a_segment_is_more_than_text(tmp_path: Path) -> None:
    """Not on a page, not in a log line, not in SQL, by whatever way it came."""
    with run_xray(tmp_path) as program:
        put(program, make_segment(name="innocent"))
        send_hostile(program, tmp_path)
        sent = make_segment(name="last")
        program.send(sent)
        wait_until(lambda: "last" in program.fetch(ALL_TRACES))
        wait_until(lambda: fetch_raw(program, f"/traces/{sent['trace_id']}")[0] == 200)
        seen = 0

        for path in list_pages(program):
            status, headers, body = fetch_raw(program, path)

            assert status in (200, 400, 404), (path, status, body[:300])
            assert not {"set-cookie", MARK} & {name.lower() for name in headers}
            assert "Content-Security-Policy" in headers
            if headers["Content-Type"].startswith("text/html"):
                check_nothing_runs(body)
                # In the way that browsers read HTML no mark is a part of an element's tag.
                assert f"<script>{MARK}" not in body
                seen += MARK in body
            else:
                assert headers["Content-Type"] in ("application/json", "text/plain")
        for text in HOSTILE:
            name = text.encode("latin-1", "replace").decode("latin-1")
            host = "".join(each for each in name if each.isprintable())
            assert fetch_raw(program, "/", Host=host)[0] in (400, 403)

        assert seen > 50  # the texts are shown, as texts
        counts = program.counts()
        output = program.output()
        # Everything is still there.
        assert count_traces(program.database) > 2 * len(HOSTILE)
        assert counts["refused"] >= 3 * len(HOSTILE)
    check_lines(output)
    with closing(sqlite3.connect(program.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
