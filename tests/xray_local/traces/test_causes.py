"""Root causes, in the shapes of the API."""

from typing import Any

import pytest

from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.traces.causes import find_causes
from xray_local.traces.trees import build_tree


def find(*documents: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return find_causes(build_tree(documents))


def name_path(cause: dict[str, Any]) -> list[list[str]]:
    return [[entity["Name"] for entity in each["EntityPath"]] for each in cause["Services"]]


def test_a_fault_begins_where_no_child_has_it() -> None:
    cause = {"exceptions": [{"type": "KeyError", "message": "'x'"}, {"id": "no more"}, 5]}
    inner = make_subsegment(name="inner", fault=True, cause=cause)
    outer = make_subsegment(name="outer", fault=True, subsegments=[inner, make_subsegment()])

    found = find(make_segment(name="front", fault=True, subsegments=[outer]))

    (fault,) = found["fault"]
    assert name_path(fault) == [["front", "outer", "inner"]]
    assert fault["ClientImpacting"] is True
    entity = fault["Services"][0]["EntityPath"][-1]
    assert entity["Exceptions"] == [{"Name": "KeyError", "Message": "'x'"}, {}, {}]
    assert found["error"] == []


def test_a_fault_that_a_caller_hid_does_not_impact_the_client() -> None:
    call = make_subsegment(name="S3", namespace="aws", aws={"bucket_name": "b"}, fault=True)

    (fault,) = find(make_segment(name="front", subsegments=[call]))["fault"]

    assert name_path(fault) == [["b"]]
    assert fault["ClientImpacting"] is False
    assert [each["Inferred"] for each in fault["Services"]] == [True]
    assert fault["Services"][0]["Type"] == "AWS::S3::Bucket"
    assert [each["Remote"] for each in fault["Services"][0]["EntityPath"]] == [False]


def test_a_fault_goes_through_the_call_to_whom_it_called() -> None:
    call = make_subsegment(name="S3", namespace="aws", aws={"bucket_name": "b"}, fault=True)

    (fault,) = find(make_segment(name="front", fault=True, subsegments=[call]))["fault"]

    assert name_path(fault) == [["front", "S3"], ["b"]]
    assert fault["ClientImpacting"] is True
    assert [each["Inferred"] for each in fault["Services"]] == [False, True]
    assert [each["Remote"] for each in fault["Services"][0]["EntityPath"]] == [False, True]


def test_a_fault_that_a_caller_hid_begins_at_the_service_that_it_called() -> None:
    call = make_subsegment(name="api", namespace="remote", fault=True)
    front = make_segment(name="front", subsegments=[call])
    work = make_subsegment(name="work", fault=True)
    api = make_segment(
        name="api",
        trace_id=front["trace_id"],
        parent_id=call["id"],
        fault=True,
        subsegments=[work],
    )

    (fault,) = find(front, api)["fault"]

    assert name_path(fault) == [["api", "work"]]
    assert fault["ClientImpacting"] is False


def test_a_fault_that_a_service_hid_itself_is_its_own() -> None:
    (fault,) = find(
        make_segment(name="front", subsegments=[make_subsegment(name="work", fault=True)])
    )["fault"]

    assert [each["Name"] for each in fault["Services"]] == ["front"]
    assert name_path(fault) == [["work"]]
    assert fault["ClientImpacting"] is False


def test_each_place_where_a_fault_begins_is_a_cause() -> None:
    faults = [make_subsegment(name=name, fault=True) for name in ("a", "b")]

    found = find(make_segment(name="front", fault=True, subsegments=faults))

    assert sorted(map(name_path, found["fault"])) == [[["front", "a"]], [["front", "b"]]]


def test_time_is_taken_along_the_slowest_path() -> None:
    slowest = make_subsegment(name="slowest", end_time=NOON + 0.2)
    call = make_subsegment(name="api", namespace="remote", end_time=NOON + 0.8)
    front = make_segment(name="front", end_time=NOON + 1, subsegments=[slowest, call])
    api = make_segment(
        name="api",
        trace_id=front["trace_id"],
        parent_id=call["id"],
        end_time=NOON + 0.75,
        subsegments=[make_subsegment(name="short", end_time=NOON + 0.1)],
    )

    (cause,) = find(front, api)["responsetime"]

    assert name_path(cause) == [["front", "api"], ["api"]]
    coverages = [each["Coverage"] for s in cause["Services"] for each in s["EntityPath"]]
    assert coverages == [1.0, 0.8, 0.75]


@pytest.mark.parametrize(
    ("seconds", "is_cause"), [(1.0, False), (2.0, False), (2.001, True), (3.0, True), (4.5, False)]
)
def test_who_took_more_than_half_of_the_time_is_the_cause(seconds: float, is_cause: bool) -> None:
    call = make_subsegment(name="api", namespace="remote", end_time=NOON + seconds)

    found = find(make_segment(name="front", end_time=NOON + 4, subsegments=[call]))

    paths = [name_path(cause) for cause in found["responsetime"]]
    assert paths == ([[["front", "api"], ["api"]]] if is_cause else [])


def test_of_deeper_calls_the_share_is_that_of_the_roots_time() -> None:
    inner = make_subsegment(name="inner", end_time=NOON + 2)
    outer = make_subsegment(name="outer", end_time=NOON + 3, subsegments=[inner])

    (cause,) = find(make_segment(name="front", end_time=NOON + 4, subsegments=[outer]))[
        "responsetime"
    ]

    assert name_path(cause) == [["front", "outer"]]


def test_what_has_not_ended_has_taken_no_time() -> None:
    assert find(make_segment(end_time=None, in_progress=True))["responsetime"] == []
    assert find()["responsetime"] == []
