"""Carry the trace into threads: what a request starts belongs to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any

from .context import _current, put_current


def install() -> None:
    """Make `Thread.start` and `ThreadPoolExecutor.submit` of this process hand the trace on."""
    if hasattr(threading.Thread.start, "_carries_traces"):
        return
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    @wraps(start)
    def start_with_trace(thread: threading.Thread) -> None:
        entity = _current.get()
        if entity is not None and not entity.is_function:
            carry_into(thread, entity)
        start(thread)

    @wraps(submit)
    def submit_with_trace(
        executor: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        entity = _current.get()
        if entity is not None and not entity.is_function:
            function = carry(entity, function)
            # A worker that this call starts lives longer than the request.
            put_current(None)
            try:
                return submit(executor, function, *args, **kwargs)
            finally:
                put_current(entity)
        return submit(executor, function, *args, **kwargs)

    start_with_trace._carries_traces = True  # type: ignore[attr-defined]
    threading.Thread.start = start_with_trace  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = submit_with_trace  # type: ignore[method-assign]


def carry_into(thread: threading.Thread, entity: Any) -> None:
    """Make a thread run under this entity, and keep nothing of it afterwards."""
    run = thread.run

    def run_with_trace() -> None:
        del thread.run
        carry(entity, run)()

    thread.run = run_with_trace  # type: ignore[method-assign]


def carry(entity: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, to be called in another thread, under this entity.

    Only the trace goes with it: a thread's language, or its database, is none of our business.
    """

    @wraps(function, updated=())
    def carried(*args: Any, **kwargs: Any) -> Any:
        before = put_current(entity)
        try:
            return function(*args, **kwargs)
        finally:
            put_current(before)

    return carried
