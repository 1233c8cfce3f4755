"""The operations that take segments in.

https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html
"""

from typing import Any

from django.http import HttpRequest

from xray_local.errors import InvalidRequest
from xray_local.intake.arrivals import check_documents
from xray_local.parts import get_parts
from xray_local.traces.documents import show

from .wire import operation, read_texts


@operation
def put_trace_segments(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take segments in; those that cannot be stored are named, the others kept."""
    accepted: list[bytes] = []
    unprocessed: list[dict[str, str]] = []
    for text in read_texts(fields, "TraceSegmentDocuments"):
        bodies, refusals = check_documents(text)
        accepted += bodies
        for refusal in refusals:
            unprocessed.append({"ErrorCode": refusal.code, "Message": str(refusal)})
            if refusal.document_id:
                unprocessed[-1]["Id"] = refusal.document_id
    if accepted:
        get_parts(request).send(accepted)
    return {"UnprocessedTraceSegments": unprocessed}


@operation
def put_telemetry_records(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Take what a daemon says of itself; nothing is done with it."""
    if not isinstance(fields.get("TelemetryRecords"), list):
        raise InvalidRequest(
            f"Expected a list as TelemetryRecords, got {show(fields.get('TelemetryRecords'))}."
        )
    return {}
