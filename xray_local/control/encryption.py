"""The encryption of stored traces: what was asked for; nothing is encrypted on a laptop.

https://docs.aws.amazon.com/xray/latest/api/API_PutEncryptionConfig.html

PutEncryptionConfig answers UPDATING, as X-Ray does, and whoever asks from then on hears ACTIVE:
there is nothing to wait for. A key is kept as it was given, where X-Ray answers with its ARN.
"""

import re
import sqlite3
from typing import NamedTuple

from xray_local.errors import InvalidRequest
from xray_local.traces.documents import show

from .choices import get_choice, set_choice

NONE = "NONE"
KMS = "KMS"
TYPES = (NONE, KMS)
NAME = "encryption"
# An alias, an id, or the ARN of either.
KEY_ID = re.compile(r"(arn:[\w-]+:kms:[\w-]+:\d{12}:(key|alias)/|alias/)?[\w/-]+")


class Encryption(NamedTuple):
    """Which key is wanted; key_id is None for X-Ray's own."""

    type: str = NONE
    key_id: str | None = None


def put_encryption(
    connection: sqlite3.Connection, type_name: str, key_id: str | None
) -> Encryption:
    """Keep what is wanted, and return it. Raises InvalidRequest."""
    if type_name == NONE and key_id is not None:
        raise InvalidRequest(f"Expected no KeyId with the Type {NONE}, got {show(key_id)}.")
    if type_name == KMS and (key_id is None or not KEY_ID.fullmatch(key_id)):
        raise InvalidRequest(
            f"Expected the alias, the id or the ARN of a KMS key as KeyId, got {show(key_id)}."
        )
    encryption = Encryption(type_name, key_id)
    set_choice(connection, NAME, encryption)
    return encryption


def get_encryption(connection: sqlite3.Connection) -> Encryption:
    """Return what is wanted, X-Ray's own encryption if nothing was said."""
    return Encryption(*get_choice(connection, NAME, Encryption()))
