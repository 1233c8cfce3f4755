"""A subsegment for each call of boto3, with the resource that makes the right node on the map.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-aws
"""

from __future__ import annotations

import re
from typing import Any

from aws_xray_sdk.core.models import http

from . import bodies
from .context import begin_beneath, get_innermost
from .documents import encode, quote
from .exceptions import record_failure
from .harmless import harmless, tell_failure
from .remote import pass_header_on
from .subsegments import end
from .wrapping import when_imported, wrap

CALL, PREPARE = "_make_api_call", "prepare_request"
THROTTLED = re.compile(r"Throttl|TooManyRequests|LimitExceeded|SlowDown|ThroughputExceeded")
# Parameters and answers that say what a call was about, and hold no item and no secret.
PARAMETERS = {
    "Bucket": "bucket_name",
    "Key": "key",
    "TableName": "table_name",
    "IndexName": "index_name",
    "Limit": "limit",
    "ConsistentRead": "consistent_read",
    "QueueUrl": "queue_url",
    "TopicArn": "topic_arn",
    "FunctionName": "function_name",
}
PLAIN = (str, int)
COUNTS = (("Count", "count"), ("ScannedCount", "scanned_count"))
# What gives the node on the map its name, and what names several of them.
RESOURCES = frozenset({"TableName", "Bucket"})
BATCHES = frozenset({"RequestItems", "TransactItems"})


def install() -> None:
    """Trace botocore when it is imported."""
    when_imported(
        "botocore.client", lambda module: wrap(module.BaseClient, "_make_api_call", trace)
    )
    when_imported("botocore.response", bodies.install)
    when_imported(
        "botocore.endpoint", lambda module: wrap(module.Endpoint, "prepare_request", tell)
    )


def trace(call: Any) -> Any:
    """Return `_make_api_call` with a subsegment around it, retries included."""

    def make_api_call(client: Any, operation_name: str, api_params: Any) -> Any:
        entity = get_innermost()
        if entity is not None and entity.is_silent:
            return call(client, operation_name, api_params)
        calls = client.__dict__.get("_xray_calls") or describe_client(client)
        subsegment = begin_beneath(entity, calls.service, "aws", True)
        if subsegment is None:
            return call(client, operation_name, api_params)
        answer: Any = None
        try:
            answer = call(client, operation_name, api_params)
        except BaseException as exception:
            answer = getattr(exception, "response", None)
            record_refusal(subsegment, exception, answer)
            raise
        else:
            return answer
        finally:
            try:
                describe_call(subsegment, calls, operation_name, api_params, answer)
            except Exception:
                tell_failure("describing a call of AWS")
            end(subsegment)

    return make_api_call


def tell(prepare: Any) -> Any:
    """Return `prepare_request` with the tracing header put on the request: no signature has it.

    When it has been prepared: its headers are a dict by then, and before that a message's. On
    Lambda botocore has put the invocation's own there, which is that of what is not sampled.
    """

    def prepare_request(endpoint: Any, request: Any) -> Any:
        prepared = prepare(endpoint, request)
        entity = get_innermost()
        if entity is None or not entity.is_silent or not entity.header.text:
            pass_header_on(prepared.headers)
        elif entity.key is None:
            prepared.headers[http.XRAY_HEADER] = entity.header.text
        return prepared

    return prepare_request


@harmless()
def record_refusal(subsegment: Any, exception: BaseException, answer: Any) -> None:
    """Mark the subsegment: throttle and error for what AWS refused, fault for all else."""
    error = answer.get("Error") if isinstance(answer, dict) else None
    code = str(error.get("Code", "")) if isinstance(error, dict) else ""
    status = _read_metadata(answer).get("HTTPStatusCode") or 0
    is_throttle = bool(THROTTLED.search(code))
    is_error = is_throttle or 400 <= status < 500
    record_failure(subsegment, exception, is_remote=True, is_fault=not is_error)
    if is_throttle:
        subsegment.add_throttle_flag()


def describe_call(
    subsegment: Any, calls: Calls, operation: str, parameters: Any, answer: Any
) -> None:
    """Put the `aws` and `http` blocks on a subsegment."""
    text = calls.operations.get(operation) or calls.write(operation)
    status = None
    if isinstance(answer, dict):
        # Asked for by name: most have neither.
        if "Count" in answer or "ScannedCount" in answer:
            for name, key in COUNTS:
                if isinstance(answer.get(name), int):
                    text += f',"{key}":{answer[name]:d}'
        metadata = answer.get("ResponseMetadata")
        if isinstance(metadata, dict):
            status = metadata.get("HTTPStatusCode")
            if request_id := metadata.get("RequestId"):
                text += f',"request_id":{quote(str(request_id))}'
            if host_id := metadata.get("HostId"):
                text += f',"id_2":{quote(str(host_id))}'
            if (retries := metadata.get("RetryAttempts")) is not None:
                text += f',"retries":{retries:d}'
    if isinstance(parameters, dict):
        tables = ""
        for name, value in parameters.items():
            if name in PARAMETERS and isinstance(value, PLAIN):
                written = quote(value) if isinstance(value, str) else encode(value)
                text += f',"{PARAMETERS[name]}":{written}'
                if name in RESOURCES:
                    tables += f",{written}"
            elif name in BATCHES:
                named = [quote(table) for table in list_tables(parameters)]
                tables = "".join([f",{table}" for table in named])
                if len(named) == 1:
                    text += f',"table_name":{named[0]}'
        if tables:
            text += f',"resource_names":[{tables[1:]}]'
    if status:
        text += f'}},"http":{{"response":{{"status":{status:d}}}'
        if status >= 400:
            subsegment.apply_status_code(status)
    if subsegment.has_blocks:
        subsegment.add_text(f"{text}}}")
    else:
        subsegment.text = f"{text}}}"


@harmless(lambda: Calls("aws", None))
def describe_client(client: Any) -> Calls:
    """Note on a client what its calls have in common."""
    meta = client.meta
    made = client._xray_calls = Calls(str(meta.service_model.endpoint_prefix), meta.region_name)
    return made


class Calls:
    """What the calls of one client have in common: its service, and each operation as JSON."""

    def __init__(self, service: str, region: str | None) -> None:
        self.service = service
        self._region = region
        self.operations: dict[str, str] = {}

    def write(self, operation: str) -> str:
        """Return the beginning of the block of a call, after a comma."""
        described = encode({"operation": operation, "region": self._region})
        written = self.operations[operation] = f',"aws":{described[:-1]}'
        return written


def list_tables(parameters: dict[str, Any]) -> list[str]:
    """Return the DynamoDB tables that a batch or a transaction names."""
    tables: list[Any] = []
    if isinstance(parameters.get("RequestItems"), dict):
        tables += list(parameters["RequestItems"])
    if isinstance(parameters.get("TransactItems"), list):
        tables += [
            action.get("TableName")
            for item in parameters["TransactItems"]
            if isinstance(item, dict)
            for action in item.values()
            if isinstance(action, dict)
        ]
    return sorted({table for table in tables if isinstance(table, str)})


def _read_metadata(answer: Any) -> dict[str, Any]:
    metadata = answer.get("ResponseMetadata") if isinstance(answer, dict) else None
    return metadata if isinstance(metadata, dict) else {}
