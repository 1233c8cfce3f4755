"""How to send a first segment, and how to look at it: code to copy, with this program's address.

What is written here runs as it stands: the tests run it.
"""

from dataclasses import dataclass, replace

# What stands in the code for the address of the program.
ADDRESS = "127.0.0.1:2000"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of code to copy, and where it goes."""

    label: str
    code: str


@dataclass(frozen=True, slots=True)
class Guide:
    """How to send a first segment from something; the name is a part of an id."""

    name: str
    title: str
    parts: tuple[Part, ...]
    hint: str = ""


SENDING = (
    Guide(
        "django",
        "Django",
        (
            Part("In a shell", "python -m pip install aws-xray-sdk"),
            Part(
                "At the end of settings.py",
                """\
INSTALLED_APPS = [*INSTALLED_APPS, "aws_xray_sdk.ext.django"]
MIDDLEWARE = ["aws_xray_sdk.ext.django.middleware.XRayMiddleware", *MIDDLEWARE]
XRAY_RECORDER = {
    "AWS_XRAY_TRACING_NAME": "my-django-site",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
}
""",
            ),
        ),
        "Then open a page of the site.",
    ),
    Guide(
        "flask",
        "Flask",
        (
            Part("In a shell", "python -m pip install flask aws-xray-sdk"),
            Part(
                "In app.py, which flask run starts",
                """\
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask

app = Flask(__name__)
xray_recorder.configure(service="my-flask-app", daemon_address="127.0.0.1:2000")
XRayMiddleware(app, xray_recorder)


@app.get("/")
def show_home():
    with xray_recorder.in_subsegment("greeting"):
        return "Hello"
""",
            ),
        ),
        "Then open http://127.0.0.1:5000/.",
    ),
    Guide(
        "aiohttp",
        "aiohttp",
        (
            Part("In a shell", "python -m pip install aiohttp aws-xray-sdk"),
            Part(
                "In app.py, which python app.py starts",
                """\
from aiohttp import web
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.async_context import AsyncContext
from aws_xray_sdk.ext.aiohttp.middleware import middleware


async def show_home(request):
    async with xray_recorder.in_subsegment_async("greeting"):
        return web.Response(text="Hello")


async def make_app():
    # Here, where the loop runs that the context belongs to.
    xray_recorder.configure(
        service="my-aiohttp-app", daemon_address="127.0.0.1:2000", context=AsyncContext()
    )
    app = web.Application(middlewares=[middleware])
    app.router.add_get("/", show_home)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=8080)
""",
            ),
        ),
        "Then open http://127.0.0.1:8080/.",
    ),
    Guide(
        "python",
        "Python alone",
        (
            Part("In a shell", "python -m pip install aws-xray-sdk"),
            Part(
                "In a file, or in python's own prompt",
                """\
from aws_xray_sdk.core import xray_recorder

xray_recorder.configure(daemon_address="127.0.0.1:2000", sampling=False)
with xray_recorder.in_segment("my-script") as segment:
    segment.put_annotation("answer", 42)
    with xray_recorder.in_subsegment("hello"):
        pass
""",
            ),
        ),
    ),
    Guide(
        "node",
        "Node",
        (
            Part("In a shell", "npm install aws-xray-sdk"),
            Part(
                "In app.js, which node app.js starts",
                """\
const http = require('http');
const AWSXRay = require('aws-xray-sdk');

AWSXRay.setDaemonAddress('127.0.0.1:2000');
const open = AWSXRay.express.openSegment('my-node-app');

http
  .createServer((request, response) => open(request, response, () => response.end('Hello')))
  .listen(process.env.PORT || 8080, '127.0.0.1');
""",
            ),
        ),
        "Then open http://127.0.0.1:8080/. In Express: app.use(AWSXRay.express.openSegment(…)) "
        "before the routes, and app.use(AWSXRay.express.closeSegment()) after them.",
    ),
    Guide(
        "opentelemetry-python",
        "OpenTelemetry, Python",
        (
            Part(
                "In a shell",
                "python -m pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http",
            ),
            Part(
                "In a file, or in python's own prompt",
                """\
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "my-otel-app"}))
exporter = OTLPSpanExporter(endpoint="http://127.0.0.1:2000/v1/traces")
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)

with trace.get_tracer("hello").start_as_current_span("GET /", kind=trace.SpanKind.SERVER):
    pass
provider.shutdown()
""",
            ),
        ),
    ),
    Guide(
        "opentelemetry-node",
        "OpenTelemetry, Node",
        (
            Part(
                "In a shell",
                "npm install @opentelemetry/api @opentelemetry/sdk-trace-base "
                "@opentelemetry/resources @opentelemetry/exporter-trace-otlp-http",
            ),
            Part(
                "In app.js, which node app.js starts",
                """\
const { SpanKind } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');

const exporter = new OTLPTraceExporter({ url: 'http://127.0.0.1:2000/v1/traces' });
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'my-otel-node-app' }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});

provider.getTracer('hello').startSpan('GET /', { kind: SpanKind.SERVER }).end();
provider.shutdown();
""",
            ),
        ),
    ),
    Guide(
        "environment",
        "What is instrumented already",
        (
            Part(
                "For an X-Ray SDK, of any language",
                "export AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000",
            ),
            Part(
                "For OpenTelemetry, of any language",
                """\
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:2000
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
""",
            ),
        ),
        "SDKs for X-Ray send to 127.0.0.1:2000 where nothing else is said.",
    ),
)
LOOKING = Guide(
    "look",
    "The same traces by the API",
    (
        Part(
            "With the AWS CLI",
            """\
aws xray get-trace-summaries --endpoint-url http://127.0.0.1:2000 \\
  --region us-east-1 --no-sign-request \\
  --start-time $(($(date +%s) - 3600)) --end-time $(date +%s)
""",
        ),
        Part(
            "With boto3",
            """\
import time

import boto3

xray = boto3.client(
    "xray",
    endpoint_url="http://127.0.0.1:2000",
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
)
found = xray.get_trace_summaries(StartTime=time.time() - 3600, EndTime=time.time())
for summary in found["TraceSummaries"]:
    print(summary["Id"], summary["ResponseTime"])
""",
        ),
    ),
)


def write_guide(guide: Guide, address: str) -> Guide:
    """Return the guide with the address, "host:port", in its code."""
    parts = [replace(part, code=part.code.replace(ADDRESS, address)) for part in guide.parts]
    return replace(guide, parts=tuple(parts))
