"""Spans of OpenTelemetry, made of segments."""

import json
from typing import Any

from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment
from xray_local.traces.spans import make_spans

NANOSECONDS = 1_000_000_000


def make(**fields: Any) -> dict[str, Any]:
    """Return the first span of a segment."""
    return make_spans(make_segment(**fields))[0]


def test_one_for_each_subsegment() -> None:
    inner = make_subsegment(name="inner")
    outer = make_subsegment(name="outer", subsegments=[inner])
    last = make_subsegment(name="last")
    root = make_segment(subsegments=[outer, last], parent_id="0123456789abcdef")

    spans = make_spans(root)

    assert [(span["name"], span["parentSpanId"]) for span in spans] == [
        ("movies", "0123456789abcdef"),
        ("outer", root["id"]),
        ("inner", outer["id"]),
        ("last", root["id"]),
    ]
    _, first, second = root["trace_id"].split("-")
    assert {span["traceId"] for span in spans} == {first + second}
    services = [span["resource"]["attributes"]["service.name"] for span in spans]
    assert services == ["movies"] * 4


def test_times() -> None:
    span = make(start_time=NOON, end_time=NOON + 0.25)

    assert span["startTimeUnixNano"] == NOON * NANOSECONDS
    assert span["endTimeUnixNano"] - span["startTimeUnixNano"] == span["durationNano"] == 250e6
    assert type(span["durationNano"]) is int
    assert "parentSpanId" not in span


def test_what_is_in_progress() -> None:
    span = make(end_time=None, in_progress=True)

    assert span["durationNano"] == 0
    assert span["attributes"]["aws.xray.inprogress"] is True


def test_kinds() -> None:
    root = make_segment(
        subsegments=[make_subsegment(), make_subsegment(namespace="remote")],
    )
    called = make_segment(namespace="aws", inferred=True)
    late = make_segment(type="subsegment", parent_id="0123456789abcdef")

    assert [span["kind"] for span in make_spans(root)] == ["SERVER", "INTERNAL", "CLIENT"]
    assert make_spans(called)[0]["kind"] == "CLIENT"
    assert make_spans(late)[0]["kind"] == "INTERNAL"


def test_status() -> None:
    codes = [make(**{flag: True})["status"]["code"] for flag in ("error", "fault", "throttle")]

    assert codes == ["ERROR", "ERROR", "UNSET"]


def test_attributes() -> None:
    http = make_request("https://example.com/films", 503, "POST")
    http["request"] |= {"user_agent": "curl", "client_ip": "192.0.2.1"}
    attributes = make(
        http=http,
        user="ada",
        annotations={"film": 7, "b": True},
        metadata={"default": {"rows": [1, 2]}},
        sql={"sanitized_query": "SELECT ?", "database_type": "PostgreSQL"},
    )["attributes"]

    assert attributes == {
        "http.request.method": "POST",
        "url.full": "https://example.com/films",
        "user_agent.original": "curl",
        "client.address": "192.0.2.1",
        "http.response.status_code": 503,
        "db.query.text": "SELECT ?",
        "db.system.name": "PostgreSQL",
        "enduser.id": "ada",
        "film": 7,
        "b": True,
        "aws.xray.annotations": ["b", "film"],
        "aws.xray.metadata.default": '{"rows": [1, 2]}',
    }


def test_calls_of_aws() -> None:
    call = make_subsegment(
        name="DynamoDB",
        namespace="aws",
        aws={"operation": "Query", "region": "eu-west-1", "table_name": "films", "retries": 2},
    )

    (_, span) = make_spans(make_segment(subsegments=[call]))

    assert span["attributes"] == {
        "rpc.system": "aws-api",
        "rpc.method": "Query",
        "cloud.region": "eu-west-1",
        "aws.table_name": "films",
        "aws.retries": 2,
    }


def test_resource() -> None:
    span = make(
        origin="AWS::EC2::Instance",
        service={"version": "1.2"},
        aws={
            "account_id": "000000000000",
            "ec2": {"instance_id": "i-1", "availability_zone": "eu-west-1a"},
            "ecs": {"container": "web"},
        },
    )

    assert span["resource"]["attributes"] == {
        "service.name": "movies",
        "service.version": "1.2",
        "aws.xray.origin": "AWS::EC2::Instance",
        "cloud.account.id": "000000000000",
        "cloud.availability_zone": "eu-west-1a",
        "host.id": "i-1",
        "container.name": "web",
    }
    assert span["attributes"] == {}


def test_exceptions_are_events() -> None:
    cause = {
        "exceptions": [
            {
                "id": "0123456789abcdef",
                "type": "KeyError",
                "message": "'film'",
                "stack": [{"path": "views.py", "line": 7, "label": "show"}, {"label": "main"}],
            }
        ]
    }

    (event,) = make(cause=cause, fault=True)["events"]

    assert event["name"] == "exception"
    assert event["timeUnixNano"] == (NOON + 0.1) * NANOSECONDS
    assert event["attributes"] == {
        "exception.type": "KeyError",
        "exception.message": "'film'",
        "exception.stacktrace": "views.py:7 show\n: main",
    }
    # A cause may be the id of an exception elsewhere.
    assert "events" not in make(cause="0123456789abcdef")


def test_links() -> None:
    link = {"trace_id": "1-58406520-a006649127e371903a2de979", "id": "0123456789abcdef"}

    (found,) = make(links=[{**link, "attributes": {"queue": "films"}}])["links"]

    assert found == {
        "traceId": "58406520a006649127e371903a2de979",
        "spanId": "0123456789abcdef",
        "attributes": {"queue": "films"},
    }


def test_deep_trees_are_no_recursion() -> None:
    document = make_subsegment(name="deepest")
    for _ in range(3000):
        document = make_subsegment(subsegments=[document])

    spans = make_spans(make_segment(subsegments=[document]))

    assert len(spans) == 3002
    assert json.dumps(spans[-1])
