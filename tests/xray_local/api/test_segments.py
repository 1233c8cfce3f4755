"""Segments that are taken in through the API."""

import gzip
import json
import zlib
from typing import Any

import pytest

from tests.xray_local.conftest import Console
from tests.xray_local.made import make_segment
from xray_local.api import segments


def put(console: Console, *documents: Any, **options: Any) -> Any:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in documents]
    response = console.post("/TraceSegments", {"TraceSegmentDocuments": texts}, **options)
    assert response.status_code == 200, response.content
    return response.json()["UnprocessedTraceSegments"]


def ids_of(console: Console, *documents: dict[str, Any]) -> set[str]:
    """Return the ids of what is stored in the traces of the documents."""
    trace_ids = list({each["trace_id"] for each in documents})
    traces = console.post("/Traces", {"TraceIds": trace_ids}).json()["Traces"]
    return {segment["Id"] for trace in traces for segment in trace["Segments"]}


def test_put_trace_segments_names_those_that_cannot_be_stored(console: Console) -> None:
    good, other = make_segment(), make_segment(annotations={"bad key": 1})
    bad = make_segment(trace_id="1-2-3")

    unprocessed = put(console, good, bad, "nonsense", other, make_segment(id="short"))

    assert ids_of(console, good, other) == {good["id"], other["id"]}
    assert [each["ErrorCode"] for each in unprocessed] == [
        "InvalidTraceId",
        "ParseError",
        "InvalidId",
    ]
    assert unprocessed[0]["Id"] == bad["id"]
    assert unprocessed[0]["Message"].startswith("Invalid segment. ErrorCode: InvalidTraceId.")
    assert "Id" not in unprocessed[1]


def test_put_trace_segments_in_an_array(console: Console) -> None:
    segments = [make_segment(), make_segment()]

    assert put(console, json.dumps(segments)) == []
    assert ids_of(console, *segments) == {each["id"] for each in segments}


def test_put_trace_segments_with_a_signature(console: Console) -> None:
    segment = make_segment()
    signature = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/xray/aws4_request"

    assert put(console, segment, headers={"Authorization": signature}) == []
    assert ids_of(console, segment) == {segment["id"]}


def test_a_body_packed_by_gzip(console: Console) -> None:
    segment = make_segment()
    body = json.dumps({"TraceSegmentDocuments": [json.dumps(segment)]}).encode()

    response = console.post(
        "/TraceSegments", gzip.compress(body), headers={"Content-Encoding": "gzip"}
    )

    assert response.json() == {"UnprocessedTraceSegments": []}
    assert ids_of(console, segment) == {segment["id"]}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "Expected a JSON object"),
        (zlib.compress(b"{}"), "Expected a JSON object"),
        (gzip.compress(b"{}", mtime=0)[:-1], "got a part of one"),
        (gzip.compress(b" " * 3_000_000), "when it is unpacked"),
        (gzip.compress(b"[" * 100_000), "Expected a JSON object"),
    ],
)
def test_a_bad_body_packed_by_gzip(
    console: Console, settings: Any, body: bytes, reason: str
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000

    response = console.post("/TraceSegments", body, headers={"Content-Encoding": "gzip"})

    assert response.status_code == 400
    assert reason in response.json()["Message"]


@pytest.mark.parametrize("documents", [None, "text", [1], {}])
def test_put_trace_segments_without_documents(console: Console, documents: Any) -> None:
    response = console.post("/TraceSegments", {"TraceSegmentDocuments": documents})

    assert response.status_code == 400
    assert response.headers["x-amzn-ErrorType"] == "InvalidRequestException"


def test_put_telemetry_records(console: Console) -> None:
    record = {
        "Timestamp": 1_700_000_000,
        "SegmentsReceivedCount": 3,
        "BackendConnectionErrors": {"TimeoutCount": 1},
    }
    fields = {"TelemetryRecords": [record, {"Timestamp": 5.5}], "Hostname": "laptop"}

    assert console.post("/TelemetryRecords", fields).json() == {}
    assert console.post("/TelemetryRecords", {"TelemetryRecords": []}).json() == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "Expected TelemetryRecords, which is missing."),
        ({"TelemetryRecords": {}}, "Expected a list of objects as TelemetryRecords"),
        ({"TelemetryRecords": [{}]}, "Expected Timestamp, which is missing."),
        ({"TelemetryRecords": [{"Timestamp": "now"}]}, "Expected a number as Timestamp"),
        (
            {"TelemetryRecords": [{"Timestamp": 1, "SegmentsSentCount": 1.5}]},
            "Expected a whole number as SegmentsSentCount",
        ),
        (
            {"TelemetryRecords": [{"Timestamp": 1, "BackendConnectionErrors": []}]},
            "Expected an object as BackendConnectionErrors",
        ),
        (
            {
                "TelemetryRecords": [
                    {"Timestamp": 1, "BackendConnectionErrors": {"OtherCount": "3"}}
                ]
            },
            "Expected a number as OtherCount",
        ),
        ({"TelemetryRecords": [], "Hostname": "x" * 256}, "Expected a text of 0 to 255"),
        ({"TelemetryRecords": [], "EC2InstanceId": "x" * 21}, "Expected a text of 0 to 20"),
        ({"TelemetryRecords": [], "ResourceARN": 5}, "Expected a text as ResourceARN"),
    ],
)
def test_put_telemetry_records_that_are_refused(
    console: Console, fields: dict[str, Any], expected: str
) -> None:
    response = console.post("/TelemetryRecords", fields)

    assert response.status_code == 400
    assert response.json()["Message"].startswith(expected)


@pytest.mark.parametrize("texts", [["{}"] * 6, ["[0, 0, 0]", "[0, 0, 0]"]])
def test_nothing_but_rubbish(
    console: Console, monkeypatch: pytest.MonkeyPatch, texts: list[str]
) -> None:
    monkeypatch.setattr(segments, "DOCUMENTS_MAX", 5)

    response = console.post("/TraceSegments", {"TraceSegmentDocuments": texts})

    assert response.status_code == 400
    assert response.json()["__type"] == "InvalidRequestException"
