"""Run every benchmark, one after the other: `make bench`."""

from benchmarks import (
    adapter,
    cold_start,
    site,
    starts,
    tracing,
    xray_intake,
    xray_queries,
    xray_screens,
)

site.measure(rounds=40, requests=10)
print()
tracing.measure(tracing.choose(""), rounds=120, requests=40, times=6)
starts.measure(starts.DEFAULT_ROUNDS)
print()
adapter.measure(adapter.find_python(), rounds=100, requests=40)
print()
cold_start.measure(rounds=10)
print()
xray_intake.measure(number=20_000, seconds=20, only=xray_intake.ALL)
print()
xray_queries.run_all(traces=20_000, rounds=5)
print()
xray_screens.run_all(traces=20_000, rounds=2)
