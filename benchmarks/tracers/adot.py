"""AWS's distribution of OpenTelemetry: its UDP exporter under OpenTelemetry's own SDK."""

import os
from collections.abc import Callable

from .opentelemetry import flush_after_each_request, flush_of, instrument

SPANS_OF_A_BATCH = 10


def start() -> Callable[[], object]:
    """Set the exporter up, then Django; what is kept is sent at the end of each request."""
    from amazon.opentelemetry.distro.otlp_udp_exporter import (  # type: ignore[import-untyped]
        OTLPUdpSpanExporter,
    )
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    exporter = OTLPUdpSpanExporter(os.environ["AWS_XRAY_DAEMON_ADDRESS"])
    processor = BatchSpanProcessor(exporter, max_export_batch_size=SPANS_OF_A_BATCH)
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    instrument()
    flush_after_each_request(provider)
    return flush_of(provider)
