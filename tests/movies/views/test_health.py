import json
import logging
from typing import Any

import pytest
from django.test import Client

from movies import aws as movies_aws


def test_show_health_touches_nothing(client: Client, settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"

    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.content == b"ok\n"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_show_readiness(client: Client, aws: str) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert json.loads(response.content) == {
        "ready": True,
        "s3": "ok",
        "dynamodb": "ok",
        "sql": "ok",
    }


@pytest.mark.usefixtures("no_sql")
def test_show_readiness_without_sql(client: Client, aws: str) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert json.loads(response.content)["sql"] == "none"


@pytest.mark.django_db
def test_show_readiness_when_aws_does_not_answer(
    client: Client, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    movies_aws.forget_clients()

    response = client.get("/readyz")
    movies_aws.forget_clients()

    answer = json.loads(response.content)
    assert response.status_code == 503
    assert answer["ready"] is False
    assert answer == {
        "ready": False,
        "s3": "aws_unreachable",
        "dynamodb": "aws_unreachable",
        "sql": "ok",
    }
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert "These don't answer: s3, dynamodb." in record.getMessage()
    assert "HeadBucket" in record.getMessage()
    assert "Could not connect to the endpoint URL" in record.getMessage()
