"""A subsegment for each call of boto3, with the resource that makes the right node on the map.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-aws
"""

import re
from typing import Any

from . import bodies
from .context import begin
from .exceptions import record_failure
from .harmless import harmless
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
METADATA = (("RequestId", "request_id"), ("HostId", "id_2"), ("RetryAttempts", "retries"))
ANSWERS = {"Count": "count", "ScannedCount": "scanned_count"}


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
        subsegment = begin("aws", "aws", is_leaf=True)
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
            describe_call(subsegment, client, operation_name, api_params, answer)
            end(subsegment)

    return make_api_call


def tell(prepare: Any) -> Any:
    """Return `prepare_request` with the tracing header put on the request before it is signed."""

    def prepare_request(endpoint: Any, request: Any) -> Any:
        pass_header_on(request.headers)
        return prepare(endpoint, request)

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


@harmless()
def describe_call(
    subsegment: Any, client: Any, operation: str, parameters: Any, answer: Any
) -> None:
    """Put the service's name and the `aws` and `http` blocks on a subsegment."""
    subsegment.name = client.meta.service_model.endpoint_prefix
    metadata = _read_metadata(answer)
    described: dict[str, Any] = {"operation": operation, "region": client.meta.region_name}
    for name, key in METADATA:
        if metadata.get(name) not in (None, ""):
            described[key] = metadata[name]
    if isinstance(parameters, dict):
        for name, value in parameters.items():
            if name in PARAMETERS and isinstance(value, str | int):
                described[PARAMETERS[name]] = value
        if "RequestItems" in parameters or "TransactItems" in parameters:
            tables = list_tables(parameters)
            if len(tables) == 1:
                described["table_name"] = tables[0]
        else:
            tables = [described[key] for key in ("table_name", "bucket_name") if key in described]
        if tables:
            described["resource_names"] = tables
    for name, key in ANSWERS.items():
        if isinstance(answer, dict) and isinstance(answer.get(name), int):
            described[key] = answer[name]
    subsegment.set_block("aws", described)
    status = metadata.get("HTTPStatusCode")
    if status:
        subsegment.set_block("http", {"response": {"status": status}})
        subsegment.apply_status_code(status)


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
