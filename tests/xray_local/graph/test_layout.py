"""Places in layers from left to right."""

import random
from itertools import pairwise

from xray_local.graph.layout import Layout, Place, lay_out


def list_columns(layout: Layout) -> list[str]:
    """Return the names in each layer, from top to bottom."""
    columns: dict[float, list[tuple[float, str]]] = {}
    for node, place in layout.places.items():
        columns.setdefault(place.x, []).append((place.y, str(node)))
    return ["".join(name for _, name in sorted(columns[x])) for x in sorted(columns)]


def test_nothing() -> None:
    assert lay_out([], []) == Layout({}, {}, 0, 0.0)


def test_a_node_stands_after_all_that_call_it() -> None:
    layout = lay_out("abcd", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])

    assert list_columns(layout) == ["a", "b", "c", "d"]
    assert (layout.width, layout.height) == (4, layout.places["d"].y + 1)


def test_who_is_called_by_nobody_stands_just_before_whom_it_calls() -> None:
    layout = lay_out("abcdx", [("a", "b"), ("b", "c"), ("c", "d"), ("x", "d")])

    assert layout.places["x"].x == layout.places["c"].x == 2


def test_a_circle_is_cut_at_what_leads_back() -> None:
    layout = lay_out("abc", [("a", "b"), ("b", "c"), ("c", "a")])

    assert list_columns(layout) == ["a", "b", "c"]
    assert [place.x for place in layout.routes["c", "a"]] == [2, 1, 0]


def test_a_call_of_itself_has_no_route() -> None:
    layout = lay_out("a", [("a", "a")])

    assert layout.routes == {}
    assert layout.places == {"a": Place(0, 0)}


def test_calls_there_and_back() -> None:
    layout = lay_out("ab", [("a", "b"), ("b", "a")])

    assert layout.routes["a", "b"] == layout.routes["b", "a"][::-1]


def test_edges_do_not_cross_where_they_need_not() -> None:
    layout = lay_out("abcdef", [("a", "f"), ("b", "e"), ("c", "d")])

    first, second = list_columns(layout)
    pairs = dict(zip(first, second, strict=True))
    assert pairs == {"a": "f", "b": "e", "c": "d"}


def test_nodes_of_a_layer_do_not_touch() -> None:
    chance = random.Random(7)
    nodes = [f"node {number}" for number in range(60)]
    edges = [(nodes[chance.randrange(number)], nodes[number]) for number in range(1, 60)]
    edges += [(chance.choice(nodes), chance.choice(nodes)) for _ in range(30)]

    layout = lay_out(nodes, edges)

    layers: dict[float, list[float]] = {}
    for place in layout.places.values():
        layers.setdefault(place.x, []).append(place.y)
    gaps = [b - a for layer in layers.values() for a, b in pairwise(sorted(layer))]
    assert min(gaps) > 0.999
    assert min(place.y for place in layout.places.values()) >= 0
    assert all(place.y + 1 <= layout.height for place in layout.places.values())


def test_an_edge_that_passes_a_layer_goes_round_what_stands_there() -> None:
    layout = lay_out("abc", [("a", "b"), ("b", "c"), ("a", "c")])

    _, passing, _ = layout.routes["a", "c"]
    assert abs(passing.y - layout.places["b"].y) > 0.5


def test_the_same_graph_has_the_same_layout() -> None:
    edges = [("a", "c"), ("b", "c"), ("c", "d"), ("a", "d")]

    assert lay_out("abcd", edges) == lay_out("abcd", reversed(edges))


def test_a_very_long_way_is_made_short() -> None:
    chain = list(pairwise(range(20)))
    layout = lay_out(range(20), [*chain, *((0, node) for node in range(2, 20, 3)), (19, 3)])

    assert layout.width < 10
    assert all(layout.places[node].x == 1 for node in range(2, 20, 3))
    # Who stands above each other is connected without a point between.
    assert layout.places[1].x == layout.places[2].x
    assert layout.routes[1, 2] == [layout.places[1], layout.places[2]]


def test_a_way_is_long_where_there_is_no_shorter() -> None:
    layout = lay_out(range(20), list(pairwise(range(20))))

    assert layout.width == 20


def test_layers_are_no_taller_than_they_need() -> None:
    chosen = random.Random(3)
    edges = [(node + 100, node) for node in range(40)]
    edges += [(chosen.randrange(40), 40 + node % 30) for node in range(90)]
    layout = lay_out(list(dict.fromkeys(node for edge in edges for node in edge)), edges)

    assert layout.height <= 40 * 1.25
