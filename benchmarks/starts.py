"""What tracing costs a start: fresh interpreters that load the small site, and what they import.

CPU of the start of Django alone, the interpreter's left out; what is added is the difference to
the start without a tracer in the same round. Compiled files are there and the disk's cache is warm.
"""

import json
import statistics
import subprocess
import sys
from dataclasses import replace

from benchmarks.pairs import ROOT, count, estimate, pin, shuffled, tell
from benchmarks.variants import LAMBDA, VARIANTS, Variant, make_environment

DEFAULT_ROUNDS = 24
BUDGET_MS = 25
# What a start outside Lambda must not import.
HEAVY = ("botocore", "django.test")
PROGRAM = """
import importlib, json, sys, time
tracer = importlib.import_module("benchmarks.tracers." + sys.argv[1])
before = time.process_time()
tracer.start()
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
cpu_ms = (time.process_time() - before) * 1000
print(json.dumps({"cpu_ms": cpu_ms, "modules": [name for name in %r if name in sys.modules]}))
"""


def list_starts() -> dict[str, Variant]:
    """Return what is started: nothing, the SDK's app, with all that it patches too, and ours."""
    sdk = VARIANTS["sdk-server"]
    kinds = {
        "none": VARIANTS["none"],
        "sdk": replace(sdk, tracer="nothing"),
        "sdk-patch_all": sdk,
        "ours": VARIANTS["ours-server"],
    }
    modes: dict[str, dict[str, str]] = {"lambda": LAMBDA, "server": {}}
    return {
        f"{kind}-{mode}": replace(variant, environment=environment)
        for mode, environment in modes.items()
        for kind, variant in kinds.items()
    }


def start(variant: Variant) -> tuple[float, tuple[str, ...]]:
    """Start once; return milliseconds of CPU, and the heavy modules that were imported."""
    result = subprocess.run(
        pin([sys.executable, "-c", PROGRAM % (HEAVY,), variant.tracer]),
        cwd=ROOT,
        # Nothing is opened: neither the daemon nor the database has to be there.
        env=make_environment(variant, port=2000, database=":memory:"),
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(result.stdout)
    return told["cpu_ms"], tuple(told["modules"])


def measure(rounds: int) -> None:
    """Start all in turn and print the table."""
    starts = list_starts()
    figures: dict[str, list[float]] = {name: [] for name in starts}
    modules: dict[str, tuple[str, ...]] = {}
    for number in count(1 + rounds):  # the first round compiles what was not
        for name in shuffled(list(starts)):
            cpu_ms, modules[name] = start(starts[name])
            if number:
                figures[name].append(cpu_ms)
    print(f"\nStarts of Django, of {rounds} fresh interpreters each, CPU in ms.")
    print(
        f"{'start':<24}{'min':>8}{'median':>8}{'added':>8}  {'95 % CI':<12}{'budget':>8}  imports"
    )
    for name, values in figures.items():
        base = figures["none-" + name.rpartition("-")[2]]
        added, low, high = estimate([a - b for a, b in zip(values, base, strict=True)])
        verdicts = " ".join(modules[name])
        budget = ""
        if name == "ours-lambda":
            budget = f"{BUDGET_MS}"
            verdicts = f"{verdicts or '-'}  {tell(added <= BUDGET_MS)}"
        elif name == "ours-server":
            verdicts = f"{verdicts or '-'}  {tell(not modules[name])}"
        print(
            f"{name:<24}{min(values):>8.0f}{statistics.median(values):>8.0f}{added:>8.1f}  "
            f"{f'[{low:.0f}, {high:.0f}]':<12}{budget:>8}  {verdicts or '-'}"
        )
