"""Run every benchmark, one after the other: `make bench`."""

from benchmarks import adapter, site, starts, tracing

site.measure(rounds=40, requests=10)
print()
tracing.measure(tracing.choose(""), rounds=120, requests=40)
starts.measure(starts.DEFAULT_ROUNDS)
print()
adapter.measure(adapter.find_python(), rounds=100, requests=40)
