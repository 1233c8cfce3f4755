"""Services: who made a segment, and whom a subsegment called.

The names and types are X-Ray's: a table or a bucket is a node of its own, named after itself.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from typing import Any, NamedTuple

from .documents import as_mapping, as_text

# SDKs spell these names each in its own way; X-Ray's spelling of the service, where the SDK puts
# the resource, and the type of the resource's node.
RESOURCES = {
    "dynamodb": ("DynamoDB", "table_name", "AWS::DynamoDB::Table"),
    "s3": ("S3", "bucket_name", "AWS::S3::Bucket"),
    "sqs": ("SQS", "queue_url", "AWS::SQS::Queue"),
    "sns": ("SNS", "topic_arn", "AWS::SNS"),
    "lambda": ("Lambda", "function_name", "AWS::Lambda"),
}


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


def name_service(segment: dict[str, Any]) -> Service:
    """Return the service that made the segment."""
    account_id = as_text(as_mapping(segment.get("aws")).get("account_id"))
    return Service(
        as_text(segment.get("name")) or "unnamed", as_text(segment.get("origin")), account_id
    )


def name_callee(subsegment: dict[str, Any]) -> Service | None:
    """Return the service that the subsegment called; None if it called nobody.

    Only what its caller says is known of it: X-Ray calls such a node inferred.
    """
    namespace = subsegment.get("namespace")
    if namespace not in ("aws", "remote"):
        return None
    name = as_text(subsegment.get("name")) or "unnamed"
    if namespace == "remote":
        return Service(name, "remote", None)
    aws = as_mapping(subsegment.get("aws"))
    account_id = as_text(aws.get("account_id"))
    if name.lower() in RESOURCES:
        name, key, resource_type = RESOURCES[name.lower()]
        resource = as_text(aws.get(key))
        if resource:
            return Service(resource, resource_type, account_id)
    return Service(name, f"AWS::{name}", account_id)
