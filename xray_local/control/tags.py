"""Tags of groups and sampling rules.

https://docs.aws.amazon.com/xray/latest/api/API_TagResource.html
"""

import re
import sqlite3
from collections.abc import Collection, Mapping

from xray_local.errors import InvalidRequest, ResourceNotFound, TooManyTags
from xray_local.traces.documents import show

TAGS_MAX = 50
# What is written by AWS itself begins so, in any case.
RESERVED = "aws:"
# Letters and digits of any script, white space and a few signs.
CHARACTERS = re.compile(r"[\w\s.:/=+\-@]*")


def tag(connection: sqlite3.Connection, arn: str, tags: Mapping[str, str]) -> None:
    """Add tags to a resource; those with a key that it has replace the old ones.

    Raises ResourceNotFound, InvalidRequest and TooManyTags.
    """
    together = list_tags(connection, arn) | check_tags(tags)
    if len(together) > TAGS_MAX:
        raise TooManyTags(
            f"Expected at most {TAGS_MAX} tags for {show(arn)}, got {len(together)}.", arn
        )
    replace_tags(connection, arn, together)


def untag(connection: sqlite3.Connection, arn: str, keys: Collection[str]) -> None:
    """Remove the tags of these keys from a resource. Raises ResourceNotFound, InvalidRequest."""
    left = list_tags(connection, arn)
    for key in keys:
        _check_key(key)
        left.pop(key, None)
    replace_tags(connection, arn, left)


def list_tags(connection: sqlite3.Connection, arn: str) -> dict[str, str]:
    """Return the tags of a resource, in the order of their keys. Raises ResourceNotFound."""
    query = "SELECT 1 FROM groups WHERE arn = :arn UNION SELECT 1 FROM rules WHERE arn = :arn"
    if not connection.execute(query, {"arn": arn}).fetchone():
        raise ResourceNotFound(
            f"Expected the ARN of a group or of a sampling rule, got {show(arn)}.", arn
        )
    return dict(
        connection.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,))
    )


def check_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags if AWS allows them, fewer than too many. Raises InvalidRequest."""
    for key, value in tags.items():
        _check_key(key)
        for text in (key, value):
            if not CHARACTERS.fullmatch(text):
                raise InvalidRequest(
                    "Expected letters, digits, spaces and _ . : / = + - @ in tags, "
                    f"got {show(text)}."
                )
    return dict(tags)


def replace_tags(connection: sqlite3.Connection, arn: str, tags: Mapping[str, str]) -> None:
    """Store the tags of a resource in place of those that it has. Raises InvalidRequest."""
    if len(check_tags(tags)) > TAGS_MAX:
        raise InvalidRequest(f"Expected at most {TAGS_MAX} tags, got {len(tags)}.")
    connection.execute("DELETE FROM tags WHERE arn = ?", (arn,))
    connection.executemany(
        "INSERT INTO tags VALUES (?, ?, ?)", [(arn, key, value) for key, value in tags.items()]
    )


def _check_key(key: str) -> None:
    if key.lower().startswith(RESERVED):
        raise InvalidRequest(
            f"Expected keys that do not begin with {RESERVED!r}, which is AWS's own, "
            f"got {show(key)}."
        )
