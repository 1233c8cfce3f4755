"""Run every benchmark, one after the other: `make bench`."""

from benchmarks import site, tracing

site.measure(rounds=40, requests=10)
tracing.measure(tracing.choose(""), rounds=120, requests=40)
