"""BatchGetTraces: whole traces, as X-Ray has processed them."""

import json
from typing import Any

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import (
    make_late,
    make_segment,
    make_subsegment,
    make_trace_id,
    wait_until,
)
from tests.xray_local.program import Program
from xray_local.api import traces


def get_batch(console: Console, *trace_ids: str, **fields: Any) -> dict[str, Any]:
    response = console.post("/Traces", {"TraceIds": trace_ids} | fields)
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_a_call_that_nobody_answered_has_an_inferred_segment(
    client: Any, shared_xray: Program
) -> None:
    call = make_subsegment("DynamoDB", namespace="aws", aws={"resource_names": ["Movies"]})
    root = make_segment(name="front", subsegments=[call])
    shared_xray.send(root)

    def get_trace() -> Any:
        return client.batch_get_traces(TraceIds=[root["trace_id"]])["Traces"]

    (trace,) = wait_until(get_trace)
    documents = {each["Id"]: json.loads(each["Document"]) for each in trace["Segments"]}
    inferred = next(each for each in documents.values() if each.get("inferred"))
    assert len(documents) == 2
    assert documents[root["id"]] == root
    assert documents[inferred["id"]] == inferred
    assert inferred["parent_id"] == call["id"]
    assert (inferred["name"], inferred["origin"]) == ("DynamoDB", "AWS::DynamoDB::Table")
    assert inferred["aws"] == {"resource_names": ["Movies"]}


def test_it_goes_when_the_answer_arrives(console: Console, store: Store) -> None:
    call = make_subsegment("api", namespace="remote")
    root = make_segment(name="front", subsegments=[call])
    store(root)
    (before,) = get_batch(console, root["trace_id"])["Traces"]

    store(make_segment(name="api", parent_id=call["id"], trace_id=root["trace_id"]))
    (after,) = get_batch(console, root["trace_id"])["Traces"]

    flags = [
        [json.loads(each["Document"]).get("inferred", False) for each in trace["Segments"]]
        for trace in (before, after)
    ]
    assert flags == [[False, True], [False, False]]


def test_traces_stand_in_the_order_of_their_ids(console: Console, store: Store) -> None:
    roots = [make_segment() for _ in range(7)]
    store(*roots)
    wanted = [root["trace_id"] for root in reversed(roots)]
    unknown = make_trace_id()

    answer = get_batch(console, *wanted, unknown)

    assert [trace["Id"] for trace in answer["Traces"]] == wanted
    assert answer["UnprocessedTraceIds"] == [unknown]
    assert "NextToken" not in answer


def test_a_page_ends_where_it_is_full(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "TRACE_BYTES", 5000)
    roots = [make_segment(metadata={"x": {"y": "z" * 2000}}) for _ in range(5)]
    store(*roots)
    wanted = [root["trace_id"] for root in roots]
    pages: list[list[str]] = []
    fields: dict[str, Any] = {}

    while True:
        answer = get_batch(console, *wanted, **fields)
        pages.append([trace["Id"] for trace in answer["Traces"]])
        if "NextToken" not in answer:
            break
        fields = {"NextToken": answer["NextToken"]}

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == wanted


def test_a_trace_that_is_too_large_says_so(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "TRACE_BYTES", 5000)
    root = make_segment()
    store(
        root,
        *[
            make_segment(trace_id=root["trace_id"], metadata={"x": {"y": "z" * 2000}})
            for _ in range(5)
        ],
    )

    (trace,) = get_batch(console, root["trace_id"])["Traces"]

    assert trace["LimitExceeded"] is True
    assert 1 < len(trace["Segments"]) < 6
    assert sum(len(each["Document"]) for each in trace["Segments"]) <= 5000


def test_a_token_that_no_page_gave(console: Console, store: Store) -> None:
    root = make_segment()
    store(root)

    response = console.post("/Traces", {"TraceIds": [root["trace_id"]], "NextToken": "x"})

    assert response.status_code == 400
    assert response.headers["x-amzn-ErrorType"] == "InvalidRequestException"


def test_all_pages_by_boto3(client: Any, shared_xray: Program) -> None:
    root = make_segment(name="front")
    shared_xray.send(make_late(root), root)

    def get_all() -> Any:
        pages = client.get_paginator("batch_get_traces").paginate(TraceIds=[root["trace_id"]])
        return pages.build_full_result()["Traces"]

    (trace,) = wait_until(get_all)
    assert trace["Id"] == root["trace_id"]
