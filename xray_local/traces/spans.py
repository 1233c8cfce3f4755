"""Spans of OpenTelemetry, made of the documents of segments.

One for the segment and one for each subsegment, under the names of OpenTelemetry's semantic
conventions, in the form in which Transaction Search keeps spans in the log group aws/spans.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html
https://opentelemetry.io/docs/specs/semconv/

AWS documents the form by a few examples only, so the names are doubtful where they are not
OpenTelemetry's: `aws.xray.*` are those of the Collector's receiver for X-Ray.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .documents import as_mapping, as_text, as_time

REQUEST = {
    "method": "http.request.method",
    "url": "url.full",
    "user_agent": "user_agent.original",
    "client_ip": "client.address",
}
RESPONSE = {"status": "http.response.status_code", "content_length": "http.response.body.size"}
SQL = {
    "sanitized_query": "db.query.text",
    "database_type": "db.system.name",
    "user": "db.user",
    "url": "db.url",
    "connection_string": "db.connection_string",
}
CALL = {"operation": "rpc.method", "region": "cloud.region", "account_id": "cloud.account.id"}


def make_spans(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the span of a document and those of the subsegments within, parents first.

    document: a segment, or a subsegment that came on its own, that complies with the schema.
    """
    trace_id = str(document["trace_id"])
    resource = {"attributes": {"service.name": document["name"], **_describe_resource(document)}}
    parts = trace_id.split("-")
    common = {"resource": resource, "scope": {"name": "xray"}, "traceId": parts[1] + parts[2]}
    return [common | span for span in _walk(document, as_text(document.get("parent_id")))]


def _walk(document: Mapping[str, Any], parent_id: str | None) -> Iterator[dict[str, Any]]:
    """Yield spans without what they have in common."""
    waiting = [(document, parent_id)]
    while waiting:
        document, parent_id = waiting.pop()
        yield _make_span(document, parent_id)
        children = [each for each in document.get("subsegments") or () if isinstance(each, dict)]
        waiting.extend((child, document["id"]) for child in reversed(children))


def _make_span(document: Mapping[str, Any], parent_id: str | None) -> dict[str, Any]:
    start, end = _read_times(document)
    span: dict[str, Any] = {"spanId": document["id"]}
    if parent_id:
        span["parentSpanId"] = parent_id
    span |= {
        "flags": 1,
        "name": document["name"],
        "kind": _choose_kind(document),
        "startTimeUnixNano": start,
        "endTimeUnixNano": end,
        "durationNano": end - start,
        "attributes": _describe(document),
        "status": {"code": "ERROR" if document.get("error") or document.get("fault") else "UNSET"},
    }
    cause = document.get("cause")
    exceptions = cause.get("exceptions") if isinstance(cause, dict) else None
    if isinstance(exceptions, list):
        span["events"] = [_describe_exception(each, end) for each in map(as_mapping, exceptions)]
    if isinstance(document.get("links"), list):
        span["links"] = [
            {
                "traceId": "".join(str(link.get("trace_id", "")).split("-")[1:]),
                "spanId": link.get("id", ""),
                "attributes": link.get("attributes") or {},
            }
            for link in map(as_mapping, document["links"])
        ]
    return span


def _read_times(document: Mapping[str, Any]) -> tuple[int, int]:
    """Return start and end in nanoseconds since 1970, as exact as a number of JSON is."""
    start = as_time(document.get("start_time")) or 0.0
    end = as_time(document.get("end_time")) or start
    return round(start * 1e6) * 1000, round(end * 1e6) * 1000


def _choose_kind(document: Mapping[str, Any]) -> str:
    """Return what OpenTelemetry calls it: who calls is a client, what a service does a server."""
    if document.get("namespace") in ("aws", "remote"):
        return "CLIENT"
    return "SERVER" if "type" not in document and "trace_id" in document else "INTERNAL"


def _describe_resource(document: Mapping[str, Any]) -> dict[str, Any]:
    aws = as_mapping(document.get("aws"))
    found = {
        "cloud.account.id": aws.get("account_id"),
        "host.id": as_mapping(aws.get("ec2")).get("instance_id"),
        "cloud.availability_zone": as_mapping(aws.get("ec2")).get("availability_zone"),
        "container.name": as_mapping(aws.get("ecs")).get("container"),
        "service.version": as_mapping(document.get("service")).get("version"),
        "aws.xray.origin": document.get("origin"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _describe(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a span; the keys of annotations are X-Ray's own."""
    http = as_mapping(document.get("http"))
    attributes: dict[str, Any] = {}
    for source, names in (
        (http.get("request"), REQUEST),
        (http.get("response"), RESPONSE),
        (document.get("sql"), SQL),
    ):
        values = as_mapping(source)
        attributes |= {names[key]: values[key] for key in names if key in values}
    if document.get("namespace") == "aws":
        attributes["rpc.system"] = "aws-api"
        attributes |= {
            CALL.get(key, f"aws.{key}"): value
            for key, value in as_mapping(document.get("aws")).items()
            if isinstance(value, str | int | float | list)
        }
    if "user" in document:
        attributes["enduser.id"] = document["user"]
    for flag, name in (("in_progress", "inprogress"), ("inferred", "inferred")):
        if document.get(flag):
            attributes[f"aws.xray.{name}"] = True
    annotations = as_mapping(document.get("annotations"))
    if annotations:
        attributes |= annotations
        attributes["aws.xray.annotations"] = sorted(annotations)
    for namespace, value in as_mapping(document.get("metadata")).items():
        attributes[f"aws.xray.metadata.{namespace}"] = json.dumps(value)
    return attributes


def _describe_exception(exception: Mapping[str, Any], end: int) -> dict[str, Any]:
    attributes = {
        f"exception.{key}": exception[key] for key in ("type", "message") if key in exception
    }
    stack = exception.get("stack")
    if isinstance(stack, list) and stack:
        attributes["exception.stacktrace"] = "\n".join(
            f"{frame.get('path', '')}:{frame.get('line', '')} {frame.get('label', '')}".strip()
            for frame in map(as_mapping, stack)
        )
    return {
        "name": "exception",
        "timeUnixNano": end,
        "attributes": attributes,
    }
