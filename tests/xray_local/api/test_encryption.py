"""The operations on the encryption of traces."""

from typing import Any

import pytest

from tests.xray_local.conftest import Console


def test_updating_and_then_active(console: Console) -> None:
    put = console.post("/PutEncryptionConfig", {"Type": "KMS", "KeyId": "alias/films"}).json()
    get = console.post("/EncryptionConfig", {}).json()

    wanted = {"Type": "KMS", "KeyId": "alias/films"}
    assert put == {"EncryptionConfig": {**wanted, "Status": "UPDATING"}}
    assert get == {"EncryptionConfig": {**wanted, "Status": "ACTIVE"}}
    console.post("/PutEncryptionConfig", {"Type": "NONE"})
    none = console.post("/EncryptionConfig", {}).json()
    assert none == {"EncryptionConfig": {"Type": "NONE", "Status": "ACTIVE"}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "Expected Type, which is missing."),
        ({"Type": "AES"}, "Expected one of NONE, KMS as Type, got 'AES'."),
        ({"Type": "KMS"}, "Expected the alias, the id or the ARN of a KMS key as KeyId, got None."),
        ({"Type": "NONE", "KeyId": "x"}, "Expected no KeyId with the Type NONE, got 'x'."),
        ({"Type": "KMS", "KeyId": "x" * 3001}, "Expected a text of 1 to 3000 characters as KeyId"),
    ],
)
def test_requests_that_are_refused(console: Console, fields: dict[str, Any], expected: str) -> None:
    response = console.post("/PutEncryptionConfig", fields)

    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "InvalidRequestException"
    assert response.json()["Message"].startswith(expected)
