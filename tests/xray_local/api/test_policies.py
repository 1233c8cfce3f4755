"""The operations on resource policies."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.xray_local.conftest import Console
from tests.xray_local.made import make_id
from tests.xray_local.test_operations import POLICY


def test_a_policy_goes_in_and_comes_out(client: Any) -> None:
    name = make_id()

    first = client.put_resource_policy(PolicyName=name, PolicyDocument=POLICY)["ResourcePolicy"]

    assert (first["PolicyName"], first["PolicyDocument"]) == (name, POLICY)
    assert first["PolicyRevisionId"] == "1"
    second = client.put_resource_policy(
        PolicyName=name, PolicyDocument=POLICY, PolicyRevisionId="1"
    )["ResourcePolicy"]
    assert second["PolicyRevisionId"] == "2"
    assert second in client.list_resource_policies()["ResourcePolicies"]
    client.delete_resource_policy(PolicyName=name, PolicyRevisionId="2")
    names = [each["PolicyName"] for each in client.list_resource_policies()["ResourcePolicies"]]
    assert name not in names


LOCKED = json.dumps({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*"}})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"PolicyDocument": "{"}, "MalformedPolicyDocumentException"),
        ({"PolicyDocument": "x" * 5121}, "PolicySizeLimitExceededException"),
        ({"PolicyRevisionId": "3"}, "InvalidPolicyRevisionIdException"),
        ({"PolicyDocument": LOCKED}, "LockoutPreventionException"),
    ],
)
def test_policies_that_are_refused(client: Any, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.put_resource_policy(**{"PolicyName": make_id(), "PolicyDocument": POLICY, **fields})

    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_sixth_policy(console: Console) -> None:
    for number in range(5):
        body = {"PolicyName": str(number), "PolicyDocument": POLICY}
        assert console.post("/PutResourcePolicy", body).status_code == 200

    refused = console.post("/PutResourcePolicy", {"PolicyName": "5", "PolicyDocument": POLICY})

    assert refused.headers["x-amzn-errortype"] == "PolicyCountLimitExceededException"


def test_the_check_for_a_lockout_can_be_left_out(console: Console) -> None:
    body = {"PolicyName": "a", "PolicyDocument": LOCKED, "BypassPolicyLockoutCheck": True}

    assert console.post("/PutResourcePolicy", body).status_code == 200


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "a/b", None])
def test_names_that_are_refused(console: Console, name: str | None) -> None:
    for path in ("/PutResourcePolicy", "/DeleteResourcePolicy"):
        refused = console.post(path, {"PolicyName": name, "PolicyDocument": POLICY})

        assert refused.status_code == 400
        assert "PolicyName" in refused.json()["Message"]
