"""Carry the trace into threads and pools: what a request starts belongs to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any

from aws_xray_sdk.core.models import http

from .context import TRACE_HEADER_VARIABLE, innermost, make_function_segment, put_current
from .header import parse
from .remote import pass_header_on
from .wrapping import when_imported, wrap


def install() -> None:
    """Make what starts threads, and pools of threads and processes, hand the trace on."""
    wrap(threading.Thread, "start", carry_to_thread)
    wrap(ThreadPoolExecutor, "submit", carry_to_worker)
    when_imported(
        "concurrent.futures.process",
        lambda module: wrap(module.ProcessPoolExecutor, "submit", carry_to_process),
    )


def carry_to_thread(start: Any) -> Any:
    """Return `Thread.start` for a thread that goes on under what is open here."""

    def start_thread(thread: threading.Thread) -> None:
        entity = innermost.get()
        if entity is not None and not entity.is_function:
            carry_into(thread, entity)
        start(thread)

    return start_thread


def carry_to_worker(submit: Any) -> Any:
    """Return `ThreadPoolExecutor.submit` for a call that goes on under what is open here."""

    def submit_call(
        executor: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        entity = innermost.get()
        if entity is None or entity.is_function:
            return submit(executor, function, *args, **kwargs)
        # A worker that this call starts lives longer than the request.
        innermost.set(None)
        try:
            return submit(executor, carry(entity, function), *args, **kwargs)
        finally:
            innermost.set(entity)

    return submit_call


def carry_to_process(submit: Any) -> Any:
    """Return `ProcessPoolExecutor.submit` for a call that goes on under what is open here.

    Only where workers are forked: others need not know this package.
    """

    def submit_call(
        executor: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        entity = innermost.get()
        if (
            entity is None
            or entity.is_function
            or executor._mp_context.get_start_method() != "fork"
        ):
            return submit(executor, function, *args, **kwargs)
        headers: dict[str, str] = {}
        pass_header_on(headers)
        # A worker that this call forks serves other requests too.
        innermost.set(None)
        try:
            return submit(
                executor, Errand(function, headers.get(http.XRAY_HEADER)), *args, **kwargs
            )
        finally:
            innermost.set(entity)

    return submit_call


class Errand:
    """A call that another process makes: it takes the trace with it, as a header does."""

    def __init__(self, function: Callable[..., Any], header: str | None) -> None:
        self._function = function
        self._header = header

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        key = os.environb.get(os.fsencode(TRACE_HEADER_VARIABLE))
        before = put_current(make_function_segment(parse(self._header), key))
        try:
            return self._function(*args, **kwargs)
        finally:
            put_current(before)


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
