import json
import logging
import time
from typing import Any

import pytest
from django.test import Client

from movies import aws as movies_aws
from movies import tables
from tests.movies.remotes import keeping_silent


def test_show_app(client: Client, aws: str, settings: Any) -> None:
    tables.put_sample_object()
    settings.REMOTE_URL_SECOND = aws

    response = client.get("/app")

    answer = json.loads(response.content)
    assert response.status_code == 200
    assert answer["message"] == "The function ran."
    assert [step["is_ok"] for step in answer["steps"]] == [True] * 4
    assert all(step["duration_ms"] >= 0 for step in answer["steps"])


def test_show_app_when_aws_refuses(
    client: Client, aws: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SAMPLE_KEY = "sample/nothing"

    response = client.get("/app")

    answer = json.loads(response.content)
    assert response.status_code == 500
    assert answer["step"] == "s3"
    assert answer["code"] in ("404", "NoSuchKey")
    assert answer["aws_message"]
    assert [step["is_ok"] for step in answer["steps"]] == [False, False]
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert "/app: step_failed: The step 's3' failed with NoSuchKey" in record.getMessage()


def test_show_app_where_nobody_answers(client: Client, settings: Any) -> None:
    with keeping_silent() as (url, heard):
        settings.AWS_ENDPOINT_URL = settings.REMOTE_URL_SECOND = url
        settings.REMOTE_TIMEOUT_SECONDS = 3
        movies_aws.forget_clients()
        started = time.monotonic()

        response = client.get("/app")

        seconds = time.monotonic() - started
        movies_aws.forget_clients()
    assert response.status_code == 500
    assert json.loads(response.content)["step"] == "s3"
    # One for the remote URL, two for S3: 8 s, and some for a machine that is busy.
    assert len(heard) == 3
    assert seconds < 10
