"""AWS's distribution of OpenTelemetry: the small SDK that it has for Lambda."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .opentelemetry import flush_after_each_request, flush_of, instrument


def start() -> Callable[[], object]:
    """Set it up as the distribution does, then what it leaves out, and Django."""
    # By name: whether the types of it are missing or untyped depends on what was looked at before.
    lite: Any = import_module("amazon.opentelemetry.distro.opentelemetry_lite_sdk")
    provider = lite.configure_lite_mode()
    instrument()
    flush_after_each_request(provider)
    return flush_of(provider)
