"""How quickly the local X-Ray finds: pages of traces, whole traces, graphs, in a million segments.

    .venv/bin/python -m benchmarks.xray_queries
    .venv/bin/python -m benchmarks.xray_queries --traces 20000 --rounds 5    (in a few seconds)

200,000 traces of five segments of 2 KB, which started within a day, are stored straight through
Storage. Each question is asked through the API's views, in this process: the time is the server's
own, from the WSGI environ to the last byte of the answer; where other programs run, what it took
of CPU says more. Then the program itself is started on
the same file and asked the same, for the memory of its processes (their shares of what they have
in common: PSS). Last, moto's X-Ray, where it has the operation, with fewer traces, over HTTP as
well as ours with the same traces; it is in .venv-bench, and left out where that is not made.
"""

import argparse
import gc
import http.client
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.pairs import ROOT, tell
from benchmarks.xray_traces import RARE_CUSTOMER, make_traces
from xray_local.intake.arrivals import read_document
from xray_local.store.database import open_for_writing, prepare
from xray_local.store.storage import Storage

DAY_SECONDS = 86_400
HOUR_SECONDS = 3600
# A whole day of minutes since 1970, so that the day's graph is of one day's hours.
START = 1_700_006_400
END = START + DAY_SECONDS
BATCH_TRACES = 200
PEER_TRACES = 4000
MEMORY_MAX_MB = 300.0
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"

Question = tuple[str, str, dict[str, Any], float | None]
Ask = Callable[[str, dict[str, Any]], Any]


def list_questions(trace_ids: Sequence[str]) -> list[Question]:
    """Return what is asked: its name, the path, the fields, and the budget in milliseconds."""
    day = {"StartTime": START, "EndTime": END}
    filters = {
        "page of all": None,
        "page, common: ok": "ok",
        "page, fault": "fault",
        "page, rare: responsetime > 0.8": "responsetime > 0.8",
        "page, nothing: responsetime > 1000": "responsetime > 1000",
        "page, http.url =": 'http.url = "https://shop.example/films/7/"',
        "page, common annotation": 'annotation.route = "film"',
        "page, rare annotation": f'annotation.customer = "{RARE_CUSTOMER}"',
        "page, no such annotation": 'annotation.customer = "nobody"',
        "page, service() { fault }, one in 50": 'service("shop") { fault }',
        "page, service() { fault }, rare": 'service("prices") { fault }',
        "page, any service() { fault }": "service() { fault }",
        "page, edge() latency, common": 'edge("shop", "api") { responsetime > 0.05 }',
        "page, edge() latency, rare": 'edge("shop", "api") { responsetime > 0.75 }',
        "page, edge() latency, none": 'edge("stock", "prices") { responsetime > 100 }',
    }
    # No term finds these, or only Python can tell: a page ends early rather than late.
    slow_filters = {
        "page, CONTAINS, common": 'http.url CONTAINS "films"',
        "page, CONTAINS, nowhere": 'http.url CONTAINS "/nowhere/"',
        "page, CONTAINS in an annotation, nowhere": 'annotation.customer CONTAINS "nobody"',
        "page, http.* in braces, nowhere": 'service("shop") { http.status = 599 }',
        "page, root cause, nowhere": 'rootcause.fault.service { name CONTAINS "nowhere" }',
        "page, latency's root cause, nowhere": 'rootcause.responsetime.service { name = "none" }',
    }
    hour_start = START + 12 * HOUR_SECONDS + 17 * 60
    hour = {"StartTime": hour_start, "EndTime": hour_start + HOUR_SECONDS}
    questions: list[Question] = [
        (name, "/TraceSummaries", day | ({"FilterExpression": text} if text else {}), 50.0)
        for name, text in filters.items()
    ]
    questions += [
        (name, "/TraceSummaries", day | {"FilterExpression": text}, 300.0)
        for name, text in slow_filters.items()
    ]
    questions += [
        ("page of an hour, fault", "/TraceSummaries", hour | {"FilterExpression": "fault"}, 50.0),
        ("five traces by id", "/Traces", {"TraceIds": list(trace_ids)}, 10.0),
        ("graph of an hour", "/ServiceGraph", hour, 50.0),
        ("graph of a day", "/ServiceGraph", day, 200.0),
        (
            "series of an hour",
            "/TimeSeriesServiceStatistics",
            hour | {"EntitySelectorExpression": 'service("shop")', "Period": 60},
            None,
        ),
    ]
    return questions


def fill(path: Path, traces: int) -> list[str]:
    """Make the database; return five trace ids from all over it."""
    prepare(path)
    started = time.perf_counter()
    ids: list[str] = []
    with closing(open_for_writing(path)) as connection:
        storage = Storage(connection, max_bytes=1 << 40, max_traces=1 << 40)
        made = make_traces(traces, START, DAY_SECONDS)
        while batch := list(islice(made, BATCH_TRACES)):
            documents = [read_document(body) for trace in batch for body in trace]
            storage.save(documents, Counter(documents=len(documents)))
            ids.append(documents[0].trace_id)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    seconds = time.perf_counter() - started
    segments = traces * 5
    size = path.stat().st_size / segments
    print(
        f"{segments:,} segments in {traces:,} traces stored in {seconds:.0f} s, made included; "
        f"{size:,.0f} bytes a segment, budget 2,560, {tell(size <= 2560)}."
    )
    return ids[:: max(1, len(ids) // 5)][:5]


def make_call(path: Path) -> Callable[[str, str, bytes], bytes]:
    """Return a function that sends a request, of a method, link and body, in this process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "xray_local.settings"
    from django.core.wsgi import get_wsgi_application

    from xray_local.parts import KEY, Parts

    application: Any = get_wsgi_application()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    parts = Parts(path, lambda _documents: None, udp)

    def call(method: str, link: str, body: bytes) -> bytes:
        url, _, query = link.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": url,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "2000",
            "HTTP_HOST": "127.0.0.1:2000",
            "CONTENT_TYPE": "application/json" if body else "",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            KEY: parts,
        }
        told: list[str] = []
        answer = b"".join(application(environ, lambda status, *_: told.append(status)))
        assert told[0].startswith("200"), f"{link} {body!r} answered {told[0]}: {answer[:300]!r}"
        return answer

    return call


def make_ask(path: Path) -> Ask:
    """Return a function that asks the API in this process."""
    call = make_call(path)
    return lambda url, fields: call("POST", url, json.dumps(fields).encode())


def measure(ask: Ask, questions: Sequence[Question], rounds: int) -> None:
    """Ask everything in turn and print the medians."""
    times: dict[str, list[float]] = {name: [] for name, *_ in questions}
    cpu: dict[str, list[float]] = {name: [] for name, *_ in questions}
    found: dict[str, str] = {}
    gc.collect()
    for number in range(rounds + 1):
        for name, path, fields, _ in questions:
            began, cpu_began = time.perf_counter(), time.process_time()
            answer = ask(path, fields)
            if number:
                times[name].append((time.perf_counter() - began) * 1000)
                cpu[name].append((time.process_time() - cpu_began) * 1000)
            else:
                found[name] = describe(json.loads(answer))
    print(f"{'question':<40}{'median ms':>10}{'of CPU':>8}{'slowest':>9}{'budget':>8}")
    for name, _, _, budget in questions:
        median = statistics.median(times[name])
        verdict = "" if budget is None else f"{budget:>8.0f}  {tell(median <= budget)}"
        own = f"{median:>10.1f}{statistics.median(cpu[name]):>8.1f}{max(times[name]):>9.1f}"
        print(f"{name:<40}{own}{verdict:<18}  {found[name]}")


def describe(answer: dict[str, Any]) -> str:
    """Return what an answer has, in a few words."""
    if "TraceSummaries" in answer:
        more = " and more" if "NextToken" in answer else ""
        return f"{len(answer['TraceSummaries'])} traces{more}"
    for key in ("Traces", "Services", "TimeSeriesServiceStatistics"):
        if key in answer:
            return f"{len(answer[key])} {key}"
    return ""


@contextmanager
def run(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end of the block."""
    # moto writes a line for each request.
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, f"{command} ended with {process.returncode}."
            assert time.monotonic() < deadline, f"{command} does not listen on {port}."
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def find_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post(port: int, path: str, fields: dict[str, Any]) -> bytes:
    """Ask a server over HTTP; return the answer."""
    # moto takes what is not signed for a request to S3.
    headers = {
        "Content-Type": "application/json",
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/xray/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", path, json.dumps(fields), headers)
        answer = connection.getresponse()
        body = answer.read()
    assert answer.status == 200, f"{path} answered {answer.status}: {body[:300]!r}"
    return body


def make_command(port: int, path: Path) -> list[str]:
    """Return what starts the local X-Ray."""
    return [
        *(sys.executable, "-m", "xray_local", "--address", f"127.0.0.1:{port}"),
        *("--otlp-address", f"127.0.0.1:{find_port()}", "--database", str(path)),
        *("--max-bytes", str(1 << 40), "--max-traces", str(1 << 40)),
    ]


def measure_memory(path: Path, questions: Sequence[Question]) -> None:
    """Ask the program everything while it stores, and print what its processes have in memory."""
    port = find_port()
    documents = [body.decode() for trace in make_traces(2000, END, 10, seed=2) for body in trace]
    with run(make_command(port, path), port) as process:
        for first in range(0, len(documents), 50):
            post(port, "/TraceSegments", {"TraceSegmentDocuments": documents[first : first + 50]})
        for _, url, fields, _ in questions:
            post(port, url, fields)
        shares = {pid: read_memory_mb(pid) for pid in list_processes(process.pid)}
    total = sum(shares.values())
    print(
        f"Memory of {len(shares)} processes: {total:.0f} MB, budget {MEMORY_MAX_MB:.0f}, "
        f"{tell(total <= MEMORY_MAX_MB)}."
    )


def list_processes(root: int) -> list[int]:
    """Return the process and all below it."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return [root] + [pid for child in children for pid in list_processes(int(child))]


def read_memory_mb(pid: int) -> float:
    """Return a process's memory, with its share of what others have too."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def measure_peer(folder: Path, rounds: int) -> None:
    """Print what the same questions take over HTTP, of moto and of ours."""
    if not BENCH_PYTHON.exists():
        print(f"Left out: moto, for there is no {BENCH_PYTHON} (make .venv-bench/bench.stamp).")
        return
    traces = list(make_traces(PEER_TRACES, START, HOUR_SECONDS))
    page = {"StartTime": START, "EndTime": START + HOUR_SECONDS}
    ids = [json.loads(trace[0])["trace_id"] for trace in traces[:5]]
    questions = [("page of all", "/TraceSummaries", page), ("five traces by id", "/Traces", ids)]
    figures: dict[tuple[str, str], float] = {}
    for name in ("moto", "ours"):
        port = find_port()
        moto = [str(BENCH_PYTHON), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        command = moto if name == "moto" else make_command(port, folder / "peer.sqlite3")
        with run(command, port):
            documents = [body.decode() for trace in traces for body in trace]
            for first in range(0, len(documents), 50):
                batch = {"TraceSegmentDocuments": documents[first : first + 50]}
                post(port, "/TraceSegments", batch)
            for question, path, fields in questions:
                asked: Any = {"TraceIds": fields} if path == "/Traces" else fields
                times = []
                for _ in range(rounds):
                    began = time.perf_counter()
                    answer = json.loads(post(port, path, asked))
                    times.append((time.perf_counter() - began) * 1000)
                figures[question, name] = statistics.median(times)
                print(
                    f"{name}, {question}, over HTTP: {figures[question, name]:.1f} ms, "
                    f"{describe(answer)} of {PEER_TRACES:,}"
                )


def main() -> None:
    """Read what is asked for, and measure it."""
    parser = argparse.ArgumentParser(description="How quickly the local X-Ray finds.")
    parser.add_argument("--traces", type=int, default=200_000, help="each of five segments")
    parser.add_argument("--rounds", type=int, default=15, help="of all questions")
    parser.add_argument("--keep", type=Path, help="a folder for the database, used again if there")
    arguments = parser.parse_args()
    run_all(arguments.traces, arguments.rounds, arguments.keep)


def run_all(traces: int, rounds: int, keep: Path | None = None) -> None:
    """Measure everything; keep: a folder where the database is, or is to stay."""
    with tempfile.TemporaryDirectory() as folder:
        path = (keep or Path(folder)) / "queries.sqlite3"
        if path.exists():
            made = make_traces(traces, START, DAY_SECONDS)
            ids = [json.loads(trace[0])["trace_id"] for trace in islice(made, 5)]
        else:
            ids = fill(path, traces)
        questions = list_questions(ids)
        measure(make_ask(path), questions, rounds)
        measure_memory(path, questions)
        measure_peer(Path(folder), rounds)


if __name__ == "__main__":
    main()
