"""Sends a segment every 50 ms, as the sampler of an SDK decides: `python -m ... sdk|tracing NAME`.

Prints `sampled` or `dropped` whenever that changes, and how many were sampled once its input ends.
The pollers are the SDKs' own, only quicker: what is 10 s for them is one here.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PERIOD_SECONDS = 0.05


def make_sdk() -> tuple[Any, Callable[[], bool]]:
    """Return aws-xray-sdk's recorder, and whether its rules have come."""
    from aws_xray_sdk.core import xray_recorder

    sampler = xray_recorder.sampler
    sampler._target_poller._interval = 1
    return xray_recorder, lambda: bool(sampler._cache.rules)


def make_tracing() -> tuple[Any, Callable[[], bool]]:
    """Return the recorder with this project's sampler, and whether its rules have come."""
    from tracing.sampling import Sampler

    sampler = Sampler(clock=lambda: time.monotonic() * 10)
    from aws_xray_sdk.core import xray_recorder

    xray_recorder.configure(sampler=sampler)

    def has_rules() -> bool:
        sampler._wake.set()  # it waits for seconds of its clock
        return bool(sampler._rules.rules)

    return xray_recorder, has_rules


def main(kind: str, name: str) -> None:
    """Send until the input ends."""
    recorder, has_rules = {"sdk": make_sdk, "tracing": make_tracing}[kind]()
    recorder.sampler.start()
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    sampled = 0
    last = None
    while not is_over.wait(PERIOD_SECONDS):
        if not has_rules():
            continue
        segment = recorder.begin_segment(name)
        recorder.end_segment()
        sampled += segment.sampled
        if segment.sampled != last:
            last = segment.sampled
            print("sampled" if last else "dropped", flush=True)  # noqa: T201
    print(sampled, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
