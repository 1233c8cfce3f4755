"""Two traces, compared: the elements of one beside those of the other, and where the time differs.

Beginning with what each trace began with, an element of one is paired with that of the other which
did the same (see `operations`) below the paired parent, the first with the first, the second with
the second, and so on. What is left over is only in one of them, with all that is below it.

By how much the whole differs is told by kinds of work, as far as they are on the critical paths:
these differences add up to the difference of the two roots, exactly.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xray_local.traces.trees import Element

from .intervals import find_interval
from .operations import Operation
from .outline import Outline
from .times import write_difference


class Pair(NamedTuple):
    """An element of each trace, or of one of them. Times are milliseconds."""

    operation: Operation
    occurrence: int  # among what did the same below the same parent, from 1
    depth: int
    one: Element | None
    other: Element | None
    one_ms: float  # 0 where it is not
    other_ms: float

    @property
    def difference_ms(self) -> float:
        """How much longer the other took."""
        return self.other_ms - self.one_ms

    @property
    def difference(self) -> str:
        """The difference in words."""
        return write_difference(self.difference_ms)

    @property
    def ratio(self) -> float | None:
        """How many times as long the other took; None where that says nothing."""
        if self.one is None or self.other is None or not self.one_ms:
            return None
        return self.other_ms / self.one_ms


@dataclass(slots=True)
class Step:
    """All elements that did the same: how many there are, and their time on the critical path."""

    operation: Operation
    one_count: int = 0
    other_count: int = 0
    one_ms: float = 0.0
    other_ms: float = 0.0

    @property
    def difference_ms(self) -> float:
        """How much longer the other took."""
        return self.other_ms - self.one_ms

    @property
    def difference(self) -> str:
        """The difference in words."""
        return write_difference(self.difference_ms)

    @property
    def more(self) -> int:
        """How many more there are in the other."""
        return self.other_count - self.one_count


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two traces have in common and what not.

    pairs: parents before children. steps: the greatest difference first. one_ms, other_ms: how long
    the roots took.
    """

    pairs: Sequence[Pair]
    steps: Sequence[Step]
    one_ms: float
    other_ms: float

    @property
    def difference_ms(self) -> float:
        """How much longer the other took."""
        return self.other_ms - self.one_ms

    @property
    def ratio(self) -> float | None:
        """How many times as long the other took; None where the one took no time."""
        return self.other_ms / self.one_ms if self.one_ms else None

    @property
    def only_one(self) -> int:
        """How many elements only the one has."""
        return sum(pair.other is None for pair in self.pairs)

    @property
    def only_other(self) -> int:
        """How many elements only the other has."""
        return sum(pair.one is None for pair in self.pairs)


def compare(one: Outline, other: Outline) -> Comparison:
    """Compare two traces."""
    return Comparison(
        list(_pair_up(one, other)),
        _sum_up(one, other),
        _measure(one.root, one),
        _measure(other.root, other),
    )


def _pair_up(one: Outline, other: Outline) -> Iterator[Pair]:
    pending = list(reversed(_match(_list_roots(one), _list_roots(other), 0, one, other)))
    while pending:
        pair = pending.pop()
        yield pair
        ones = pair.one.children if pair.one else ()
        others = pair.other.children if pair.other else ()
        if ones or others:  # as few have
            pending += reversed(_match(ones, others, pair.depth + 1, one, other))


def _list_roots(trace: Outline) -> list[Element]:
    """Return the roots of the tree, what the trace began with first."""
    roots = [place.element for place in trace.places if place.depth == 0]
    return sorted(roots, key=lambda element: element is not trace.root)


def _match(
    ones: Sequence[Element], others: Sequence[Element], depth: int, one: Outline, other: Outline
) -> list[Pair]:
    """Return the pairs of these elements in the order of the one.

    What only the other has follows what it follows there.
    """
    counted = list(_count(others, other))
    partners = {(name, number): each for each, name, number in counted}
    pairs: list[Pair] = []
    places: dict[Element, int] = {}  # of the other's elements: the pair's
    for element, name, number in _count(ones, one):
        partner = partners.get((name, number))
        other_ms = 0.0
        if partner is not None:
            places[partner] = len(pairs)
            other_ms = _measure(partner, other)
        operation = name or one.name_operation(element)
        pairs.append(
            Pair(operation, number, depth, element, partner, _measure(element, one), other_ms)
        )
    if len(places) == len(counted):  # as a rule: each of the other's has a partner
        return pairs
    following: defaultdict[int, list[Pair]] = defaultdict(list)
    place = -1
    for element, name, number in counted:
        place = places.get(element, place)
        if element not in places:
            operation = name or other.name_operation(element)
            took_ms = _measure(element, other)
            following[place].append(Pair(operation, number, depth, None, element, 0.0, took_ms))
    merged = following[-1]
    for place, pair in enumerate(pairs):
        merged += [pair, *following[place]]
    return merged


def _count(
    elements: Sequence[Element], trace: Outline
) -> Iterator[tuple[Element, Operation | None, int]]:
    """Yield each with what it is paired by, and its number among what did the same.

    The roots are paired whatever they are called.
    """
    counts: defaultdict[Operation | None, int] = defaultdict(int)
    operations, numbers = trace.operations, trace.numbers
    for element in elements:
        name = None if element is trace.root else operations[numbers[element]]
        counts[name] += 1
        yield element, name, counts[name]


def _measure(element: Element | None, trace: Outline) -> float:
    """Return how many milliseconds the element took; what is in progress, as far as is known."""
    interval = find_interval(element, trace.end) if element else None
    return 1000 * interval.seconds if interval else 0.0


def _sum_up(one: Outline, other: Outline) -> list[Step]:
    steps: dict[Operation, Step] = {}
    for operation, seconds in _list_work(one):
        step = steps.get(operation) or steps.setdefault(operation, Step(operation))
        step.one_count += 1
        step.one_ms += 1000 * seconds
    for operation, seconds in _list_work(other):
        step = steps.get(operation) or steps.setdefault(operation, Step(operation))
        step.other_count += 1
        step.other_ms += 1000 * seconds
    return sorted(steps.values(), key=lambda step: -abs(step.difference_ms))


def _list_work(trace: Outline) -> Iterator[tuple[Operation, float]]:
    """Yield what each element did, and for how many seconds it was on the critical path."""
    path = trace.path
    for place, operation in zip(trace.places, trace.operations, strict=True):
        yield operation, sum([end - start for start, end in path.get(place.element, ())])
