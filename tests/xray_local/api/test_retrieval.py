"""Traces as Transaction Search retrieves them."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import NOON, make_late, make_segment, make_subsegment, make_trace_id
from xray_local.control.database import changing


def start(console: Console, *trace_ids: str, **fields: Any) -> str:
    body = {"TraceIds": list(trace_ids), "StartTime": NOON - 60, "EndTime": NOON + 60} | fields
    response = console.post("/StartTraceRetrieval", body)
    assert response.status_code == 200, response.content
    return str(response.json()["RetrievalToken"])


def list_traces(console: Console, token: str, **fields: Any) -> dict[str, Any]:
    response = console.post("/ListRetrievedTraces", {"RetrievalToken": token, **fields})
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_segments(console: Console, store: Store) -> None:
    call = make_subsegment(name="DynamoDB", namespace="aws", aws={"table_name": "films"})
    root = make_segment(subsegments=[call])
    late = make_late(root)
    store(root, late)

    answer = list_traces(console, start(console, root["trace_id"]))

    assert (answer["RetrievalStatus"], answer["TraceFormat"]) == ("COMPLETE", "XRAY")
    (trace,) = answer["Traces"]
    assert (trace["Id"], trace["Duration"]) == (root["trace_id"], pytest.approx(0.1))
    # As BatchGetTraces has them: the late one in its parent, and what was inferred.
    documents = [json.loads(span["Document"]) for span in trace["Spans"]]
    assert [document["id"] for document in documents] == [span["Id"] for span in trace["Spans"]]
    (batch,) = console.post("/Traces", {"TraceIds": [root["trace_id"]]}).json()["Traces"]
    assert documents == [json.loads(each["Document"]) for each in batch["Segments"]]
    assert [document.get("inferred") for document in documents] == [None, True]


def test_spans(console: Console, store: Store) -> None:
    root = make_segment(subsegments=[make_subsegment(name="work")])
    store(root)

    answer = list_traces(console, start(console, root["trace_id"]), TraceFormat="OTEL")

    (trace,) = answer["Traces"]
    spans = [json.loads(span["Document"]) for span in trace["Spans"]]
    assert [span["name"] for span in spans] == ["movies", "work"]
    assert [span["spanId"] for span in spans] == [span["Id"] for span in trace["Spans"]]
    assert spans[1]["parentSpanId"] == root["id"]


def test_pages_of_five_traces(console: Console, store: Store) -> None:
    roots = [make_segment() for _ in range(12)]
    store(*roots)
    ids = [root["trace_id"] for root in roots]
    token = start(console, *ids, make_trace_id())

    pages = [list_traces(console, token)]
    while "NextToken" in pages[-1]:
        pages.append(list_traces(console, token, NextToken=pages[-1]["NextToken"]))

    assert [len(page["Traces"]) for page in pages] == [5, 5, 2]
    assert [trace["Id"] for page in pages for trace in page["Traces"]] == ids


def test_a_trace_of_many_spans_goes_on(console: Console, store: Store) -> None:
    small = make_segment()
    large = make_segment(subsegments=[make_subsegment() for _ in range(600)])
    store(small, large)
    token = start(console, small["trace_id"], large["trace_id"])

    first = list_traces(console, token, TraceFormat="OTEL")
    second = list_traces(console, token, TraceFormat="OTEL", NextToken=first["NextToken"])

    sizes = [
        (trace["Id"] == large["trace_id"], len(trace["Spans"]))
        for page in (first, second)
        for trace in page["Traces"]
    ]
    assert sizes == [(False, 1), *([(True, 100)] * 6), (True, 1)]
    ids = [span["Id"] for page in (first, second) for t in page["Traces"] for span in t["Spans"]]
    assert len(set(ids)) == 602


def test_only_what_was_active_in_the_range(console: Console, store: Store) -> None:
    root = make_segment(start_time=NOON, end_time=NOON + 10)
    store(root)

    for begin, end, is_there in (
        (NOON - 9, NOON, True),
        (NOON + 10, NOON + 20, True),
        (NOON + 4, NOON + 5, True),
        (NOON - 9, NOON - 1, False),
        (NOON + 11, NOON + 20, False),
    ):
        token = start(console, root["trace_id"], StartTime=begin, EndTime=end)
        assert bool(list_traces(console, token)["Traces"]) is is_there, (begin, end)


def test_the_graph(console: Console, store: Store) -> None:
    call = make_subsegment(name="SQS", namespace="aws", aws={"queue_url": "https://x/0/films"})
    sender = make_segment(name="front", subsegments=[call])
    link = {"trace_id": sender["trace_id"], "id": call["id"]}
    receiver = make_segment(name="worker", links=[link])
    store(sender, receiver)
    token = start(console, sender["trace_id"], receiver["trace_id"])

    answer = console.post("/GetRetrievedTracesGraph", {"RetrievalToken": token}).json()

    assert answer["RetrievalStatus"] == "COMPLETE"
    services = {
        (each["Service"]["Name"], each["Service"].get("Type")): each for each in answer["Services"]
    }
    assert {("front", None), ("worker", None), ("front", "client")} <= set(services)
    assert services[("worker", None)]["Links"] == [
        {
            "ReferenceType": "link",
            "SourceTraceId": sender["trace_id"],
            "DestinationTraceIds": [receiver["trace_id"]],
        }
    ]
    assert services[("front", None)]["Links"] == []
    expected = {"TraceIds": [sender["trace_id"], receiver["trace_id"]]}
    graph = console.post("/TraceGraph", expected).json()
    assert [each["Service"] for each in answer["Services"]] == graph["Services"]


def test_nothing_once_it_is_cancelled(console: Console, store: Store) -> None:
    root = make_segment()
    store(root)
    token = start(console, root["trace_id"])

    assert console.post("/CancelTraceRetrieval", {"RetrievalToken": token}).json() == {}

    answer = list_traces(console, token)
    assert (answer["RetrievalStatus"], answer["Traces"]) == ("CANCELLED", [])
    graph = console.post("/GetRetrievedTracesGraph", {"RetrievalToken": token}).json()
    assert graph == {"RetrievalStatus": "CANCELLED", "Services": []}


def test_nothing_after_an_hour(console: Console, store: Store, database: Any) -> None:
    root = make_segment()
    store(root)
    token = start(console, root["trace_id"])
    with changing(database) as connection:
        connection.execute("UPDATE retrievals SET started = ?", (time.time() - 3601,))

    answer = list_traces(console, token)

    assert (answer["RetrievalStatus"], answer["Traces"]) == ("TIMEOUT", [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"TraceIds": None}, "Expected a list of texts as TraceIds"),
        ({"TraceIds": ["x"]}, "Expected trace ids like '1-58406520-a006649127e371903a2de979'"),
        ({"TraceIds": [make_trace_id()] * 101}, "Expected at most 100 members in TraceIds"),
        ({"StartTime": None}, "Expected StartTime, which is missing."),
        ({"EndTime": "now"}, "Expected a number as EndTime"),
        ({"StartTime": NOON + 1, "EndTime": NOON}, "Expected a StartTime before the EndTime"),
        # What is no time would be found out when it is stored.
        ({"StartTime": 2**64 - 1, "EndTime": 2**64 - 1}, "Expected a number of at least 0"),
        ({"StartTime": -1}, "Expected a number of at least 0"),
    ],
)
def test_requests_that_are_refused(console: Console, fields: dict[str, Any], expected: str) -> None:
    body = {"TraceIds": [], "StartTime": NOON, "EndTime": NOON, **fields}

    response = console.post("/StartTraceRetrieval", body)

    assert response.status_code == 400
    assert response.json()["Message"].startswith(expected)


@pytest.mark.parametrize("token", ["WzAsLTFd", "WzFd", "WyJhIiwxXQ", "WzEuNSwwXQ", "x", ""])
def test_pages_of_something_else(console: Console, token: str) -> None:
    body = {"RetrievalToken": start(console), "NextToken": token}

    response = console.post("/ListRetrievedTraces", body)

    assert response.status_code == 400
    assert response.json()["Message"].startswith("Expected a NextToken of this operation")


def test_tokens_that_are_unknown(client: Any) -> None:
    for call in (
        client.list_retrieved_traces,
        client.get_retrieved_traces_graph,
        client.cancel_trace_retrieval,
    ):
        with pytest.raises(ClientError, match="RetrievalToken of StartTraceRetrieval") as caught:
            call(RetrievalToken="nothing")
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
        assert caught.value.response["ResourceName"] == "nothing"
