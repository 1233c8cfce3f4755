"""A trace laid out in order: each element with its place, and what holds for the whole.

The rows of the timeline and of the table, the flame graph and the findings are made of this.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from xray_local.traces.trees import Element, walk_tree

from .critical_path import Path, find_critical_path
from .operations import Operation, name_call, name_operation


class Place(Struct, frozen=True, gc=False):
    """Where an element stands: its number, parents before children; 0 is the first."""

    number: int
    element: Element
    depth: int  # 0 is a root
    below: int  # how many elements it has below itself


@dataclass(frozen=True)
class Outline:
    """All elements of a trace. Times are seconds since 1970, None where no element has any."""

    places: Sequence[Place]
    root: Element | None  # the one that the trace began with
    start: float | None
    end: float
    numbers: dict[Element, int] = field(repr=False)  # of the places
    ids: dict[str, int] = field(repr=False)  # likewise, by the elements' ids

    @property
    def seconds(self) -> float:
        """From the first start to the last end that is known."""
        return 0.0 if self.start is None else self.end - self.start

    @cached_property
    def path(self) -> Path:
        """The critical path."""
        return find_critical_path(self.root, self.end) if self.root else {}

    @cached_property
    def operations(self) -> list[Operation]:
        """What each element did, in the order of the places."""
        return [name_operation(place.element) for place in self.places]

    @cached_property
    def calls(self) -> dict[Operation, list[Place]]:
        """The calls that the trace makes, each with the places where it does."""
        calls: defaultdict[Operation, list[Place]] = defaultdict(list)
        for place in self.places:
            call = name_call(place.element)
            if call is not None:
                calls[call].append(place)
        return calls

    def let_go(self) -> None:
        """Let the elements go at once when nobody needs the outline any more.

        Parents and children know each other: the collector would stop everything for a while to
        find those of a large trace.
        """
        for place in self.places:
            if place.below:
                place.element.children = ()

    def get(self, element_id: str) -> Place | None:
        """Return the place of the element with that id, if there is one."""
        number = self.ids.get(element_id)
        return None if number is None else self.places[number]

    def count_same(self, element: Element) -> int:
        """Return how often the trace makes the call that the element is; 0 if it is none."""
        call = name_call(element)
        return len(self.calls[call]) if call is not None else 0


def outline(roots: Sequence[Element]) -> Outline:
    """Return the outline of the tree with these roots."""
    walked = list(walk_tree(list(roots)))
    below: dict[Element, int] = {}  # of those that have any
    for element, _ in reversed(walked):
        children = element.children
        if children:
            deeper = [below[child] for child in children if child.children]
            below[element] = len(children) + sum(deeper)
    places = [
        Place(number, element, depth, below[element] if element.children else 0)
        for number, (element, depth) in enumerate(walked)
    ]
    starts = [element.start for element, _ in walked if element.start is not None]
    ends = [element.end for element, _ in walked if element.end is not None]
    return Outline(
        places,
        choose_root(roots),
        min(starts, default=None),
        max([*starts, *ends], default=0.0),
        {place.element: place.number for place in places},
        {place.element.id: place.number for place in places if place.element.id},
    )


def choose_root(roots: Sequence[Element]) -> Element | None:
    """Return the one that the trace began with, as `summaries.find_root` does; None of none."""
    return min(
        roots,
        key=lambda each: (not each.is_segment, each.is_orphan, each.start or 0.0, each.id),
        default=None,
    )
