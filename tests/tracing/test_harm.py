"""Tracing harms nobody: whatever breaks in it, the site answers what it answers without it."""

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest

import tracing
from tests.conftest import Daemon, walk
from tracing import xray_recorder

from .conftest import ACTIVE, PARENT_ID, ROOT, Run, Runner

PATHS = (
    "/ok",
    "/queries",
    "/bad-query",
    "/template",
    "/stream",
    "/annotated",
    "/leaky",
    "/captured",
    "/failing-step",
    "/missing",
    "/forbidden",
    "/broken",
    "/stream?break=1",
    "/odd",
    "/threads",
    "/remote?url=http://127.0.0.1:9/closed",
)
# Each a function of ours, or one that we count on.
BREAKABLE = (
    "tracing.context.Context.current",
    "tracing.context.begin_subsegment",
    "tracing.context.FunctionSegment",
    "tracing.context.FunctionRequest",
    "tracing.context.make_part",
    "tracing.context.Subsegment",
    "tracing.subsegments.perf_counter",
    "tracing.entities.get_ident",
    "tracing.entities.Recorded.close",
    "tracing.entities.clean_annotation",
    "tracing.entities.clean_http",
    "tracing.plain.make_plain",
    "tracing.exceptions.describe",
    "tracing.documents._write",
    "tracing.documents.encode",
    "tracing.emitter.Emitter._send",
    "tracing.emitter.split",
    "tracing.header.TraceHeader.__init__",
    "tracing.middleware.current_settings",
    "tracing.middleware.describe_response",
    "tracing.middleware._open",
    "tracing.middleware._describe_request",
    "tracing.middleware.decide_sampling",
    "tracing.recorder.Recorder.end_entity",
    "tracing.recorder.Recorder.make_segment",
    "tracing.redaction.redact_text",
    "tracing.remote.make_header",
    "tracing.sampling.Sampler.should_trace",
    "tracing.sql.Database.write",
    "tracing.streaming.find_closed",
)


def tell(result: Run) -> list[Any]:
    """Return what visitors got, but for the header that names the trace."""
    return [
        (
            answer["status"],
            answer["body"],
            {
                # The policy lists what it allows in any order.
                name: sorted(value.split("; ")) if name == "Content-Security-Policy" else value
                for name, value in answer["headers"].items()
                if name.lower() != "x-amzn-trace-id"
            },
        )
        for answer in result.answers
    ]


@pytest.fixture(scope="module")
def untraced() -> dict[str, Any]:
    """What the site answers without tracing; filled by the first test that asks."""
    return {}


@pytest.mark.parametrize("on_lambda", [False, True], ids=["server", "lambda"])
@pytest.mark.parametrize("broken", BREAKABLE)
def test_whatever_breaks_the_answers_are_the_same(
    broken: str, on_lambda: bool, run: Runner, untraced: dict[str, Any]
) -> None:
    requests = [{"path": path, "trace": ACTIVE} for path in PATHS]
    if "answers" not in untraced:
        untraced["answers"] = tell(run(*requests, AWS_XRAY_SDK_ENABLED="false"))

    result = run(*requests, on_lambda=on_lambda, TEST_BREAK=broken)

    for path, told, wanted in zip(PATHS, tell(result), untraced["answers"], strict=True):
        assert told == wanted, path
    assert [answer["open"] for answer in result.answers] == [[]] * len(PATHS)


def test_a_clock_that_jumps(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    with tracing.in_subsegment("step"):
        monkeypatch.setattr(time, "time", lambda: now + 3600)
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    (step,) = document["subsegments"]
    times = (document["start_time"], step["start_time"], step["end_time"], document["end_time"])
    assert list(times) == sorted(times)
    assert times[3] - times[0] < 60


def test_a_hundred_thousand_subsegments(daemon: Daemon) -> None:
    sent = 0
    segment = xray_recorder.begin_segment("test", sampling=1)
    for number in range(100_000):
        with tracing.in_subsegment("step"):
            pass
        if number % 1000 == 0:
            sent += len(daemon.receive(0.001))
            daemon.datagrams.clear()
            assert segment.held <= xray_recorder.streaming_threshold + 1
    xray_recorder.end_segment()

    assert sent > 90_000


def test_subsegments_in_subsegments_in_subsegments(daemon: Daemon) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    for depth in range(5000):
        xray_recorder.begin_subsegment(f"step {depth}")
    xray_recorder.end_segment()

    documents = daemon.documents(5000 // 41)
    documents.sort(key=lambda document: "parent_id" in document)
    entities = [entity for document in documents for entity in walk(document)]
    assert sorted(entity["name"] for entity in entities) == sorted(
        ["test", *(f"step {depth}" for depth in range(5000))]
    )
    ids = {entity["id"] for entity in entities}
    assert all(document["parent_id"] in ids for document in documents[1:])


def test_memory_stays_flat_over_a_hundred_thousand_requests() -> None:
    daemon = Daemon()
    process = subprocess.run(
        [sys.executable, "-m", "tests.tracing.endurance"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.tracing.site_settings",
            "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
            "LOG_LEVEL": "CRITICAL",
            # What the site's own does takes as long as all else, and is not what is measured.
            "TEST_MIDDLEWARE": "tracing",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    daemon.close()

    told = json.loads(process.stdout)
    # Of these the first 20,000 fill every cache.
    assert told["requests"] == 100_000
    assert told["grown_bytes"] < 1_000_000, told


def test_a_thread_that_goes_on_is_told_when_it_ends(run: Runner) -> None:
    result = run({"path": "/outlived", "trace": ACTIVE}, {"path": "/ok", "trace": ACTIVE})

    outlived, ok = (document for document in result.documents if "type" not in document)
    beneath, late = (document for document in result.documents if "type" in document)
    (working,) = outlived["subsegments"]
    assert (working["name"], working["in_progress"]) == ("working on", True)
    assert "end_time" not in working
    assert (late["name"], late["id"], late["parent_id"]) == (
        "working on",
        working["id"],
        outlived["id"],
    )
    assert late["type"] == "subsegment"
    assert late["end_time"] > outlived["end_time"]
    assert (beneath["name"], beneath["parent_id"]) == ("begun in time", working["id"])
    assert "subsegments" not in ok
    assert PARENT_ID not in (late["parent_id"], outlived["id"])
