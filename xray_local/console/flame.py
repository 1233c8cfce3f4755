"""The flame graph of a trace: where its time went, by what called what.

Elements with the same parent that did the same are one frame. Its width is the self time of all of
them, with the frames below it: so frames never overlap, what runs at the same time counts each
time, and the whole is the work done, which may be more than the time that passed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xray_local.traces.trees import Element

from .intervals import measure_own
from .operations import Operation
from .outline import Outline, Place

# In hundredths of the whole: what is narrower is not drawn.
NARROWEST = 0.1
FRAMES_MAX = 1000
DEPTH_MAX = 60
FRAME_HEIGHT = 22


@dataclass(slots=True, eq=False)
class Frame:
    """The elements that did the same below the same frame."""

    operation: Operation
    depth: int
    parent: "Frame | None"
    places: list[Place] = field(default_factory=list)
    frames: dict[Operation, "Frame"] = field(default_factory=dict)
    own_ms: float = 0.0
    total_ms: float = 0.0  # with the frames below
    longest: Place | None = None
    longest_ms: float = -1.0
    has_fault: bool = False

    @property
    def count(self) -> int:
        """How many elements it stands for."""
        return len(self.places)


@dataclass(frozen=True, slots=True)
class DrawnFrame:
    """A frame in the drawing; x and width are hundredths, y units."""

    frame: Frame
    x: float
    width: float
    y: int
    is_above: bool  # whether the chosen one is below it


@dataclass(frozen=True, slots=True)
class Flame:
    """The whole drawing, and all its frames in order of their own time."""

    drawn: Sequence[DrawnFrame]
    height: int
    left_out: int  # frames too narrow to be drawn
    frames: Sequence[Frame]  # the busiest first
    total_ms: float


def draw_flame(outline: Outline, chosen_id: str = "") -> Flame:
    """Return the flame graph; the frame of the element with that id is as wide as the whole."""
    roots, by_element = _merge(outline)
    every = list(_walk(roots))
    for frame in reversed(every):
        frame.total_ms += frame.own_ms
        if frame.parent is not None:
            frame.parent.total_ms += frame.total_ms
    place = outline.get(chosen_id)
    chosen = by_element[place.element] if place else None
    # What the whole trace began with is chosen as if nothing were.
    drawn = list(_draw(roots, chosen if chosen and chosen.parent else None))
    return Flame(
        drawn,
        (max((each.y for each in drawn), default=0) + FRAME_HEIGHT) if drawn else 0,
        sum(1 for _ in _walk([chosen] if chosen and chosen.parent else roots))
        - sum(not each.is_above for each in drawn),
        sorted(every, key=lambda frame: -frame.own_ms),
        sum(frame.total_ms for frame in roots),
    )


def _merge(outline: Outline) -> tuple[list[Frame], dict[Element, Frame]]:
    roots: dict[Operation, Frame] = {}
    by_element: dict[Element, Frame] = {}
    for place, operation in zip(outline.places, outline.operations, strict=True):
        element = place.element
        parent = by_element[element.parent] if element.parent else None
        siblings = parent.frames if parent else roots
        frame = siblings.get(operation)
        if frame is None:
            frame = Frame(operation, parent.depth + 1 if parent else 0, parent)
            siblings[operation] = frame
        by_element[element] = frame
        frame.places.append(place)
        frame.own_ms += 1000 * measure_own(element, outline.end)
        frame.has_fault |= element.content.get("fault") is True
        took = (element.end or outline.end) - (element.start or outline.end)
        if took > frame.longest_ms:
            frame.longest, frame.longest_ms = place, took
    return list(roots.values()), by_element


def _walk(roots: Sequence[Frame]) -> Iterator[Frame]:
    """Yield every frame, those above before those below."""
    pending = list(reversed(roots))
    while pending:
        frame = pending.pop()
        yield frame
        pending += reversed(frame.frames.values())


def _draw(roots: Sequence[Frame], chosen: Frame | None) -> Iterator[DrawnFrame]:
    above: list[Frame] = []
    frame = chosen.parent if chosen else None
    while frame is not None:
        above.insert(0, frame)
        frame = frame.parent
    # Of a deep trace, what is right above the chosen one is seen.
    above = above[-DEPTH_MAX // 2 :]
    for number, frame in enumerate(above):
        yield DrawnFrame(frame, 0.0, 100.0, number * FRAME_HEIGHT, True)
    shown = [chosen] if chosen else list(roots)
    whole = sum(frame.total_ms for frame in shown)
    if whole <= 0:
        return
    # Level by level, so that what is left out of very many frames is the deepest.
    level = [(frame, x) for frame, x in _line_up(shown, 0.0, whole)]
    number, drawn = len(above), 0
    while level and number < DEPTH_MAX:
        below: list[tuple[Frame, float]] = []
        for frame, x in level:
            if drawn == FRAMES_MAX:
                return
            drawn += 1
            width = 100 * frame.total_ms / whole
            yield DrawnFrame(frame, x, width, number * FRAME_HEIGHT, False)
            below += _line_up(list(frame.frames.values()), x, whole)
        level, number = below, number + 1


def _line_up(frames: Sequence[Frame], x: float, whole: float) -> Iterator[tuple[Frame, float]]:
    """Yield those that are wide enough, with the place where each begins."""
    for frame in frames:
        width = 100 * frame.total_ms / whole
        if width >= NARROWEST:
            yield frame, x
        x += width
