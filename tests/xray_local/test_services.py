"""Who made a segment, and whom a subsegment called."""

from typing import Any

import pytest

from xray_local.services import Service, name_callee, name_service


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
    ],
)
def test_name_callee(subsegment: dict[str, Any], service: tuple[str, str] | None) -> None:
    assert name_callee(subsegment) == (Service(*service, None) if service else None)
