"""The rules by which a trace is summarised."""

from typing import Any

from tests.xray_local.made import (
    NOON,
    make_facts,
    make_id,
    make_late,
    make_request,
    make_segment,
    make_subsegment,
    make_trace_id,
)
from xray_local.traces.summaries import find_owners, summarise


def summarise_all(*documents: dict[str, Any]) -> dict[str, Any]:
    facts = [make_facts(each) for each in documents]
    return summarise(make_trace_id(), facts, find_owners(facts), 1)


def name_all(services: list[dict[str, Any]]) -> list[str]:
    return [service["Name"] for service in services]


def test_duration_is_of_all_and_response_time_of_the_root() -> None:
    root = make_segment(end_time=NOON + 1)
    below = make_segment(start_time=NOON + 0.5, end_time=NOON + 3, parent_id=make_id())

    summary = summarise_all(below, root)

    assert summary["StartTime"] == NOON
    assert summary["Duration"] == 3
    assert summary["ResponseTime"] == 1


def test_faults_and_errors_are_the_roots_and_throttles_anybodys() -> None:
    root = make_segment(subsegments=[make_subsegment(fault=True, throttle=True)])
    below = make_segment(error=True, parent_id=root["subsegments"][0]["id"])

    summary = summarise_all(root, below)

    assert (summary["HasFault"], summary["HasError"], summary["HasThrottle"]) == (
        False,
        False,
        True,
    )


def test_flags_of_the_root() -> None:
    summary = summarise_all(make_segment(fault=True, error=True))

    assert (summary["HasFault"], summary["HasError"], summary["HasThrottle"]) == (
        True,
        True,
        False,
    )


def test_partial_if_anything_is_in_progress() -> None:
    root = make_segment()

    assert not summarise_all(root)["IsPartial"]
    assert summarise_all(root, make_late(root, in_progress=True, end_time=None))["IsPartial"]


def test_http_is_the_roots() -> None:
    root = make_segment(http=make_request("http://a/", 404))
    below = make_segment(http=make_request("http://b/", 200), parent_id=make_id())

    summary = summarise_all(below, root)

    assert summary["Http"] == {"HttpURL": "http://a/", "HttpStatus": 404, "HttpMethod": "GET"}


def test_annotations_with_every_value_and_its_services() -> None:
    root = make_segment(
        name="front", annotations={"n": 1, "b": True}, subsegments=[make_subsegment()]
    )
    below = make_segment(
        name="back", annotations={"n": 1, "t": "x"}, parent_id=root["subsegments"][0]["id"]
    )

    annotations = summarise_all(root, below)["Annotations"]

    assert list(annotations) == ["b", "n", "t"]
    assert [value["AnnotationValue"] for value in annotations["n"]] == [{"NumberValue": 1.0}]
    assert name_all(annotations["n"][0]["ServiceIds"]) == ["front", "back"]
    assert annotations["b"][0]["AnnotationValue"] == {"BooleanValue": True}
    assert annotations["t"][0]["AnnotationValue"] == {"StringValue": "x"}


def test_annotations_of_late_subsegments_belong_to_the_segments_service() -> None:
    root = make_segment(name="front", subsegments=[make_subsegment()])
    first = make_late(root, parent_id=root["subsegments"][0]["id"])
    second = make_late(first, annotations={"k": "v"}, user="ada")

    summary = summarise_all(second, first, root)

    assert name_all(summary["Annotations"]["k"][0]["ServiceIds"]) == ["front"]
    assert name_all(summary["Users"][0]["ServiceIds"]) == ["front"]


def test_subsegments_whose_segment_never_comes() -> None:
    facade = {"id": make_id(), "trace_id": make_trace_id()}
    first = make_late(facade, name="movies", http=make_request("http://a/", 200), user="ada")
    second = make_late(first, start_time=NOON + 1, annotations={"k": 1})

    summary = summarise_all(second, first)

    assert "EntryPoint" not in summary
    assert summary["ServiceIds"] == []
    assert summary["Http"]["HttpURL"] == "http://a/"
    assert summary["Annotations"]["k"][0]["ServiceIds"] == []
    assert summary["Users"] == [{"UserName": "ada", "ServiceIds": []}]


def test_subsegments_in_a_circle() -> None:
    one = make_late({"id": make_id(), "trace_id": make_trace_id()})
    other = make_late(one)
    one["parent_id"] = other["id"]

    assert summarise_all(one, other)["ServiceIds"] == []


def test_the_root_is_the_segment_without_parent_whenever_it_started() -> None:
    root = make_segment(name="root", start_time=NOON + 9)
    below = make_segment(name="below", parent_id=make_id(), start_time=NOON)

    assert summarise_all(below, root)["EntryPoint"]["Name"] == "root"


def test_without_one_the_root_is_the_segment_whose_parent_is_not_here() -> None:
    top = make_segment(
        name="top", parent_id=make_id(), start_time=NOON + 9, subsegments=[make_subsegment()]
    )
    below = make_segment(name="below", parent_id=top["subsegments"][0]["id"], start_time=NOON)

    assert summarise_all(below, top)["EntryPoint"]["Name"] == "top"


def test_services_that_answered_and_services_known_from_calls() -> None:
    silent = make_subsegment("DynamoDB", namespace="aws", aws={"table_name": "Movies"})
    answering = make_subsegment("api.local", namespace="remote")
    root = make_segment(name="front", subsegments=[silent, answering])
    below = make_segment(name="api", parent_id=answering["id"])

    summary = summarise_all(root, below)

    assert name_all(summary["ServiceIds"]) == ["front", "api", "Movies"]
    assert summary["EntryPoint"]["Name"] == "front"


def test_what_stands_in_the_aws_block() -> None:
    aws = {"ec2": {"instance_id": "i-1", "availability_zone": "eu-1a"}}
    root = make_segment(aws=aws, resource_arn="arn:1")
    below = make_segment(aws=aws, resource_arn="arn:2", parent_id=make_id())

    summary = summarise_all(root, below)

    assert summary["InstanceIds"] == [{"Id": "i-1"}]
    assert summary["AvailabilityZones"] == [{"Name": "eu-1a"}]
    assert summary["ResourceARNs"] == [{"ARN": "arn:1"}, {"ARN": "arn:2"}]
