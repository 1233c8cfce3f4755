"""The timeline of a trace: which rows are shown, and a bar for each on a common scale."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec import Struct

from xray_local.traces.documents import as_mapping
from xray_local.traces.facts import as_status
from xray_local.traces.trees import Element

from .intervals import Interval, find_interval, find_own
from .operations import describe_briefly, name_kind, read_name
from .outline import Outline, Place

# Units across the drawing; its width on the screen is the style sheet's business.
SCALE = 1000.0
# A bar narrower than this could not be seen.
NARROWEST_BAR = 3.0
# Parts of a bar that are closer than this are drawn as one.
NARROWEST_GAP = 2.0
# The style sheet indents this many levels; deeper rows stand under each other.
DEEPEST_INDENT = 15
# Clocks of two machines differ, and some SDKs write milliseconds: less is no matter.
SKEW_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Row:
    """A segment or subsegment in the timeline."""

    element: Element
    number: int
    name: str
    level: int  # 1 is a root
    indent: int
    kind: str  # segment, aws, remote, sql or local; also the class of its bar
    flags: tuple[str, ...]
    status: int | None
    note: str  # what it did, in a few words
    same_count: int  # how often the trace makes this call
    below: int  # how many elements it has below itself
    is_closed: bool
    is_match: bool  # as opposed to one that is shown for what is below it
    start: float | None  # seconds since 1970
    offset_ms: float | None  # after the start of the trace
    duration_ms: float | None  # None while it is in progress
    own_ms: float  # while none of its children ran
    path_ms: float  # on the critical path
    bar: str  # paths of the drawing: the whole, its own time, the critical path
    bar_own: str
    bar_path: str


class Shown(Struct, frozen=True, gc=False):
    """A place that has a row."""

    place: Place
    is_closed: bool = False
    is_match: bool = True


def choose_shown(
    outline: Outline, levels: int | None = None, toggled: Collection[str] = ()
) -> list[Shown]:
    """Return the places that have a row, in their order.

    levels: what is deeper is closed, None for nothing. toggled: the ids of elements for which it is
    the other way round.
    """
    if levels is None and not toggled:
        return [Shown(place) for place in outline.places]
    shown: list[Shown] = []
    number = 0
    while number < len(outline.places):
        place = outline.places[number]
        is_deep = levels is not None and place.depth + 1 >= levels
        is_closed = place.below > 0 and is_deep != (place.element.id in toggled)
        shown.append(Shown(place, is_closed))
        number += 1 + (place.below if is_closed else 0)
    return shown


def choose_found(outline: Outline, found: Collection[int]) -> list[Shown]:
    """Return these places and those above them, in their order."""
    kept = set(found)
    for number in found:
        above = outline.places[number].element.parent
        while above is not None and outline.numbers[above] not in kept:
            kept.add(outline.numbers[above])
            above = above.parent
    return [Shown(outline.places[each], is_match=each in found) for each in sorted(kept)]


def draw_rows(outline: Outline, shown: Iterable[Shown]) -> list[Row]:
    """Return the rows of these places."""
    return [_draw_row(outline, each) for each in shown]


def list_ticks(outline: Outline) -> list[float]:
    """Return the milliseconds at the quarters of the scale."""
    return [outline.seconds * 1000 * quarter / 4 for quarter in range(5)]


def _draw_row(outline: Outline, shown: Shown) -> Row:
    place = shown.place
    element = place.element
    start = element.start
    whole = find_interval(element, outline.end)
    own = find_own(element, outline.end)
    path = outline.path.get(element, [])[::-1]
    return Row(
        element=element,
        number=place.number,
        name=read_name(element),
        level=place.depth + 1,
        indent=min(place.depth, DEEPEST_INDENT),
        kind=name_kind(element),
        flags=read_flags(element),
        status=_read_status(element),
        note=describe_briefly(element),
        same_count=outline.count_same(element),
        below=place.below,
        is_closed=shown.is_closed,
        is_match=shown.is_match,
        start=start,
        offset_ms=None if start is None else (start - (outline.start or 0.0)) * 1000,
        duration_ms=None if whole is None or element.end is None else whole.seconds * 1000,
        own_ms=1000 * sum(interval.seconds for interval in own),
        path_ms=1000 * sum(interval.seconds for interval in path),
        bar=_draw_bars(outline, [whole] if whole else [], NARROWEST_BAR),
        bar_own=_draw_bars(outline, own, NARROWEST_BAR if place.below == 0 else 1.0),
        bar_path=_draw_lines(outline, path),
    )


def _draw_bars(outline: Outline, intervals: Sequence[Interval], narrowest: float) -> str:
    return "".join(
        f"M{_write(x)} 3h{_write(width)}v10h-{_write(width)}z"
        for x, width in _place(outline, intervals, narrowest)
    )


def _draw_lines(outline: Outline, intervals: Sequence[Interval]) -> str:
    return "".join(f"M{_write(x)} 15h{_write(width)}" for x, width in _place(outline, intervals))


def _place(
    outline: Outline, intervals: Sequence[Interval], narrowest: float = 1.0
) -> Iterator[tuple[float, float]]:
    """Yield where each begins and how wide it is; those that would be seen as one are one."""
    scale = SCALE / outline.seconds if outline.seconds else 0.0
    start = outline.start or 0.0
    spots: list[tuple[float, float]] = []
    for interval in intervals:
        x, end = (interval.start - start) * scale, (interval.end - start) * scale
        if spots and x - spots[-1][1] < NARROWEST_GAP:
            x, _ = spots.pop()
        spots.append((x, end))
    for x, end in spots:
        x = min(x, SCALE - narrowest)
        yield x, min(max(narrowest, end - x), SCALE - x)


def _write(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def read_flags(element: Element) -> tuple[str, ...]:
    """Return what is to be said of the element beside its name; nothing if all is well."""
    flags = [name for name in ("fault", "error", "throttle") if element.content.get(name) is True]
    if element.is_open:
        flags.append("in progress")
    if element.is_orphan:
        flags.append("orphan")
    if measure_lead(element) > SKEW_SECONDS:
        flags.append("clock skew")
    elif measure_lag(element) > SKEW_SECONDS:
        flags.append("outlives parent")
    return tuple(flags)


def measure_lead(element: Element) -> float:
    """Return the seconds by which the element began before its parent; 0 if it did not."""
    parent = element.parent
    if parent is None or parent.start is None or element.start is None:
        return 0.0
    return max(0.0, parent.start - element.start)


def measure_lag(element: Element) -> float:
    """Return the seconds by which the element ended after its parent; 0 if it did not."""
    parent = element.parent
    if parent is None or parent.end is None or element.end is None:
        return 0.0
    return max(0.0, element.end - parent.end)


def _read_status(element: Element) -> int | None:
    response = as_mapping(as_mapping(element.content.get("http")).get("response"))
    return as_status(response.get("status"))
