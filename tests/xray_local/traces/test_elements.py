"""The nodes and edges of a trace, and what a filter can ask of them."""

from typing import Any

from tests.xray_local.made import (
    NOON,
    make_facts,
    make_id,
    make_late,
    make_segment,
    make_subsegment,
)
from xray_local.traces.elements import ELEMENTS_MAX, Element, describe_trace, list_elements
from xray_local.traces.facts import Facts
from xray_local.traces.summaries import find_owners


def gather(*documents: dict[str, Any]) -> list[Facts]:
    return [make_facts(each) for each in documents]


def list_all(*documents: dict[str, Any]) -> tuple[list[Element], list[Element]]:
    """Return the nodes, then the edges."""
    facts = gather(*documents)
    elements = list_elements(facts, find_owners(facts))
    return [each for each in elements if each.is_node], [each for each in elements if each.source]


def name_edges(edges: list[Element]) -> list[tuple[str, str]]:
    return [(edge.source.name, edge.service.name) for edge in edges if edge.source]


def test_a_call_that_nobody_answered_is_an_inferred_node() -> None:
    call = make_subsegment(name="api", namespace="remote", end_time=NOON + 0.05)

    nodes, edges = list_all(make_segment(name="front", subsegments=[call]))

    assert [node.service.name for node in nodes] == ["front", "api"]
    assert [node.values["inferred"] for node in nodes] == [(False,), (True,)]
    assert [node.values["root"] for node in nodes] == [(True,), (False,)]
    assert name_edges(edges) == [("front", "api")]
    assert edges[0].values["responsetime"] == (0.05,)


def test_an_answered_call_has_the_callees_node_and_the_callers_edge() -> None:
    call = make_subsegment(name="alias", namespace="remote", fault=True, end_time=NOON + 1)
    front = make_segment(name="front", subsegments=[call])
    api = make_segment(name="api", parent_id=call["id"], trace_id=front["trace_id"])

    nodes, edges = list_all(api, front)

    assert [node.service.name for node in nodes] == ["api", "front"]
    assert [node.values["fault"] for node in nodes] == [(False,), (False,)]
    assert name_edges(edges) == [("front", "api")]
    assert edges[0].values["fault"] == (True,)
    assert edges[0].values["name"] == ("api",)


def test_a_segment_right_below_another() -> None:
    facade = make_segment(name="f", origin="AWS::Lambda")
    function = make_segment(name="f", origin="AWS::Lambda::Function", parent_id=facade["id"])

    nodes, edges = list_all(function, facade)

    assert [node.service.type for node in nodes] == ["AWS::Lambda::Function", "AWS::Lambda"]
    assert name_edges(edges) == [("f", "f")]
    assert edges[0].service.type == "AWS::Lambda::Function"


def test_those_below_another_come_in_its_order() -> None:
    """Else of a trace that is too large, others would count after the next start."""
    steps = [make_subsegment(f"step {number}") for number in range(8)]
    whole = make_segment(name="f", subsegments=steps)
    below = [make_segment(name=each["name"], parent_id=each["id"]) for each in steps]

    _, edges = list_all(*reversed(below), whole)

    assert [service for _, service in name_edges(edges)] == [each["name"] for each in steps]


def test_a_call_that_came_on_its_own() -> None:
    front = make_segment(name="front")
    late = make_late(front, name="S3", namespace="aws", annotations={"size": 1})

    nodes, edges = list_all(late, front)

    assert name_edges(edges) == [("front", "S3")]
    assert nodes[0].annotations["size"] == (1.0,)
    assert nodes[1].annotations["size"] == (1.0,)


def test_a_call_that_is_embedded_and_came_on_its_own_counts_once() -> None:
    call = make_subsegment(name="api", namespace="remote", end_time=NOON + 0.05)
    front = make_segment(name="front", subsegments=[call])
    alone = make_late(front, **call)

    for documents in ([front, alone], [alone, front]):
        nodes, edges = list_all(*documents)

        assert [node.service.name for node in nodes] == ["front", "api"]
        assert name_edges(edges) == [("front", "api")]


def test_of_a_call_that_came_twice_the_complete_one_counts() -> None:
    call = make_subsegment(name="api", namespace="remote", end_time=None, in_progress=True)
    front = make_segment(name="front", subsegments=[call])
    alone = make_late(front, **call | {"in_progress": False, "end_time": NOON + 0.05})

    for documents in ([front, alone], [alone, front]):
        _, edges = list_all(*documents)

        assert [edge.seconds for edge in edges] == [0.05]


def test_a_call_whose_segment_never_came_is_a_node_without_an_edge() -> None:
    lost = make_segment(name="front")

    nodes, edges = list_all(make_late(lost, name="S3", namespace="aws"))

    assert [node.service.name for node in nodes] == ["S3"]
    assert edges == []


def test_a_segment_that_names_itself_as_parent() -> None:
    segment_id = make_id()

    nodes, edges = list_all(make_segment(id=segment_id, parent_id=segment_id))

    assert len(nodes) == 1
    assert edges == []


def test_what_is_in_progress_has_taken_no_time_and_is_not_ok() -> None:
    call = make_subsegment(name="api", namespace="remote", end_time=None, in_progress=True)

    nodes, _ = list_all(make_segment(subsegments=[call]))

    assert nodes[1].values["partial"] == (True,)
    assert nodes[1].values["ok"] == (False,)
    assert nodes[1].values["responsetime"] == (0.0,)


def test_ok_needs_a_2xx_status_if_there_is_one() -> None:
    statuses = (None, 200, 204, 302, 404)
    answers = [{"status": status} if status else {} for status in statuses]
    segments = [make_segment(http={"response": answer}) for answer in answers]

    found = [describe_trace(gather(each), [])[0]["ok"][0] for each in segments]

    assert found == [True, True, True, False, False]


def test_values_of_every_type_are_kept_apart() -> None:
    inner = make_subsegment(annotations={"a": True, "b": "x\0y"})

    _, values = describe_trace(gather(make_segment(annotations={"a": 1}, subsegments=[inner])), [])

    assert values["a"] == (1.0, True)
    assert values["b"] == ("x\ufffdy",)


def test_a_trace_that_is_too_large_is_cut() -> None:
    calls = [make_subsegment(namespace="remote") for _ in range(ELEMENTS_MAX)]
    facts = gather(make_segment(subsegments=calls))

    assert len(list_elements(facts, find_owners(facts))) == ELEMENTS_MAX
