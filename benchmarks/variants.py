"""What is compared: each variant's tracer, its surroundings and what it has to send."""

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
    # The control: what separates these two is what the method cannot tell.
    yield Variant("none")
    yield Variant("none-lambda", environment=LAMBDA, header="sampled")
    yield Variant(
        "floor", tracer="floor", middleware="benchmarks.tracers.floor.Middleware", entities=6
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


VARIANTS = {variant.name: variant for variant in list_variants()}
UNTRACED = ("none", "none-lambda")
