"""The operations that take segments in.

https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html
"""

from typing import Any

from django.http import HttpRequest

from xray_local.errors import InvalidRequest
from xray_local.forwarding import FORWARDED_HEADER
from xray_local.intake.arrivals import check_documents
from xray_local.parts import get_parts

from .wire import (
    operation,
    read_integer,
    read_number,
    read_object,
    read_objects,
    read_text,
    read_texts,
    require,
)

# How many characters these may have.
TELEMETRY_TEXTS = {"EC2InstanceId": 20, "Hostname": 255, "ResourceARN": 500}
TELEMETRY_COUNTS = (
    "SegmentsReceivedCount",
    "SegmentsSentCount",
    "SegmentsSpilloverCount",
    "SegmentsRejectedCount",
)
CONNECTION_ERRORS = (
    "TimeoutCount",
    "ConnectionRefusedCount",
    "HTTPCode4XXCount",
    "HTTPCode5XXCount",
    "UnknownHostCount",
    "OtherCount",
)

# AWS takes 50; there is no reason to be as strict on a laptop. A million empty texts would keep all
# others waiting for minutes.
DOCUMENTS_MAX = 10_000


@operation
def put_trace_segments(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take segments in; those that cannot be stored are named, the others kept."""
    if FORWARDED_HEADER in request.headers and get_parts(request).count_forwarded():
        raise InvalidRequest(
            "Expected segments from programs, got what a local X-Ray forwards: this one forwards "
            "too, and they could go round for ever. Let that one forward to AWS X-Ray itself, or "
            "start this one without --forward."
        )
    accepted: list[bytes] = []
    unprocessed: list[dict[str, str]] = []
    for text in read_texts(fields, "TraceSegmentDocuments", at_most=DOCUMENTS_MAX):
        bodies, refusals = check_documents(text)
        accepted += bodies
        for refusal in refusals:
            unprocessed.append({"ErrorCode": refusal.code, "Message": str(refusal)})
            if refusal.document_id:
                unprocessed[-1]["Id"] = refusal.document_id
        if len(unprocessed) > DOCUMENTS_MAX:
            raise InvalidRequest(f"Expected segments, got more than {DOCUMENTS_MAX} that are none.")
    if accepted:
        get_parts(request).send(accepted)
    return {"UnprocessedTraceSegments": unprocessed}


@operation
def put_telemetry_records(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take what a daemon says of itself; it is checked, and nothing is done with it."""
    for key, length in TELEMETRY_TEXTS.items():
        read_text(fields, key, at_most=length)
    for record in require(read_objects(fields, "TelemetryRecords"), "TelemetryRecords"):
        require(read_number(record, "Timestamp"), "Timestamp")
        for key in TELEMETRY_COUNTS:
            read_integer(record, key)
        errors = read_object(record, "BackendConnectionErrors") or {}
        for key in CONNECTION_ERRORS:
            read_integer(errors, key)
    return {}
