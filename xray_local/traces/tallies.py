"""Tallies: how many elements of which kind, and how long they took.

The service map, its time series and its histograms are made of these. An element is a node or an
edge of the map, as `elements` lists them. Rules of ours:

- An element counts at the time at which its trace started: a trace is never counted in parts.
- Times taken are counted in buckets, 24 to a power of ten. The value of a bucket is the longest
  time that falls into it, to three digits; bucket 0 is no time at all.

https://docs.aws.amazon.com/xray/latest/api/API_HistogramEntry.html
"""

import functools
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .elements import list_elements
from .facts import Facts
from .flags import FLAGS
from .services import Service
from .summaries import find_owners

BUCKETS_PER_DECADE = 24
# From a microsecond to 31 years.
_DECADES = range(-6, 9)
_BOUNDS = (
    0.0,
    *(
        float(f"{10 ** (decade + step / BUCKETS_PER_DECADE):.3g}")
        for decade in _DECADES
        for step in range(BUCKETS_PER_DECADE)
    ),
)
LAST_BUCKET = len(_BOUNDS) - 1
# Whatever is longer falls into the last one.
_SOUGHT = _BOUNDS[:-1]


def _floor_microseconds(seconds: float) -> int:
    """Return the most microseconds that are no longer than that."""
    found = round(seconds * 1_000_000) + 1
    while found / 1_000_000 > seconds:
        found -= 1
    return found


# The same for whole microseconds, of which nearly all times are had.
_SOUGHT_MICROSECONDS = [_floor_microseconds(each) for each in _SOUGHT]
_bucket_of_microseconds = functools.partial(bisect_left, _SOUGHT_MICROSECONDS)
_BITS = [[bool(flags >> bit & 1) for bit in range(FLAGS)] for flags in range(1 << FLAGS)]


class Shape(NamedTuple):
    """What kind of element: all that the map needs to know of it, except when and how long.

    source: the caller, of an edge; None of a node alone. What has a source and is a node is both:
    a call that nobody answered.
    """

    source: Service | None
    service: Service
    is_node: bool
    is_ok: bool
    has_error: bool
    has_fault: bool
    has_throttle: bool
    is_partial: bool
    is_inferred: bool
    is_root: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The elements of one shape in a range of time.

    seconds: what they took together. histogram: how many, by bucket. first, last: when the first
    of their traces began and the last ended, in seconds since 1970; of many traces, the minutes.
    """

    shape: Shape
    count: int
    seconds: float
    histogram: dict[int, int]
    first: float
    last: float


def bucket_of(seconds: float) -> int:
    """Return the bucket of a histogram that a time falls into."""
    return bisect_left(_SOUGHT, seconds)


def count_buckets(microseconds: Iterable[int]) -> dict[int, int]:
    """Return how many of the times fall into each bucket that has any, as `bucket_of` tells."""
    return dict(Counter(map(_bucket_of_microseconds, microseconds)))


def sum_buckets(microseconds: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Yield each bucket that any of the times fall into, how many these are, and their sum.

    Quick where many times fall into each: it looks for where buckets end.
    """
    times = sorted(microseconds)
    place = 0
    while place < len(times):
        bucket = _bucket_of_microseconds(times[place])
        is_last = bucket == LAST_BUCKET
        end = len(times) if is_last else bisect_right(times, _SOUGHT_MICROSECONDS[bucket], place)
        yield bucket, end - place, sum(times[place:end])
        place = end


def value_of(bucket: int) -> float:
    """Return the time in seconds that stands for a bucket."""
    return _BOUNDS[bucket]


def make_shape(source: Service | None, service: Service, flags: int) -> Shape:
    """Return the shape with these flags."""
    return Shape(source, service, *_BITS[flags])


def tally_trace(documents: Collection[Facts]) -> list[Tally]:
    """Return the tallies of one trace."""
    return tally_traces([documents])


def tally_traces(traces: Iterable[Collection[Facts]]) -> list[Tally]:
    """Return the tallies of traces together."""
    found: dict[tuple[Service | None, Service, int], Taken] = {}
    for documents in traces:
        first = min([document.start for document in documents])
        last = max([document.end for document in documents])
        for element in list_elements(documents, find_owners(documents)):
            key = element.source, element.service, element.flags
            taken = found.get(key)
            if taken is None:
                taken = found[key] = Taken()
            taken.add([element.microseconds], first, last)
    return [taken.tally(make_shape(*key)) for key, taken in found.items()]


class Taken:
    """The microseconds that the elements of one shape took, and of when their traces are."""

    __slots__ = ("first", "last", "microseconds")

    def __init__(self) -> None:
        self.microseconds: list[int] = []
        self.first, self.last = math.inf, -math.inf

    def add(self, microseconds: Iterable[int], first: float, last: float) -> None:
        """Take elements of a trace that lasts from first to last."""
        self.microseconds += microseconds
        if first < self.first:
            self.first = first
        if last > self.last:
            self.last = last

    def tally(self, shape: Shape) -> Tally:
        """Return the tally of the shape."""
        return Tally(
            shape,
            len(self.microseconds),
            sum(self.microseconds) / 1_000_000,
            count_buckets(self.microseconds),
            self.first,
            self.last,
        )
