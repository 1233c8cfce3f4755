"""Trees of documents that came whole, late, twice, without parents or in circles."""

import gc
import json
import random
import time
from typing import Any

from tests.xray_local.made import NOON, make_id, make_late, make_segment, make_subsegment
from xray_local.traces.trees import Element, build_tree, growing_tree, merge_documents, walk_tree

Shape = list[tuple[str, "Shape"]]


def shape(roots: list[Element]) -> Shape:
    return [(root.content["name"], shape(root.children)) for root in roots]


def test_a_tree_that_is_taken_apart_leaves_nothing_to_the_collector() -> None:
    inside = make_subsegment("call", subsegments=[make_subsegment("query")])
    document = make_segment(name="front", subsegments=[inside])

    def count_left() -> int:
        gc.collect()
        with growing_tree([document]) as roots:
            assert shape(roots) == [("front", [("call", [("query", [])])])]
        del roots
        return gc.collect()

    gc.disable()
    try:
        # A thread that another test has left behind may leave something now and then.
        assert min(count_left() for _ in range(5)) == 0
    finally:
        gc.enable()


def test_embedded_and_late_and_below() -> None:
    call = make_subsegment("call", start_time=NOON + 0.02)
    root = make_segment(name="front", subsegments=[call])
    late = make_late(root, name="late", start_time=NOON + 0.01)
    below = make_segment(name="back", parent_id=call["id"], trace_id=root["trace_id"])
    documents = [below, late, root]
    random.shuffle(documents)

    roots = build_tree(documents)

    assert shape(roots) == [("front", [("late", []), ("call", [("back", [])])])]
    flags = {each.content["name"]: each.is_segment for each, _ in walk_tree(roots)}
    assert flags == {"front": True, "late": False, "call": False, "back": True}
    assert not any(each.is_orphan for each, _ in walk_tree(roots))


def test_orphans() -> None:
    facade = make_segment()
    late = [make_late(facade, name=name, start_time=NOON + 1) for name in "ab"]
    early = make_late(facade, name="c", start_time=NOON)

    roots = build_tree([*late, early])

    assert shape(roots) == [("c", []), ("a", []), ("b", [])]
    assert all(root.is_orphan for root in roots)


def test_the_complete_one_of_two_with_the_same_id() -> None:
    embedded = make_subsegment("step", in_progress=True, end_time=None)
    root = make_segment(name="front", in_progress=True, end_time=None, subsegments=[embedded])
    late = make_late(root, name="step", id=embedded["id"])

    roots = build_tree([root, late])

    assert shape(roots) == [("front", [("step", [])])]
    assert not roots[0].children[0].is_open
    assert roots[0].children[0].is_document


def test_of_one_embedded_and_one_on_its_own_the_order_does_not_matter() -> None:
    embedded = make_subsegment("embedded")
    segment = make_segment(subsegments=[embedded])
    late = make_late(segment, id=embedded["id"])

    for documents in ([segment, late], [late, segment]):
        assert shape(build_tree(documents)) == [("movies", [("embedded", [])])]


def test_the_first_of_two_that_are_equal() -> None:
    root = make_segment(name="front", subsegments=[make_subsegment("step", end_time=NOON + 1)])
    again = make_late(root, name="again", id=root["subsegments"][0]["id"])

    assert shape(build_tree([root, again])) == [("front", [("step", [])])]


def test_children_move_to_the_one_that_counts() -> None:
    inner = make_subsegment("inner")
    outer = make_subsegment("outer", in_progress=True, end_time=None, subsegments=[inner])
    root = make_segment(name="front", subsegments=[outer])
    late = make_late(root, name="outer", id=outer["id"])

    assert shape(build_tree([root, late])) == [("front", [("outer", [("inner", [])])])]


def test_circles_are_cut() -> None:
    one = make_late(make_segment(), name="one")
    two = make_late(one, name="two")
    three = make_late(two, name="three")
    beside = make_late(two, name="beside")
    one["parent_id"] = three["id"]

    roots = build_tree([beside, one, two, three])

    assert len(roots) == 1
    assert {each.content["name"] for each, _ in walk_tree(roots)} == {
        "one",
        "two",
        "three",
        "beside",
    }
    assert roots[0].is_orphan


def test_its_own_parent() -> None:
    root = make_segment()
    root["parent_id"] = root["id"]

    assert len(build_tree([root])) == 1


def test_a_child_with_its_parents_id() -> None:
    root = make_segment(name="a", in_progress=True)
    root["subsegments"] = [make_subsegment("b", id=root["id"])]

    assert shape(build_tree([root])) == [("b", [])]


def test_subsegments_of_wrong_types() -> None:
    nameless: dict[str, Any] = {"id": [], "start_time": "x", "subsegments": 7}
    root = make_segment(subsegments=[1, None, [], nameless, {}])

    (built,) = build_tree([root])

    assert [child.id for child in built.children] == ["", ""]
    assert built.children[0].start is None
    assert built.children[0].is_open


def test_a_chain_of_many_does_not_use_the_stack() -> None:
    chain = [make_segment()]
    for _ in range(5000):
        chain.append(make_late(chain[-1]))
    began = time.monotonic()

    roots = build_tree(reversed(chain))
    depths = [depth for _, depth in walk_tree(roots)]
    merged = merge_documents(roots)

    assert max(depths) == 5000
    assert 1 < len(merged) < 100
    assert json.dumps(merged)
    assert time.monotonic() - began < 5


def test_many_in_one_circle_are_quick() -> None:
    first = make_late(make_segment())
    ring = [first]
    for _ in range(3000):
        ring.append(make_late(ring[-1]))
    first["parent_id"] = ring[-1]["id"]
    hangers = [make_late(first) for _ in range(3000)]
    began = time.monotonic()

    assert len(build_tree([*hangers, *ring])) == 1

    assert time.monotonic() - began < 5


def test_merge_documents_puts_late_ones_into_their_segment() -> None:
    call = make_subsegment("call")
    root = make_segment(name="front", subsegments=[call])
    late = make_late(call | {"trace_id": root["trace_id"]}, name="late")
    below = make_segment(name="back", parent_id=call["id"])
    orphan = make_late(make_segment(), name="orphan", start_time=NOON + 1)

    merged = merge_documents(build_tree([late, orphan, below, root]))

    assert [document["name"] for document in merged] == ["front", "back", "orphan"]
    (merged_call,) = merged[0]["subsegments"]
    assert [each["name"] for each in merged_call["subsegments"]] == ["late"]
    assert "subsegments" not in root["subsegments"][0]


def test_merge_documents_of_one_is_the_document() -> None:
    root = make_segment(subsegments=[make_subsegment(metadata={"id": {"x": make_id()}})])

    assert merge_documents(build_tree([root])) == [root]


def test_of_siblings_that_began_at_once_the_order_stays() -> None:
    root = make_segment(name="front", subsegments=[make_subsegment(name) for name in "abc"])

    assert shape(build_tree([root])) == [("front", [("a", []), ("b", []), ("c", [])])]
