"""What drawings of services share."""

from itertools import pairwise

from xray_local.console.service_drawing import Form, cut_label, find_words, write_path
from xray_local.graph.layout import Place

FORM = Form("boxed", layer_width=300.0, node_height=50.0, reach=100.0, share=0.5, characters=20)


def test_an_edge_goes_from_border_to_border() -> None:
    route = FORM.find_route([Place(0, 0), Place(1, 1)])

    assert route == [Place(255, 25), Place(341, 75)]
    assert write_path(route) == "M255,25 C298,25 298,75 341,75"
    assert FORM.find_route([Place(1, 1), Place(0, 0)]) == [Place(345, 75), Place(259, 25)]


def test_an_edge_is_level_where_it_passes_a_layer() -> None:
    """So that it is not seen through the nodes above and below it."""
    for places in (
        [Place(0, 0), Place(1, 2), Place(2, 0)],
        [Place(2, 0), Place(1, 2), Place(0, 0)],
    ):
        route = FORM.find_route(places)

        level = [(one, other) for one, other in pairwise(route) if one.y == other.y]
        assert [sorted((one.x, other.x)) for one, other in level] == [[350, 550]]


def test_nodes_above_each_other_are_connected_beside_them() -> None:
    route = FORM.find_route([Place(0, 0), Place(0, 2)])

    assert write_path(route) == "M255,25 C339,25 339,125 259,125"
    assert find_words(route).x > 255


def test_a_shifted_edge_is_lower() -> None:
    route = FORM.find_route([Place(0, 0), Place(1, 0)], shift=14)

    assert {point.y for point in route} == {39}


def test_a_call_of_itself_leaves_and_comes_back() -> None:
    way = FORM.go_round(Place(0, 0))

    assert all(point.x > 250 for point in way)
    assert way[0].y < way[-1].y


def test_nothing_is_drawn_without_a_route() -> None:
    assert write_path([]) == ""


def test_wide_characters_take_the_room_of_two() -> None:
    assert cut_label("名" * 14, 28) == "名" * 14
    assert cut_label("名" * 15, 28) == "名" * 13 + "…"
    assert cut_label("a" * 29, 28) == "a" * 27 + "…"
