"""A subsegment for each call of boto3, with the resource that makes the right node on the map.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-aws
"""

import re
from typing import Any

from . import bodies
from .context import begin, innermost
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
METADATA = (("RequestId", "request_id"), ("HostId", "id_2"))
ANSWERS = (("Count", "count"), ("ScannedCount", "scanned_count"))
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
        entity = innermost.get()
        if entity is not None and entity.is_silent:
            return call(client, operation_name, api_params)
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
            try:
                describe_call(subsegment, client, operation_name, api_params, answer)
            except Exception:
                tell_failure("describing a call of AWS")
            end(subsegment)

    return make_api_call


def tell(prepare: Any) -> Any:
    """Return `prepare_request` with the tracing header put on the request: no signature has it.

    When it has been prepared: its headers are a dict by then, and before that a message's.
    """

    def prepare_request(endpoint: Any, request: Any) -> Any:
        prepared = prepare(endpoint, request)
        pass_header_on(prepared.headers)
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
    subsegment: Any, client: Any, operation: str, parameters: Any, answer: Any
) -> None:
    """Put the service's name and the `aws` and `http` blocks on a subsegment."""
    known = client.__dict__.get("_xray_calls")
    if known is None:
        known = client._xray_calls = Calls(client)
    subsegment.name = known.service
    text = known.operations.get(operation) or known.write(operation)
    status = None
    if isinstance(answer, dict):
        for name, key in ANSWERS:
            if isinstance(answer.get(name), int):
                text += f',"{key}":{answer[name]:d}'
        metadata = answer.get("ResponseMetadata")
        if isinstance(metadata, dict):
            status = metadata.get("HTTPStatusCode")
            for name, key in METADATA:
                if metadata.get(name):
                    text += f',"{key}":{quote(str(metadata[name]))}'
            if metadata.get("RetryAttempts") is not None:
                text += f',"retries":{metadata["RetryAttempts"]:d}'
    if isinstance(parameters, dict):
        tables: list[str] = []
        for name, value in parameters.items():
            if name in PARAMETERS and isinstance(value, str | int):
                written = quote(value) if isinstance(value, str) else encode(value)
                text += f',"{PARAMETERS[name]}":{written}'
                if name in RESOURCES:
                    tables.append(written)
            elif name in BATCHES:
                tables = [quote(table) for table in list_tables(parameters)]
                if len(tables) == 1:
                    text += f',"table_name":{tables[0]}'
        if tables:
            text += f',"resource_names":[{",".join(tables)}]'
    if status:
        text += f'}},"http":{{"response":{{"status":{status:d}}}'
        if status >= 400:
            subsegment.apply_status_code(status)
    if subsegment.has_blocks:
        subsegment.add_text(f"{text}}}")
    else:
        subsegment.text = f"{text}}}"


class Calls:
    """What the calls of one client have in common: its service, and each operation as JSON."""

    def __init__(self, client: Any) -> None:
        self.service = str(client.meta.service_model.endpoint_prefix)
        self._region = client.meta.region_name
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
