"""What the reading of a body from S3, and transfers in threads, say in a trace."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody

from tests.conftest import Daemon
from tests.tracing.conftest import finish
from tests.tracing.test_aws import KEYS
from tracing import in_subsegment, xray_recorder
from tracing.context import current_entity

SIZE = 100_000
MEGABYTE = 1024 * 1024
# Line ends and all else.
CONTENT = bytes(range(250)) * (SIZE // 250)


@pytest.fixture
def client(aws: str) -> Any:
    """A client of the embedded S3, with its own way of checking."""
    return boto3.client("s3", endpoint_url=aws, **KEYS)


@pytest.fixture
def bucket(client: Any, settings: Any) -> str:
    """A bucket with one file in it."""
    name: str = settings.POSTERS_BUCKET
    client.put_object(Bucket=name, Key="a", Body=CONTENT)
    return name


def read_by_parts(body: StreamingBody) -> bytes:
    return b"".join(iter(lambda: body.read(30_000), b""))


def read_in_block(body: StreamingBody) -> bytes:
    with body as stream:
        content: bytes = stream.read()
    return content


def read_into(body: StreamingBody) -> bytes:
    content, buffer = b"", bytearray(30_000)
    while count := body.readinto(buffer):
        content += buffer[:count]
    return content


WAYS: dict[str, Callable[[Any], bytes]] = {
    "read": lambda body: body.read(),
    "parts": read_by_parts,
    "exactly": lambda body: b"".join([body.read(SIZE // 2), body.read(SIZE // 2)]),
    "chunks": lambda body: b"".join(body.iter_chunks(8_000)),
    "iteration": lambda body: b"".join(body),
    "lines": lambda body: b"".join(body.iter_lines(keepends=True)),
    "readlines": lambda body: b"".join(body.readlines()),
    "readinto": read_into,
    "block": read_in_block,
}


@pytest.mark.parametrize("way", WAYS)
def test_w11_a_body_is_one_subsegment(
    way: str, client: Any, bucket: str, daemon: Daemon, segment: Any
) -> None:
    with in_subsegment("caller"):
        body = client.get_object(Bucket=bucket, Key="a")["Body"]
        with in_subsegment("reader") as reading:
            content = WAYS[way](body)
            assert current_entity() is reading
        with in_subsegment("after"):
            pass

    caller, call, reader, read, after = finish(daemon)
    assert b"".join(content.split()) == b"".join(CONTENT.split())
    assert [child["name"] for child in caller["subsegments"]] == [
        "s3",
        "reader",
        "s3 body",
        "after",
    ]
    assert read["metadata"]["default"] == {"bytes": len(CONTENT)}
    assert "in_progress" not in read
    assert call["end_time"] <= reader["start_time"] <= read["start_time"]
    assert read["end_time"] <= reader["end_time"] <= after["start_time"]


def test_work_between_two_reads_is_the_callers(
    client: Any, bucket: str, daemon: Daemon, segment: Any
) -> None:
    body = client.get_object(Bucket=bucket, Key="a")["Body"]
    for number, _ in enumerate(body.iter_chunks(SIZE // 2)):
        with in_subsegment(f"work {number}"):
            pass

    xray_recorder.end_segment()
    (document,) = daemon.documents(1)
    assert [child["name"] for child in document["subsegments"]] == [
        "s3",
        "s3 body",
        "work 0",
        "work 1",
    ]


def test_a_body_outlives_what_it_was_got_in(
    client: Any, bucket: str, daemon: Daemon, segment: Any
) -> None:
    with in_subsegment("get"):
        body = client.get_object(Bucket=bucket, Key="a")["Body"]
    body.read()

    xray_recorder.end_segment()
    (document,) = daemon.documents(1)
    assert [child["name"] for child in document["subsegments"]] == ["get", "s3 body"]


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_body_that_is_left(
    is_closed: bool, client: Any, bucket: str, daemon: Daemon, segment: Any
) -> None:
    body = client.get_object(Bucket=bucket, Key="a")["Body"]
    body.read(10)
    if is_closed:
        body.close()
    with in_subsegment("after"):
        pass

    _, read, after = finish(daemon)
    assert read["metadata"]["default"] == {"bytes": 10}
    assert (read["end_time"] <= after["start_time"]) is is_closed
    assert "in_progress" not in read
    body.close()


def test_a_body_that_is_not_read(client: Any, bucket: str, daemon: Daemon, segment: Any) -> None:
    client.get_object(Bucket=bucket, Key="a")["Body"].close()

    assert [call["name"] for call in finish(daemon)] == ["s3"]


def test_a_body_that_breaks_off(daemon: Daemon, segment: Any) -> None:
    call = xray_recorder.begin_subsegment("s3", "aws")
    call.is_leaf = True
    body = StreamingBody(io.BytesIO(b"short"), 10)
    xray_recorder.end_subsegment()

    with pytest.raises(IncompleteReadError, match="5 read, but total bytes expected is 10"):
        body.read()

    _, read = finish(daemon)
    assert (read["name"], read["fault"]) == ("s3 body", True)
    assert read["cause"]["exceptions"][0]["type"] == "IncompleteReadError"
    assert read["metadata"]["default"] == {"bytes": 5}


def test_a_body_read_after_its_request_is_not_told(
    client: Any, bucket: str, daemon: Daemon, segment: Any
) -> None:
    body = client.get_object(Bucket=bucket, Key="a")["Body"]
    calls = finish(daemon)

    assert body.read() == CONTENT

    assert [call["name"] for call in calls] == ["s3"]
    assert len(daemon.receive()) == 1


def test_a_body_outside_a_trace(client: Any, bucket: str, daemon: Daemon) -> None:
    body = client.get_object(Bucket=bucket, Key="a")["Body"]

    assert body.read() == CONTENT
    assert body._xray_reading is None
    assert daemon.receive() == []


def test_w11_transfers_in_threads_are_the_callers(
    client: Any,
    bucket: str,
    daemon: Daemon,
    segment: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source, target, buffer = tmp_path / "source", tmp_path / "target", io.BytesIO()
    source.write_bytes(os.urandom(12 * MEGABYTE))

    with in_subsegment("upload_file"):
        client.upload_file(str(source), bucket, "large")
    with in_subsegment("upload_fileobj"), source.open("rb") as file:
        client.upload_fileobj(file, bucket, "larger")
    with in_subsegment("download_file"):
        client.download_file(bucket, "large", str(target))
    with in_subsegment("download_fileobj"):
        client.download_fileobj(bucket, "larger", buffer)

    assert target.read_bytes() == buffer.getvalue() == source.read_bytes()
    found = {call["name"]: call for call in finish(daemon) if "load_file" in call["name"]}
    for name in ("upload_file", "upload_fileobj"):
        assert sorted(call["aws"]["operation"] for call in found[name]["subsegments"]) == [
            "CompleteMultipartUpload",
            "CreateMultipartUpload",
            "UploadPart",
            "UploadPart",
        ]
    for name in ("download_file", "download_fileobj"):
        beneath = found[name]["subsegments"]
        assert sorted(call["aws"]["operation"] for call in beneath if call["name"] == "s3") == [
            "GetObject",
            "GetObject",
            "HeadObject",
        ]
        bodies = [call for call in beneath if call["name"] == "s3 body"]
        assert sorted(body["metadata"]["default"]["bytes"] for body in bodies) == [
            4 * MEGABYTE,
            8 * MEGABYTE,
        ]
        for call in beneath:
            assert found[name]["start_time"] <= call["start_time"]
            assert call["end_time"] <= found[name]["end_time"]
    assert caplog.records == []
