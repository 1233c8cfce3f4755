"""A Django site that is traced by OpenTelemetry; says the ids of the traces of its two requests.

python otel_django.py http|udp URL: how spans go out (the standard variables say where to), and what
the site asks for as part of its work.
"""

import os
import sqlite3
import sys
import urllib.request

import django
from amazon.opentelemetry.distro.otlp_udp_exporter import OTLPUdpSpanExporter
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

way, stock_url = sys.argv[1:]
found: list[str] = []


def make_exporter() -> SpanExporter:
    if way == "udp":
        return OTLPUdpSpanExporter(os.environ["AWS_XRAY_DAEMON_ADDRESS"])
    return OTLPSpanExporter()


def note_trace() -> trace.SpanContext:
    context = trace.get_current_span().get_span_context()
    found.append(f"{context.trace_id:032x}")
    return context


def place_order(request: HttpRequest, number: int) -> HttpResponse:
    ordered = note_trace()
    span = trace.get_current_span()
    span.set_attributes({"answer": 42, "half": 0.5, "is.new": True, "basket": ["tea", "milk"]})
    span.set_attribute("enduser.id", "ada")
    span.add_event("ordered", {"number": number})
    with sqlite3.connect(":memory:") as database:
        database.cursor().execute("SELECT ?", (number,))
    urllib.request.urlopen(stock_url, timeout=10).read()
    # A worker does the rest, in a trace of its own that links to this one.
    with trace.get_tracer("worker").start_as_current_span(
        "orders process",
        context=trace.Context(),
        kind=trace.SpanKind.CONSUMER,
        links=[trace.Link(ordered, {"messaging.system": "sqs"})],
    ):
        note_trace()
    return HttpResponse("ordered")


def fail(request: HttpRequest) -> HttpResponse:
    note_trace()
    try:
        raise KeyError("tea")
    except KeyError as error:
        raise ValueError("on purpose") from error


urlpatterns = [path("orders/<int:number>", place_order), path("fail", fail)]

provider = TracerProvider(
    resource=Resource.create(
        {
            "service.name": "shop",
            "service.version": "1.2",
            "cloud.provider": "aws",
            "cloud.platform": "aws_ec2",
            "host.id": "i-1234",
        }
    )
)
provider.add_span_processor(BatchSpanProcessor(make_exporter()))
trace.set_tracer_provider(provider)
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="nothing-is-signed",
    LOGGING_CONFIG=None,
)
for instrumentor in (DjangoInstrumentor(), SQLite3Instrumentor(), URLLibInstrumentor()):
    instrumentor.instrument()
django.setup()


def serve(target: str) -> int:
    environ = RequestFactory(headers={"User-Agent": "shopper/1"}).get(target).environ
    environ |= {"SERVER_NAME": "shop.local", "SERVER_PORT": "8080", "REMOTE_ADDR": "192.0.2.7"}
    environ |= {"HTTP_HOST": "shop.local:8080", "RAW_URI": target}
    statuses: list[str] = []
    response = WSGIHandler()(environ, lambda status, headers: statuses.append(status))
    b"".join(response)
    response.close()
    return int(statuses[0][:3])


assert [serve("/orders/7?from=mail"), serve("/fail")] == [200, 500]
provider.shutdown()
sys.stdout.write(" ".join(found))
