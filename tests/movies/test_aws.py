"""Tests of movies.aws: the clients that are made, and what becomes of their errors."""

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from movies.aws import (
    BRIEF,
    ONCE,
    UPLOAD,
    USUAL,
    Patience,
    forget_clients,
    get_client,
    translate_errors,
)
from movies.errors import AWSRefused, AWSUnreachable, Throttled
from tests.movies.films import refusing
from tests.movies.remotes import keeping_silent, serving
from tests.processes import find_free_port


def get_something() -> None:
    with translate_errors("GetItem on Nothing"):
        get_client("dynamodb").get_item(
            TableName="Nothing", Key={"year": {"N": "1999"}, "title": {"S": "x"}}
        )


def test_client_is_made_once(aws: str) -> None:
    assert get_client("dynamodb") is get_client("dynamodb")
    assert get_client("dynamodb") is not get_client("s3")
    assert get_client("dynamodb") is not get_client("dynamodb", patience=ONCE)
    assert get_client("s3", "eu-west-1").meta.region_name == "eu-west-1"


def test_client_is_made_once_by_many_threads(aws: str) -> None:
    forget_clients()

    with ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(lambda _: get_client("s3"), range(32)))

    assert len({id(client) for client in clients}) == 1


def test_client_waits_and_tries_as_stated(aws: str) -> None:
    config = get_client("s3").meta.config

    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries["total_max_attempts"] == 2
    assert get_client("s3", patience=BRIEF).meta.config.retries["total_max_attempts"] == 1


def test_s3_of_an_emulation_has_buckets_in_the_path(aws: str) -> None:
    url = get_client("s3").generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})

    assert url.startswith(f"{aws}/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256")


def test_s3_of_aws_has_buckets_in_the_host(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    settings.AWS_ENDPOINT_URL = None
    settings.AWS_REGION = "eu-central-1"
    forget_clients()

    url = get_client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": "movies-posters", "Key": "k"}
    )

    forget_clients()
    assert urlsplit(url).hostname == "movies-posters.s3.eu-central-1.amazonaws.com"


def test_importing_makes_no_client_and_no_boto3() -> None:
    program = (
        "import sys, django; django.setup()\n"
        "import movies.catalogue, movies.posters, movies.chain\n"
        "print([name for name in ('boto3', 'requests') if name in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        check=True,
        text=True,
    )

    assert answer.stdout.strip() == "[]"


def test_refusal_keeps_code_message_and_cause(aws: str) -> None:
    with pytest.raises(AWSRefused, match="AWS refused GetItem on Nothing") as caught:
        get_something()

    assert caught.value.aws_code == "ResourceNotFoundException"
    assert caught.value.aws_message
    assert type(caught.value.__cause__).__name__ == "ResourceNotFoundException"
    assert not isinstance(caught.value, (Throttled, AWSUnreachable))


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_throttling_is_told_apart_after_two_attempts(aws: str, code: str) -> None:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb#{code}", "message": "Slow down."})

    with (
        refusing("GetItem", body, times=9) as calls,
        pytest.raises(Throttled, match=f"with {code}") as caught,
    ):
        get_something()

    assert caught.value.aws_code == code
    assert len(calls) == 2


def test_translates_as_a_decorator(aws: str) -> None:
    @translate_errors("HeadBucket nowhere")
    def look() -> None:
        get_client("s3").head_bucket(Bucket="nowhere")

    with pytest.raises(AWSRefused, match="HeadBucket nowhere with 404"):
        look()


def test_other_exceptions_pass(aws: str) -> None:
    with pytest.raises(ZeroDivisionError, match="by zero"), translate_errors("Nothing"):
        _ = 1 / 0


def test_closed_port_is_unreachable_soon(settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{find_free_port()}"
    forget_clients()
    started = time.monotonic()

    with pytest.raises(AWSUnreachable, match="AWS did not answer GetItem on Nothing") as caught:
        get_something()

    forget_clients()
    assert caught.value.problem == "EndpointConnectionError"
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(("patience", "attempts"), [(USUAL, 2), (ONCE, 1)])
def test_silent_endpoint_is_given_up_within_five_seconds(
    settings: Any, patience: Patience, attempts: int
) -> None:
    with keeping_silent() as (url, heard):
        settings.AWS_ENDPOINT_URL = url
        forget_clients()
        started = time.monotonic()

        with pytest.raises(AWSUnreachable, match="ListTables"), translate_errors("ListTables"):
            get_client("dynamodb", patience=patience).list_tables()

        seconds = time.monotonic() - started
        forget_clients()
    assert len(heard) == attempts
    assert seconds < 7  # 5, and some for a machine that is busy


def test_upload_has_the_time_that_a_slow_line_needs(settings: Any) -> None:
    with serving(take_slowly) as url:
        settings.AWS_ENDPOINT_URL = url.rstrip("/")
        forget_clients()

        answer = get_client("s3", patience=UPLOAD).put_object(
            Bucket="b", Key="k", Body=b"x" * 2_000_000
        )

        forget_clients()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0


def take_slowly(connection: socket.socket, head: bytes) -> None:
    """Take 2 MB in more than two seconds, and answer as S3 does."""
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    taken = 0
    while taken < 2_000_000 and (chunk := connection.recv(20_000)):
        taken += len(chunk)
        time.sleep(0.03)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_silent_endpoint_is_unreachable(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        forget_clients()

        with (
            pytest.raises(AWSUnreachable, match="AWS did not answer ListBuckets") as caught,
            translate_errors("ListBuckets"),
        ):
            get_client("s3", patience=BRIEF).list_buckets()

        forget_clients()
    assert "ReadTimeoutError: Read timeout on endpoint URL" in caught.value.details


def test_no_credentials_is_unreachable(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nowhere")
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    forget_clients()

    with pytest.raises(AWSUnreachable, match="AWS did not answer GetItem on Nothing") as caught:
        get_something()

    forget_clients()
    assert "NoCredentialsError: Unable to locate credentials" in caught.value.details
