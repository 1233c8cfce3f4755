"""What tracing costs a request of a small site: nothing, aws-xray-sdk, this project's, and others.

Paired processes, see benchmarks/pairs.py. What each variant adds is the difference of its process's
CPU, user and system, threads included, to the mean of two untraced processes of the same mode in
the same round; medians of all rounds. Where a process's memory happens to lie makes it slower or
faster by some microseconds as long as it lives: so all are started afresh several times, and the
range is that of the medians of each time. Before anything is measured, what each sends is decoded
and has to be complete: a tracer that does less is not cheaper. The daemon, the collector and the
agents are one process on another core; DynamoDB is a ready answer, without a socket.

    make bench                                   or
    .venv/bin/python -m benchmarks.tracing --rounds 120
    .venv/bin/python -m benchmarks.tracing --only sdk-lambda,ours-lambda
    .venv/bin/python -m benchmarks.tracing --only ours-lambda,part-request,part-sql,part-unsent
The others' tracers need .venv-bench, which `make .venv-bench/bench.stamp` makes.
"""

import argparse
import importlib
import math
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import starts
from benchmarks.decoding import Span, decode
from benchmarks.pairs import ROOT, Worker, answer, count, serve, shuffled, tell
from benchmarks.sink import Sink
from benchmarks.variants import UNTRACED, VARIANTS, Variant, make_environment

PATH = "/films/3/"
FILMS = [("Metropolis", 1927), ("Alphaville", 1965), ("2001: A Space Odyssey", 1968)]
FILMS += [("Solaris", 1972), ("Stalker", 1979), ("Blade Runner", 1982)]
EXPECTED = (b"<title>2001: A Space Odyssey</title>", b"METROPOLIS", b"astronaut", b"one of 6")
WARM_UP_REQUESTS = 200
DISCARDED_ROUNDS = 1
CHECKED_REQUESTS = 20
# The kernel may drop a datagram when the sink gets no CPU for long.
GREATEST_LOSS = 0.01
# Two processes that do the same differ by as much.
NOISE_US = 5.0
SECONDS_TO_ARRIVE = 15.0
# Of each request, on X-Ray.
KINDS = Counter({"request": 1, "template": 1, "sql": 3, "aws": 1})
HEADERS = {
    "root": "Root={root}",
    "sampled": "Root={root};Parent={parent};Sampled=1;Lineage=1:a87bd80c:0",
    "unsampled": "Root={root};Parent={parent};Sampled=0;Lineage=1:a87bd80c:0",
    "passthrough": "Root={root};Lineage=1:a87bd80c:0",
}

BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"


def work(variant: Variant) -> None:
    """Answer batches of requests, each of a trace of its own."""
    flush = importlib.import_module(f"benchmarks.tracers.{variant.tracer}").start()
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    layout = HEADERS[variant.header]
    # Elsewhere than on Lambda the variable is another, which nobody reads: it costs the same.
    variable = "_X_AMZN_TRACE_ID" if variant.is_lambda else "_BENCHMARK_TRACE_ID"

    def answer_one(batch: object = None) -> bytes:
        root = f"1-{int(time.time()):08x}-{random.getrandbits(96):024x}"
        header = layout.format(root=root, parent=f"{random.getrandbits(64):016x}")
        os.environ[variable] = header
        status, body = answer(
            application,
            PATH,
            "sort=year&page=2",
            HTTP_X_AMZN_TRACE_ID=header,
            HTTP_X_FORWARDED_FOR="203.0.113.7",
            HTTP_ACCEPT="text/html,application/xhtml+xml",
            HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.8",
            **{"wsgi.url_scheme": "https"},
        )
        assert status == 200, f"{PATH} answered {status}; expected 200."
        return body

    body = answer_one()
    missing = [text for text in EXPECTED if text not in body]
    assert not missing, f"{PATH} answered {body!r}, without {missing!r}."
    for _ in range(WARM_UP_REQUESTS):
        answer_one()
    serve(answer_one, flush)


def find_python(variant: Variant) -> str:
    """Return the interpreter that has what a variant needs."""
    if not variant.is_foreign:
        return sys.executable
    if not BENCH_PYTHON.exists():
        raise SystemExit(
            f"{variant.name} needs {BENCH_PYTHON}; make it with `make .venv-bench/bench.stamp`, "
            "or name other variants with --only."
        )
    return str(BENCH_PYTHON)


def check(variant: Variant, worker: Worker, sink: Sink) -> tuple[float, float]:
    """Have some requests answered; return spans and datagrams of each. Raises if any is missing."""
    worker.run(0, flush=True)
    time.sleep(0.2)
    sink.ask(variant.name, keep=True)
    worker.run(CHECKED_REQUESTS, flush=True)
    messages: list[dict[str, Any]] = []
    datagrams = 0
    deadline = time.monotonic() + SECONDS_TO_ARRIVE
    expected = variant.entities * CHECKED_REQUESTS
    spans: list[Span] = []
    while True:
        # What comes beyond what is expected has to be seen too.
        time.sleep(0.3)
        told = sink.ask(variant.name, keep=True)
        messages += told["kept"]
        datagrams += told["new_datagrams"]
        spans = decode(variant.wire, messages)
        if len(spans) >= expected or time.monotonic() > deadline:
            break
    each = Counter(span.trace_id for span in spans)
    names = Counter(span.name for span in spans)
    # Others may send more than their least: Elastic leaves slow statements uncompressed.
    is_right = len(spans) >= expected if is_queued(variant) else len(spans) == expected
    assert is_right, (
        f"{variant.name} sent {len(spans)} entities for {CHECKED_REQUESTS} requests; "
        f"expected {variant.entities} for each, got {dict(names)}."
    )
    assert expected == 0 or min(each.values()) == variant.entities, f"{variant.name} sent {each}."
    if variant.wire == "xray" and spans and not variant.is_part:
        kinds = Counter(span.kind for span in spans)
        wanted = {kind: times * CHECKED_REQUESTS for kind, times in KINDS.items()}
        assert kinds == wanted, f"{variant.name} sent {dict(kinds)}; expected {wanted}."
    return len(spans) / CHECKED_REQUESTS, datagrams / CHECKED_REQUESTS


def count_lost(variant: Variant, sink: Sink, sent: tuple[float, float], requests: int) -> float:
    """Return the share of what the measured requests sent that did not arrive."""
    told = sink.ask(variant.name)
    if is_queued(variant):
        found, expected = len(decode(variant.wire, told["kept"])), variant.entities * requests
    else:
        found, expected = told["new_datagrams"], round(sent[1] * requests)
    return 1 - found / expected if expected else float(found)


@dataclass(frozen=True, slots=True)
class Figures:
    """What processes that were started together have told.

    cpu_us: of a request, by variant, one for each round. sent: spans and datagrams of a request.
    lost: the share of what was sent that did not arrive.
    """

    cpu_us: dict[str, list[float]]
    sent: dict[str, tuple[float, float]]
    lost: dict[str, float]


def measure(names: Sequence[str], rounds: int, requests: int, times: int) -> None:
    """Check all, measure all in turn, as often as they are started, and print the table.

    rounds: of all times together.
    """
    variants = [VARIANTS[name] for name in names]
    each = max(1, math.ceil(rounds / times))
    figures = [measure_once(variants, each, requests) for _ in range(times)]
    print_table(variants, figures)
    lost = {name: max(told.lost[name] for told in figures) for name in names}
    for name, share in lost.items():
        if share > 0:
            print(f"{name}: {share:.2%} of what it sent did not arrive while it was measured.")
    assert max(lost.values()) <= GREATEST_LOSS, "Too much was lost; these figures say nothing."


def measure_once(variants: Sequence[Variant], rounds: int, requests: int) -> Figures:
    """Start a process for each variant, check what it sends and measure it."""
    names = [variant.name for variant in variants]
    sink = Sink(names)
    workers: dict[str, Worker] = {}
    with tempfile.TemporaryDirectory() as folder:
        database = make_database(Path(folder))
        try:
            for variant in variants:
                command = [find_python(variant), "-m", "benchmarks.tracing", "--work", variant.name]
                environment = make_environment(variant, sink.ports[variant.name], database)
                workers[variant.name] = Worker(variant.name, command, environment)
            for worker in workers.values():
                worker.wait_until_ready()
            sent = {
                variant.name: check(variant, workers[variant.name], sink) for variant in variants
            }
            for variant in variants:
                sink.ask(variant.name, keep=is_queued(variant))
            cpu_us: dict[str, list[float]] = {name: [] for name in names}
            for number in count(DISCARDED_ROUNDS + rounds):
                for name in shuffled(names):
                    told = workers[name].run(requests)
                    if number >= DISCARDED_ROUNDS:
                        cpu_us[name].append(told["cpu_us"])
            requests_of_each = requests * (DISCARDED_ROUNDS + rounds)
            for name in names:
                workers[name].run(0, flush=True)
            time.sleep(0.5)
            lost = {
                variant.name: count_lost(variant, sink, sent[variant.name], requests_of_each)
                for variant in variants
            }
        finally:
            for worker in workers.values():
                worker.stop()
            sink.stop()
    return Figures(cpu_us, sent, lost)


def is_queued(variant: Variant) -> bool:
    """Return whether spans wait in a queue of the tracer's, which may overflow."""
    return variant.is_foreign and variant.entities > 0


def make_database(folder: Path) -> str:
    """Return the file of a database with some films."""
    path = str(folder / "small.sqlite3")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE film (id INTEGER PRIMARY KEY, title TEXT, year INTEGER)")
    connection.executemany("INSERT INTO film (title, year) VALUES (?, ?)", FILMS)
    connection.commit()
    connection.close()
    return path


def print_table(variants: Sequence[Variant], figures: Sequence[Figures]) -> None:
    """Print what each adds, how much that is of the floor and of the plain SDK, and the budget."""
    added = {variant.name: compare(variant, figures) for variant in variants}
    known = [name for names in UNTRACED.values() for name in names if name in added]
    noise = max(NOISE_US, *(abs(added[name][0]) for name in known))
    untraced = statistics.median([cpu for told in figures for cpu in told.cpu_us[known[0]]])
    rounds = len(figures[0].cpu_us[known[0]])
    print(
        f"Untraced: {untraced:.0f} us of CPU a request; medians of {rounds} rounds of processes "
        f"that were started {len(figures)} times."
    )
    print(
        f"{'variant':<24}{'entities':>9}{'datagrams':>10}{'+ CPU us':>10}  {'range':<16}"
        f"{'of floor':>9}{'of SDK':>8}{'budget':>8}"
    )
    for variant in variants:
        median, low, high = added[variant.name]
        entities, datagrams = figures[0].sent[variant.name]
        extent = f"[{low:.0f}, {high:.0f}]"
        # What sends as much can be compared with the least that sends it.
        is_like_floor = "floor" in added and entities == figures[0].sent["floor"][0]
        of_floor = f"{median / added['floor'][0]:.2f}" if is_like_floor else ""
        print(
            f"{variant.name:<24}{entities:>9g}{datagrams:>10g}{median:>10.0f}  {extent:<16}"
            f"{of_floor:>9}" + judge(variant, added, noise)
        )


def compare(variant: Variant, figures: Sequence[Figures]) -> tuple[float, float, float]:
    """Return what a variant adds: the median of all rounds, and the range of each start's."""
    differences: list[list[float]] = []
    for told in figures:
        base = zip(*(told.cpu_us[name] for name in UNTRACED[variant.is_lambda]), strict=True)
        own = told.cpu_us[variant.name]
        differences.append(
            [cpu - statistics.mean(pair) for cpu, pair in zip(own, base, strict=True)]
        )
    medians = [statistics.median(each) for each in differences]
    every = [difference for each in differences for difference in each]
    return statistics.median(every), min(medians), max(medians)


def judge(variant: Variant, added: Mapping[str, tuple[float, float, float]], noise: float) -> str:
    """Return the last columns: the share of what the SDK adds, and the budget."""
    if variant.peer not in added or variant.budget is None:
        return ""
    median = added[variant.name][0]
    ratio = median / added[variant.peer][0]
    # Nothing measurable: no more than what separates two processes that do the same.
    is_met = ratio <= variant.budget if variant.budget else median <= noise
    return f"{ratio:>8.2f}{variant.budget:>8.2f}  {tell(is_met)}"


def choose(only: str) -> list[str]:
    """Return the variants named, with the untraced ones, in the order of the table."""
    usual = {name for name, variant in VARIANTS.items() if not variant.is_part}
    chosen = set(only.split(",")) if only else usual
    unknown = sorted(chosen - VARIANTS.keys())
    if unknown:
        raise SystemExit(f"No variant is named {unknown[0]!r}; there are {', '.join(VARIANTS)}.")
    for is_lambda in {VARIANTS[name].is_lambda for name in chosen}:
        chosen.update(UNTRACED[is_lambda])
    return [name for name in VARIANTS if name in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description="What tracing costs a request of a small site.")
    parser.add_argument("--rounds", type=int, default=120, help="of all variants; 0 for none")
    parser.add_argument("--times", type=int, default=6, help="all are started afresh for these")
    parser.add_argument("--requests", type=int, default=40, help="requests in a batch")
    parser.add_argument("--only", default="", help=f"of {', '.join(VARIANTS)}, with commas")
    parser.add_argument("--starts", type=int, help="starts of each kind; 0 for none")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(VARIANTS[arguments.work])
        return
    if arguments.rounds:
        names = choose(arguments.only)
        measure(names, arguments.rounds, arguments.requests, max(1, arguments.times))
    # Whoever asks for some variants waits for their figures.
    rounds = arguments.starts
    if rounds is None:
        rounds = 0 if arguments.only else starts.DEFAULT_ROUNDS
    if rounds:
        starts.measure(rounds)


if __name__ == "__main__":
    main()
