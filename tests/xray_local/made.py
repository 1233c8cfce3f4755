"""Documents for tests, as X-Ray SDKs make them."""

import json
import os
import time
from typing import Any

from xray_local.traces.facts import Facts, load_facts

HEADER = b'{"format":"json","version":1}\n'
NOON = 1_700_000_000.0
# The pages of the traces that began in the hours around noon, and at any time.
TRACES = f"/traces?start={NOON - 3600:.0f}&end={NOON + 3600:.0f}"
ALL_TRACES = "/traces?start=0&end=253402300799"


def make_id() -> str:
    return os.urandom(8).hex()


def make_trace_id(seconds: float = NOON) -> str:
    return f"1-{int(seconds):08x}-{os.urandom(12).hex()}"


def make_segment(**fields: Any) -> dict[str, Any]:
    """Return a complete segment of 100 ms at noon; a field that is None is left out."""
    start = fields.get("start_time", NOON)
    segment = {
        "name": "movies",
        "id": make_id(),
        "trace_id": make_trace_id(start if isinstance(start, float) else NOON),
        "start_time": start,
        "end_time": start + 0.1 if isinstance(start, float) else NOON,
    } | fields
    return {key: value for key, value in segment.items() if value is not None}


def make_subsegment(name: str = "work", **fields: Any) -> dict[str, Any]:
    """Return a complete subsegment, to be embedded."""
    return make_segment(**{"name": name, "trace_id": None} | fields)


def make_late(parent: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a subsegment that comes on its own, below the parent."""
    return make_segment(
        **{
            "name": "late",
            "type": "subsegment",
            "parent_id": parent["id"],
            "trace_id": parent["trace_id"],
        }
        | fields
    )


def make_request(url: str, status: int, method: str = "GET") -> dict[str, Any]:
    return {"request": {"url": url, "method": method}, "response": {"status": status}}


def make_facts(document: dict[str, Any]) -> Facts:
    """Return the facts of a document that complies with the schema."""
    return load_facts(json.dumps(document).encode())


def make_datagram(document: dict[str, Any]) -> bytes:
    return HEADER + json.dumps(document).encode()


def wait_until(condition: Any, timeout_seconds: float = 10.0) -> Any:
    """Return what the condition returns as soon as that is true. Raises AssertionError."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, "It did not become true in time."
        time.sleep(0.02)
