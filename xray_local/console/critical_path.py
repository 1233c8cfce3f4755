"""The critical path of a trace: what would have to be quicker for the whole to be quicker.

It is followed backwards from the end of the root. At each moment the element that is being followed
waits for that of its children which ended last before the moment: from the end of the child to the
moment the element itself is on the path, then the child is, back to its own start, by the same
rule; and so on until the element's start. So each moment of the root is on the path once. Children
that were still running when the one that counts began do not: it did not begin because of them.

Asynchronous work counts only while its parent is open, and last: a child that goes on after its
parent had ended was not waited for, so that it counts only where the parent would stand alone. What
the clocks of two machines move beyond the parent's end is on the path by that all the same. What a
child did before its parent began is not on the path. What is in progress runs until the last
moment that the trace knows.

Y. Zhang and others: CRISP: Critical Path Analysis of Large-Scale Microservice Architectures, 2022.
"""

from collections.abc import Iterable, Iterator

from xray_local.traces.trees import Element

from .intervals import Interval, find_interval

# When each element is on the path, by the element; the latest interval first.
Path = dict[Element, list[Interval]]


def find_critical_path(root: Element, until: float) -> Path:
    """Return the path of the root; empty where it does not say when it began."""
    whole = find_interval(root, until)
    path: Path = {}
    pending = [(root, whole)] if whole and whole.seconds else []
    while pending:
        element, window = pending.pop()
        intervals = path.setdefault(element, [])
        if not element.children:  # as nearly all
            intervals.append(window)
            continue
        ended, others = _list_children(element, window, until)
        for child, inside in _follow(ended, window):
            if child is not None:
                pending.append((child, inside))
                continue
            # Alone, but for what goes on afterwards: of that, what began first.
            child, begin = min(
                ((each, start) for each, start in others if start < inside.end),
                key=lambda found: found[1],
                default=(None, inside.end),
            )
            begin = max(begin, inside.start)
            if child is not None:
                pending.append((child, Interval(begin, inside.end)))
            if begin > inside.start:
                intervals.append(Interval(inside.start, begin))
    return path


def _list_children(
    element: Element, window: Interval, until: float
) -> tuple[list[tuple[Element, Interval]], list[tuple[Element, float]]]:
    """Return the children that ended within the window, with when they ran in it.

    And those that went on afterwards, with when they began.
    """
    ended: list[tuple[Element, Interval]] = []
    others: list[tuple[Element, float]] = []
    first, last = window
    for child in element.children:
        # As `find_interval`, which would take half of the time of all.
        start, end = child.start, until if child.end is None else child.end
        if start is None or start >= last or end <= first or end <= start:
            continue
        if end > last:
            others.append((child, start))
        else:
            ended.append((child, Interval(start if start > first else first, end)))
    return ended, others


def _follow(
    children: Iterable[tuple[Element, Interval]], window: Interval
) -> Iterator[tuple[Element | None, Interval]]:
    """Yield who is on the path when, from the window's end to its start; None where no child is."""
    moment = window.end
    # Of two that ended together, the one that took longer.
    for child, inside in sorted(children, key=lambda each: (-each[1][1], each[1][0])):
        start, end = inside
        if end > moment:
            continue
        if end < moment:
            yield None, Interval(end, moment)
        yield child, inside
        moment = start
    if moment > window.start:
        yield None, Interval(window.start, moment)
