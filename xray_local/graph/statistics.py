"""Statistics of requests: how many ended how, and how long they took.

https://docs.aws.amazon.com/xray/latest/api/API_ServiceStatistics.html

Rules of ours, where X-Ray's documents leave it open (doubtful):

- What is in progress is no completed request: it is not counted.
- Each request counts once, so that ok, errors and faults add up to the total: one that is a fault
  is no error as well, a throttle is an error, and all else is ok, a redirect included.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from xray_local.traces.tallies import Tally, value_of


@dataclass(slots=True)
class Statistics:
    """Counts of completed requests; seconds is what they took together."""

    ok: int = 0
    throttles: int = 0
    other_errors: int = 0
    faults: int = 0
    seconds: float = 0.0
    histogram: Counter[int] = field(default_factory=Counter)  # by bucket

    @property
    def errors(self) -> int:
        """How many were errors, throttles included."""
        return self.throttles + self.other_errors

    @property
    def total(self) -> int:
        """How many there were."""
        return self.ok + self.errors + self.faults

    def add(self, tally: Tally) -> None:
        """Count what has been completed."""
        shape = tally.shape
        if shape.is_partial:
            return
        if shape.has_fault:
            self.faults += tally.count
        elif shape.has_throttle:
            self.throttles += tally.count
        elif shape.has_error:
            self.other_errors += tally.count
        else:
            self.ok += tally.count
        self.seconds += tally.seconds
        for bucket, count in tally.histogram.items():
            self.histogram[bucket] += count

    def absorb(self, other: "Statistics") -> None:
        """Count all that others have counted."""
        self.ok += other.ok
        self.throttles += other.throttles
        self.other_errors += other.other_errors
        self.faults += other.faults
        self.seconds += other.seconds
        self.histogram += other.histogram

    @property
    def average_seconds(self) -> float:
        """How long a request took on average; 0 of none."""
        return self.seconds / self.total if self.total else 0.0

    def find_percentile(self, share: float) -> float:
        """Return the seconds within which this share of the requests was answered; 0 of none."""
        wanted = math.ceil(share * self.histogram.total())
        for bucket, count in sorted(self.histogram.items()):
            wanted -= count
            if wanted <= 0:
                return value_of(bucket)
        return 0.0

    def to_api(self) -> dict[str, Any]:
        """Return the shape ServiceStatistics, which is EdgeStatistics as well."""
        return {
            "OkCount": self.ok,
            "ErrorStatistics": {
                "ThrottleCount": self.throttles,
                "OtherCount": self.other_errors,
                "TotalCount": self.errors,
            },
            "FaultStatistics": {"OtherCount": self.faults, "TotalCount": self.faults},
            "TotalCount": self.total,
            "TotalResponseTime": round(self.seconds, 6),
        }

    def histogram_to_api(self) -> list[dict[str, Any]]:
        """Return the shape Histogram, the shortest time first."""
        return write_histogram(self.histogram)


def write_histogram(histogram: Counter[int]) -> list[dict[str, Any]]:
    """Return the shape Histogram of counts by bucket, the shortest time first."""
    return [
        {"Value": value_of(bucket), "Count": count} for bucket, count in sorted(histogram.items())
    ]


def sum_up(tallies: Iterable[Tally]) -> Statistics:
    """Return the statistics of all tallies together."""
    statistics = Statistics()
    for tally in tallies:
        statistics.add(tally)
    return statistics
