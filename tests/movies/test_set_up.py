"""Tests of the command set_up."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from movies.aws import forget_clients, get_client
from movies.tables import SAMPLE_OBJECT, check_dynamodb, check_s3


@pytest.mark.django_db
def test_makes_all_and_can_be_repeated(aws: str, settings: Any) -> None:
    for name in ("MOVIES_TABLE", "MOVIES_TERMS_TABLE", "POSTERS_BUCKET", "SAMPLE_BUCKET"):
        setattr(settings, name, f"{getattr(settings, name)}-2")
    assert check_dynamodb()
    assert check_s3()

    for _ in range(2):
        output = io.StringIO()
        call_command("set_up", stdout=output)

    assert check_dynamodb() is None
    assert check_s3() is None
    assert settings.MOVIES_TABLE in output.getvalue()
    answer = get_client("s3").get_object(Bucket=settings.SAMPLE_BUCKET, Key=settings.SAMPLE_KEY)
    assert answer["Body"].read().decode() == SAMPLE_OBJECT


def test_aws_that_does_not_answer(settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    forget_clients()

    with pytest.raises(CommandError, match="AWS did not answer DescribeTable Movies"):
        call_command("set_up")

    forget_clients()
