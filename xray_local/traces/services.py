"""Services: who made a segment, and whom a subsegment called.

Names and types are X-Ray's: a table or a bucket is a node of its own, named after itself, and a
call that names no resource, or several, is a call of the whole service.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
https://docs.aws.amazon.com/xray/latest/api/API_Service.html

X-Ray's documents name DynamoDB's table, SNS, `remote` and `AWS::Lambda`; traces fetched from X-Ray
show `Database::SQL` for a call with SQL, and `AWS::` with the caller's own name for a service that
stands not below; and `AWS::SNS` for a topic, `AWS::S3::Bucket` and `AWS::SQS::Queue`
(https://github.com/radkawar/stackd, testdata/aws/xray/inferred_documents.json). The types of all
other resources are doubtful: they are CloudFormation's, as the documented ones are.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .documents import as_list, as_mapping, as_text


class Service(NamedTuple):
    """A node of the service map."""

    name: str
    type: str | None
    account_id: str | None

    def to_api(self) -> dict[str, Any]:
        """Return the shape ServiceId of the X-Ray API."""
        service: dict[str, Any] = {"Name": self.name, "Names": [self.name]}
        if self.type:
            service["Type"] = self.type
        if self.account_id:
            service["AccountId"] = self.account_id
        return service


class _Kind(NamedTuple):
    """A service of AWS: X-Ray's spelling, where SDKs put the resource, the type of its node."""

    name: str
    keys: tuple[str, ...]
    resource_type: str


DYNAMODB = _Kind("DynamoDB", ("table_name", "table_names"), "AWS::DynamoDB::Table")
EVENTS = _Kind("Events", ("event_bus_name",), "AWS::Events::EventBus")
STEP_FUNCTIONS = _Kind("StepFunctions", ("state_machine_arn",), "AWS::StepFunctions::StateMachine")
SAGEMAKER = _Kind("SageMaker", ("endpoint_name",), "AWS::SageMaker::Endpoint")
# By the name of the subsegment without spaces, in small letters: SDKs spell each in its own way.
KINDS = {
    "dynamodb": DYNAMODB,
    "dynamodbv2": DYNAMODB,
    "amazondynamodb": DYNAMODB,
    "amazondynamodbv2": DYNAMODB,
    "s3": _Kind("S3", ("bucket_name",), "AWS::S3::Bucket"),
    "sqs": _Kind("SQS", ("queue_url",), "AWS::SQS::Queue"),
    "sns": _Kind("SNS", ("topic_arn",), "AWS::SNS"),
    # The function's own segment is AWS::Lambda::Function; its caller sees the service before it.
    "lambda": _Kind("Lambda", ("function_name",), "AWS::Lambda"),
    "kinesis": _Kind("Kinesis", ("stream_name", "stream_arn"), "AWS::Kinesis::Stream"),
    "firehose": _Kind(
        "Firehose", ("delivery_stream_name",), "AWS::KinesisFirehose::DeliveryStream"
    ),
    "events": EVENTS,
    "eventbridge": EVENTS,
    "states": STEP_FUNCTIONS,
    "sfn": STEP_FUNCTIONS,
    "stepfunctions": STEP_FUNCTIONS,
    "secretsmanager": _Kind("SecretsManager", ("secret_id",), "AWS::SecretsManager::Secret"),
    "ssm": _Kind("SSM", (), "AWS::SSM::Parameter"),
    "runtime.sagemaker": SAGEMAKER,
    "sagemakerruntime": SAGEMAKER,
    "kms": _Kind("KMS", ("key_id",), "AWS::KMS::Key"),
    "sts": _Kind("STS", (), "AWS::STS"),
}
# Java's and .NET's SDKs write "AmazonSQS" and "AWSLambda".
MAKERS = ("amazon", "aws")


def name_service(segment: Mapping[str, Any]) -> Service:
    """Return the service that made the segment; its type is where it ran."""
    account_id = as_text(as_mapping(segment.get("aws")).get("account_id"))
    return Service(
        as_text(segment.get("name")) or "unnamed", as_text(segment.get("origin")), account_id
    )


def name_callee(subsegment: Mapping[str, Any]) -> Service | None:
    """Return the service that the subsegment called; None if it called nobody.

    Only what its caller says is known of it: X-Ray calls such a node inferred.
    """
    namespace = subsegment.get("namespace")
    if namespace != "aws" and namespace != "remote":
        return None
    name = subsegment.get("name")
    if namespace == "remote":
        name = as_text(name) or "unnamed"
        return Service(name, "Database::SQL" if subsegment.get("sql") else "remote", None)
    return name_resource(name, as_mapping(subsegment.get("aws")).get)


def name_resource(name: object, find: Callable[[str], object]) -> Service:
    """Return the service of AWS, or the resource of it, that a subsegment called.

    name: the subsegment's. find: returns a member of its block `aws`.
    """
    name = as_text(name) or "unnamed"
    kind = find_kind(name)
    resource = _find_resource(find, kind.keys if kind else ())
    return _name_node(name, resource, as_text(find("account_id")))


@functools.lru_cache(200)  # as above
def _name_node(name: str, resource: str | None, account_id: str | None) -> Service:
    kind = find_kind(name)
    if kind is None:
        return Service(resource or name, f"AWS::{name}", account_id)
    if resource is None:
        return Service(kind.name, f"AWS::{kind.name}", account_id)
    return Service(resource, kind.resource_type, account_id)


@functools.lru_cache(200)  # they are few, but a name may be long
def find_kind(name: str) -> _Kind | None:
    """Return what is known of a service of AWS by the name that an SDK gives it."""
    key = name.replace(" ", "").lower()
    kind = KINDS.get(key)
    for maker in MAKERS:
        if kind is None and key.startswith(maker):
            kind = KINDS.get(key.removeprefix(maker))
    return kind


def _find_resource(find: Callable[[str], object], keys: tuple[str, ...]) -> str | None:
    """Return the name of the one resource that was called; None if there are several, or none."""
    for key in (*keys, "resource_names"):
        value = find(key)
        if value:
            resources = [value] if type(value) is str else as_list(value) or [value]
            resource = as_text(resources[0])
            if resource is not None and len(resources) == 1:
                return _shorten(resource)
    return None


def _shorten(resource: str) -> str:
    """Return the name within an ARN or the URL of a queue; any other name as it is."""
    if resource.startswith("arn:"):
        # arn:aws:sns:REGION:ACCOUNT:NAME, ...:function:NAME:VERSION, ...:stream/NAME
        parts = resource.split(":", 5)[-1].split(":")
        if parts[0] == "function" or (len(parts) > 1 and "/" not in parts[0]):
            parts = parts[1:]
        return parts[0].rpartition("/")[2] or resource
    if resource.startswith(("https://", "http://")):
        return resource.rstrip("/").rpartition("/")[2] or resource
    return resource
