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

from collections.abc import Iterable, Sequence

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
        ended, others = _list_children(element, window, until)
        begin, moment = window.start, window.end
        for later_end, start, _, child in ended:
            end = -later_end
            if end > moment:
                continue
            if end < moment:
                pending += _stand_alone(intervals, others, Interval(end, moment))
            if child.children:
                pending.append((child, Interval(start, end)))
            else:  # as nearly all: nothing is left to follow
                path.setdefault(child, []).append(Interval(start, end))
            moment = start
        if moment > begin:
            pending += _stand_alone(intervals, others, Interval(begin, moment))
    return path


def _list_children(
    element: Element, window: Interval, until: float
) -> tuple[list[tuple[float, float, int, Element]], list[tuple[Element, float]]]:
    """Return the children that ended within the window, the last first, with when they ran in it.

    That is, what makes that order: the end, negative; the start, as of two that ended together the
    one that took longer is first; the place. And those that went on afterwards, with when they
    began.
    """
    ended: list[tuple[float, float, int, Element]] = []
    others: list[tuple[Element, float]] = []
    first, last = window.start, window.end
    for number, child in enumerate(element.children):
        # As `find_interval`, which would take half of the time of all.
        start, end = child.start, until if child.end is None else child.end
        if start is None or start >= last or end <= first or end <= start:
            continue
        if end > last:
            others.append((child, start))
        else:
            ended.append((-end, start if start > first else first, number, child))
    ended.sort()
    return ended, others


def _stand_alone(
    intervals: list[Interval], others: Sequence[tuple[Element, float]], inside: Interval
) -> Iterable[tuple[Element, Interval]]:
    """Put on the path what passed while no child ran that was waited for.

    Of those that went on afterwards the one that began first is followed, as it is returned; the
    element itself is on the path for the rest.
    """
    if not others:  # as nearly always
        intervals.append(inside)
        return ()
    child, begin = min(
        ((each, start) for each, start in others if start < inside.end),
        key=lambda found: found[1],
        default=(None, inside.end),
    )
    begin = max(begin, inside.start)
    if begin > inside.start:
        intervals.append(Interval(inside.start, begin))
    return () if child is None else ((child, Interval(begin, inside.end)),)
