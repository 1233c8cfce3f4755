"""The segments that AWS's services send to X-Ray themselves: of the API's stage and of Lambda's.

Their shapes are those of documents that X-Ray gave back, published by users in 2023 and 2024:
the stage calls Lambda in a subsegment; beneath that is the service's segment (AWS::Lambda), and
beneath that the function's (AWS::Lambda::Function), with Initialization after a cold start, which
lies before the segment's own start, Invocation, which all that the function itself sends lies
beneath, and Overhead. Doubtful: that the function's errors are the function's segment's alone.
"""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .function import ACCOUNT_ID, Function
from .invocation import Invocation
from .trace_header import Trace, make_id

HEADER = b'{"format": "json", "version": 1}\n'
Document = dict[str, Any]


class Sender:
    """Sends segments as every daemon takes them: one datagram each. One too large is not sent.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, document: Document) -> None:
        """Send a segment."""
        with suppress(OSError):
            self._socket.sendto(HEADER + json.dumps(document).encode(), self._address)

    def close(self) -> None:
        """Send nothing more."""
        self._socket.close()


def mark_status(status: int) -> Document:
    """Return the flags of a status of HTTP."""
    flags = {"throttle": status == 429, "error": 400 <= status < 500, "fault": status >= 500}
    return {name: True for name, is_set in flags.items() if is_set}


@dataclass(frozen=True, slots=True)
class StageCall:
    """A request as the stage of a REST API saw it. Times are seconds since the epoch."""

    api_name: str
    api_id: str
    stage: str
    request_id: str
    url: str
    method: str
    client_ip: str
    user_agent: str | None
    start: float
    end: float
    called: float
    answered: float
    status: int
    content_length: int
    invoke_status: int


def make_stage_segment(
    call: StageCall, trace: Trace, segment_id: str, call_id: str, function: Function
) -> Document:
    """Return the segment of AWS::ApiGateway::Stage.

    trace: as the client sent it. call_id: of the subsegment in which Lambda is called.
    """
    request: Document = {
        "url": call.url,
        "method": call.method,
        "client_ip": call.client_ip,
        "x_forwarded_for": True,
    }
    if call.user_agent:
        request["user_agent"] = call.user_agent
    invoke_url = (
        f"https://lambda.{function.region}.amazonaws.com"
        f"/2015-03-31/functions/{function.arn}/invocations"
    )
    return _drop_none(
        {
            "id": segment_id,
            "trace_id": trace.root,
            "parent_id": trace.parent_id,
            "name": f"{call.api_name}/{call.stage}",
            "origin": "AWS::ApiGateway::Stage",
            "resource_arn": (
                f"arn:aws:apigateway:{function.region}::/restapis/{call.api_id}/stages/{call.stage}"
            ),
            "start_time": call.start,
            "end_time": call.end,
            "http": {
                "request": request,
                "response": {"status": call.status, "content_length": call.content_length},
            },
            **mark_status(call.status),
            "aws": {
                "api_gateway": {
                    "account_id": ACCOUNT_ID,
                    "rest_api_id": call.api_id,
                    "stage": call.stage,
                    "request_id": call.request_id,
                }
            },
            "annotations": {"aws:api_id": call.api_id, "aws:api_stage": call.stage},
            "metadata": {"default": {"request_id": call.request_id}},
            "subsegments": [
                {
                    "id": call_id,
                    "name": "Lambda",
                    "namespace": "aws",
                    "start_time": call.called,
                    "end_time": call.answered,
                    "http": {
                        "request": {"url": invoke_url, "method": "POST"},
                        "response": {"status": call.invoke_status},
                    },
                    **mark_status(call.invoke_status),
                    "aws": {
                        "function_name": function.name,
                        "region": function.region,
                        "operation": "Invoke",
                        "resource_names": [function.name],
                    },
                }
            ],
        }
    )


def make_service_segment(
    function: Function,
    trace: Trace,
    segment_id: str,
    request_id: str,
    times: tuple[float, float],
    status: int,
) -> Document:
    """Return the segment of AWS::Lambda: status is that of Invoke, not the application's."""
    return _drop_none(
        {
            "id": segment_id,
            "trace_id": trace.root,
            "parent_id": trace.parent_id,
            "name": function.name,
            "origin": "AWS::Lambda",
            "resource_arn": function.arn,
            "start_time": times[0],
            "end_time": times[1],
            "http": {"response": {"status": status}},
            **mark_status(status),
            "aws": {"request_id": request_id, "account_id": ACCOUNT_ID},
        }
    )


def make_function_segment(function: Function, invocation: Invocation) -> Document:
    """Return the segment of AWS::Lambda::Function of an invocation that has ended."""
    outcome = invocation.outcome
    start = invocation.started or invocation.ended
    responded = invocation.responded or invocation.ended
    arn: Document = {"aws": {"function_arn": function.arn}}
    subsegments: list[Document] = []
    if invocation.init:
        begun, ready = invocation.init
        subsegments.append(_part("Initialization", begun, ready) | arn)
    span = _part("Invocation", start, responded) | arn | {"id": invocation.span_id}
    failure: Document = {}
    if outcome is not None and outcome.is_error:
        failure = {"fault": True, "cause": _describe_cause(outcome.cause, outcome.payload)}
        span |= {"fault": True}
    subsegments += [span, _part("Overhead", responded, invocation.ended) | arn]
    return _drop_none(
        {
            "id": make_id(),
            "trace_id": invocation.trace.root,
            "parent_id": invocation.segment_id,
            "name": function.name,
            "origin": "AWS::Lambda::Function",
            "resource_arn": function.arn,
            "start_time": start,
            "end_time": invocation.ended,
            **failure,
            "aws": {
                "account_id": ACCOUNT_ID,
                "function_arn": function.arn,
                "request_id": invocation.request_id,
                "resource_names": [function.name],
                "cloudwatch_logs": [{"log_group": f"/aws/lambda/{function.name}"}],
            },
            "subsegments": subsegments,
        }
    )


def _part(name: str, start: float, end: float) -> Document:
    return {"id": make_id(), "name": name, "start_time": start, "end_time": max(start, end)}


def _describe_cause(cause: Mapping[str, Any] | None, payload: bytes) -> Document:
    """Return the cause as the runtime client sent it, else made of the error's type and message."""
    if cause and cause.get("exceptions"):
        exceptions = [{"id": make_id(), **each} for each in cause["exceptions"]]
        return {**cause, "exceptions": exceptions}
    error = json.loads(payload or b"{}")
    known = {"type": error.get("errorType"), "message": error.get("errorMessage")}
    return {"exceptions": [{"id": make_id(), **known}]}


def _drop_none(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}
