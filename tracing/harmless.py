"""Keep what goes wrong in tracing from the application."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_xray_sdk.core.exceptions.exceptions import (
    SegmentNameMissingException,
    SegmentNotFoundException,
)

log = logging.getLogger(__name__)

SECONDS_BETWEEN_WARNINGS = 60.0
_next_warning: dict[str, float] = {}


def tell_failure(what: str) -> None:
    """Log the exception at hand, at most once a minute for the same thing."""
    now = time.monotonic()
    if now >= _next_warning.get(what, 0.0):
        _next_warning[what] = now + SECONDS_BETWEEN_WARNINGS
        log.exception("Tracing failed: %s. The work goes on. Said at most once a minute.", what)


def harmless(
    make_fallback: Callable[[], Any] = lambda: None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator for what applications call: where it fails, a fallback is returned.

    Only what the SDK's guide promises to raise is raised: without a segment under RUNTIME_ERROR,
    and for a segment without a name.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except (SegmentNotFoundException, SegmentNameMissingException):
                raise
            except Exception:
                tell_failure(function.__qualname__)
                return make_fallback()

        return guarded

    return decorate
