"""AWS's distribution of OpenTelemetry: the small SDK that it has for Lambda."""

from collections.abc import Callable

from .opentelemetry import flush_after_each_request, flush_of, instrument


def start() -> Callable[[], object]:
    """Set it up as the distribution does, then what it leaves out, and Django."""
    from amazon.opentelemetry.distro.opentelemetry_lite_sdk import (  # type: ignore[import-not-found]
        configure_lite_mode,
    )

    provider = configure_lite_mode()
    instrument()
    flush_after_each_request(provider)
    return flush_of(provider)
