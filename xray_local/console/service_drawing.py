"""What drawings of services share: room for nodes, ways of edges, names cut to their room."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from unicodedata import east_asian_width

from xray_local.graph.layout import Place

# Two that are above each other are connected by a curve at their right, as far beside them.
BESIDE = 10.0
BULGE = 80.0
# Between a node and where an edge begins; and more, for the arrow where it ends.
GAP = 5.0
ARROW = 4.0
# How far along an edge its words stand.
WORDS_SHARE = 0.52


@dataclass(frozen=True, slots=True)
class Form:
    """How nodes are drawn; lengths are units of the drawing.

    reach: from the middle of a node to its border at the left and at the right. share: where the
    middle is between the top of a node's room and its bottom. characters: room for a name.
    """

    name: str
    layer_width: float
    node_height: float
    reach: float
    share: float
    characters: int

    def place(self, place: Place) -> Place:
        """Return where on the drawing a place of the layout is."""
        return Place((place.x + 0.5) * self.layer_width, (place.y + self.share) * self.node_height)

    def find_route(self, places: Sequence[Place], shift: float = 0.0) -> list[Place]:
        """Return the points by which an edge goes, from border to border.

        places: of the layout, the first and the last of which are nodes; the edge passes the
        layers of the others, and is level there. shift: how much lower it is drawn.
        """
        points = [self.place(each) for each in places]
        points = [Place(each.x, each.y + shift) for each in points]
        start, end = points[0], points[-1]
        if start.x == end.x:
            x = start.x + self.reach + GAP
            return [Place(x, start.y), Place(x + ARROW, end.y)]
        side = 1 if start.x < end.x else -1
        out = side * self.reach
        passed = [Place(each.x + way, each.y) for each in points[1:-1] for way in (-out, out)]
        first = Place(start.x + out + side * GAP, start.y)
        return [first, *passed, Place(end.x - out - side * (GAP + ARROW), end.y)]

    def go_round(self, place: Place) -> list[Place]:
        """Return a way out of the node of the layout at its right and back into it."""
        middle = self.place(place)
        x = middle.x + self.reach + GAP
        return [Place(x, middle.y - 8), Place(x + 30, middle.y), Place(x + 2, middle.y + 8)]


def find_words(route: Sequence[Place]) -> Place:
    """Return where words stand: on the last part, nearer to its end, where edges are apart."""
    one, other = route[-2:]
    # Of a curve with both handles in the middle, which is level at its ends.
    near = WORDS_SHARE**2 * (3 - 2 * WORDS_SHARE)
    handles = 3 * WORDS_SHARE * (1 - WORDS_SHARE)
    x = (1 - WORDS_SHARE) ** 3 * one.x + handles * _find_middle(one, other)
    x += WORDS_SHARE**3 * other.x
    return Place(x, one.y + near * (other.y - one.y))


def write_path(route: Sequence[Place]) -> str:
    """Return the path of a smooth line through all points, level at each of them."""
    if not route:
        return ""
    return " ".join([f"M{_write(route[0].x, route[0].y)}", *_write_curves(route)])


def cut_label(name: str, characters: int) -> str:
    """Return what of a name there is room for; a wide character takes the room of two."""
    widths = (2 if east_asian_width(character) in "FW" else 1 for character in name)
    ends = list(accumulate(widths))
    if not ends or ends[-1] <= characters:
        return name
    return f"{name[: bisect_right(ends, characters - 1)]}…"


def _write_curves(route: Iterable[Place]) -> Iterator[str]:
    for one, other in pairwise(route):
        middle = _find_middle(one, other)
        yield f"C{_write(middle, one.y)} {_write(middle, other.y)} {_write(other.x, other.y)}"


def _find_middle(one: Place, other: Place) -> float:
    """Return the x of both handles of a curve; of two above each other it is beside them."""
    is_beside = abs(one.x - other.x) < BESIDE
    return max(one.x, other.x) + BULGE if is_beside else (one.x + other.x) / 2


def _write(x: float, y: float) -> str:
    return f"{x:.0f},{y:.0f}"
