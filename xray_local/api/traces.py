"""The operations that find and return traces.

https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html
"""

from typing import Any

import msgspec
from django.http import HttpRequest

from xray_local.control.groups import read_groups
from xray_local.errors import InvalidRequest
from xray_local.filters import read_filter
from xray_local.parts import get_parts
from xray_local.store.database import reading
from xray_local.store.queries import RangeType, Strategy, TimeRange, get_documents, list_traces
from xray_local.traces.documents import EXAMPLE_TRACE_ID, TRACE_ID, as_number, show
from xray_local.traces.whole import describe_trace

from .wire import (
    operation,
    read_boolean,
    read_number,
    read_object,
    read_text,
    read_texts,
    require,
)

# X-Ray's own limit for a trace is said to be a tenth of this, and a call may ask for five.
TRACE_BYTES = 5_000_000
RANGE_TYPES = tuple(each.value for each in RangeType)
STRATEGIES = ("PartialScan", "FixedRate")
encode_json = msgspec.json.Encoder().encode


@operation
def get_trace_summaries(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the summaries of a range of time that fit the filter, newest first."""
    time_range = _read_range(fields)
    expression = read_text(fields, "FilterExpression")
    groups = read_groups(get_parts(request).database) if expression else None
    chosen = read_filter(expression, groups) if expression else None
    token = read_text(fields, "NextToken")
    with reading(get_parts(request).database) as connection:
        page = list_traces(
            connection,
            time_range=time_range,
            chosen=chosen,
            strategy=_read_strategy(fields),
            token=token,
        )
    answer: dict[str, Any] = {
        "TraceSummaries": page.summaries,
        "ApproximateTime": time_range.start,
        "TracesProcessedCount": page.processed,
    }
    if page.next_token:
        # "The start time of this page": older traces are on the next.
        answer |= {"ApproximateTime": page.reached, "NextToken": page.next_token}
    return answer


@operation
def batch_get_traces(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return whole traces; ids of which nothing is known are named apart.

    A page ends where it has TRACE_BYTES; its token is the id of the trace that comes next.
    """
    trace_ids = list(dict.fromkeys(read_trace_ids(fields)))
    token = read_text(fields, "NextToken")
    if token is not None and token not in trace_ids:
        raise InvalidRequest(f"Expected a token that an earlier page gave, got {show(token)}.")
    answer: dict[str, Any] = {"Traces": [], "UnprocessedTraceIds": []}
    size = 0
    with reading(get_parts(request).database) as connection:
        for trace_id in trace_ids[trace_ids.index(token) if token else 0 :]:
            documents = get_documents(connection, trace_id)
            if not documents:
                answer["UnprocessedTraceIds"].append(trace_id)
                continue
            trace = _write_documents(describe_trace(trace_id, documents))
            size += sum(len(segment["Document"]) for segment in trace["Segments"])
            if answer["Traces"] and size > TRACE_BYTES:
                answer["NextToken"] = trace_id
                break
            answer["Traces"].append(trace)
    return answer


def _write_documents(trace: dict[str, Any]) -> dict[str, Any]:
    """Return the trace with its documents as JSON, as many of them as TRACE_BYTES hold."""
    segments: list[dict[str, str]] = []
    size = 0
    for segment in trace["Segments"]:
        document = encode_json(segment["Document"]).decode()
        size += len(document)
        if segments and size > TRACE_BYTES:
            return trace | {"Segments": segments, "LimitExceeded": True}
        segments.append({"Id": segment["Id"], "Document": document})
    return trace | {"Segments": segments}


def read_trace_ids(fields: dict[str, Any]) -> list[str]:
    """Return the TraceIds of a request. Raises InvalidRequest."""
    trace_ids = read_texts(fields, "TraceIds")
    for trace_id in trace_ids:
        if not TRACE_ID.fullmatch(trace_id):
            raise InvalidRequest(
                f"Expected trace ids like {EXAMPLE_TRACE_ID!r} in TraceIds, got {show(trace_id)}."
            )
    return trace_ids


def _read_strategy(fields: dict[str, Any]) -> Strategy | None:
    """Return which traces are looked at; a strategy counts where Sampling is true."""
    chosen = read_object(fields, "SamplingStrategy")
    is_sampled = read_boolean(fields, "Sampling")
    if not chosen:
        return None
    name = require(read_text(chosen, "Name", choices=STRATEGIES), "SamplingStrategy.Name")
    value = read_number(chosen, "Value", at_least=0, at_most=1)
    strategy = Strategy(name, require(value, "SamplingStrategy.Value"))
    return strategy if is_sampled else None


def _read_range(fields: dict[str, Any]) -> TimeRange:
    start, end = as_number(fields.get("StartTime")), as_number(fields.get("EndTime"))
    if start is None or end is None or start > end:
        raise InvalidRequest(
            "Expected StartTime and EndTime in seconds since 1970, the start first, "
            f"got {show(fields.get('StartTime'))} and {show(fields.get('EndTime'))}."
        )
    name = read_text(fields, "TimeRangeType", choices=RANGE_TYPES)
    return TimeRange(start, end, RangeType(name or RangeType.TRACE_ID))
