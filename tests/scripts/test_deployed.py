"""Working with a deployed site: with a small stack in the embedded AWS, whose functions run."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from scripts.deployed import main
from tests.processes import ROOT, find_free_port

REGION = "eu-west-1"
# It answers as the site's functions do, and badly where it is told to.
CODE = """
import json, os

def handler(event, context):
    if "manage" not in event:
        status = int(os.environ["STATUS"])
        asked = [event["httpMethod"], event["requestContext"]["path"], event["headers"]["Host"]]
        asked.append(context.invoked_function_arn.partition(":function:")[2])
        body = {"ready": status == 200, "s3": "ok", "sql": "none", "asked": asked}
        return {"statusCode": status, "body": json.dumps(body)}
    command = " ".join(event["manage"])
    if command == os.environ["RAISES"]:
        raise ValueError("It is broken.")
    return {"output": f"Did {command}.\\n", "exit_code": 3 if command == os.environ["FAILS"] else 0}
"""


@pytest.fixture
def signed_in(embedded_aws: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", REGION)
    return embedded_aws


def make_client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def deploy(signed_in: str) -> Iterator[Callable[..., str]]:
    """Return what deploys a stage: with functions that answer so; yields its name."""
    cloudformation = make_client(signed_in, "cloudformation")
    stages: list[str] = []

    def deploy(
        status: int = 200,
        raises: str = "",
        fails: str = "",
        *,
        has_alias: bool = False,
        is_protected: bool = False,
    ) -> str:
        stage = f"t{uuid.uuid4().hex[:8]}"
        variables = {"STATUS": str(status), "RAISES": raises, "FAILS": fails}
        cloudformation.create_stack(
            StackName=f"movies-{stage}",
            TemplateBody=json.dumps(make_template(stage, variables, has_alias=has_alias)),
            EnableTerminationProtection=is_protected,
        )
        stages.append(stage)
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=f"movies-{stage}", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        return stage

    yield deploy
    for stage in stages:
        cloudformation.update_termination_protection(
            StackName=f"movies-{stage}", EnableTerminationProtection=False
        )
        cloudformation.delete_stack(StackName=f"movies-{stage}")


def make_template(stage: str, variables: dict[str, str], *, has_alias: bool) -> dict[str, Any]:
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    }
    functions = {
        f"{name.title()}Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": f"movies-{stage}-{name}",
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Code": {"ZipFile": CODE},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": variables},
            },
        }
        for name in ("web", "manage")
    }
    buckets = {
        name: {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": policy,
            "Properties": {"BucketName": f"movies-{stage}-{name.lower()}"},
        }
        for name, policy in {"Going": "Delete", "Staying": "Retain"}.items()
    }
    web = {"FunctionName": {"Ref": "WebFunction"}}
    version = {"Fn::GetAtt": ["Version", "Version"]}
    versions = {
        "Version": {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Retain",
            "Properties": web,
        },
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": web | {"Name": "snapstart", "FunctionVersion": version},
        },
    }
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {}}}
    return {
        "Resources": {"Role": role, "Key": secret}
        | functions
        | buckets
        | (versions if has_alias else {}),
        "Outputs": {
            "ServiceEndpoint": {"Value": f"https://a1b2c3.execute-api.{REGION}.amazonaws.com/dev"}
        },
    }


def test_manage(deploy: Callable[..., str], capfd: pytest.CaptureFixture[str]) -> None:
    stage = deploy(fails="check", raises="crash")

    assert main(["--stage", stage, "manage", "migrate", "--noinput"]) == 0
    assert main(["--stage", stage, "manage", "check"]) == 3
    assert main(["--stage", stage, "manage", "crash"]) == 1
    assert main(["--stage", stage, "manage"]) == 1

    written = capfd.readouterr()
    assert written.out == "Did migrate --noinput.\nDid check.\n"
    assert f"The function movies-{stage}-manage failed with " in written.err
    assert "It is broken." in written.err
    assert f"make logs STAGE={stage} FUNCTION=manage" in written.err
    assert 'Expected a command, such as: make manage ARGS="check --deploy"' in written.err


def test_finish(deploy: Callable[..., str], capfd: pytest.CaptureFixture[str]) -> None:
    stage = deploy()

    assert main(["--stage", stage, "finish", "--migrate", "--seed"]) == 0
    everything = capfd.readouterr().out
    assert main(["--stage", stage, "finish"]) == 0
    least = capfd.readouterr().out

    assert "manage.py migrate --noinput\nDid migrate --noinput.\n" in everything
    assert "manage.py seed_movies\nDid seed_movies.\n" in everything
    assert "migrate" not in least
    assert "seed_movies" not in least
    for written in (everything, least):
        assert written.startswith("manage.py set_up\nDid set_up.\n")
        assert "The new version answers, and so do s3.\n" in written
        assert f"site       https://a1b2c3.execute-api.{REGION}.amazonaws.com/dev/\n" in written
        assert (
            f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#" in written
        )


def test_a_command_that_fails_ends_it(
    deploy: Callable[..., str], capfd: pytest.CaptureFixture[str]
) -> None:
    stage = deploy(fails="migrate --noinput")

    assert main(["--stage", stage, "finish", "--migrate", "--seed"]) == 1

    written = capfd.readouterr()
    assert "Did seed_movies" not in written.out
    assert (
        f"The stack movies-{stage} is deployed, but migrate ended with the exit code 3."
        in written.err
    )
    assert f'make manage STAGE={stage} ARGS="migrate --noinput"' in written.err


@pytest.mark.parametrize("alias", ["$LATEST", "snapstart"])
def test_a_site_that_is_not_ready(
    deploy: Callable[..., str], capfd: pytest.CaptureFixture[str], alias: str
) -> None:
    """The first request is one of API Gateway's, on the API's own host, to what that calls."""
    stage = deploy(status=503, has_alias=alias == "snapstart")

    assert main(["--stage", stage, "finish"]) == 1

    error = capfd.readouterr().err
    host = f"a1b2c3.execute-api.{REGION}.amazonaws.com"
    assert f"https://{host}/dev/readyz answers 503: " in error
    assert json.dumps(["GET", f"/{stage}/readyz", host, f"movies-{stage}-web:{alias}"]) in error
    assert f"make logs STAGE={stage}" in error


def test_empty(
    deploy: Callable[..., str], signed_in: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stage = deploy(has_alias=True)
    s3 = make_client(signed_in, "s3")
    going, staying = f"movies-{stage}-going", f"movies-{stage}-staying"
    for bucket in (going, staying):
        for key in ("posters/a b.png", "sample/template.yml"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    assert main(["--stage", stage, "empty"]) == 0

    written = capfd.readouterr().out
    assert f"Emptied the bucket {going}: 2 objects.\n" in written
    assert f"What stays:\n  AWS::S3::Bucket {staying}\n  traces in X-Ray" in written
    assert "\n  the secret, up to 30 days, for who would restore it\n" in written
    assert "a backup of each table" not in written
    assert s3.list_objects_v2(Bucket=going)["KeyCount"] == 0
    assert s3.list_objects_v2(Bucket=staying)["KeyCount"] == 2


def test_a_protected_stack_is_not_emptied(
    deploy: Callable[..., str], signed_in: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What follows would refuse to remove it, and the posters would be gone."""
    stage = deploy(is_protected=True)
    s3 = make_client(signed_in, "s3")
    s3.put_object(Bucket=f"movies-{stage}-going", Key="a", Body=b"x")

    assert main(["--stage", stage, "empty"]) == 1

    assert f"The stack movies-{stage} is protected against removal." in capfd.readouterr().err
    assert s3.list_objects_v2(Bucket=f"movies-{stage}-going")["KeyCount"] == 1


@pytest.mark.parametrize("command", [("manage", "check"), ("show",), ("empty",), ("finish",)])
def test_no_such_stage(
    signed_in: str, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert main(["--stage", "nowhere", *command]) == 1

    error = capfd.readouterr().err
    assert f"The stage 'nowhere' is not deployed in {REGION}: " in error
    assert "`make deploy STAGE=nowhere` deploys it" in error


def test_nobody_listens(
    signed_in: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{find_free_port()}")

    assert main(["show"]) == 1

    assert "DescribeStacks failed: Could not connect" in capfd.readouterr().err


def test_no_such_profile(
    signed_in: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    assert main(["show"]) == 1

    assert "The config profile (nobody) could not be found" in capfd.readouterr().err


def test_no_credentials(embedded_aws: str, tmp_path: Any) -> None:
    """In a process of its own: nothing of this one's environment, nor of its home."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.deployed", "manage", "check"],
        cwd=ROOT,
        env={
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": embedded_aws,
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
        },
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("No credentials for AWS were found. Sign in as for the AWS CLI:")
    assert "Traceback" not in done.stderr
