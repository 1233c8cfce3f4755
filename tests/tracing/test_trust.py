"""What is sent is what ran: random trees of calls, rebuilt from the documents alone.

Each tree is a request through the middleware. Its calls are blocks, captured functions, threads,
executors, asyncio tasks and generators; some raise, some are left open, some run while the body
streams. Requests run side by side, documents are split and sent early.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

import tracing
from tests.conftest import Daemon, walk
from tracing import emitter, xray_recorder
from tracing.middleware import XRayMiddleware
from tracing.streaming import DEFAULT_THRESHOLD

TREES = 1000
AT_ONCE = 4
ROOT = "request"


@dataclass
class Call:
    """One call of a tree: how it is made, what it calls, and whether it raises."""

    name: str
    kind: str
    raises: bool
    calls: list["Call"] = field(default_factory=list)


class Failure(Exception):
    """What a call raises that is to raise; its caller goes on."""


def plant(dice: random.Random, number: int) -> list[Call]:
    """Return a random tree of at most 25 calls, each with a name of its own."""
    left = dice.randint(1, 25)
    count = 0

    def grow(depth: int) -> list[Call]:
        nonlocal left, count
        calls = []
        while left and depth < 6 and dice.random() < 0.6:
            left -= 1
            count += 1
            call = Call(
                f"{number}-{count}",
                dice.choice(["block", "hand", "capture", "async", "generator", "leak"]),
                dice.random() < 0.2,
            )
            call.calls = grow(depth + 1)
            calls.append(call)
        return calls

    return grow(0)


def run_all(calls: list[Call], dice: random.Random) -> None:
    """Make calls one after the other, in threads, in an executor or as asyncio tasks."""
    way = dice.choice(["here", "here", "threads", "executor", "tasks"])
    if way == "here":
        for call in calls:
            make(call, dice)
    elif way == "threads":
        threads = [threading.Thread(target=make, args=(call, dice)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    elif way == "executor" and calls:
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(make, call, dice) for call in calls]:
                done.result()
    elif calls:

        async def gather() -> None:
            await asyncio.gather(*(make_async(call, dice) for call in calls))

        asyncio.run(gather())


def make(call: Call, dice: random.Random) -> None:
    """Make one call; what it raises is caught by its caller."""

    def work() -> None:
        run_all(call.calls, dice)
        if call.raises:
            raise Failure(call.name)

    def steps() -> Iterator[int]:
        for inner in call.calls:
            make(inner, dice)
            yield 1
        if call.raises:
            raise Failure(call.name)

    try:
        if call.kind == "hand":
            subsegment = xray_recorder.begin_subsegment(call.name)
            try:
                work()
            except Failure as failure:
                subsegment.add_exception(failure, [])
                raise
            finally:
                xray_recorder.end_subsegment()
        elif call.kind == "capture":
            xray_recorder.capture(call.name)(work)()
        elif call.kind == "generator":
            for step, _ in enumerate(tracing.capture(call.name)(steps)()):
                if not step:
                    # Whoever iterates is not within the generator.
                    with tracing.in_subsegment(f"beside {call.name}"):
                        pass
        elif call.kind == "leak":
            # Ended by what is around it.
            with tracing.in_subsegment(f"around {call.name}"):
                xray_recorder.begin_subsegment(call.name)
                call.raises = False
                work()
        else:
            with tracing.in_subsegment(call.name):
                work()
    except Failure:
        pass


async def make_async(call: Call, dice: random.Random) -> None:
    """Make one call as a task."""
    try:
        async with xray_recorder.in_subsegment_async(call.name):
            await asyncio.sleep(0)
            call.kind = "async"
            for inner in call.calls:
                await make_async(inner, dice)
                await asyncio.sleep(0)
            if call.raises:
                raise Failure(call.name)
    except Failure:
        pass


def answer(calls: list[Call], dice: random.Random) -> None:
    """Send a request whose view makes the first half of the calls, and its body the rest."""
    half = len(calls) // 2
    seed = dice.random()

    def body() -> Iterator[bytes]:
        for call in calls[half:]:
            make(call, random.Random(seed))
            yield b"chunk"

    def view(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        run_all(calls[:half], dice)
        return StreamingHttpResponse(body())

    response = XRayMiddleware(view)(RequestFactory().get("/"))
    assert b"".join(response) == b"chunk" * (len(calls) - half)
    response.close()


def expect(calls: list[Call], parent: str) -> Iterator[tuple[str, str, bool]]:
    """Yield name, parent and fault of each call."""
    for call in calls:
        above = parent
        if call.kind == "leak":
            above = f"around {call.name}"
            yield above, parent, False
        if call.kind == "generator" and call.calls:
            yield f"beside {call.name}", parent, False
        yield call.name, above, call.raises
        yield from expect(call.calls, call.name)


def rebuild(documents: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """Return name, parent and fault of each subsegment; times nest, and every one has ended."""
    entities: dict[str, dict[str, Any]] = {}
    parents: dict[str, str] = {}
    for document in documents:
        for entity in walk(document):
            assert entity["id"] not in entities, f"{entity['name']} was sent twice."
            entities[entity["id"]] = entity
            for child in entity.get("subsegments", ()):
                parents[child["id"]] = entity["id"]
        if "parent_id" in document:
            parents[document["id"]] = document["parent_id"]
    found = []
    for id, entity in entities.items():
        assert entity["start_time"] <= entity["end_time"]
        if id not in parents:
            continue
        above = entities[parents[id]]
        assert above["start_time"] <= entity["start_time"], (above["name"], entity["name"])
        assert entity["end_time"] <= above["end_time"], (above["name"], entity["name"])
        found.append((entity["name"], above["name"], entity.get("fault", False)))
    return found


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], None]]:
    """Name the requests, and set how much is held back and how large a document may be."""
    monkeypatch.setattr(xray_recorder, "_service", ROOT)
    monkeypatch.setattr(xray_recorder, "_sampling", False)

    def limit(held: int, size_bytes: int) -> None:
        xray_recorder.streaming_threshold = held
        monkeypatch.setattr(emitter, "MAX_DOCUMENT_BYTES", size_bytes)

    yield limit
    xray_recorder.streaming_threshold = DEFAULT_THRESHOLD


@pytest.mark.parametrize("seed", range(10))
def test_documents_rebuild_exactly_the_tree_that_ran(
    seed: int, daemon: Daemon, service: Callable[[int, int], None]
) -> None:
    dice = random.Random(seed)
    for batch in range(TREES // 10 // AT_ONCE):
        service(dice.choice([3, 10, 250]), dice.choice([700, 3000, 60_000]))
        trees = [plant(dice, batch * AT_ONCE + number) for number in range(AT_ONCE)]
        daemon.datagrams.clear()
        threads = [
            threading.Thread(target=answer, args=(tree, random.Random(dice.random())))
            for tree in trees
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        wanted = sorted(entity for tree in trees for entity in expect(tree, ROOT))
        by_trace: dict[str, list[dict[str, Any]]] = {}
        for document in daemon.documents():
            by_trace.setdefault(document["trace_id"], []).append(document)
        assert len(by_trace) == AT_ONCE
        found = sorted(entity for trace in by_trace.values() for entity in rebuild(trace))
        assert found == wanted
