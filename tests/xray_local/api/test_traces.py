"""The X-Ray API: by boto3 against the program, and where boto3 would not ask, by hand."""

import json
import sqlite3
import time
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.xray_local.conftest import Console, Store, make_client
from tests.xray_local.made import (
    NOON,
    make_id,
    make_late,
    make_request,
    make_segment,
    make_subsegment,
    make_trace_id,
    wait_until,
)
from tests.xray_local.program import Program
from xray_local.errors import IntakeDown
from xray_local.store import queries


def put(client: Any, *documents: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.put_trace_segments(TraceSegmentDocuments=[json.dumps(d) for d in documents])
    return list(answer["UnprocessedTraceSegments"])


def get_one(client: Any, trace_id: str) -> dict[str, Any]:
    """Return the trace as soon as it can be seen."""
    (trace,) = wait_until(lambda: client.batch_get_traces(TraceIds=[trace_id])["Traces"])
    return dict(trace)


def summarise(client: Any, segment: dict[str, Any]) -> dict[str, Any]:
    get_one(client, segment["trace_id"])
    start = segment["start_time"]
    pages = client.get_paginator("get_trace_summaries").paginate(
        StartTime=start - 1, EndTime=start + 1
    )
    found = [each for page in pages for each in page["TraceSummaries"]]
    (summary,) = (each for each in found if each["Id"] == segment["trace_id"])
    return dict(summary)


def test_put_and_get_back(client: Any) -> None:
    root = make_segment(subsegments=[make_subsegment(name="inner")])

    assert put(client, root) == []

    trace = get_one(client, root["trace_id"])
    assert trace["LimitExceeded"] is False
    assert trace["Duration"] == pytest.approx(0.1)
    (segment,) = trace["Segments"]
    assert segment["Id"] == root["id"]
    assert json.loads(segment["Document"]) == root


def test_seen_within_200_ms(client: Any) -> None:
    root = make_segment()
    put(client, root)
    began = time.monotonic()

    get_one(client, root["trace_id"])

    assert time.monotonic() - began < 2  # ten times as much, on a machine that is shared


def test_put_names_what_it_cannot_store_and_keeps_the_rest(client: Any) -> None:
    good, bad = make_segment(), make_segment(trace_id="1-2-3")
    nameless = make_segment(id=None)

    unprocessed = put(client, bad, good, nameless)

    assert [each["ErrorCode"] for each in unprocessed] == ["InvalidTraceId", "MissingId"]
    assert unprocessed[0]["Id"] == bad["id"]
    assert "ErrorCode: InvalidTraceId" in unprocessed[0]["Message"]
    assert "Id" not in unprocessed[1]
    assert get_one(client, good["trace_id"])


def test_put_many_documents_larger_than_the_pipe(client: Any) -> None:
    roots = [make_segment(metadata={"x": {"y": "z" * 60_000}}) for _ in range(50)]

    assert put(client, *roots) == []

    assert get_one(client, roots[-1]["trace_id"])


def test_put_on_one_connection(client: Any, shared_xray: Program) -> None:
    seconds = []

    for _ in range(50):
        began = time.monotonic()
        put(client, make_segment())
        seconds.append(time.monotonic() - began)

    # Each would take 40 ms if the kernel waited for more to send. A busy machine delays some.
    assert min(seconds) < 0.04


def test_summary(client: Any) -> None:
    root = make_segment(
        name="front",
        origin="AWS::Lambda::Function",
        start_time=NOON + 0.25,
        end_time=NOON + 1.25,
        error=True,
        throttle=True,
        user="ada",
        http=make_request("http://a/b", 429, "POST"),
        annotations={"count": 3, "is_cold": True, "route": "movie"},
        aws={"ec2": {"instance_id": "i-1", "availability_zone": "eu-1a"}},
        resource_arn="arn:aws:x",
    )
    put(client, root)

    summary = summarise(client, root)

    front = {"Name": "front", "Names": ["front"], "Type": "AWS::Lambda::Function"}
    entity = {"Name": "front", "Remote": False}
    cause = {"Services": [{**front, "Inferred": False}], "ClientImpacting": True}
    for kind, said in (
        ("FaultRootCauses", None),
        ("ErrorRootCauses", {"Exceptions": []}),
        ("ResponseTimeRootCauses", None),
    ):
        found = summary.pop(kind)
        if said is None:
            assert found == []
        else:
            assert [each["Services"][0].pop("EntityPath") for each in found] == [[entity | said]]
            assert found == [cause]
    assert summary.pop("StartTime") == datetime.fromtimestamp(NOON + 0.25, UTC)
    assert summary == {
        "Id": root["trace_id"],
        "Duration": 1.0,
        "ResponseTime": 1.0,
        "HasFault": False,
        "HasError": True,
        "HasThrottle": True,
        "IsPartial": False,
        "Http": {"HttpURL": "http://a/b", "HttpStatus": 429, "HttpMethod": "POST"},
        "Annotations": {
            "count": [{"AnnotationValue": {"NumberValue": 3.0}, "ServiceIds": [front]}],
            "is_cold": [{"AnnotationValue": {"BooleanValue": True}, "ServiceIds": [front]}],
            "route": [{"AnnotationValue": {"StringValue": "movie"}, "ServiceIds": [front]}],
        },
        "Users": [{"UserName": "ada", "ServiceIds": [front]}],
        "ServiceIds": [front],
        "EntryPoint": front,
        "ResourceARNs": [{"ARN": "arn:aws:x"}],
        "InstanceIds": [{"Id": "i-1"}],
        "AvailabilityZones": [{"Name": "eu-1a"}],
        "Revision": 1,
    }


def test_summaries_page_by_page(client: Any, console: Console, store: Store) -> None:
    segments = [make_segment(start_time=NOON + number) for number in range(250)]
    store(*segments)
    fields = {"StartTime": NOON - 10, "EndTime": NOON + 1000}
    found: list[str] = []

    while True:
        page = console.post("/TraceSummaries", fields).json()
        assert page["TracesProcessedCount"] == len(page["TraceSummaries"]) <= queries.PAGE_TRACES
        found += [summary["Id"] for summary in page["TraceSummaries"]]
        if "NextToken" not in page:
            # It began where the range begins: nothing is left.
            assert page["ApproximateTime"] == fields["StartTime"]
            break
        assert page["ApproximateTime"] == page["TraceSummaries"][-1]["StartTime"]
        fields["NextToken"] = page["NextToken"]

    assert found == [segment["trace_id"] for segment in reversed(segments)]


def test_summaries_of_an_empty_range(client: Any) -> None:
    answer = client.get_trace_summaries(StartTime=1, EndTime=2, TimeRangeType="Event")

    assert answer["TraceSummaries"] == []
    assert answer["TracesProcessedCount"] == 0
    assert answer["ApproximateTime"] == datetime.fromtimestamp(1, UTC)


@pytest.mark.parametrize(
    ("kind", "start"), [("TraceId", NOON), ("Event", NOON + 15), ("Service", NOON + 20)]
)
def test_summaries_by_kind_of_range(console: Console, store: Store, kind: str, start: int) -> None:
    store(make_segment(trace_id=make_trace_id(), start_time=NOON + 10, end_time=NOON + 20))

    fields = {"StartTime": start, "EndTime": start + 0.5, "TimeRangeType": kind}

    assert len(console.post("/TraceSummaries", fields).json()["TraceSummaries"]) == 1


def test_summaries_of_a_sample(client: Any) -> None:
    start = NOON + 9000
    roots = [make_segment(start_time=start + n / 100, user="sample") for n in range(20)]
    put(client, *roots)
    get_one(client, roots[-1]["trace_id"])

    def list_sample(**fields: Any) -> set[str]:
        answer = client.get_trace_summaries(
            StartTime=start, EndTime=start + 1, FilterExpression='user = "sample"', **fields
        )
        return {each["Id"] for each in answer["TraceSummaries"]}

    ids = {each["trace_id"] for each in roots}
    none: dict[str, Any] = {"Name": "FixedRate", "Value": 0}
    half: dict[str, Any] = {"Name": "PartialScan", "Value": 0.5}
    assert list_sample(Sampling=True) == ids
    assert list_sample(SamplingStrategy=none, Sampling=True) == set()
    # "Set to true to get summaries for only a subset of available traces."
    assert list_sample(SamplingStrategy=none) == ids
    assert list_sample(SamplingStrategy=none, Sampling=False) == ids
    assert len(list_sample(SamplingStrategy=half, Sampling=True)) == 10


def test_a_wrong_filter_is_refused_with_the_place(client: Any) -> None:
    with pytest.raises(
        client.exceptions.InvalidRequestException,
        match=r"at character 12: expected a number, got the end\.",
    ) as raised:
        client.get_trace_summaries(StartTime=1, EndTime=2, FilterExpression="duration > ")

    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_get_traces_and_ids_that_are_not_known(client: Any) -> None:
    root = make_segment()
    put(client, root)
    get_one(client, root["trace_id"])
    unknown = make_trace_id()

    answer = client.batch_get_traces(TraceIds=[unknown, root["trace_id"], root["trace_id"]])

    assert [trace["Id"] for trace in answer["Traces"]] == [root["trace_id"]]
    assert answer["UnprocessedTraceIds"] == [unknown]


def test_get_traces_with_an_id_that_is_none(client: Any) -> None:
    with pytest.raises(client.exceptions.InvalidRequestException, match=r"got 'not-a-trace'\."):
        client.batch_get_traces(TraceIds=["not-a-trace"])


def test_get_a_trace_whose_subsegments_came_late(client: Any, shared_xray: Program) -> None:
    root = make_segment(subsegments=[make_subsegment("first")])
    late = make_late(root, parent_id=root["subsegments"][0]["id"])
    below = make_segment(name="below", trace_id=root["trace_id"], parent_id=late["id"])
    shared_xray.send(below, late, root)

    def get_all() -> Any:
        traces = client.batch_get_traces(TraceIds=[root["trace_id"]])["Traces"]
        return traces and len(traces[0]["Segments"]) == 2 and traces[0]

    trace = wait_until(get_all)
    documents = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    assert [document["name"] for document in documents] == ["movies", "below"]
    assert documents[0]["subsegments"][0]["subsegments"][0]["id"] == late["id"]


def test_sampling(client: Any) -> None:
    (record,) = client.get_sampling_rules()["SamplingRuleRecords"]
    statistics = {
        "ClientID": "0" * 24,
        "Timestamp": time.time(),
        "RequestCount": 1,
        "SampledCount": 1,
    }
    reports = [statistics | {"RuleName": name} for name in ("Default", "Other")]

    answer = client.get_sampling_targets(SamplingStatisticsDocuments=reports)

    assert record["SamplingRule"]["FixedRate"] == 1.0
    (target,) = answer["SamplingTargetDocuments"]
    assert (target["RuleName"], target["FixedRate"]) == ("Default", 1.0)
    assert target["ReservoirQuotaTTL"] > datetime.now(UTC)
    assert [each["RuleName"] for each in answer["UnprocessedStatistics"]] == ["Other"]


def test_telemetry(client: Any) -> None:
    client.put_telemetry_records(TelemetryRecords=[{"Timestamp": time.time()}])


def test_an_operation_that_is_not_served(shared_xray: Program) -> None:
    client = make_client(f"{shared_xray.url}/elsewhere")

    with pytest.raises(ClientError, match="does not serve '/elsewhere/ServiceGraph'") as raised:
        client.get_service_graph(StartTime=1, EndTime=2)

    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"


@pytest.mark.parametrize("path", ["/", "/nothing", "/traces/x", "/TraceSummaries/"])
def test_post_to_another_path(console: Console, path: str) -> None:
    response = console.post(path, {})

    assert response.status_code in (404, 405)
    if response.status_code == 404:
        assert response.headers["x-amzn-ErrorType"] == "UnknownOperationException"
        assert "does not serve" in response.json()["Message"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/TraceSegments", {}),
        ("/TraceSegments", {"TraceSegmentDocuments": "x"}),
        ("/TraceSegments", {"TraceSegmentDocuments": [1]}),
        ("/TraceSegments", []),
        ("/TraceSegments", b"{"),
        ("/TraceSegments", b"[" * 100_000),
        ("/TraceSegments", b"\xff"),
        ("/TraceSegments", b"9" * 5000),
        ("/Traces", {}),
        ("/Traces", {"TraceIds": [None]}),
        ("/Traces", {"TraceIds": ["é"]}),
        ("/TraceSummaries", {}),
        ("/TraceSummaries", {"StartTime": 2, "EndTime": 1}),
        ("/TraceSummaries", {"StartTime": "1", "EndTime": 2}),
        ("/TraceSummaries", {"StartTime": 10**400, "EndTime": 2}),
        ("/TraceSummaries", {"StartTime": 1, "EndTime": 2, "TimeRangeType": "Other"}),
        ("/TraceSummaries", {"StartTime": 1, "EndTime": 2, "TimeRangeType": ["Event"]}),
        ("/TraceSummaries", {"StartTime": 1, "EndTime": 2, "TimeRangeType": []}),
        ("/TraceSummaries", {"StartTime": 1, "EndTime": 2, "NextToken": "x"}),
        ("/TraceSummaries", {"StartTime": 1, "EndTime": 2, "Sampling": "yes"}),
        ("/TraceSummaries", {"StartTime": 1, "EndTime": 2, "SamplingStrategy": {"Value": 1}}),
        (
            "/TraceSummaries",
            {"StartTime": 1, "EndTime": 2, "SamplingStrategy": {"Name": "All", "Value": 1}},
        ),
        (
            "/TraceSummaries",
            {"StartTime": 1, "EndTime": 2, "SamplingStrategy": {"Name": "FixedRate", "Value": 2}},
        ),
        ("/TraceSummaries", {"StartTime": 1, "EndTime": 2, "NextToken": 3}),
        ("/SamplingTargets", {"SamplingStatisticsDocuments": 1}),
        ("/TelemetryRecords", {"TelemetryRecords": None}),
    ],
)
def test_requests_that_cannot_be_answered(console: Console, path: str, fields: Any) -> None:
    response = console.post(path, fields)

    assert response.status_code == 400
    assert response.headers["x-amzn-ErrorType"] == "InvalidRequestException"
    assert response.json()["Message"].startswith("Expected ")


def test_get_of_an_operation(console: Console) -> None:
    response = console.get("/TraceSummaries")

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


def test_put_while_nobody_stores(database: Any, console: Console) -> None:
    def refuse(_texts: Iterable[str]) -> None:
        raise IntakeDown("Send the segments again.")

    deaf = Console(database, refuse)
    response = deaf.post("/TraceSegments", {"TraceSegmentDocuments": [json.dumps(make_segment())]})
    deaf.close()

    assert response.status_code == 429
    assert response.headers["x-amzn-ErrorType"] == "ThrottledException"


def test_database_gone(console: Console, connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE traces")

    response = console.post("/TraceSummaries", {"StartTime": 1, "EndTime": 2})

    assert response.status_code == 500
    assert "no such table: traces" in response.json()["Message"]


def test_a_failure_of_ours(
    console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("xray_local.api.traces.list_traces", None)
    console._client.raise_request_exception = False

    response = console.post("/TraceSummaries", {"StartTime": 1, "EndTime": 2})

    assert response.status_code == 500
    assert response.headers["x-amzn-ErrorType"] == "InternalFailure"


def test_signed_by_nobody(shared_xray: Program) -> None:
    request = urllib.request.Request(f"{shared_xray.url}/GetSamplingRules", method="POST", data=b"")

    with urllib.request.urlopen(request, timeout=5) as response:
        assert json.load(response)["SamplingRuleRecords"]


def test_two_clients_at_once(shared_xray: Program) -> None:
    one, other = make_client(shared_xray.url), make_client(shared_xray.url)
    roots = [make_segment(id=make_id()) for _ in range(2)]

    put(one, roots[0])
    put(other, roots[1])

    assert get_one(other, roots[0]["trace_id"])
    assert get_one(one, roots[1]["trace_id"])
    one.close()
    other.close()
