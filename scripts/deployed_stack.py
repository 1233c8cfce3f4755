"""The stack that was deployed for a stage, as AWS knows it: outputs, resources and functions."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

# As in serverless.yml.
SERVICE = "movies"
DEFAULT_REGION = "us-east-1"
WEB, MANAGE = "web", "manage"
# A little more than the function for commands has, and never twice.
INVOCATION = Config(connect_timeout=10, read_timeout=930, retries={"total_max_attempts": 1})


class DeploymentError(Exception):
    """What was asked of AWS did not come about; the message is for whoever deploys."""


class FunctionFailed(DeploymentError):
    """The function raised, crashed or ran out of time."""

    def __init__(self, name: str, error: dict[str, Any], logs: str) -> None:
        kind = error.get("errorType", "an error of no type")
        super().__init__(
            f"The function {name} failed with {kind}: {error.get('errorMessage')}\n"
            f"Its log tells more: {logs}"
        )


@dataclass(frozen=True)
class DeployedStack:
    """A stage's stack in a region; each answer is asked of AWS once.

    Every use may raise DeploymentError, where AWS refuses or has no such stack.
    """

    stage: str
    region: str = field(default_factory=lambda: os.environ.get("AWS_REGION") or DEFAULT_REGION)

    @property
    def name(self) -> str:
        return f"{SERVICE}-{self.stage}"

    def name_function(self, function: str) -> str:
        """Return what AWS calls one of serverless.yml's functions."""
        return f"{self.name}-{function}"

    @cached_property
    def description(self) -> dict[str, Any]:
        """What DescribeStacks tells."""
        with self._translating_errors("DescribeStacks"):
            answer = self._client("cloudformation").describe_stacks(StackName=self.name)
        description: dict[str, Any] = answer["Stacks"][0]
        return description

    @property
    def outputs(self) -> dict[str, str]:
        return {
            output["OutputKey"]: output["OutputValue"]
            for output in self.description.get("Outputs", ())
        }

    @property
    def url(self) -> str:
        """Where the site is, with a slash at the end."""
        return f"{self.outputs['ServiceEndpoint']}/"

    @cached_property
    def resources(self) -> list[tuple[str, str, bool]]:
        """Type and name of each resource, and whether it stays when the stack is removed."""
        with self._translating_errors("GetTemplate"):
            client = self._client("cloudformation")
            template = client.get_template(StackName=self.name)["TemplateBody"]
        if isinstance(template, str):
            template = json.loads(template)
        kept = {
            name
            for name, resource in template["Resources"].items()
            if resource.get("DeletionPolicy", "Delete") != "Delete"
            # osls keeps the versions of a function from update to update; they go with it.
            and resource["Type"] != "AWS::Lambda::Version"
        }
        with self._translating_errors("ListStackResources"):
            pages = client.get_paginator("list_stack_resources").paginate(StackName=self.name)
            return [
                (
                    resource["ResourceType"],
                    resource["PhysicalResourceId"],
                    resource["LogicalResourceId"] in kept,
                )
                for page in pages
                for resource in page["StackResourceSummaries"]
                if resource.get("PhysicalResourceId")
            ]

    def invoke(self, function: str, event: Any, qualifier: str = "$LATEST") -> Any:
        """Return what a function answers to an event. Raises FunctionFailed too.

        qualifier: the alias or the version that is called.
        """
        name = self.name_function(function)
        with self._translating_errors("Invoke"):
            answer = self._client("lambda", INVOCATION).invoke(
                FunctionName=name, Payload=json.dumps(event).encode(), Qualifier=qualifier
            )
            payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            logs = f"make logs STAGE={self.stage} FUNCTION={function}"
            raise FunctionFailed(name, payload if isinstance(payload, dict) else {}, logs)
        return payload

    def empty_bucket(self, bucket: str) -> int:
        """Delete all objects of a bucket; return how many there were."""
        count = 0
        with self._translating_errors(f"DeleteObjects in {bucket}"):
            client = self._client("s3")
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                keys = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
                if keys:
                    answer = client.delete_objects(
                        Bucket=bucket, Delete={"Objects": keys, "Quiet": True}
                    )
                    for error in answer.get("Errors", ()):
                        raise DeploymentError(
                            f"S3 did not delete {error.get('Key')!r} in the bucket {bucket}: "
                            f"{error.get('Code')}: {error.get('Message')}"
                        )
                    count += len(keys)
        return count

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(region_name=self.region)

    def _client(self, service: str, config: Config | None = None) -> Any:
        return self._session.client(service, config=config)

    @contextmanager
    def _translating_errors(self, operation: str) -> Iterator[None]:
        try:
            yield
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise DeploymentError(
                "No credentials for AWS were found. Sign in as for the AWS CLI: AWS_PROFILE, "
                "`aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
                "`aws sts get-caller-identity` then says whose they are."
            ) from error
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code in ("ValidationError", "ResourceNotFoundException"):
                raise DeploymentError(
                    f"The stage {self.stage!r} is not deployed in {self.region}: {message} "
                    f"(`make deploy STAGE={self.stage}` deploys it; AWS_REGION names another "
                    "region.)"
                ) from error
            raise DeploymentError(f"AWS refused {operation}: {code}: {message}") from error
        except BotoCoreError as error:
            raise DeploymentError(f"{operation} failed: {error}") from error
