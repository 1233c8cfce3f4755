"""A subsegment for each call of boto3, with the resource that makes the right node on the map.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-aws
"""

import re
from typing import Any

import wrapt
from aws_xray_sdk.core.models import http

from .exceptions import record_failure
from .remote import is_wrapped, pass_header_on
from .subsegments import begin_leaf, end

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
ANSWERS = {"Count": "count", "ScannedCount": "scanned_count"}
# What the SDK itself asks of X-Ray, for sampling, is not part of anybody's request.
UNTRACED_SERVICES = frozenset({"xray"})


def install() -> None:
    """Trace botocore when it is imported: a process that never does pays nothing."""
    wrapt.register_post_import_hook(_wrap_client, "botocore.client")


def _wrap_client(module: Any) -> None:
    if is_wrapped(module.BaseClient._make_api_call, record_call):
        return
    wrapt.wrap_function_wrapper(module, "BaseClient._make_api_call", record_call)
    wrapt.wrap_function_wrapper("botocore.endpoint", "Endpoint.prepare_request", prepare_request)


def record_call(
    call: Any, client: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """Make one call, retries included, in a subsegment named after the service."""
    operation, parameters = _read_arguments(*arguments, **keywords)
    service = client.meta.service_model.endpoint_prefix
    if service in UNTRACED_SERVICES:
        return call(*arguments, **keywords)
    subsegment = begin_leaf(service, "aws")
    if subsegment is None:
        return call(*arguments, **keywords)
    answer: dict[str, Any] = {}
    try:
        answer = call(*arguments, **keywords)
    except BaseException as exception:
        answer = getattr(exception, "response", None) or {}
        record_refusal(subsegment, exception, answer)
        raise
    else:
        return answer
    finally:
        subsegment.set_aws(describe_call(client, operation, parameters, answer))
        subsegment.put_http_meta(http.STATUS, _read_metadata(answer).get("HTTPStatusCode"))
        end(subsegment)


def prepare_request(
    prepare: Any, endpoint: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """Put the trace header on the request before it is signed."""
    request = arguments[0] if arguments else keywords["request"]
    pass_header_on(request.headers)
    return prepare(*arguments, **keywords)


def record_refusal(subsegment: Any, exception: BaseException, answer: dict[str, Any]) -> None:
    """Mark the subsegment: throttle and error for what AWS refused, fault for all else."""
    status = _read_metadata(answer).get("HTTPStatusCode") or 0
    is_throttle = bool(THROTTLED.search(str(answer.get("Error", {}).get("Code", ""))))
    is_error = is_throttle or 400 <= status < 500
    record_failure(subsegment, exception, is_remote=True, is_fault=not is_error)
    if is_throttle:
        subsegment.add_throttle_flag()


def describe_call(
    client: Any, operation: str, parameters: dict[str, Any], answer: dict[str, Any]
) -> dict[str, Any]:
    """Return the `aws` block of a subsegment."""
    metadata = _read_metadata(answer)
    described: dict[str, Any] = {
        "operation": operation,
        "region": client.meta.region_name,
        "request_id": metadata.get("RequestId"),
        "id_2": metadata.get("HostId"),
        "retries": metadata.get("RetryAttempts"),
    }
    for names, source in ((PARAMETERS, parameters), (ANSWERS, answer)):
        for name, key in names.items():
            value = source.get(name)
            if isinstance(value, (str, int)):
                described[key] = value
    tables = list_tables(parameters)
    if len(tables) == 1:
        described["table_name"] = tables[0]
    resources: list[Any] = tables or [described.get("bucket_name")]
    described["resource_names"] = [resource for resource in resources if resource]
    return {key: value for key, value in described.items() if value not in (None, [], "")}


def list_tables(parameters: dict[str, Any]) -> list[str]:
    """Return the DynamoDB tables that a call names, in batches and transactions too."""
    tables: list[Any] = [parameters.get("TableName")]
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


def _read_arguments(
    operation_name: str, api_params: dict[str, Any] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return operation and parameters of `_make_api_call`, whichever way they were passed."""
    return operation_name, api_params if isinstance(api_params, dict) else {}


def _read_metadata(answer: Any) -> dict[str, Any]:
    metadata = answer.get("ResponseMetadata") if isinstance(answer, dict) else None
    return metadata if isinstance(metadata, dict) else {}
