"""Places for the nodes of a graph in layers from left to right, so that few edges cross.

In four steps: edges that close a circle are turned round; each node stands one layer after the last
of those that lead to it, and one that nobody leads to just before the first of its own; the order
within a layer follows that of the neighbours, to and fro; then neighbours move towards the same
height. An edge that passes layers has a point in each of them. The same graph gets the same layout.

Where the longest way has very many layers, each node stands as near to the first as it is called
instead, and those that call each other may be above each other.

K. Sugiyama, S. Tagawa, M. Toda: Methods for Visual Understanding of Hierarchical System Structures.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

# What can be read without moving about for long.
LAYERS_MAX = 10
SWEEPS = 8
RELAXATIONS = 12
# What an edge needs where it passes a layer, in heights of a node.
PASSING_HEIGHT = 0.4
# How much more height than the tallest layer needs all may take, so that edges are straight.
ROOM = 1.25

Pair = tuple[Hashable, Hashable]
Layers = list[list[Hashable]]


class Place(NamedTuple):
    """The middle of a node; x counts layers, y heights of nodes."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each node is, and by which points each edge goes."""

    places: dict[Hashable, Place]
    routes: dict[Pair, list[Place]]
    width: int  # in layers
    height: float  # in heights of nodes


class _Passing(NamedTuple):
    """Stands for an edge in a layer that it passes."""

    source: Hashable
    target: Hashable
    layer: int


@dataclass(slots=True)
class _Neighbours:
    """What stands next to each other in adjacent layers."""

    before: dict[Hashable, list[Hashable]] = field(default_factory=dict)
    after: dict[Hashable, list[Hashable]] = field(default_factory=dict)

    def add(self, one: Hashable, other: Hashable) -> None:
        """Connect two, from left to right."""
        self.after.setdefault(one, []).append(other)
        self.before.setdefault(other, []).append(one)


def lay_out(nodes: Sequence[Hashable], edges: Iterable[Pair]) -> Layout:
    """Return a layout; edges are between the nodes. One from a node to itself has no route."""
    number = {node: place for place, node in enumerate(nodes)}
    wanted = sorted(
        {edge for edge in edges if edge[0] != edge[1]},
        key=lambda edge: (number[edge[0]], number[edge[1]]),
    )
    order = _sort_topologically(nodes, wanted)
    rank = {node: place for place, node in enumerate(order)}
    forward = dict.fromkeys((a, b) if rank[a] < rank[b] else (b, a) for a, b in wanted)
    layer_of = _choose_layers(order, forward)
    if max(layer_of.values(), default=0) >= LAYERS_MAX:
        layer_of = _choose_nearest_layers(nodes, wanted)
        forward = dict.fromkeys(
            (a, b) if layer_of[a] < layer_of[b] else (b, a)
            for a, b in wanted
            if layer_of[a] != layer_of[b]
        )
    layers: Layers = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for node in order:
        layers[layer_of[node]].append(node)
    neighbours = _Neighbours()
    chains: dict[Pair, list[Hashable]] = {}
    for source, target in forward:
        passed = range(layer_of[source] + 1, layer_of[target])
        chain = [source, *(_Passing(source, target, layer) for layer in passed), target]
        for layer, passing in zip(passed, chain[1:-1], strict=True):
            layers[layer].append(passing)
        for one, other in pairwise(chain):
            neighbours.add(one, other)
        chains[source, target] = chain
    layers = _reduce_crossings(layers, neighbours)
    heights = _choose_heights(layers, neighbours)
    points = {
        each: Place(float(x), heights[each]) for x, layer in enumerate(layers) for each in layer
    }
    for source, target in wanted:
        if layer_of[source] == layer_of[target]:
            chains[source, target] = [source, target]
        elif (source, target) not in chains:
            chains[source, target] = chains[target, source][::-1]
    return Layout(
        places={node: points[node] for node in nodes},
        routes={edge: [points[each] for each in chains[edge]] for edge in wanted},
        width=len(layers),
        height=max((points[node].y for node in nodes), default=-1.0) + 1,
    )


def _sort_topologically(nodes: Sequence[Hashable], edges: Sequence[Pair]) -> list[Hashable]:
    """Return the nodes so that edges lead to later ones, all but those that close a circle."""
    targets: dict[Hashable, list[Hashable]] = {node: [] for node in nodes}
    for source, target in edges:
        targets[source].append(target)
    called = {target for _, target in edges}
    seen: set[Hashable] = set()
    finished: list[Hashable] = []
    for start in sorted(nodes, key=lambda node: node in called):
        stack = [(start, iter(reversed(targets[start])))] if start not in seen else []
        seen.add(start)
        while stack:
            node, left = stack[-1]
            following = next((each for each in left if each not in seen), None)
            if following is None:
                finished.append(node)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(reversed(targets[following]))))
    return finished[::-1]


def _choose_layers(order: Sequence[Hashable], forward: Iterable[Pair]) -> dict[Hashable, int]:
    """Return the layer of each: the longest way that leads to it, or just before whom it calls."""
    targets: dict[Hashable, list[Hashable]] = {node: [] for node in order}
    for source, target in forward:
        targets[source].append(target)
    layer_of = dict.fromkeys(order, 0)
    for node in order:
        for target in targets[node]:
            layer_of[target] = max(layer_of[target], layer_of[node] + 1)
    called = {target for each in targets.values() for target in each}
    for node in order:
        if node not in called and targets[node]:
            layer_of[node] = min(layer_of[target] for target in targets[node]) - 1
    return layer_of


def _choose_nearest_layers(nodes: Sequence[Hashable], edges: Sequence[Pair]) -> dict[Hashable, int]:
    """Return the layer of each: the shortest way from one that nobody calls."""
    targets: dict[Hashable, list[Hashable]] = {node: [] for node in nodes}
    for source, target in edges:
        targets[source].append(target)
    called = {target for _, target in edges}
    layer_of: dict[Hashable, int] = {}
    # Who is not reached is in a circle: it begins with the first.
    for starts in ([node for node in nodes if node not in called], *([node] for node in nodes)):
        layer = [node for node in starts if node not in layer_of]
        number = 0
        while layer:
            layer_of |= dict.fromkeys(layer, number)
            following = dict.fromkeys(each for node in layer for each in targets[node])
            layer = [each for each in following if each not in layer_of]
            number += 1
    return layer_of


def _reduce_crossings(layers: Layers, neighbours: _Neighbours) -> Layers:
    """Return the layers, each in the best order that was found."""
    best, fewest = layers, _count_crossings(layers, neighbours)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        layers = [list(layer) for layer in layers]
        is_forward = sweep % 2 == 0
        sides = neighbours.before if is_forward else neighbours.after
        numbers = range(1, len(layers)) if is_forward else range(len(layers) - 2, -1, -1)
        for number in numbers:
            fixed = layers[number - 1 if is_forward else number + 1]
            places = {each: float(place) for place, each in enumerate(fixed)}
            layers[number] = _sort_by_neighbours(layers[number], sides, places)
        crossings = _count_crossings(layers, neighbours)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _sort_by_neighbours(
    layer: list[Hashable], sides: dict[Hashable, list[Hashable]], places: dict[Hashable, float]
) -> list[Hashable]:
    """Return the layer in the order of the middles of neighbours; without any, one stays."""
    middles = {
        each: _mean([places[side] for side in sides[each]]) if each in sides else float(place)
        for place, each in enumerate(layer)
    }
    return sorted(layer, key=middles.__getitem__)


def _count_crossings(layers: Layers, neighbours: _Neighbours) -> int:
    """Return how often edges cross between adjacent layers."""
    crossings = 0
    for layer, following in pairwise(layers):
        places = {each: place for place, each in enumerate(following)}
        ends = [sorted(places[end] for end in neighbours.after.get(each, ())) for each in layer]
        crossings += _count_inversions([place for each in ends for place in each])
    return crossings


def _count_inversions(numbers: list[int]) -> int:
    """Return how many pairs stand in the wrong order, by merging."""
    if len(numbers) < 2:
        return 0
    middle = len(numbers) // 2
    left, right = numbers[:middle], numbers[middle:]
    inversions = _count_inversions(left) + _count_inversions(right)
    left.sort()
    right.sort()
    place = 0
    for number in right:
        while place < len(left) and left[place] <= number:
            place += 1
        inversions += len(left) - place
    return inversions


def _choose_heights(layers: Layers, neighbours: _Neighbours) -> dict[Hashable, float]:
    """Return the y of each, in the order of its layer and near to its neighbours."""
    heights = {each: float(place) for layer in layers for place, each in enumerate(layer)}
    for _ in range(RELAXATIONS):
        for sides in (neighbours.before, neighbours.after):
            for layer in layers if sides is neighbours.before else reversed(layers):
                _move(layer, sides, heights)
    _press(layers, heights)
    least = min(heights.values(), default=0.0)
    return {each: height - least for each, height in heights.items()}


def _move(
    layer: list[Hashable], sides: dict[Hashable, list[Hashable]], heights: dict[Hashable, float]
) -> None:
    """Move all of a layer towards their neighbours, as far as those beside leave room."""
    wanted = [
        _mean([heights[side] for side in sides[each]]) if each in sides else heights[each]
        for each in layer
    ]
    placed: list[float] = []
    for place, each in enumerate(layer):
        gap = (_measure(layer[place - 1]) + _measure(each)) / 2 if place else 0.0
        placed.append(max(wanted[place], placed[-1] + gap) if place else wanted[place])
    # All went down only: go back up by as much as they did on average.
    surplus = _mean([height - want for height, want in zip(placed, wanted, strict=True)])
    heights.update(zip(layer, (height - surplus for height in placed), strict=True))


def _press(layers: Layers, heights: dict[Hashable, float]) -> None:
    """Move what is far up or down to where the layer that needs the most height stands."""
    tallest = max(layers, key=_measure_all, default=[])
    if not tallest:
        return
    room = _measure_all(tallest) * ROOM
    top = (heights[tallest[0]] + heights[tallest[-1]] - room) / 2
    for layer in layers:
        above, below = 0.0, _measure_all(layer)
        for each in layer:
            half = _measure(each) / 2
            least, most = top + above + half, top + room - below + half
            heights[each] = min(max(heights[each], least), most)
            above, below = above + 2 * half, below - 2 * half


def _measure_all(layer: list[Hashable]) -> float:
    return sum(map(_measure, layer))


def _measure(each: Hashable) -> float:
    return PASSING_HEIGHT if isinstance(each, _Passing) else 1.0


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)
