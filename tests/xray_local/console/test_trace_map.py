"""The small map of one trace."""

from typing import Any

from tests.xray_local.made import NOON, make_facts, make_request, make_segment, make_subsegment
from xray_local.console.trace_map import NODES_MAX, SmallMap, draw_trace_map


def draw(*documents: dict[str, Any]) -> SmallMap:
    return draw_trace_map([make_facts(each) for each in documents])


def call(name: str, seconds: float = 0.1, **fields: Any) -> dict[str, Any]:
    return make_subsegment(name, namespace="remote", end_time=NOON + seconds, **fields)


def test_services_and_calls() -> None:
    slow = call("other", 0.3)
    root = make_segment(subsegments=[call("other"), slow, call("failing", fault=True)])

    drawn = draw(root)

    nodes = {node.name if not node.is_client else "client": node for node in drawn.nodes}
    assert nodes.keys() == {"client", "movies", "other", "failing"}
    assert (nodes["other"].count, nodes["other"].average_ms) == (2, 200)
    assert nodes["other"].element_id == slow["id"]
    assert nodes["movies"].element_id == root["id"]
    assert nodes["failing"].outcome == "fault"
    assert {(edge.source, edge.target, edge.count, edge.outcome) for edge in drawn.edges} == {
        ("movies", "failing", 1, "fault"),
        ("movies", "other", 2, "ok"),
        ("client", "movies", 1, "ok"),
    }
    assert drawn.left_out == 0
    assert not drawn.is_cut


def test_nothing_sticks_out() -> None:
    drawn = draw(make_segment(subsegments=[call(f"service {number}") for number in range(9)]))

    for node in drawn.nodes:
        assert node.x >= 0
        assert node.y >= 0
        assert node.x + 164 <= drawn.width
        assert node.y + 42 <= drawn.height


def test_errors_and_throttles() -> None:
    error = call("a", error=True, http=make_request("/", 404))
    throttle = call("b", error=True, throttle=True, http=make_request("/", 429))
    begun = call("c", in_progress=True) | {"end_time": None}
    begun = {key: value for key, value in begun.items() if value is not None}

    drawn = draw(make_segment(subsegments=[error, throttle, begun]))

    outcomes = {node.name: node.outcome for node in drawn.nodes if not node.is_client}
    assert outcomes == {"movies": "ok", "a": "error", "b": "throttle", "c": "in progress"}


def test_long_names_are_cut() -> None:
    drawn = draw(make_segment(name="n" * 100))

    assert drawn.nodes[0].label == "n" * 21 + "…"
    assert drawn.nodes[0].name == "n" * 100


def test_of_very_many_services_the_busiest() -> None:
    busy = [call("busy") for _ in range(3)]
    others = [call(f"service {number}") for number in range(100)]

    drawn = draw(make_segment(subsegments=[*others, *busy]))

    assert len(drawn.nodes) == NODES_MAX
    assert drawn.left_out == 103 - NODES_MAX
    assert "busy" in [node.name for node in drawn.nodes]


def test_very_many_calls() -> None:
    drawn = draw(make_segment(subsegments=[call("other") for _ in range(2500)]))

    assert drawn.is_cut
