import json
from typing import Any

from django.test import Client

from movies import tables


def test_show_app(client: Client, aws: str, settings: Any) -> None:
    tables.put_sample_object()
    settings.REMOTE_URL_SECOND = aws

    response = client.get("/app")

    answer = json.loads(response.content)
    assert response.status_code == 200
    assert answer["message"] == "The function ran."
    assert [step["is_ok"] for step in answer["steps"]] == [True] * 4
    assert all(step["duration_ms"] >= 0 for step in answer["steps"])


def test_show_app_when_aws_refuses(client: Client, aws: str, settings: Any) -> None:
    settings.SAMPLE_KEY = "sample/nothing"

    response = client.get("/app")

    answer = json.loads(response.content)
    assert response.status_code == 500
    assert answer["step"] == "s3"
    assert answer["code"] in ("404", "NoSuchKey")
    assert answer["aws_message"]
    assert [step["is_ok"] for step in answer["steps"]] == [False, False]
