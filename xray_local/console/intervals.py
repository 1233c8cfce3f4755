"""When an element ran, and when it ran alone: what its children leave of its time.

Times are seconds since 1970. What is in progress runs until the last moment that the trace knows.
"""

from msgspec import Struct

from xray_local.traces.trees import Element


class Interval(Struct, frozen=True, gc=False):
    """From start to end, of which neither is before the other."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def find_interval(element: Element, until: float) -> Interval | None:
    """Return when the element ran; None where it does not say when it began.

    One that ends before it starts has no length.
    """
    start = element.start
    if start is None:
        return None
    end = element.end if element.end is not None else until
    return Interval(start, max(start, end))


def find_own(element: Element, until: float) -> list[Interval]:
    """Return when the element ran and none of its children did, in their order."""
    whole = find_interval(element, until)
    if whole is None:
        return []
    if not element.children:
        return [whole] if whole.start < whole.end else []
    own: list[Interval] = []
    moment = whole.start
    for child in element.children:  # the earliest first
        inside = find_interval(child, until)
        if inside is None or inside.end <= moment or not inside.seconds:
            continue
        if inside.start >= whole.end:
            break
        if inside.start > moment:
            own.append(Interval(moment, inside.start))
        moment = inside.end
    if moment < whole.end:
        own.append(Interval(moment, whole.end))
    return own


def measure_own(element: Element, until: float) -> float:
    """Return the self time in seconds: how long the element ran and none of its children did."""
    return sum([each.end - each.start for each in find_own(element, until)])
