"""How requests are counted."""

from typing import Any

import pytest

from xray_local.graph.statistics import Statistics, sum_up
from xray_local.traces.services import Service
from xray_local.traces.tallies import Shape, Tally, bucket_of, value_of

PLAIN = Shape(None, Service("x", None, None), True, False, *(False,) * 6)


def make(count: int = 1, each_seconds: float = 0.1, **flags: Any) -> Tally:
    shape = PLAIN._replace(**flags)
    return Tally(shape, count, count * each_seconds, {bucket_of(each_seconds): count}, 0, 1)


def test_each_request_counts_once_so_that_the_parts_add_up_to_the_total() -> None:
    statistics = sum_up(
        [
            make(10, is_ok=True),
            make(2, has_error=True),
            make(3, has_error=True, has_throttle=True),
            make(4, has_fault=True),
            # A throttled call may have caused a fault: it is a fault.
            make(5, has_fault=True, has_error=True, has_throttle=True),
            # A redirect is none of it: no 2xx, but nothing went wrong.
            make(6, is_ok=False),
        ]
    )

    assert statistics.to_api() == {
        "OkCount": 16,
        "ErrorStatistics": {"ThrottleCount": 3, "OtherCount": 2, "TotalCount": 5},
        "FaultStatistics": {"OtherCount": 9, "TotalCount": 9},
        "TotalCount": 30,
        "TotalResponseTime": 3.0,
    }


def test_what_is_in_progress_is_not_counted() -> None:
    statistics = sum_up([make(is_partial=True), make(is_ok=True)])

    assert statistics.total == 1
    assert statistics.histogram.total() == 1


def test_the_histogram_has_the_shortest_time_first() -> None:
    statistics = sum_up([make(2, 1.0), make(3, 0.001), make(1, 1.0, has_fault=True)])

    assert statistics.histogram_to_api() == [
        {"Value": 0.001, "Count": 3},
        {"Value": 1.0, "Count": 3},
    ]


@pytest.mark.parametrize(
    ("share", "seconds"), [(0.5, 0.01), (0.9, 0.01), (0.91, 1.0), (0.99, 1.0), (1.0, 10.0)]
)
def test_percentiles_are_read_off_the_histogram(share: float, seconds: float) -> None:
    statistics = sum_up([make(90, 0.01), make(9, 1.0), make(1, 10.0)])

    assert statistics.find_percentile(share) == value_of(bucket_of(seconds))


def test_of_nothing() -> None:
    statistics = Statistics()

    assert statistics.total == 0
    assert statistics.average_seconds == 0
    assert statistics.find_percentile(0.95) == 0
    assert statistics.histogram_to_api() == []
