"""What the local X-Ray takes in: how quickly, at what cost, and what it loses.

    python -m benchmarks.xray_intake [--seconds 60] [--only put,udp,loss,stock,burst]

Rates are per core: segments by the CPU seconds of all processes of the X-Ray, from the first byte
until all can be found. Segments are of 2 KB, five to a trace, and none comes twice. The peer is
moto's server, where .venv-bench has it.
"""

import argparse
import http.client
import json
import os
import platform
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import ROOT, find_free_port, stop, wait_for_http
from tests.xray_local.made import HEADER, make_id, make_subsegment, make_trace_id
from xray_local.intake.counts import BUFFER_BYTES, count_kernel_drops, read_buffer_bytes
from xray_local.intake.pipeline import Limits, Pipeline
from xray_local.store.database import prepare, reading
from xray_local.store.queries import get_counts
from xray_local.traces.documents import EXAMPLE_TRACE_ID

RATE_PER_CORE = 20_000
DOCUMENTS_A_CALL = 50
LAP_DIGITS = 6
SEGMENTS_A_TRACE = 5
BURST = 10_000
ALL = "put,peer,udp,loss,stock,burst"
# net.core.rmem_default, of which the system keeps half for itself.
STOCK_BUFFER_BYTES = 212_992 // 2
VISIBLE_MS = 200
DISK_BYTES = 2_500
LIMITS = Limits(max_bytes=20_000_000_000, max_traces=100_000_000)
TICKS = os.sysconf("SC_CLK_TCK")
PEER = ROOT / ".venv-bench" / "bin" / "moto_server"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result."""

    name: str
    value: str
    goal: str
    is_met: bool | None  # None where there is no goal


def make_document(trace_id: str, start: float, parent_id: str | None) -> bytes:
    """Return a segment of 2 KB: three subsegments, http, sql, aws and annotations."""

    def call(name: str, **fields: Any) -> dict[str, Any]:
        times = {"start_time": start + 0.0123, "end_time": start + 0.0456}
        return make_subsegment(name, in_progress=False, **times, **fields)

    segment = {
        "name": "movies.example.com",
        "id": make_id(),
        "trace_id": trace_id,
        "start_time": start + 0.001234,
        "end_time": start + 0.1234567,
        "in_progress": False,
        "origin": "AWS::EC2::Instance",
        "user": "ada",
        "http": {
            "request": {
                "method": "GET",
                "url": "https://movies.example.com/movies/1234/reviews?page=2",
                "client_ip": "203.0.113.7",
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101",
            },
            "response": {"status": 200, "content_length": 18234},
        },
        "aws": {"xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0"}},
        "service": {"runtime": "CPython", "runtime_version": "3.11.7"},
        "annotations": {"request_id": make_id(), "tenant": "north", "items": 20, "cached": False},
        "subsegments": [
            call(
                "movies@db.example.com",
                namespace="remote",
                sql={
                    "url": "postgresql://movies@db.example.com:5432/movies",
                    "user": "movies",
                    "database_type": "PostgreSQL",
                    "database_version": "16.4",
                    "driver_version": "2.9.9",
                    "sanitized_query": "SELECT movies_review.id, movies_review.text, "
                    "movies_review.stars, movies_review.author_id FROM movies_review WHERE "
                    "movies_review.movie_id = %s ORDER BY movies_review.created DESC LIMIT 20",
                },
            ),
            call(
                "DynamoDB",
                namespace="aws",
                aws={
                    "operation": "Query",
                    "region": "eu-central-1",
                    "request_id": make_id() * 2,
                    "table_name": "movies-sessions",
                },
                http={"response": {"status": 200, "content_length": 812}},
            ),
            call(
                "api.posters.example.org",
                namespace="remote",
                http={
                    "request": {
                        "method": "GET",
                        "url": "https://api.posters.example.org/v2/posters/1234.json",
                    },
                    "response": {"status": 200, "content_length": 2048},
                },
                annotations={"size": "large"},
            ),
        ],
    }
    if parent_id is not None:
        segment["parent_id"] = parent_id
    return json.dumps(segment, separators=(",", ":")).encode()


def make_documents(number: int) -> list[bytes]:
    """Return segments of now, five to a trace."""
    now = time.time()
    trace_mark, id_mark, parent_mark = "1-00000000-" + "t" * 24, "i" * 15, "p" * 16
    roots = _mark(make_document(trace_mark, now, None), id_mark)
    others = _mark(make_document(trace_mark, now, parent_mark), id_mark)
    documents: list[bytes] = []
    while len(documents) < number:
        trace_id = make_trace_id(now).encode()
        parent_id = b""
        for place in range(SEGMENTS_A_TRACE):
            ids = make_id()[:15].encode()
            document = others if place else roots
            documents.append(
                document.replace(trace_mark.encode(), trace_id)
                .replace(id_mark.encode(), ids)
                .replace(parent_mark.encode(), parent_id)
            )
            parent_id = ids + b"3"  # the last subsegment's
    return documents[:number]


def _mark(document: bytes, mark: str) -> bytes:
    """Return the document with the mark and a digit for each of its ids."""
    segment = json.loads(document)
    for digit, part in enumerate([segment, *segment["subsegments"]]):
        part["id"] = f"{mark}{digit}"
    return json.dumps(segment, separators=(",", ":")).encode()


def read_cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time that the processes have taken so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def list_family(pid: int) -> list[int]:
    """Return the process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def count_stored(database: Path) -> int:
    """Return how many segments a query can find."""
    with reading(database) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM segments").fetchone()[0])


def read_counts(database: Path) -> dict[str, int]:
    """Return what the writer has counted."""
    with reading(database) as connection:
        return get_counts(connection)


def wait_for(
    condition: Callable[[], bool], timeout_seconds: float = 30, pause_seconds: float = 0.05
) -> bool:
    """Wait until the condition holds; return whether it does in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_seconds)
    return True


@contextmanager
def run_program(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """Run the whole X-Ray; give the process, its port and its database."""
    port, otlp, database = find_free_port(), find_free_port(), folder / "xray.sqlite3"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "xray_local"),
            *("--address", f"127.0.0.1:{port}", "--otlp-address", f"127.0.0.1:{otlp}"),
            *("--database", database),
            *("--max-bytes", str(LIMITS.max_bytes), "--max-traces", str(LIMITS.max_traces)),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for_http(f"http://127.0.0.1:{port}/counts", process)
        yield process, port, database
    finally:
        stop(process)


@contextmanager
def run_pipeline(
    folder: Path, buffer_bytes: int
) -> Iterator[tuple[socket.socket, Path, dict[str, int]]]:
    """Run the receiver and the writer on a socket with a buffer of this size; give their pids."""
    database = folder / "xray.sqlite3"
    prepare(database)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        udp.bind(("127.0.0.1", 0))
        pipeline = Pipeline(udp, database, LIMITS)
        pipeline.start()
        try:
            time.sleep(1)  # both are up
            pids = {name: pid for pid in list_family(os.getpid()) if (name := _name(pid))}
            yield udp, database, pids
        finally:
            pipeline.stop(10)


def _name(pid: int) -> str:
    """Return what a process of the intake is called; of others, nothing."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return next((each.rpartition(".")[2] for each in words if ".intake." in each), "")


def put_all(port: int, documents: list[bytes]) -> None:
    """Send the documents with PutTraceSegments, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        # moto finds out by this whose operation it is.
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/xray/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    for first in range(0, len(documents), DOCUMENTS_A_CALL):
        texts = [each.decode() for each in documents[first : first + DOCUMENTS_A_CALL]]
        body = json.dumps({"TraceSegmentDocuments": texts})
        connection.request("POST", "/TraceSegments", body, headers)
        answer = json.loads(connection.getresponse().read())
        if answer["UnprocessedTraceSegments"]:
            raise SystemExit(f"Expected all to be taken, got {answer}.")
    connection.close()


def send_all(
    address: tuple[str, int],
    documents: list[bytes],
    rate: float,
    number: int | None = None,
) -> float:
    """Send datagrams at the rate; return the rate reached.

    The documents come again and again, each time as other traces: what is sent twice would only
    take the place of what is stored.
    """
    number = number or len(documents)
    # A sender that was held up by others must not make a burst of what it owes.
    at_once = 1 + int(rate / 1000)
    datagrams = [bytearray(HEADER + each) for each in documents]
    places = [_find_places(each) for each in datagrams]
    stamp = mark = b""
    began = time.perf_counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sent = 0
        while sent < number:
            due = min(number, int((time.perf_counter() - began) * rate) + 1, sent + at_once)
            for count in range(sent, due):
                lap, index = divmod(count, len(datagrams))
                datagram = datagrams[index]
                if not index:
                    # Of all documents of a lap, so that those of a trace have the same id.
                    stamp, mark = b"%08x" % int(time.time()), b"%06x" % lap
                if lap:
                    second, *rest = places[index]
                    datagram[second : second + len(stamp)] = stamp
                    for place in rest:
                        datagram[place : place + len(mark)] = mark
                sender.sendto(datagram, address)
            sent = max(sent, due)
            time.sleep(0.0005)
    return number / (time.perf_counter() - began)


def _find_places(datagram: bytearray) -> list[int]:
    """Return where digits can be replaced so that it is another trace, with another annotation.

    The first place is that of the time in the trace id.
    """
    trace_id = datagram.index(b'"trace_id":"') + len(b'"trace_id":"')
    end_of_id = trace_id + len(EXAMPLE_TRACE_ID) - LAP_DIGITS
    request_id = datagram.index(b'"request_id":"') + len(b'"request_id":"')
    return [trace_id + len("1-"), end_of_id, request_id]


def measure_put(folder: Path, number: int) -> Iterator[Figure]:
    """PutTraceSegments with 50 documents a call."""
    documents = make_documents(number)
    with run_program(folder) as (process, port, database):
        put_all(port, documents[:1000])
        wait_for(lambda: count_stored(database) == 1000)
        pids = list_family(process.pid)
        before, server_before = read_cpu_seconds(pids), read_cpu_seconds(pids[:1])
        put_all(port, documents[1000:])
        is_complete = wait_for(lambda: count_stored(database) == number)
        used = read_cpu_seconds(pids) - before
        server = read_cpu_seconds(pids[:1]) - server_before
    rate = (number - 1000) / used
    own = server / (number - 1000)
    yield Figure(
        "PutTraceSegments, stored and visible",
        f"{rate:,.0f}/s per core ({1e6 / rate:.1f} us, {own * 1e6:.1f} of them the server's)",
        f"{RATE_PER_CORE:,}/s",
        is_complete and rate >= RATE_PER_CORE,
    )


def measure_peer(number: int) -> Iterator[Figure]:
    """The same against moto's server."""
    if not PEER.exists():
        yield Figure("moto's PutTraceSegments", "moto is not in .venv-bench", "", None)
        return
    documents = make_documents(number)
    port = find_free_port()
    process = subprocess.Popen(
        [PEER, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_http(f"http://127.0.0.1:{port}/moto-api/", process)
        put_all(port, documents[:500])
        before = read_cpu_seconds([process.pid])
        put_all(port, documents[500:])
        rate = (number - 500) / (read_cpu_seconds([process.pid]) - before)
    finally:
        stop(process)
    yield Figure("moto's PutTraceSegments, in memory", f"{rate:,.0f}/s per core", "", None)


def measure_udp(folder: Path, number: int) -> Iterator[Figure]:
    """Datagrams at 15,000/s: what each costs, when it can be seen, and what it takes on disk."""
    documents = make_documents(number)
    with run_program(folder) as (process, port, database):
        pids = list_family(process.pid)
        before = read_cpu_seconds(pids)
        send_all(("127.0.0.1", port), documents, 15_000)
        is_complete = wait_for(lambda: count_stored(database) == number)
        used = read_cpu_seconds(pids) - before
        waits = [_measure_wait(port, database) for _ in range(20)]
    stored = count_stored(database)
    rate = stored / used
    yield Figure(
        "UDP, stored and visible",
        f"{rate:,.0f}/s per core ({1e6 / rate:.1f} us), {number + 20 - stored} missing",
        f"{RATE_PER_CORE:,}/s",
        is_complete and rate >= RATE_PER_CORE,
    )
    median, longest = sorted(waits)[len(waits) // 2], max(waits)
    yield Figure(
        "visible to queries",
        f"median {median:.0f} ms, at most {longest:.0f} ms",
        f"{VISIBLE_MS} ms",
        longest <= VISIBLE_MS,
    )
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = database.stat().st_size / stored
    mean = sum(map(len, documents)) / number
    yield Figure(
        f"on disk, for a segment of {mean:,.0f} bytes",
        f"{size:,.0f} bytes",
        f"{DISK_BYTES:,}",
        size <= DISK_BYTES,
    )


def _measure_wait(port: int, database: Path) -> float:
    """Return the milliseconds from sending a segment until a query finds it."""
    before = count_stored(database)
    began = time.perf_counter()
    send_all(("127.0.0.1", port), make_documents(1), 1000)
    if not wait_for(lambda: count_stored(database) > before, pause_seconds=0.001):
        raise SystemExit("A segment did not become visible in 30 s.")
    return (time.perf_counter() - began) * 1000


def measure_loss(folder: Path, seconds: float) -> Iterator[Figure]:
    """20,000 datagrams a second with a buffer of 4 MB, while queries run."""
    yield from _measure_loss(folder, 20_000, seconds, BUFFER_BYTES, QUERIES, "queries")


def measure_stock(folder: Path, seconds: float) -> Iterator[Figure]:
    """2,000 datagrams a second with the stock buffer, while the console and the API are asked."""
    yield from _measure_loss(folder, 2_000, seconds, STOCK_BUFFER_BYTES, CONSOLE, "the console")


# Ask ten times a second: for the newest traces alone, or for pages and operations of the X-Ray.
QUERIES = """
import sys, time
from pathlib import Path
from xray_local.store.database import reading
from xray_local.store.queries import list_traces
while True:
    with reading(Path(sys.argv[1])) as connection:
        list_traces(connection)
    time.sleep(0.1)
"""
CONSOLE = """
import os, sys, time
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "xray_local.settings"
import django
django.setup()
from django.test import Client
from xray_local.parts import KEY, Parts
client = Client(headers={"Host": "127.0.0.1:2000"})
environ = {KEY: Parts(Path(sys.argv[1]), list, None)}
while True:
    for path in ("/", "/traces"):
        response = client.get(path, **environ)
        assert response.status_code == 200, path
        time.sleep(0.1)
    times = {"StartTime": time.time() - 60, "EndTime": time.time()}
    for path in ("/TraceSummaries", "/ServiceGraph"):
        response = client.post(path, times, content_type="application/json", **environ)
        assert response.status_code == 200, path
        time.sleep(0.1)
"""


def _measure_loss(
    folder: Path, rate: int, seconds: float, buffer_bytes: int, program: str, reader: str
) -> Iterator[Figure]:
    """Send at the rate while a program reads the database that it is given."""
    number = int(rate * seconds)
    documents = make_documents(min(number, 20_000))
    with run_pipeline(folder, buffer_bytes) as (udp, database, pids):
        queries = subprocess.Popen([sys.executable, "-c", program, database], cwd=ROOT)
        try:
            before = {name: read_cpu_seconds([pid]) for name, pid in pids.items()}
            reached = send_all(udp.getsockname(), documents, rate, number)
            used = {name: read_cpu_seconds([pid]) - before[name] for name, pid in pids.items()}
            if queries.poll() is not None:
                raise SystemExit("What reads meanwhile has ended.")
            behind = number - read_counts(database)["datagrams"]
            wait_for(lambda: _count_all(udp, database) >= number)
        finally:
            queries.kill()
            queries.wait()
        counts = read_counts(database)
        stored = count_stored(database)
        kernel = count_kernel_drops(udp) or 0
        buffer = read_buffer_bytes(udp)
    shares = ", ".join(f"the {name} {used[name] / seconds:.0%}" for name in sorted(used))
    yield Figure(
        f"{reached:,.0f} datagrams/s for {seconds:.0f} s, a buffer of {buffer:,} bytes, {reader}",
        f"{number - stored:,} lost ({kernel:,} by the kernel, {counts['dropped']:,} by the "
        f"receiver), {behind:,} behind at the end; of a core: {shares}",
        "0",
        stored == number,
    )


def _count_all(udp: socket.socket, database: Path) -> int:
    """Return how many datagrams have been stored or lost."""
    counts = read_counts(database)
    return counts["datagrams"] + counts["dropped"] + (count_kernel_drops(udp) or 0)


def measure_burst(folder: Path) -> Iterator[Figure]:
    """10,000 datagrams as quickly as one process sends them."""
    documents = make_documents(BURST)
    with run_pipeline(folder, BUFFER_BYTES) as (udp, database, _):
        reached = send_all(udp.getsockname(), documents, 1e9)
        is_complete = wait_for(lambda: count_stored(database) == BURST)
        missing = BURST - count_stored(database)
    yield Figure(f"a burst of {BURST:,} ({reached:,.0f}/s)", f"{missing} lost", "0", is_complete)


def main() -> None:
    """Read what is asked for, measure it and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long losses are looked for")
    parser.add_argument("--number", type=int, default=60_000, help="segments of the other measures")
    parser.add_argument("--only", default=ALL)
    chosen = parser.parse_args()
    measure(chosen.number, chosen.seconds, chosen.only)


def measure(number: int, seconds: float, only: str) -> None:
    """Measure and print."""
    measures: dict[str, Callable[[Path], Iterator[Figure]]] = {
        "put": lambda folder: measure_put(folder, number),
        "peer": lambda folder: measure_peer(min(number, 10_000)),
        "udp": lambda folder: measure_udp(folder, number),
        "loss": lambda folder: measure_loss(folder, seconds),
        "stock": lambda folder: measure_stock(folder, seconds),
        "burst": measure_burst,
    }
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    for name in only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            for figure in measures[name](Path(folder)):
                verdict = "" if figure.is_met is None else "met" if figure.is_met else "not met"
                goal = f"  goal {figure.goal}" if figure.goal else ""
                print(f"{figure.name}: {figure.value}{goal}  {verdict}", flush=True)


if __name__ == "__main__":
    main()
