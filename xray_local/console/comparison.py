"""Two traces, compared: the elements of one beside those of the other, and where the time differs.

Beginning with what each trace began with, an element of one is paired with that of the other which
did the same (see `operations`) below the paired parent, the first with the first, the second with
the second, and so on. What is left over is only in one of them, with all that is below it.

By how much the whole differs is told by kinds of work, as far as they are on the critical paths:
these differences add up to the difference of the two roots, exactly.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec import Struct

from xray_local.traces.trees import Element

from .operations import Operation, name_operation
from .outline import Outline
from .times import write_difference


class Pair(Struct, frozen=True, gc=False):
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
    alike = _match_alike(ones, others, depth, one, other)
    if alike is not None:
        return alike
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
        operation = name or name_operation(element)
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
            operation = name or name_operation(element)
            took_ms = _measure(element, other)
            following[place].append(Pair(operation, number, depth, None, element, 0.0, took_ms))
    merged = following[-1]
    for place, pair in enumerate(pairs):
        merged += [pair, *following[place]]
    return merged


def _match_alike(
    ones: Sequence[Element], others: Sequence[Element], depth: int, one: Outline, other: Outline
) -> list[Pair] | None:
    """Return the pairs of what did the same in the same order, as is usual; None of what did not.

    Then the first of those that did the same is beside the first, and so on.
    """
    if len(ones) != len(others) or depth == 0:
        return None
    operations = [one.operations[one.numbers[each]] for each in ones]
    numbers, known = other.numbers, other.operations
    if operations != [known[numbers[each]] for each in others]:
        return None
    counts: defaultdict[Operation, int] = defaultdict(int)
    pairs = []
    for element, partner, operation in zip(ones, others, operations, strict=True):
        counts[operation] = number = counts[operation] + 1
        one_ms, other_ms = _measure(element, one), _measure(partner, other)
        pairs.append(Pair(operation, number, depth, element, partner, one_ms, other_ms))
    return pairs


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
    if element is None or element.start is None:
        return 0.0
    # As `find_interval`, which would take half of the time of all.
    start, end = element.start, trace.end if element.end is None else element.end
    return 1000 * (end - start) if end > start else 0.0


def _sum_up(one: Outline, other: Outline) -> list[Step]:
    ones, others = Counter(one.operations), Counter(other.operations)
    steps = {
        operation: Step(operation, ones[operation], others[operation])
        for operation in dict.fromkeys([*ones, *others])
    }
    for operation, took_ms in _list_work(one):
        steps[operation].one_ms += took_ms
    for operation, took_ms in _list_work(other):
        steps[operation].other_ms += took_ms
    return sorted(steps.values(), key=lambda step: -abs(step.difference_ms))


def _list_work(trace: Outline) -> Iterator[tuple[Operation, float]]:
    """Yield what was on the critical path, and for how many milliseconds."""
    path = trace.path
    for place, operation in zip(trace.places, trace.operations, strict=True):
        intervals = path.get(place.element)
        if intervals:
            yield operation, 1000 * sum([each.end - each.start for each in intervals])
