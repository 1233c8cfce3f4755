"""The operations on tags."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.xray_local.conftest import Console
from tests.xray_local.made import make_id

RULE = "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default"
GROUP = "arn:aws:xray:us-east-1:000000000000:group/Default"


def test_tags_of_a_rule_and_of_a_group(client: Any) -> None:
    for arn in (RULE, GROUP):
        key = make_id()
        client.tag_resource(ResourceARN=arn, Tags=[{"Key": key, "Value": "1"}])
        client.tag_resource(ResourceARN=arn, Tags=[{"Key": key, "Value": "2"}])

        tags = client.list_tags_for_resource(ResourceARN=arn)["Tags"]
        assert {"Key": key, "Value": "2"} in tags
        client.untag_resource(ResourceARN=arn, TagKeys=[key, "unknown"])
        left = client.list_tags_for_resource(ResourceARN=arn)["Tags"]
        assert key not in [tag["Key"] for tag in left]


def test_errors_name_the_resource(client: Any) -> None:
    many = [{"Key": str(number), "Value": ""} for number in range(51)]

    with pytest.raises(ClientError, match="Expected at most 50 tags") as caught:
        client.tag_resource(ResourceARN=GROUP, Tags=many)
    assert caught.value.response["Error"]["Code"] == "TooManyTagsException"
    assert caught.value.response["ResourceName"] == GROUP
    for call, fields in (
        (client.tag_resource, {"Tags": []}),
        (client.untag_resource, {"TagKeys": []}),
        (client.list_tags_for_resource, {}),
    ):
        with pytest.raises(ClientError, match="Expected the ARN of a group") as caught:
            call(ResourceARN="arn:nobody", **fields)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        assert caught.value.response["ResourceName"] == "arn:nobody"


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("/TagResource", {"Tags": []}, "Expected ResourceARN, which is missing."),
        ("/TagResource", {"ResourceARN": GROUP}, "Expected Tags, which is missing."),
        ("/TagResource", {"ResourceARN": GROUP, "Tags": [3]}, "Expected a list of objects"),
        (
            "/TagResource",
            {"ResourceARN": GROUP, "Tags": [{"Key": "x" * 129, "Value": ""}]},
            "Expected a text of 1 to 128 characters as Key",
        ),
        (
            "/TagResource",
            {"ResourceARN": GROUP, "Tags": [{"Key": "x", "Value": "y" * 257}]},
            "Expected a text of 0 to 256 characters as Value",
        ),
        ("/UntagResource", {"ResourceARN": GROUP}, "Expected a list of texts as TagKeys"),
        (
            "/UntagResource",
            {"ResourceARN": GROUP, "TagKeys": ["x"] * 201},
            "Expected at most 200 members in TagKeys, got 201.",
        ),
        (
            "/UntagResource",
            {"ResourceARN": GROUP, "TagKeys": ["x" * 129]},
            "Expected a text of 1 to 128 characters as a key",
        ),
        ("/ListTagsForResource", {}, "Expected ResourceARN, which is missing."),
    ],
)
def test_requests_that_are_refused(
    console: Console, path: str, fields: dict[str, Any], expected: str
) -> None:
    response = console.post(path, fields)

    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "InvalidRequestException"
    assert response.json()["Message"].startswith(expected)
