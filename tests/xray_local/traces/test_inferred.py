"""Inferred segments: what a trace implies of services that send nothing."""

from typing import Any

import pytest

from tests.xray_local.made import NOON, make_late, make_segment, make_subsegment
from xray_local.traces.inferred import infer_segments, make_inferred_id
from xray_local.traces.trees import build_tree


def infer(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    return infer_segments(documents[0]["trace_id"], build_tree(documents))


def test_a_call_becomes_a_segment_with_what_its_caller_knows() -> None:
    call = make_subsegment(
        name="dynamodb",
        namespace="aws",
        start_time=NOON + 0.01,
        end_time=NOON + 0.05,
        error=True,
        throttle=True,
        fault=False,
        http={"response": {"status": 400}},
        aws={"table_name": "Movies", "operation": "PutItem", "region": "eu-west-1"},
        cause={"exceptions": [{"id": "1" * 16, "type": "Throttled"}]},
        annotations={"mine": 1},
        metadata={"default": {"mine": 1}},
    )
    root = make_segment(subsegments=[call])

    assert infer(root) == [
        {
            "id": make_inferred_id(root["trace_id"], call["id"]),
            "name": "DynamoDB",
            "start_time": NOON + 0.01,
            "trace_id": root["trace_id"],
            "end_time": NOON + 0.05,
            "parent_id": call["id"],
            "inferred": True,
            "error": True,
            "throttle": True,
            "fault": False,
            "http": {"response": {"status": 400}},
            "aws": {"table_name": "Movies", "operation": "PutItem", "region": "eu-west-1"},
            "origin": "AWS::DynamoDB::Table",
        }
    ]


def test_its_id_is_always_the_same_and_looks_like_one() -> None:
    root = make_segment(subsegments=[make_subsegment(name="sns", namespace="aws")])

    (first,), (second,) = infer(root), infer(root)

    assert first["id"] == second["id"] != root["subsegments"][0]["id"]
    assert len(first["id"]) == 16
    int(first["id"], 16)


def test_remote_hosts_and_databases() -> None:
    sql = {"url": "postgres://db/movies", "sanitized_query": "SELECT 1"}
    root = make_segment(
        subsegments=[
            make_subsegment(name="api.example.com", namespace="remote"),
            make_subsegment(name="movies@db", namespace="remote", sql=sql),
        ]
    )

    host, database = infer(root)

    assert (host["name"], host["origin"]) == ("api.example.com", "remote")
    assert (database["name"], database["origin"]) == ("movies@db", "Database::SQL")
    assert database["sql"] == sql


def test_a_service_that_is_not_known_keeps_the_name_its_caller_gives_it() -> None:
    call = make_subsegment(name="rdsdataservice", namespace="aws")

    (segment,) = infer(make_segment(subsegments=[call]))

    assert (segment["name"], segment["origin"]) == ("rdsdataservice", "AWS::rdsdataservice")


def test_an_answered_call_implies_nothing() -> None:
    call = make_subsegment(name="api", namespace="remote")
    root = make_segment(subsegments=[call])
    answer = make_segment(name="api", parent_id=call["id"], trace_id=root["trace_id"])

    assert infer(root, answer) == []


def test_a_call_that_says_it_is_traced_implies_one_until_the_answer_comes() -> None:
    call = make_subsegment(name="api", namespace="remote", traced=True)
    root = make_segment(subsegments=[call])
    answer = make_segment(name="api", parent_id=call["id"], trace_id=root["trace_id"])

    assert len(infer(root)) == 1
    assert infer(root, answer) == []


def test_own_code_implies_nothing() -> None:
    step = make_subsegment(name="step", subsegments=[make_subsegment(name="in")])

    assert infer(make_segment(subsegments=[step])) == []


def test_a_call_within_a_call_and_one_that_came_late() -> None:
    outer = make_subsegment(
        name="api",
        namespace="remote",
        subsegments=[make_subsegment(name="s3", namespace="aws", start_time=NOON + 1)],
    )
    root = make_segment(subsegments=[outer])
    late = make_late(root, name="sqs", namespace="aws", start_time=NOON + 2)

    assert [each["name"] for each in infer(root, late)] == ["api", "S3", "SQS"]


def test_a_late_call_whose_segment_never_came() -> None:
    late = make_late(make_segment(), name="S3", namespace="aws", aws={"bucket_name": "posters"})

    (segment,) = infer(late)

    assert segment["parent_id"] == late["id"]
    assert "type" not in segment


def test_a_call_in_progress() -> None:
    call = make_subsegment(name="S3", namespace="aws", end_time=None, in_progress=True)

    (segment,) = infer(make_segment(subsegments=[call]))

    assert segment["in_progress"] is True
    assert "end_time" not in segment


@pytest.mark.parametrize("namespace", ["other", "", None, [], {}])
def test_other_namespaces(namespace: Any) -> None:
    assert infer(make_segment(subsegments=[make_subsegment() | {"namespace": namespace}])) == []
