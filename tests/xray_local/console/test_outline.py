"""A trace laid out in order."""

from typing import Any

from tests.xray_local.made import NOON, make_facts, make_late, make_segment, make_subsegment
from xray_local.console.outline import Outline, choose_root, outline
from xray_local.traces.summaries import find_root
from xray_local.traces.trees import build_tree


def build(*documents: dict[str, Any]) -> Outline:
    return outline(build_tree(documents))


def test_places() -> None:
    a = make_subsegment("a", subsegments=[make_subsegment("a1")])
    root = make_segment(subsegments=[a, make_subsegment("b")])

    whole = build(root)

    assert [
        (place.number, place.element.content["name"], place.depth, place.below)
        for place in whole.places
    ] == [(0, "movies", 0, 3), (1, "a", 1, 1), (2, "a1", 2, 0), (3, "b", 1, 0)]
    assert whole.get(a["id"]) is whole.places[1]
    assert whole.get("none") is None
    assert whole.root is whole.places[0].element


def test_times() -> None:
    begun = make_segment(start_time=NOON + 1, end_time=None, in_progress=True)
    early = make_late(begun, start_time=NOON, end_time=NOON + 0.5)
    last = make_late(begun, start_time=NOON + 3, end_time=None, in_progress=True)

    whole = build(begun, early, last)

    assert (whole.start, whole.end, whole.seconds) == (NOON, NOON + 3, 3)


def test_nothing() -> None:
    whole = build()

    assert (whole.places, whole.root, whole.start, whole.seconds) == ([], None, None, 0)
    assert whole.path == {}
    assert whole.calls == {}


def test_the_root_is_that_of_the_summary() -> None:
    root = make_segment(start_time=NOON + 1)
    orphan = make_segment(parent_id="0" * 16, trace_id=root["trace_id"])
    lost = make_late(root, parent_id="1" * 16)
    second = make_segment(trace_id=root["trace_id"], start_time=NOON + 2)

    for documents in ([root, orphan, lost], [orphan, lost], [lost], [second, root, orphan]):
        chosen = choose_root(build_tree(documents))
        assert chosen
        assert chosen.id == find_root([make_facts(each) for each in documents]).id


def test_calls() -> None:
    queries = [make_subsegment(sql={"sanitized_query": f"SELECT {n}"}) for n in range(3)]

    whole = build(make_segment(subsegments=[*queries, make_subsegment("other")]))

    assert [len(places) for places in whole.calls.values()] == [3]
    assert [whole.count_same(place.element) for place in whole.places] == [0, 3, 3, 3, 0]
