"""The operations on the encryption of traces.

https://docs.aws.amazon.com/xray/latest/api/API_PutEncryptionConfig.html
"""

from typing import Any

from django.http import HttpRequest

from xray_local.control import encryption
from xray_local.control.database import changing, reading
from xray_local.control.encryption import TYPES, Encryption
from xray_local.parts import get_parts

from .wire import operation, read_text, require


@operation
def put_encryption_config(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Keep which key is wanted."""
    type_name = require(read_text(fields, "Type", choices=TYPES), "Type")
    key_id = read_text(fields, "KeyId", at_least=1, at_most=3000)
    with changing(get_parts(request).database) as connection:
        wanted = encryption.put_encryption(connection, type_name, key_id)
    return {"EncryptionConfig": _to_api(wanted, "UPDATING")}


@operation
def get_encryption_config(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return which key is wanted."""
    with reading(get_parts(request).database) as connection:
        wanted = encryption.get_encryption(connection)
    return {"EncryptionConfig": _to_api(wanted, "ACTIVE")}


def _to_api(wanted: Encryption, status: str) -> dict[str, Any]:
    answer = {"Status": status, "Type": wanted.type}
    if wanted.key_id is not None:
        answer["KeyId"] = wanted.key_id
    return answer
