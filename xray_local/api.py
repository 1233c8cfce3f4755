"""The X-Ray API, as botocore's service model describes it: POST, JSON in and out.

https://docs.aws.amazon.com/xray/latest/api/API_Operations.html
"""

import functools
import json
import sqlite3
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .database import reading
from .documents import TRACE_ID, as_number, read_document, show
from .errors import DocumentRefused, IntakeDown, InvalidRequest
from .filters import read_filter
from .parts import get_parts
from .queries import RangeType, TimeRange, get_documents, get_summary, list_traces
from .sampling import RULE_MODIFIED, get_rules, get_targets
from .trees import build_tree, merge_documents

Operation = Callable[[dict[str, Any], HttpRequest], dict[str, Any]]


def answer_error(code: str, message: str, status: int) -> HttpResponse:
    """Return an error in the shape that AWS's clients read."""
    return JsonResponse({"Message": message}, status=status, headers={"x-amzn-ErrorType": code})


def operation(function: Operation) -> Callable[..., HttpResponse]:
    """Make a view of a function from a request's fields to an answer's."""

    @csrf_exempt
    @require_POST
    @functools.wraps(function)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse(function(_read_fields(request), request))
        except InvalidRequest as error:
            return answer_error("InvalidRequestException", str(error), 400)
        except IntakeDown as error:
            return answer_error("ThrottledException", str(error), 429)
        except sqlite3.Error as error:
            return answer_error("InternalFailure", f"Cannot read the database: {error}.", 500)

    return view


def _read_fields(request: HttpRequest) -> dict[str, Any]:
    try:
        fields = json.loads(request.body or b"{}")
    except (ValueError, RecursionError, UnreadablePostError) as error:
        raise InvalidRequest(f"Expected a JSON object as the body, got {error}.") from error
    if not isinstance(fields, dict):
        raise InvalidRequest(f"Expected a JSON object as the body, got {show(fields)}.")
    return fields


@operation
def put_trace_segments(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take segments in; those that cannot be stored are named, the others kept."""
    accepted: list[str] = []
    unprocessed: list[dict[str, str]] = []
    for text in _read_texts(fields, "TraceSegmentDocuments"):
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
    expression = _read_text(fields, "FilterExpression")
    chosen = read_filter(expression) if expression else None
    token = _read_text(fields, "NextToken")
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
    trace_ids = _read_texts(fields, "TraceIds")
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
def get_sampling_rules(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the rules that clients sample by."""
    return {"SamplingRuleRecords": get_rules()}


@operation
def get_sampling_targets(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Tell clients how much to sample, by what they have sampled."""
    statistics = fields.get("SamplingStatisticsDocuments")
    if not isinstance(statistics, list):
        raise InvalidRequest(
            f"Expected a list as SamplingStatisticsDocuments, got {show(statistics)}."
        )
    targets, unprocessed = get_targets(statistics)
    return {
        "SamplingTargetDocuments": targets,
        "LastRuleModification": RULE_MODIFIED,
        "UnprocessedStatistics": unprocessed,
    }


@operation
def put_telemetry_records(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take what a daemon says of itself; nothing is done with it."""
    if not isinstance(fields.get("TelemetryRecords"), list):
        raise InvalidRequest(
            f"Expected a list as TelemetryRecords, got {show(fields.get('TelemetryRecords'))}."
        )
    return {}


def answer_unknown_operation(request: HttpRequest) -> HttpResponse:
    """Refuse an operation that is not served."""
    return answer_error(
        "UnknownOperationException",
        f"This X-Ray does not serve {request.path[:200]!a}. Expected one of "
        "/TraceSegments, /TraceSummaries, /Traces, /GetSamplingRules, /SamplingTargets, "
        "/TelemetryRecords.",
        404,
    )


def _read_texts(fields: dict[str, Any], key: str) -> list[str]:
    texts = fields.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequest(f"Expected a list of texts as {key}, got {show(texts)}.")
    return texts


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


def _read_text(fields: dict[str, Any], key: str) -> str | None:
    text = fields.get(key)
    if text is not None and not isinstance(text, str):
        raise InvalidRequest(f"Expected a text as {key}, got {show(text)}.")
    return text
