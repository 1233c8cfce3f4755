"""Tests of movies.tables: made once, and looked at in time."""

import os
import socket
import subprocess
import sys
import time
from typing import Any

import pytest
from django.conf import settings as django_settings

from movies import tables
from movies.aws import forget_clients, get_client
from movies.errors import AWSUnreachable
from tests.processes import find_free_port


def describe(table: str) -> Any:
    return get_client("dynamodb").describe_table(TableName=table)["Table"]


def test_films_table_is_the_one_of_the_sample(aws: str, settings: Any) -> None:
    table = describe(settings.MOVIES_TABLE)

    assert table["KeySchema"] == [
        {"AttributeName": "year", "KeyType": "HASH"},
        {"AttributeName": "title", "KeyType": "RANGE"},
    ]
    assert {
        entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]
    } == {
        "year": "N",
        "title": "S",
    }
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 5


def test_terms_table_costs_what_is_used(aws: str, settings: Any) -> None:
    table = describe(settings.MOVIES_TERMS_TABLE)

    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_creating_again_changes_nothing(aws: str, settings: Any) -> None:
    before = describe(settings.MOVIES_TABLE)["CreationDateTime"]

    tables.create_tables()
    tables.create_bucket()

    assert tables.create_movies_table() is False
    assert describe(settings.MOVIES_TABLE)["CreationDateTime"] == before


def test_what_is_there_takes_no_right_to_create(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role of a deployed function has none: its stack made tables and bucket."""
    for service, operation in (("dynamodb", "create_table"), ("s3", "create_bucket")):
        monkeypatch.setattr(get_client(service), operation, refuse)

    tables.create_tables()
    tables.create_bucket()


def refuse(**arguments: Any) -> None:
    raise AssertionError(f"It was to be created again: {arguments}")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_bucket_is_made_in_its_region(aws: str, settings: Any, region: str) -> None:
    settings.AWS_REGION = region
    settings.POSTERS_BUCKET = f"{settings.POSTERS_BUCKET}-{region}"

    tables.create_bucket()
    tables.create_bucket()

    location = get_client("s3").get_bucket_location(Bucket=settings.POSTERS_BUCKET)
    assert (location["LocationConstraint"] or "us-east-1") == region


def test_sample_object(aws: str, settings: Any) -> None:
    tables.put_sample_object()

    answer = get_client("s3").get_object(Bucket=settings.SAMPLE_BUCKET, Key=settings.SAMPLE_KEY)
    assert answer["Body"].read().decode() == tables.SAMPLE_OBJECT
    assert answer["ContentType"] == "text/yaml"


def test_waiting_for_a_table_that_never_comes(aws: str) -> None:
    with pytest.raises(AWSUnreachable, match="the wait for Nowhere"):
        tables.wait_for_table("Nowhere", max_wait_seconds=1)


@pytest.mark.django_db
def test_all_is_ready(aws: str) -> None:
    assert (tables.check_dynamodb(), tables.check_s3(), tables.check_sql()) == (None, None, None)


@pytest.mark.parametrize("name", ["MOVIES_TABLE", "MOVIES_TERMS_TABLE"])
def test_table_is_missing(aws: str, settings: Any, name: str) -> None:
    setattr(settings, name, "Nowhere")

    trouble = tables.check_dynamodb()
    assert trouble is not None
    assert trouble.aws_code == "ResourceNotFoundException"
    assert "BatchGetItem with ResourceNotFoundException" in trouble.details


def test_bucket_is_missing(aws: str, settings: Any) -> None:
    settings.POSTERS_BUCKET = "nowhere"

    trouble = tables.check_s3()
    assert trouble is not None
    assert trouble.aws_code == "404"
    assert "HeadBucket nowhere with 404" in trouble.details


def test_nobody_listens(settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{find_free_port()}"
    forget_clients()

    for trouble in (tables.check_dynamodb(), tables.check_s3()):
        assert trouble is not None
        assert trouble.code == "aws_unreachable"
        assert "Could not connect" in trouble.details
    with pytest.raises(AWSUnreachable, match="DescribeTable Movies"):
        tables.create_tables()

    forget_clients()


@pytest.mark.parametrize("check", [tables.check_dynamodb, tables.check_s3])
def test_silence_is_told_in_two_seconds(settings: Any, check: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        forget_clients()
        check_started = time.monotonic()

        assert "Read timeout" in check().details

        assert time.monotonic() - check_started < 2.5
        forget_clients()


def test_site_without_sql_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_settings, "DATABASES", {})

    assert tables.check_sql() is None


def test_sql_that_does_not_answer() -> None:
    program = (
        "import django; django.setup()\n"
        "from movies import tables; print(tables.check_sql().details)"
    )

    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=os.environ | {"DATABASE_URL": "sqlite:////nowhere/site.sqlite3"},
        capture_output=True,
        check=True,
        text=True,
    )

    assert "OperationalError: unable to open database file" in answer.stdout
