"""The encryption that is asked for."""

import sqlite3

import pytest

from xray_local.control.encryption import Encryption, get_encryption, put_encryption
from xray_local.errors import InvalidRequest


def test_none_until_asked_for(connection: sqlite3.Connection) -> None:
    assert get_encryption(connection) == Encryption("NONE", None)


@pytest.mark.parametrize(
    "key_id",
    [
        "alias/films",
        "alias/aws/xray",
        "ae4aa6d49-a4d8-9df9-a475-4ff6d7898456",
        "arn:aws:kms:us-east-2:123456789012:key/ae4aa6d49-a4d8-9df9-a475-4ff6d7898456",
        "arn:aws-cn:kms:cn-north-1:123456789012:alias/films",
    ],
)
def test_a_key_is_kept(connection: sqlite3.Connection, key_id: str) -> None:
    assert put_encryption(connection, "KMS", key_id) == ("KMS", key_id)
    assert get_encryption(connection) == ("KMS", key_id)

    put_encryption(connection, "NONE", None)
    assert get_encryption(connection) == ("NONE", None)


@pytest.mark.parametrize("key_id", [None, "a key", "arn:aws:s3:::bucket", "arn:aws:kms:x:1:key/y"])
def test_no_key(connection: sqlite3.Connection, key_id: str | None) -> None:
    with pytest.raises(InvalidRequest, match="of a KMS key as KeyId"):
        put_encryption(connection, "KMS", key_id)


def test_a_key_for_nothing(connection: sqlite3.Connection) -> None:
    with pytest.raises(InvalidRequest, match="no KeyId with the Type NONE, got 'x'"):
        put_encryption(connection, "NONE", "x")
