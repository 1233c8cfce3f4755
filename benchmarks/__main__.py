"""Run every benchmark, one after the other: `make bench`."""

from benchmarks import site

site.measure(rounds=40, requests=10)
