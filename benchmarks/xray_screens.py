"""How long the server works for each screen of the console, with a million segments stored.

    .venv/bin/python -m benchmarks.xray_screens
    .venv/bin/python -m benchmarks.xray_screens --database xray.sqlite3    (yours; it is only read)
    .venv/bin/python -m benchmarks.xray_screens --traces 20000 --rounds 3    (in a few seconds)

The database is that of `benchmarks.xray_queries`: 200,000 traces of five segments, which started
within a day. Each screen is asked for in this process, round after round. The time is what the
server took of CPU, from the WSGI environ to the last byte: its median, and the least, which says
more where other programs run. The size is that of the page as it is sent, its style sheets and
scripts apart, which a browser keeps. Beside it stand two traces of 10,000 subsegments in a database
of their own: asked for in turn, each view is the first.
"""

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from benchmarks.pairs import tell
from benchmarks.xray_queries import fill, make_call
from benchmarks.xray_traces import RARE_CUSTOMER
from xray_local.intake.arrivals import read_document
from xray_local.store.database import open_for_writing, prepare, reading
from xray_local.store.storage import Storage

# What the services of the traces made are.
SERVICE_TYPE = "AWS::ECS::Container"
ACCOUNT_ID = "123456789012"
BUDGET_MS = 100.0
BUDGET_BYTES = 200_000
RANGES = {"15 min": 900, "6 h": 21_600, "24 h": 86_400}
FILTERS = {
    "all": "",
    "common: ok": "ok",
    "fault": "fault",
    "http.url =": 'http.url = "https://shop.example/films/7/"',
    "http.url CONTAINS, rare": 'http.url CONTAINS "films/77/"',
    "http.url CONTAINS, nowhere": 'http.url CONTAINS "/nowhere/"',
    "user": 'user = "nobody"',
    "annotation, common": 'annotation.route = "film"',
    "annotation, rare": f'annotation.customer = "{RARE_CUSTOMER}"',
    "annotation, no other": 'annotation.route != "film"',
    "annotation CONTAINS, rare": 'annotation.customer CONTAINS "rare"',
    "annotation CONTAINS, nowhere": 'annotation.customer CONTAINS "nobody"',
    "annotation > number, none": "annotation.items > 3",
    "responsetime, rare": "responsetime > 0.8",
    "responsetime, from to": "responsetime > 0.1 AND responsetime <= 0.2",
    "service, common": 'service("shop")',
    "service { fault }": 'service("shop") { fault }',
    "service { fault }, rare": 'service("prices") { fault }',
    "edge { responsetime }": 'edge("shop", "api") { responsetime > 0.05 }',
    "group": 'group.name = "Default"',
    "http.url BEGINSWITH": 'http.url BEGINSWITH "https://shop.example/films/1"',
    "method, and service { responsetime }": (
        'http.method = "GET" AND service("shop") { responsetime > 0.3 }'
    ),
    "http.* of a root in braces": 'service("shop") { http.url CONTAINS "films/77" }',
    "http.* in braces, nowhere": 'service("api") { http.status = 599 }',
    "annotation in braces": 'service("shop") { annotation.route = "film" }',
    "root cause": 'rootcause.responsetime.service { name = "prices" }',
    "root cause of a fault": 'rootcause.fault.service { name = "prices" }',
}
ORDERS = ("newest", "oldest", "slowest", "fastest", "highest", "lowest")
VIEWS = ("timeline", "flame", "table", "sql", "logs")


class Screen(NamedTuple):
    """What is measured: its name, its path, and whether in the database of large traces."""

    name: str
    path: str
    is_large: bool = False


Get = Callable[[str], bytes]


def list_screens(start: float, end: float, trace_ids: Sequence[str]) -> Iterator[Screen]:
    """Yield the screens; start, end: between which there are traces, in seconds since 1970."""
    whole = _write_query(end - RANGES["24 h"], end)
    for name, seconds in RANGES.items():
        query = _write_query(end - seconds, end)
        yield Screen(f"map, {name}", f"/?{query}")
        yield Screen(f"map, fault, {name}", f"/?{query}&filter=fault")
        yield Screen(f"services, {name}", f"/services?{query}")
        yield Screen(f"services, fault, {name}", f"/services?{query}&filter=fault")
        yield Screen(f"analytics, one set, {name}", f"/analytics?{query}")
        yield Screen(f"analytics, ok and fault, {name}", f"/analytics?{query}&a=ok&b=fault")
        yield Screen(f"analytics, quick and slow, {name}", f"/analytics?{query}&a_high=.1&b_low=.3")
        yield Screen(f"insights, {name}", f"/insights?{query}")
        yield Screen(f"completions, {name}", f"/completions?{query}&before=ann")
    node = {"node": "shop", "type": SERVICE_TYPE, "account": ACCOUNT_ID}
    source = {"source": "shop", "source_type": SERVICE_TYPE, "source_account": ACCOUNT_ID}
    yield Screen("trace of five segments", f"/traces/{trace_ids[0]}?{whole}")
    yield Screen(
        "two of five segments compared", f"/compare?one={trace_ids[0]}&other={trace_ids[1]}"
    )
    for name in ("live", "groups", "sampling", "settings", "start"):
        yield Screen(name, f"/{name}")
    edge = urlencode(node | source | {"node": "api"})
    for name in ("6 h", "24 h"):
        for words, text in FILTERS.items():
            query = _write_query(end - RANGES[name], end, filter=text)
            yield Screen(f"map, {name}: {words}", f"/?{query}")
            yield Screen(f"map, a node, {name}: {words}", f"/?{query}&{urlencode(node)}")
            yield Screen(f"map, an edge, {name}: {words}", f"/?{query}&{edge}")
            yield Screen(f"services, {name}: {words}", f"/services?{query}")
            yield Screen(f"analytics, {name}: {words}", f"/analytics?{query}")
    for name, seconds in RANGES.items():
        for order in ORDERS:
            for words, text in FILTERS.items():
                query = _write_query(end - seconds, end, filter=text, sort=order)
                yield Screen(f"traces, {name}, {order}: {words}", f"/traces?{query}")


def list_large_screens(trace_ids: Sequence[str]) -> Iterator[Screen]:
    """Yield the screens of large traces; what was asked for last is kept, so they take turns."""
    one, other = trace_ids
    for view in VIEWS:
        yield Screen("", f"/traces/{other}", is_large=True)
        yield Screen(f"10,000 subsegments, {view}, first", f"/traces/{one}?view={view}", True)
        yield Screen(f"10,000 subsegments, {view}, again", f"/traces/{one}?view={view}", True)
    compared = f"/compare?one={one}&other={other}"
    yield Screen("two of 10,000 subsegments compared", compared, is_large=True)


def _write_query(start: float, end: float, **more: str) -> str:
    given = {name: value for name, value in more.items() if value}
    return urlencode({"start": f"{start:.0f}", "end": f"{end:.0f}"} | given)


def make_large_trace(trace_id: str, start: float, seed: int) -> bytes:
    """Return a segment with 100 steps, of 99 calls each, which takes 10 seconds."""
    chance = random.Random(seed)
    calls: list[dict[str, Any]] = [
        {
            "name": "movies@db",
            "namespace": "remote",
            "sql": {"sanitized_query": "SELECT * FROM films WHERE id = %s"},
        },
        {
            "name": "DynamoDB",
            "namespace": "aws",
            "aws": {"operation": "Query", "table_name": "Movies"},
        },
        {
            "name": "api.example",
            "namespace": "remote",
            "http": {"request": {"method": "GET", "url": "https://api.example/v1/films"}},
        },
        {"name": "render", "metadata": {"default": {"template": "films.html"}}},
    ]

    def make(begin: float, seconds: float, content: Mapping[str, Any]) -> dict[str, Any]:
        times = {"start_time": begin, "end_time": begin + seconds}
        return {"id": f"{chance.getrandbits(64):016x}", **times, **content}

    steps = [
        make(
            start + step / 10,
            0.099,
            {
                "name": f"step {step % 10}",
                "subsegments": [
                    make(start + step / 10 + call / 1000, 0.0009, calls[call % len(calls)])
                    for call in range(99)
                ],
            },
        )
        for step in range(100)
    ]
    content = {"trace_id": trace_id, "name": "shop", "subsegments": steps}
    return json.dumps(make(start, 10, content)).encode()


def store_large_traces(path: Path, start: float) -> list[str]:
    """Make a database of two large traces; return their ids."""
    trace_ids = [f"1-{int(start):08x}-{number:024x}" for number in (1, 2)]
    prepare(path)
    with closing(open_for_writing(path)) as connection:
        storage = Storage(connection, max_bytes=1 << 40, max_traces=1 << 40)
        for number, trace_id in enumerate(trace_ids):
            body = make_large_trace(trace_id, start, number)
            storage.save([read_document(body)], Counter(documents=1))
    return trace_ids


def make_get(path: Path) -> Get:
    """Return a function that asks for a page in this process."""
    call = make_call(path)
    return lambda link: call("GET", link, b"")


def measure(gets: Mapping[bool, Get], screens: Sequence[Screen], rounds: int) -> None:
    """Ask for every screen in turn, and print what each took."""
    gc.collect()
    gc.freeze()  # as the server does once it has loaded all
    times: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    for number in range(rounds + 1):
        for name, path, is_large in screens:
            began = time.process_time()
            page = gets[is_large](path)
            if number:
                times.setdefault(name, []).append((time.process_time() - began) * 1000)
            sizes[name] = len(page)
    print(f"{'screen':<58}{'median ms':>10}{'least':>8}{'KB':>7}")
    over = 0
    for name in filter(None, sizes):
        median, least = statistics.median(times[name]), min(times[name])
        is_met = median <= BUDGET_MS and sizes[name] <= BUDGET_BYTES
        over += not is_met
        own = f"{median:>10.1f}{least:>8.1f}{sizes[name] / 1000:>7.0f}"
        print(f"{name:<58}{own}  {tell(is_met)}")
    print(f"{over} of {len(list(filter(None, sizes)))} above {BUDGET_MS:.0f} ms or 200 KB.")


def find_ends(path: Path) -> tuple[float, float, list[str]]:
    """Return between which times traces began, and the ids of the two newest."""
    with reading(path) as connection:
        first, last = connection.execute(
            "SELECT MIN(start_time), MAX(start_time) FROM traces"
        ).fetchone()
        rows = connection.execute("SELECT id FROM traces ORDER BY start_time DESC LIMIT 2")
        return first, last + 1, [row[0] for row in rows]


def run_all(traces: int, rounds: int, database: Path | None = None) -> None:
    """Measure everything; database: one that is there, which is only read."""
    with tempfile.TemporaryDirectory() as folder:
        path = database or Path(folder) / "screens.sqlite3"
        if database is None:
            fill(path, traces)
        start, end, trace_ids = find_ends(path)
        large = Path(folder) / "large.sqlite3"
        large_ids = store_large_traces(large, end)
        screens = [*list_screens(start, end, trace_ids), *list_large_screens(large_ids)]
        measure({False: make_get(path), True: make_get(large)}, screens, rounds)


def main() -> None:
    """Read what is asked for, and measure it."""
    parser = argparse.ArgumentParser(description="How quickly the console's screens are made.")
    parser.add_argument("--traces", type=int, default=200_000, help="each of five segments")
    parser.add_argument("--rounds", type=int, default=5, help="of all screens")
    parser.add_argument("--database", type=Path, help="one that is there; it is only read")
    arguments = parser.parse_args()
    run_all(arguments.traces, arguments.rounds, arguments.database)


if __name__ == "__main__":
    main()
