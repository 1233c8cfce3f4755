"""Tags of groups and sampling rules."""

import sqlite3

import pytest

from xray_local.control import tags
from xray_local.errors import InvalidRequest, ResourceNotFound, TooManyTags

GROUP = "arn:aws:xray:us-east-1:000000000000:group/Default"
RULE = "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default"


def test_tags_are_added_replaced_and_removed(connection: sqlite3.Connection) -> None:
    tags.tag(connection, GROUP, {"stage": "test", "Stage": "x", "b": ""})
    tags.tag(connection, GROUP, {"stage": "live"})
    tags.untag(connection, GROUP, ["b", "unknown"])
    tags.tag(connection, RULE, {"stage": "rule"})

    assert tags.list_tags(connection, GROUP) == {"Stage": "x", "stage": "live"}
    assert tags.list_tags(connection, RULE) == {"stage": "rule"}


def test_fifty_tags(connection: sqlite3.Connection) -> None:
    tags.tag(connection, GROUP, {str(number): "" for number in range(50)})
    tags.tag(connection, GROUP, {"7": "changed"})

    with pytest.raises(TooManyTags, match=r"at most 50 tags for .*, got 51") as caught:
        tags.tag(connection, GROUP, {"one more": ""})

    assert caught.value.resource == GROUP
    assert len(tags.list_tags(connection, GROUP)) == 50


@pytest.mark.parametrize("key", ["aws:name", "AWS:name"])
def test_keys_of_aws(connection: sqlite3.Connection, key: str) -> None:
    with pytest.raises(InvalidRequest, match="do not begin with 'aws:'"):
        tags.tag(connection, GROUP, {key: "x"})
    with pytest.raises(InvalidRequest, match="do not begin with 'aws:'"):
        tags.untag(connection, GROUP, [key])


def test_characters(connection: sqlite3.Connection) -> None:
    tags.tag(connection, GROUP, {"größe 1_.:/=+-@": "ключ"})

    for wrong in ({"a<b": ""}, {"a": "b;c"}):
        with pytest.raises(InvalidRequest, match="letters, digits, spaces"):
            tags.tag(connection, GROUP, wrong)


def test_a_resource_that_is_unknown(connection: sqlite3.Connection) -> None:
    with pytest.raises(ResourceNotFound, match="got 'arn:nobody'") as caught:
        tags.tag(connection, "arn:nobody", {"a": "b"})

    assert caught.value.resource == "arn:nobody"
