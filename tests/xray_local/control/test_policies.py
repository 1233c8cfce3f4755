"""Resource policies."""

import json
import sqlite3
from typing import Any

import pytest

from xray_local.control import policies
from xray_local.errors import (
    InvalidPolicyRevisionId,
    InvalidRequest,
    LockoutPrevention,
    MalformedPolicyDocument,
    PolicyCountLimitExceeded,
    PolicySizeLimitExceeded,
)

NOON = 1_700_000_000.0
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": ["xray:PutTraceSegments", "xray:GetSamplingRules"],
    "Resource": "*",
}


def make(**changes: Any) -> str:
    """Return a policy; a field of its statement that is None is left out."""
    statement = {key: value for key, value in {**STATEMENT, **changes}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def put(
    connection: sqlite3.Connection, name: str, document: str = make(), **options: Any
) -> policies.Policy:
    return policies.put_policy(connection, name, document, NOON, **options)


def test_revisions_count(connection: sqlite3.Connection) -> None:
    assert put(connection, "a") == ("a", make(), 1, NOON)

    changed = put(connection, "a", make(Resource="x"))

    assert changed.revision == 2
    assert policies.list_policies(connection) == [changed]


def test_a_revision_that_is_not_the_latest(connection: sqlite3.Connection) -> None:
    put(connection, "a", revision="0")
    put(connection, "a", revision="1")

    for revision in ("0", "1", "3", "x"):
        with pytest.raises(InvalidPolicyRevisionId, match=f"'2' as .* got '{revision}'"):
            put(connection, "a", revision=revision)
        with pytest.raises(InvalidPolicyRevisionId, match=f"'2' as .* got '{revision}'"):
            policies.delete_policy(connection, "a", revision=revision)
    with pytest.raises(InvalidPolicyRevisionId, match=r"'0' as .* got '1'"):
        put(connection, "b", revision="1")
    policies.delete_policy(connection, "a", revision="2")
    assert policies.list_policies(connection) == []


def test_a_policy_that_is_unknown(connection: sqlite3.Connection) -> None:
    with pytest.raises(InvalidRequest, match=r"^Resource policy does not exist"):
        policies.delete_policy(connection, "a", revision=None)


def test_five_policies(connection: sqlite3.Connection) -> None:
    for name in "abcde":
        put(connection, name)
    put(connection, "a")

    with pytest.raises(PolicyCountLimitExceeded, match="at most 5 policies"):
        put(connection, "f")


def test_five_kilobytes(connection: sqlite3.Connection) -> None:
    room = 5120 - len(make(Sid=""))
    put(connection, "a", make(Sid="x" * room))

    with pytest.raises(PolicySizeLimitExceeded, match="at most 5120 bytes, got 5121"):
        put(connection, "b", make(Sid="x" * (room + 1)))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("", "Expected JSON"),
        ("{", "Expected JSON"),
        ("[" * 4000, "Expected JSON"),
        ("[]", "Expected a policy"),
        ("{}", "Expected a Statement"),
        ('{"Statement": ["x"]}', "Expected a Statement"),
        ('{"Version": "2020-01-01", "Statement": []}', "2012-10-17, 2008-10-17 as Version"),
        (make(Effect="Maybe"), "Allow or Deny as Effect, got 'Maybe'"),
        (make(Action=None), "either Action or NotAction"),
        (make(NotAction="x"), "either Action or NotAction"),
        (make(Principal=None), "either Principal or NotPrincipal"),
    ],
)
def test_policies_that_are_malformed(
    connection: sqlite3.Connection, document: str, expected: str
) -> None:
    with pytest.raises(MalformedPolicyDocument, match=expected):
        put(connection, "a", document)


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "*", "Action": "*"},
        {"Principal": {"AWS": ["*"]}, "Action": ["x", "xray:Put*"]},
        {"Principal": {"AWS": "000000000000"}, "Action": "XRAY:PutResourcePolicy"},
        {"Principal": "*", "Action": None, "NotAction": "xray:Get*"},
    ],
)
def test_policies_that_lock_out(connection: sqlite3.Connection, changes: dict[str, Any]) -> None:
    document = make(Effect="Deny", **changes)

    with pytest.raises(LockoutPrevention, match="BypassPolicyLockoutCheck"):
        put(connection, "a", document)
    put(connection, "a", document, may_lock_out=True)
    put(connection, "a", make(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "*", "Action": "xray:GetGroups"},
        {"Principal": {"AWS": "111111111111"}, "Action": "*"},
        {"Principal": "*", "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Principal": "*", "Action": None, "NotAction": "xray:PutResourcePolicy"},
        {"Principal": None, "NotPrincipal": {"AWS": "*"}, "Action": "*"},
    ],
)
def test_policies_that_do_not(connection: sqlite3.Connection, changes: dict[str, Any]) -> None:
    assert put(connection, "a", make(Effect="Deny", **changes)).revision == 1
