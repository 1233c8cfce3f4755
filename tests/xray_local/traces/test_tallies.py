"""How elements are counted."""

from collections import Counter

import pytest

from tests.xray_local.made import NOON, make_segment, make_subsegment
from tests.xray_local.traces.test_elements import gather
from xray_local.traces.services import Service
from xray_local.traces.tallies import (
    LAST_BUCKET,
    bucket_of,
    count_buckets,
    sum_buckets,
    tally_trace,
    tally_traces,
    value_of,
)

FRONT = Service("front", None, None)
API = Service("api", "remote", None)


def test_a_trace_has_a_tally_for_each_kind_of_element() -> None:
    calls = [
        make_subsegment(name="api", namespace="remote", end_time=NOON + 0.1),
        make_subsegment(name="api", namespace="remote", end_time=NOON + 0.3),
        make_subsegment(name="api", namespace="remote", end_time=NOON + 0.2, fault=True),
    ]

    tallies = tally_trace(gather(make_segment(name="front", end_time=NOON + 1, subsegments=calls)))

    root, *others = tallies
    bad, good = sorted(others, key=lambda each: each.shape.is_ok)
    assert (root.shape.source, root.shape.service, root.shape.is_root) == (None, FRONT, True)
    assert (root.count, root.seconds, root.histogram) == (1, 1.0, {bucket_of(1): 1})
    assert (good.shape.source, good.shape.service) == (FRONT, API)
    assert (good.shape.is_node, good.shape.is_inferred, good.shape.is_ok) == (True, True, True)
    assert (good.count, good.seconds) == (2, pytest.approx(0.4))
    assert good.histogram == {bucket_of(0.1): 1, bucket_of(0.3): 1}
    assert (bad.shape.has_fault, bad.shape.is_ok, bad.count) == (True, False, 1)
    assert {(each.first, each.last) for each in tallies} == {(NOON, NOON + 1)}


def test_tallies_of_one_shape_become_one() -> None:
    one = gather(make_segment(start_time=NOON, end_time=NOON + 1))
    other = gather(make_segment(start_time=NOON + 5, end_time=NOON + 7))

    (merged,) = tally_traces([one, other])

    assert (merged.count, merged.seconds) == (2, 3)
    assert merged.histogram == {bucket_of(1): 1, bucket_of(2): 1}
    assert (merged.first, merged.last) == (NOON, NOON + 7)


@pytest.mark.parametrize("seconds", [0, 1e-7, 1e-6, 0.00123, 0.1, 0.1000001, 1, 59.9, 3600, 1e8])
def test_a_bucket_is_as_high_as_what_falls_into_it(seconds: float) -> None:
    bucket = bucket_of(seconds)

    assert value_of(bucket) >= seconds
    assert bucket == 0 or value_of(bucket - 1) < seconds
    assert bucket_of(value_of(bucket)) == bucket


def test_buckets_are_finer_than_a_tenth_and_end_somewhere() -> None:
    for bucket in range(2, LAST_BUCKET + 1):
        assert 1.05 < value_of(bucket) / value_of(bucket - 1) < 1.15
    assert bucket_of(1e12) == LAST_BUCKET


def test_whole_microseconds_fall_into_the_same_buckets() -> None:
    edges = [round(value_of(bucket) * 1_000_000) for bucket in range(LAST_BUCKET)]
    times = [near for edge in edges for near in (edge - 1, edge, edge + 1) if near >= 0]
    times += [(1 << 60) + 1]

    assert count_buckets(times) == Counter(bucket_of(each / 1_000_000) for each in times)


def test_sums_of_buckets_are_of_the_times_that_fall_into_them() -> None:
    times = [3, 0, 40_000, 3, 40_001, 1 << 60, 900, 0, (1 << 60) + 1, 60_000_000_000_000_000]
    by_bucket: dict[int, list[int]] = {}
    for each in times:
        by_bucket.setdefault(bucket_of(each / 1_000_000), []).append(each)

    assert sorted(sum_buckets(times)) == [
        (bucket, len(each), sum(each)) for bucket, each in sorted(by_bucket.items())
    ]
    assert list(sum_buckets([])) == []
