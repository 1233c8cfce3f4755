"""The operations on groups, and filters that name one."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.xray_local.conftest import Console
from tests.xray_local.made import make_id, make_segment, wait_until


def test_a_group_goes_in_and_comes_out(client: Any) -> None:
    name = f"g-{make_id()}"

    made = client.create_group(
        GroupName=name,
        FilterExpression="responsetime > 5",
        InsightsConfiguration={"InsightsEnabled": True},
        Tags=[{"Key": "stage", "Value": "test"}],
    )["Group"]

    assert made == {
        "GroupName": name,
        "GroupARN": made["GroupARN"],
        "FilterExpression": "responsetime > 5",
        "InsightsConfiguration": {"InsightsEnabled": True, "NotificationsEnabled": False},
    }
    assert client.get_group(GroupName=name)["Group"] == made
    assert client.get_group(GroupARN=made["GroupARN"])["Group"] == made
    assert made in client.get_groups()["Groups"]
    tags = client.list_tags_for_resource(ResourceARN=made["GroupARN"])["Tags"]
    assert tags == [{"Key": "stage", "Value": "test"}]
    changed = client.update_group(GroupName=name, FilterExpression="fault")["Group"]
    assert changed == {**made, "FilterExpression": "fault"}
    client.delete_group(GroupARN=made["GroupARN"])
    with pytest.raises(ClientError, match="Group not found") as caught:
        client.get_group(GroupName=name)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "Expected GroupName, which is missing."),
        ({"GroupName": None}, "Expected GroupName, which is missing."),
        ({"GroupName": 3}, "Expected a text as GroupName, got 3."),
        ({"GroupName": ""}, "Expected a text of 1 to 32 characters as GroupName, got 0: ''."),
        ({"GroupName": "x" * 33}, "Expected a text of 1 to 32 characters as GroupName, got 33"),
        ({"GroupName": "a group"}, "Expected a text that matches [A-Za-z0-9-]+ as GroupName"),
        ({"GroupName": "a", "FilterExpression": "("}, "Invalid filter expression at character 2"),
        ({"GroupName": "a", "FilterExpression": 3}, "Expected a text as FilterExpression, got 3."),
        ({"GroupName": "a", "InsightsConfiguration": True}, "Expected an object as Insights"),
        (
            {"GroupName": "a", "InsightsConfiguration": {"InsightsEnabled": "yes"}},
            "Expected true or false as InsightsEnabled, got 'yes'.",
        ),
        ({"GroupName": "a", "Tags": [{"Key": "x"}]}, "Expected Value, which is missing."),
        ({"GroupName": "a", "Tags": [{"Key": "aws:x", "Value": ""}]}, "Expected keys that do not"),
        ({"GroupName": "a", "Tags": {"x": "y"}}, "Expected a list of objects as Tags"),
        (
            {"GroupName": "a", "Tags": [{"Key": "x", "Value": ""}] * 2},
            "Expected each key once in Tags, got 'x' twice.",
        ),
        (
            {"GroupName": "a", "Tags": [{"Key": str(n), "Value": ""} for n in range(51)]},
            "Expected at most 50 tags, got 51.",
        ),
    ],
)
def test_groups_that_are_refused(console: Console, fields: dict[str, Any], expected: str) -> None:
    response = console.post("/CreateGroup", fields)

    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "InvalidRequestException"
    assert response.json()["Message"].startswith(expected)
    names = [each["GroupName"] for each in console.post("/Groups", {}).json()["Groups"]]
    assert names == ["Default"]


def test_filters_by_group(client: Any) -> None:
    """By the group's name and by its ARN; Default has every trace."""
    name = f"g-{make_id()}"
    arn = client.create_group(GroupName=name, FilterExpression=f'service("{name}") {{ fault }}')[
        "Group"
    ]["GroupARN"]
    start = time.time()
    faulty, fine = (
        make_segment(name=name, start_time=start, fault=fault) for fault in (True, None)
    )
    client.put_trace_segments(TraceSegmentDocuments=[json.dumps(faulty), json.dumps(fine)])

    def find(expression: str) -> set[str]:
        page = client.get_trace_summaries(
            StartTime=start - 60,
            EndTime=start + 60,
            FilterExpression=f'service("{name}") AND {expression}',
        )
        return {each["Id"] for each in page["TraceSummaries"]}

    both = {faulty["trace_id"], fine["trace_id"]}
    wait_until(lambda: find('group.name = "Default"') == both)
    assert find('group.arn = "arn:aws:xray:us-east-1:000000000000:group/Default"') == both
    assert find(f'group.name = "{name}"') == {faulty["trace_id"]}
    assert find(f'!group.arn = "{arn}"') == {fine["trace_id"]}
    # An expression that is changed applies to older traces, too.
    client.update_group(GroupName=name, FilterExpression="ok")
    assert find(f'group.name = "{name}"') == {fine["trace_id"]}
    client.delete_group(GroupName=name)
    with pytest.raises(ClientError, match="a group that exists"):
        find(f'group.name = "{name}"')
