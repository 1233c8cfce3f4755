"""The operations that take segments in, and that find and return traces.

https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html
"""

import json
from typing import Any

from django.http import HttpRequest

from xray_local.database import reading
from xray_local.documents import TRACE_ID, as_number, read_document, show
from xray_local.errors import DocumentRefused, InvalidRequest
from xray_local.filters import read_filter
from xray_local.parts import get_parts
from xray_local.queries import RangeType, TimeRange, get_documents, get_summary, list_traces
from xray_local.trees import build_tree, merge_documents

from .wire import operation, read_text, read_texts


@operation
def put_trace_segments(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take segments in; those that cannot be stored are named, the others kept."""
    accepted: list[str] = []
    unprocessed: list[dict[str, str]] = []
    for text in read_texts(fields, "TraceSegmentDocuments"):
        try:
            accepted.append(read_document(text).text)
        except DocumentRefused as refusal:
            unprocessed.append({"ErrorCode": refusal.code, "Message": str(refusal)})
            if refusal.document_id:
                unprocessed[-1]["Id"] = refusal.document_id
    if accepted:
        get_parts(request).send(accepted)
    return {"UnprocessedTraceSegments": unprocessed}


@operation
def get_trace_summaries(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the summaries of a range of time that fit the filter, newest first."""
    time_range = _read_range(fields)
    expression = read_text(fields, "FilterExpression")
    chosen = read_filter(expression) if expression else None
    token = read_text(fields, "NextToken")
    with reading(get_parts(request).database) as connection:
        page = list_traces(connection, time_range=time_range, chosen=chosen, token=token)
    answer: dict[str, Any] = {
        "TraceSummaries": page.summaries,
        "ApproximateTime": time_range.start if page.reached is None else page.reached,
        "TracesProcessedCount": page.processed,
    }
    if page.next_token:
        answer["NextToken"] = page.next_token
    return answer


@operation
def batch_get_traces(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return whole traces; ids of which nothing is known are named apart."""
    trace_ids = read_texts(fields, "TraceIds")
    for trace_id in trace_ids:
        if not TRACE_ID.fullmatch(trace_id):
            raise InvalidRequest(
                "Expected trace ids like '1-58406520-a006649127e371903a2de979' in TraceIds, "
                f"got {show(trace_id)}."
            )
    traces: list[dict[str, Any]] = []
    unknown: list[str] = []
    with reading(get_parts(request).database) as connection:
        for trace_id in dict.fromkeys(trace_ids):
            summary = get_summary(connection, trace_id)
            if summary is None:
                unknown.append(trace_id)
                continue
            documents = merge_documents(build_tree(get_documents(connection, trace_id)))
            traces.append(
                {
                    "Id": trace_id,
                    "Duration": summary["Duration"],
                    "LimitExceeded": False,
                    "Segments": [
                        {"Id": document["id"], "Document": json.dumps(document)}
                        for document in documents
                    ],
                }
            )
    return {"Traces": traces, "UnprocessedTraceIds": unknown}


@operation
def put_telemetry_records(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take what a daemon says of itself; nothing is done with it."""
    if not isinstance(fields.get("TelemetryRecords"), list):
        raise InvalidRequest(
            f"Expected a list as TelemetryRecords, got {show(fields.get('TelemetryRecords'))}."
        )
    return {}


def _read_range(fields: dict[str, Any]) -> TimeRange:
    start, end = as_number(fields.get("StartTime")), as_number(fields.get("EndTime"))
    if start is None or end is None or start > end:
        raise InvalidRequest(
            "Expected StartTime and EndTime in seconds since 1970, the start first, "
            f"got {show(fields.get('StartTime'))} and {show(fields.get('EndTime'))}."
        )
    try:
        range_type = RangeType(fields.get("TimeRangeType") or RangeType.TRACE_ID)
    except ValueError:
        expected = ", ".join(each.value for each in RangeType)
        raise InvalidRequest(
            f"Expected one of {expected} as TimeRangeType, got {show(fields['TimeRangeType'])}."
        ) from None
    return TimeRange(start, end, range_type)
