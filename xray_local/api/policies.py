"""The operations on resource policies.

https://docs.aws.amazon.com/xray/latest/api/API_PutResourcePolicy.html
"""

import time
from typing import Any

from django.http import HttpRequest

from xray_local.control import policies
from xray_local.control.database import changing, reading
from xray_local.control.policies import Policy
from xray_local.parts import get_parts

from .wire import operation, read_boolean, read_text, require

NAME = r"[\w+=,.@-]+"


@operation
def put_resource_policy(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Keep a policy, under a revision of its own."""
    with changing(get_parts(request).database) as connection:
        policy = policies.put_policy(
            connection,
            _read_name(fields),
            require(read_text(fields, "PolicyDocument"), "PolicyDocument"),
            time.time(),
            revision=read_text(fields, "PolicyRevisionId"),
            may_lock_out=read_boolean(fields, "BypassPolicyLockoutCheck") or False,
        )
    return {"ResourcePolicy": _to_api(policy)}


@operation
def list_resource_policies(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return all policies, which fit on one page."""
    read_text(fields, "NextToken", at_least=1, at_most=100)
    with reading(get_parts(request).database) as connection:
        return {"ResourcePolicies": [_to_api(each) for each in policies.list_policies(connection)]}


@operation
def delete_resource_policy(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Remove a policy."""
    with changing(get_parts(request).database) as connection:
        policies.delete_policy(
            connection, _read_name(fields), revision=read_text(fields, "PolicyRevisionId")
        )
    return {}


def _read_name(fields: dict[str, Any]) -> str:
    name = read_text(fields, "PolicyName", at_least=1, at_most=128, pattern=NAME)
    return require(name, "PolicyName")


def _to_api(policy: Policy) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyDocument": policy.document,
        "PolicyRevisionId": str(policy.revision),
        "LastUpdatedTime": policy.updated,
    }
