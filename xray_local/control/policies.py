"""Resource policies: kept and checked as X-Ray does, though nobody is refused by them here.

https://docs.aws.amazon.com/xray/latest/api/API_PutResourcePolicy.html

What the documents leave open was decided so (doubtful): revisions count from 1; a policy locks out
its author where a statement without a condition denies everybody, or the account, the action
xray:PutResourcePolicy.
"""

import fnmatch
import json
import sqlite3
from typing import Any, NamedTuple

from xray_local.errors import (
    InvalidPolicyRevisionId,
    InvalidRequest,
    LockoutPrevention,
    MalformedPolicyDocument,
    PolicyCountLimitExceeded,
    PolicySizeLimitExceeded,
)
from xray_local.traces.documents import show

from .arns import ACCOUNT_ID

POLICIES_MAX = 5
DOCUMENT_MAX_BYTES = 5 * 1024
VERSIONS = ("2012-10-17", "2008-10-17")
NO_POLICY = "0"
OWN_ACTION = "xray:putresourcepolicy"
EVERYBODY = ("*", ACCOUNT_ID, f"arn:aws:iam::{ACCOUNT_ID}:root")


class Policy(NamedTuple):
    """A resource policy; updated is in seconds since 1970."""

    name: str
    document: str
    revision: int
    updated: float


def put_policy(
    connection: sqlite3.Connection,
    name: str,
    document: str,
    now: float,
    *,
    revision: str | None = None,
    may_lock_out: bool = False,
) -> Policy:
    """Store a policy in place of the one of its name, and return it.

    revision: what the latest must be, "0" for none. Raises PolicySizeLimitExceeded,
    MalformedPolicyDocument, LockoutPrevention, InvalidPolicyRevisionId, PolicyCountLimitExceeded.
    """
    size_bytes = len(document.encode())
    if size_bytes > DOCUMENT_MAX_BYTES:
        raise PolicySizeLimitExceeded(
            f"Expected a PolicyDocument of at most {DOCUMENT_MAX_BYTES} bytes, got {size_bytes}."
        )
    statements = _read_statements(document)
    if not may_lock_out and any(map(_locks_out, statements)):
        raise LockoutPrevention(
            f"The policy {show(name)} denies xray:PutResourcePolicy to everybody: it could not be "
            "changed again. Expected that, or BypassPolicyLockoutCheck."
        )
    policies = {policy.name: policy for policy in list_policies(connection)}
    latest = policies[name].revision if name in policies else int(NO_POLICY)
    _check_revision(name, revision, latest)
    if name not in policies and len(policies) >= POLICIES_MAX:
        raise PolicyCountLimitExceeded(
            f"Expected at most {POLICIES_MAX} policies; delete one of {', '.join(policies)} first."
        )
    policy = Policy(name, document, latest + 1, now)
    connection.execute("REPLACE INTO policies VALUES (?, ?, ?, ?)", policy)
    return policy


def delete_policy(connection: sqlite3.Connection, name: str, *, revision: str | None) -> None:
    """Remove a policy. Raises InvalidRequest and InvalidPolicyRevisionId."""
    policies = {policy.name: policy for policy in list_policies(connection)}
    if name not in policies:
        # Tools know this case by these words.
        raise InvalidRequest(
            f"Resource policy does not exist: expected one of {sorted(policies)}, got {show(name)}."
        )
    _check_revision(name, revision, policies[name].revision)
    connection.execute("DELETE FROM policies WHERE name = ?", (name,))


def list_policies(connection: sqlite3.Connection) -> list[Policy]:
    """Return all policies in the order of their names."""
    rows = connection.execute(
        "SELECT name, document, revision, updated FROM policies ORDER BY name"
    )
    return [Policy(*row) for row in rows]


def _check_revision(name: str, revision: str | None, latest: int) -> None:
    if revision is not None and revision != str(latest):
        raise InvalidPolicyRevisionId(
            f"Expected {str(latest)!r} as PolicyRevisionId of {show(name)}, got {show(revision)}."
        )


def _read_statements(document: str) -> list[dict[str, Any]]:
    """Return the statements of a policy. Raises MalformedPolicyDocument."""
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicyDocument(
            f"Expected JSON as PolicyDocument, got {show(document)}: {error}."
        ) from None
    if not isinstance(policy, dict):
        raise MalformedPolicyDocument(f"Expected a policy as PolicyDocument, got {show(policy)}.")
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        raise MalformedPolicyDocument(
            f"Expected one of {', '.join(VERSIONS)} as Version, got {show(policy['Version'])}."
        )
    statements = policy.get("Statement")
    statements = statements if isinstance(statements, list) else [statements]
    for statement in statements:
        if not isinstance(statement, dict):
            raise MalformedPolicyDocument(
                f"Expected a Statement, or a list of them, got {show(statement)}."
            )
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicyDocument(
                f"Expected Allow or Deny as Effect, got {show(statement.get('Effect'))}."
            )
        for names in (("Action", "NotAction"), ("Principal", "NotPrincipal")):
            if sum(name in statement for name in names) != 1:
                raise MalformedPolicyDocument(
                    f"Expected either {' or '.join(names)} in each Statement, "
                    f"got {show(sorted(statement))}."
                )
    return statements


def _locks_out(statement: dict[str, Any]) -> bool:
    if statement["Effect"] != "Deny" or statement.get("Condition"):
        return False
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    if not any(each in EVERYBODY for each in _as_list(principal)):
        return False
    if "Action" in statement:
        return _names_own_action(statement["Action"])
    return not _names_own_action(statement["NotAction"])


def _names_own_action(actions: Any) -> bool:
    return any(
        isinstance(each, str) and fnmatch.fnmatchcase(OWN_ACTION, each.lower())
        for each in _as_list(actions)
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
