"""What Django's file storages say in a trace."""

import io
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage
from django.core.files.storage.handler import StorageHandler

from tests.conftest import Daemon
from tests.tracing.conftest import finish
from tests.tracing.test_aws import KEYS


class BucketStorage(Storage):
    """As little of a storage on S3 as there can be; it overwrites what is there."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        self.delete(name)
        return name

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        return super().save(name, content, max_length)

    def _save(self, name: str, content: Any) -> str:
        self._client.put_object(Bucket=self._bucket, Key=name, Body=content.read())
        return name

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=name)


def test_a_folder(tmp_path: Path, daemon: Daemon, segment: Any) -> None:
    storage = FileSystemStorage(tmp_path)

    name = storage.save("a.txt", ContentFile(b"text"))
    other = storage.save("a.txt", File(io.BytesIO(b"more")))
    with storage.open(name) as file:
        assert file.read() == b"text"
    storage.delete(name=other)

    calls = finish(daemon)
    assert {call["name"] for call in calls} == {"FileSystemStorage"}
    assert all("namespace" not in call for call in calls)
    assert [call["metadata"]["default"] for call in calls] == [
        {"operation": "save", "name": "a.txt", "size": 4},
        {"operation": "save", "name": other},
        {"operation": "open", "name": "a.txt"},
        {"operation": "delete", "name": other},
    ]


def test_the_calls_of_a_storage_are_beneath_it(
    aws: str, daemon: Daemon, segment: Any, settings: Any
) -> None:
    client = boto3.client("s3", endpoint_url=aws, **KEYS)

    BucketStorage(client, settings.POSTERS_BUCKET).save("a.txt", ContentFile(b"text"))

    save, delete, delete_object, put_object = finish(daemon)
    assert save["name"] == delete["name"] == "BucketStorage"
    assert [call["name"] for call in save["subsegments"]] == ["BucketStorage", "s3"]
    assert delete["metadata"]["default"] == {"operation": "delete", "name": "a.txt"}
    assert delete_object["aws"]["operation"] == "DeleteObject"
    assert put_object["aws"]["operation"] == "PutObject"


def test_a_file_that_is_not_there(tmp_path: Path, daemon: Daemon, segment: Any) -> None:
    with pytest.raises(FileNotFoundError):
        FileSystemStorage(tmp_path).open("missing.txt")

    (call,) = finish(daemon)
    assert call["fault"] is True
    assert call["cause"]["exceptions"][0]["type"] == "FileNotFoundError"


def test_a_storage_of_the_settings(daemon: Daemon, segment: Any) -> None:
    backend = "django.core.files.storage.InMemoryStorage"
    storages = StorageHandler({"default": {"BACKEND": backend}})

    storages["default"].save("a.txt", ContentFile("text"))

    (call,) = finish(daemon)
    assert call["name"] == "InMemoryStorage"


def test_outside_a_trace_nothing_is_told(daemon: Daemon) -> None:
    InMemoryStorage().save("a.txt", ContentFile(b"text"))

    assert daemon.receive() == []
