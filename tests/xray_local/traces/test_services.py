"""Who made a segment, and whom a subsegment called."""

from typing import Any

import pytest

from xray_local.traces.services import Service, name_callee, name_service


def call(name: str, **aws: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "aws", "aws": aws}


def test_name_service() -> None:
    segment = {"name": "movies", "origin": "AWS::Lambda::Function", "aws": {"account_id": "12"}}

    service = name_service(segment)

    assert service == Service("movies", "AWS::Lambda::Function", "12")
    assert service.to_api() == {
        "Name": "movies",
        "Names": ["movies"],
        "Type": "AWS::Lambda::Function",
        "AccountId": "12",
    }


def test_name_service_of_wrong_types() -> None:
    assert name_service({"name": 1, "origin": [], "aws": "x"}).to_api() == {
        "Name": "unnamed",
        "Names": ["unnamed"],
    }


@pytest.mark.parametrize(
    ("subsegment", "service"),
    [
        ({"name": "own code"}, None),
        ({"name": "x", "namespace": "other"}, None),
        ({"name": "x", "namespace": {}}, None),
        ({"name": "aws.amazon.com", "namespace": "remote"}, ("aws.amazon.com", "remote")),
        ({"name": "sns", "namespace": "aws"}, ("SNS", "AWS::SNS")),
        ({"name": "Kinesis", "namespace": "aws"}, ("Kinesis", "AWS::Kinesis")),
        (
            {"name": "movies@db", "namespace": "remote", "sql": {"url": "postgresql://db"}},
            ("movies@db", "Database::SQL"),
        ),
        ({"name": "rdsdataservice", "namespace": "aws"}, ("rdsdataservice", "AWS::rdsdataservice")),
        (
            {"name": "dynamodb", "namespace": "aws", "aws": {"table_name": "Movies"}},
            ("Movies", "AWS::DynamoDB::Table"),
        ),
        (
            {"name": "DynamoDB", "namespace": "aws", "aws": {"table_name": "Movies"}},
            ("Movies", "AWS::DynamoDB::Table"),
        ),
        (
            {"name": "S3", "namespace": "aws", "aws": {"bucket_name": "posters"}},
            ("posters", "AWS::S3::Bucket"),
        ),
        ({"name": "S3", "namespace": "aws", "aws": {"bucket_name": 1}}, ("S3", "AWS::S3")),
        ({"namespace": "aws", "aws": []}, ("unnamed", "AWS::unnamed")),
        (call("DynamoDB", table_names=["Movies"]), ("Movies", "AWS::DynamoDB::Table")),
        (call("DynamoDB", resource_names=["Movies"]), ("Movies", "AWS::DynamoDB::Table")),
        # No one table was called: X-Ray's documents call that AWS::DynamoDB.
        (call("DynamoDB", resource_names=["Movies", "Users"]), ("DynamoDB", "AWS::DynamoDB")),
        (call("AmazonDynamoDBv2", table_name="Movies"), ("Movies", "AWS::DynamoDB::Table")),
        (
            call("sqs", queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"),
            ("jobs", "AWS::SQS::Queue"),
        ),
        (call("AmazonSQS", queue_url="jobs"), ("jobs", "AWS::SQS::Queue")),
        (call("SNS", topic_arn="arn:aws:sns:eu-west-1:1:news"), ("news", "AWS::SNS")),
        (call("Lambda", function_name="resize"), ("resize", "AWS::Lambda")),
        (
            call("AWSLambda", function_name="arn:aws:lambda:eu-west-1:1:function:resize:live"),
            ("resize", "AWS::Lambda"),
        ),
        (call("kinesis", stream_name="clicks"), ("clicks", "AWS::Kinesis::Stream")),
        (
            call("kinesis", stream_arn="arn:aws:kinesis:eu-west-1:1:stream/clicks"),
            ("clicks", "AWS::Kinesis::Stream"),
        ),
        (call("EventBridge"), ("Events", "AWS::Events")),
        (call("events", resource_names=["bus"]), ("bus", "AWS::Events::EventBus")),
        (
            call("SFN", state_machine_arn="arn:aws:states:eu-west-1:1:stateMachine:order"),
            ("order", "AWS::StepFunctions::StateMachine"),
        ),
        (
            call("secretsmanager", secret_id="arn:aws:secretsmanager:eu-west-1:1:secret:key-a1"),
            ("key-a1", "AWS::SecretsManager::Secret"),
        ),
        (call("SSM", resource_names=["/movies/key"]), ("/movies/key", "AWS::SSM::Parameter")),
        (call("Textract", resource_names=["scan"]), ("scan", "AWS::Textract")),
        (call("SNS", topic_arn="arn:"), ("arn:", "AWS::SNS")),
        (call("SQS", queue_url="https://"), ("https:", "AWS::SQS::Queue")),
    ],
)
def test_name_callee(subsegment: dict[str, Any], service: tuple[str, str] | None) -> None:
    assert name_callee(subsegment) == (Service(*service, None) if service else None)


def test_the_account_is_the_one_that_was_called() -> None:
    assert name_callee(call("S3", account_id="12")) == Service("S3", "AWS::S3", "12")


@pytest.mark.parametrize(
    "subsegment",
    [
        {"namespace": "remote", "name": "x" * 3000},
        {"namespace": "aws", "name": "S3", "aws": {"bucket_name": "x" * 3000}},
    ],
)
def test_long_names_are_cut(subsegment: dict[str, Any]) -> None:
    """Subsegments may have names of any length, and the map keeps each."""
    service = name_callee(subsegment)

    assert service is not None
    assert service.name == "x" * 2000
