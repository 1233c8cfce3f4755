"""OpenTelemetry's SDK: spans are kept, and sent by a thread over OTLP/HTTP.

There is no instrumentation of Django's templates.
"""

from collections.abc import Callable
from typing import Any


def start() -> Callable[[], object]:
    """Set OpenTelemetry up as its environment variables say, then Django."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    instrument()
    return flush_of(provider)


def instrument() -> None:
    """Instrument Django, sqlite3 and botocore, and set Django up."""
    import django
    from opentelemetry.instrumentation.botocore import (
        BotocoreInstrumentor,
    )
    from opentelemetry.instrumentation.django import (
        DjangoInstrumentor,
    )
    from opentelemetry.instrumentation.sqlite3 import (
        SQLite3Instrumentor,
    )

    for instrumentor in (DjangoInstrumentor(), SQLite3Instrumentor(), BotocoreInstrumentor()):  # type: ignore[no-untyped-call]
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument()
    django.setup()


def flush_of(provider: Any) -> Callable[[], object]:
    """Return what sends all spans that have ended."""
    return lambda: provider.force_flush()


def flush_after_each_request(provider: Any) -> None:
    """Send at the end of each request, as a Lambda function has to."""
    from django.core.signals import request_finished

    def flush(**keywords: object) -> None:
        provider.force_flush()

    request_finished.connect(flush, weak=False)
