"""A walk through all of the console: with nothing stored, and with many traces of many kinds."""

import random
import time
from typing import Any

from playwright.sync_api import Browser, Page

from tests.xray_local.console.browser import opened, send_all
from tests.xray_local.console.walking import walk_console
from tests.xray_local.made import make_id, make_late, make_request, make_segment, make_subsegment
from tests.xray_local.program import Program
from xray_local.console.navigation import SCREENS

TRACES = 400
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e{{ x }}&'
PATHS = {screen.route: f"/{screen.route}" for screen in SCREENS} | {"map": "/"}


def make_trace(number: int, rng: random.Random) -> list[dict[str, Any]]:
    """Return the documents of one request, of whatever kind."""
    start = time.time() - rng.random() * 3000
    status = rng.choice([200] * 8 + [404, 429, 500])
    name = HOSTILE if number == 0 else rng.choice(["films", "reviews", "posters"])
    cause = {"exceptions": [{"id": make_id(), "type": HOSTILE[:20], "message": HOSTILE}]}
    calls = [
        make_subsegment(
            "db@sql.local",
            namespace="remote",
            start_time=start,
            end_time=start + 0.002,
            sql={"sanitized_query": HOSTILE if number == 1 else "SELECT a FROM b"},
        )
        for _ in range(rng.choice([0, 1, 12]))
    ]
    calls.append(
        make_subsegment(
            "DynamoDB",
            namespace="aws",
            aws={"table_name": f"Table{number % 9}", "operation": "Query"},
            start_time=start,
            end_time=start + rng.random(),
        )
    )
    segment = make_segment(
        name=name,
        origin="AWS::Lambda::Function",
        start_time=start,
        end_time=None if number == 2 else start + rng.random(),
        in_progress=True if number == 2 else None,
        user=rng.choice(["ada", "alan", HOSTILE]),
        fault=True if status == 500 else None,
        error=True if 400 <= status < 500 else None,
        throttle=True if status == 429 else None,
        cause=cause if status == 500 else None,
        annotations={"stage": rng.choice(["dev", "prod"]), "hostile": HOSTILE},
        metadata={"default": {"note": HOSTILE}},
        http=make_request(f"http://{rng.choice('abc')}.local/{name[:7]}/{number % 30}", status),
        subsegments=calls,
    )
    documents = [segment]
    if number % 7 == 0:
        documents.append(make_late(segment, start_time=start, end_time=start + 0.1))
    if number % 11 == 0:
        documents.append(make_late({"id": make_id(), "trace_id": segment["trace_id"]}))
    return documents


def test_with_nothing_stored(browser: Browser, xray: Program) -> None:
    """In the dark, and at first narrow: with traces, it is light and wide."""
    with opened(browser, width=360, scheme="dark") as page:
        seen = walk_console(page, xray.url)

    assert set(PATHS.values()) <= set(seen)


def test_with_traces_of_every_kind(page: Page, xray: Program) -> None:
    rng = random.Random(7)
    documents = [each for number in range(TRACES) for each in make_trace(number, rng)]
    for first in range(0, len(documents), 100):
        send_all(xray, *documents[first : first + 100])

    seen = walk_console(page, xray.url)

    assert set(PATHS.values()) | {"/traces/ID", "/compare"} <= set(seen)
