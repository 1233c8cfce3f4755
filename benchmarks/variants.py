"""What is compared: each variant's tracer, its surroundings and what it has to send."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.pairs import ROOT

# What the runtime of Lambda sets; a tracer may look at any of them.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
LAMBDA = {
    "LAMBDA_TASK_ROOT": "/var/task",
    "AWS_LAMBDA_FUNCTION_NAME": "small",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
}
SDK_APP = "aws_xray_sdk.ext.django"
_SETTINGS = (ROOT / "movies_site" / "settings.py").read_text()
# What the site itself installs: the SDK's own app too, as long as the site needs it.
OUR_APPS = " ".join(app for app in ("tracing", SDK_APP) if f'"{app}",' in _SETTINGS)


@dataclass(frozen=True, slots=True)
class Variant:
    """One process of the comparison.

    tracer: the module of benchmarks.tracers that sets it up.
    header: of each request: root, sampled, unsampled or passthrough.
    entities: how many segments, subsegments or spans a request has to send.
    peer: the variant of the plain SDK in the same mode.
    budget: the most that may be added, as a share of what the peer adds; 0 is nothing measurable.
    instruments: what is traced, with blanks; all, unless it is said.
    is_part: whether it is one of ours with something left out, run only where it is named.
    is_foreign: whether it needs what only requirements-bench.txt names.
    """

    name: str
    tracer: str = "nothing"
    apps: str = ""
    middleware: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    header: str = "root"
    wire: str = "xray"
    entities: int = 0
    peer: str = ""
    budget: float | None = None
    instruments: str | None = None
    is_part: bool = False
    is_foreign: bool = False

    @property
    def is_lambda(self) -> bool:
        """Whether the process believes that it runs on Lambda."""
        return "AWS_LAMBDA_FUNCTION_NAME" in self.environment


# Mode, its environment, the header, entities of a request, our budget.
MODES: tuple[tuple[str, dict[str, str], str, int, float], ...] = (
    ("lambda", LAMBDA, "sampled", 6, 0.21),
    ("lambda-unsampled", LAMBDA, "unsampled", 0, 0.06),
    ("lambda-passthrough", LAMBDA, "passthrough", 0, 0.06),
    ("server", {}, "root", 6, 0.40),
    ("server-unsampled", {}, "unsampled", 0, 0.06),
    ("disabled", {"AWS_XRAY_SDK_ENABLED": "false"}, "root", 0, 0.0),
)


def list_variants() -> Iterable[Variant]:
    """Yield every variant, in the order of the table."""
    # Two of each, as a control: what separates them is what the method cannot tell. On Lambda
    # botocore itself passes the header on, which is no tracer's doing.
    yield Variant("none")
    yield Variant("none-again")
    yield Variant("none-lambda", environment=LAMBDA, header="sampled")
    yield Variant("none-lambda-again", environment=LAMBDA, header="sampled")
    yield Variant(
        "floor", tracer="floor", middleware="benchmarks.tracers.floor.Middleware", entities=6
    )
    yield Variant(
        "datagram", middleware="benchmarks.tracers.datagram.Middleware", entities=1, is_part=True
    )
    for mode, environment, header, entities, budget in MODES:
        yield Variant(
            f"sdk-{mode}",
            tracer="plain_sdk",
            apps=SDK_APP,
            middleware="aws_xray_sdk.ext.django.middleware.XRayMiddleware",
            environment=environment,
            header=header,
            entities=entities,
        )
        yield Variant(
            f"ours-{mode}",
            apps=OUR_APPS,
            middleware="tracing.middleware.XRayMiddleware",
            environment=environment,
            header=header,
            entities=entities,
            peer=f"sdk-{mode}",
            budget=budget,
        )
    yield from list_parts()
    yield from list_foreign_variants()


def list_parts() -> Iterable[Variant]:
    """Yield what shows, by what is left out, what each part of ours costs."""
    for name, instruments, entities in (
        ("request", "", 1),
        ("sql", "sql", 4),
        ("templates", "templates", 2),
        ("aws", "aws", 2),
        ("unsent", None, 0),
    ):
        yield Variant(
            f"part-{name}",
            tracer="unsent" if name == "unsent" else "nothing",
            apps=OUR_APPS,
            middleware="tracing.middleware.XRayMiddleware",
            environment=LAMBDA,
            header="sampled",
            entities=entities,
            instruments=instruments,
            is_part=True,
        )


OTEL = {
    "OTEL_SERVICE_NAME": "small",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:{port}",
    "OTEL_TRACES_SAMPLER": "parentbased_always_on",
    "OTEL_BSP_MAX_QUEUE_SIZE": "65536",
}
ELASTIC = {"ELASTIC_APM_SERVER_URL": "http://127.0.0.1:{port}"}
DATADOG = {
    "DD_SERVICE": "small",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:{port}",
    "DD_TRACE_API_VERSION": "v0.4",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_CRASHTRACKING_ENABLED": "false",
    "DD_TRACE_STARTUP_LOGS": "false",
}


def list_foreign_variants() -> Iterable[Variant]:
    """Yield what others make, each as its guide sets it up and with all that it can leave off."""
    # The request, three statements and the call; templates they cannot see.
    for name, tracer, environment, entities in (
        ("otel", "opentelemetry", OTEL, 5),
        ("otel-unsampled", "opentelemetry", OTEL | {"OTEL_TRACES_SAMPLER": "always_off"}, 0),
        ("adot-udp", "adot", OTEL, 5),
        ("adot-lite", "adot_lite", OTEL, 5),
    ):
        yield Variant(
            name,
            tracer=tracer,
            environment=environment,
            wire="otlp",
            entities=entities,
            is_foreign=True,
        )
    # The three statements become one span: it compresses spans of a kind.
    unsampled = ELASTIC | {"ELASTIC_APM_TRANSACTION_SAMPLE_RATE": "0"}
    for name, environment, entities in (
        ("elastic-apm", ELASTIC, 4),
        ("elastic-apm-unsampled", unsampled, 0),
    ):
        yield Variant(
            name,
            tracer="elastic",
            apps="elasticapm.contrib.django",
            middleware="elasticapm.contrib.django.middleware.TracingMiddleware",
            environment=environment,
            wire="elastic",
            entities=entities,
            is_foreign=True,
        )
    # Each middleware is a span too.
    yield Variant(
        "ddtrace",
        tracer="datadog",
        environment=DATADOG,
        wire="datadog",
        entities=12,
        is_foreign=True,
    )


VARIANTS = {variant.name: variant for variant in list_variants()}
# By whether it is on Lambda.
UNTRACED = {False: ("none", "none-again"), True: ("none-lambda", "none-lambda-again")}


def make_environment(variant: Variant, port: int, database: str) -> dict[str, str]:
    """Return the environment of a variant's process; nothing of ours leaks into it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "DJANGO_SETTINGS_MODULE": "benchmarks.small.settings",
        "BENCHMARK_APPS": variant.apps,
        "BENCHMARK_MIDDLEWARE": variant.middleware,
        "BENCHMARK_DATABASE": database,
        "AWS_REGION": "us-east-1",
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{port}",
        **{name: value.format(port=port) for name, value in variant.environment.items()},
        **({} if variant.instruments is None else {"BENCHMARK_INSTRUMENTS": variant.instruments}),
    }
