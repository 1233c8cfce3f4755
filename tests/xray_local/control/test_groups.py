"""Groups of traces."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from xray_local.control import groups, tags
from xray_local.control.database import changing
from xray_local.errors import InvalidRequest, ResourceNotFound


def create(connection: sqlite3.Connection, name: str, **options: Any) -> groups.Group:
    values = {"has_insights": None, "has_notifications": None, "given_tags": {}} | options
    return groups.create_group(connection, name, values.pop("expression", None), **values)


def update(connection: sqlite3.Connection, group: groups.Group, **options: Any) -> groups.Group:
    values = {"expression": None, "has_insights": None, "has_notifications": None} | options
    return groups.update_group(connection, group, **values)


def test_default_is_there(connection: sqlite3.Connection) -> None:
    (default,) = groups.list_groups(connection)

    assert (default.name, default.expression, default.has_insights) == ("Default", "", True)
    assert default.arn == "arn:aws:xray:us-east-1:000000000000:group/Default"


def test_create(connection: sqlite3.Connection) -> None:
    made = create(connection, "slow", expression="responsetime > 5", given_tags={"a": "b"})

    assert groups.find_group(connection, "slow", None) == made
    assert groups.find_group(connection, None, made.arn) == made
    assert groups.find_group(connection, "slow", made.arn) == made
    stem, _, unique = made.arn.rpartition("/")
    assert stem == "arn:aws:xray:us-east-1:000000000000:group/slow"
    assert len(unique) == 32
    assert tags.list_tags(connection, made.arn) == {"a": "b"}
    assert not made.has_insights


def test_names_are_unique_and_case_sensitive(connection: sqlite3.Connection) -> None:
    create(connection, "slow")
    create(connection, "Slow")

    with pytest.raises(InvalidRequest, match="'slow' exists already"):
        create(connection, "slow")


@pytest.mark.parametrize("name", ["Default", "default"])
def test_default_is_reserved(connection: sqlite3.Connection, name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"'{name}' is reserved"):
        create(connection, name)


def test_an_arn_is_never_used_again(connection: sqlite3.Connection) -> None:
    first = create(connection, "slow")
    groups.delete_group(connection, first)

    assert create(connection, "slow").arn != first.arn


def test_expressions_are_checked(connection: sqlite3.Connection) -> None:
    with pytest.raises(InvalidRequest, match="at character 16"):
        create(connection, "slow", expression="responsetime > fast")
    with pytest.raises(InvalidRequest, match="expected a group that exists"):
        create(connection, "slow", expression='group.name = "other"')
    assert len(groups.list_groups(connection)) == 1


def test_notifications_need_insights(connection: sqlite3.Connection) -> None:
    with pytest.raises(InvalidRequest, match="no notifications without insights"):
        create(connection, "slow", has_notifications=True)

    group = create(connection, "slow", has_insights=True, has_notifications=True)
    with pytest.raises(InvalidRequest, match="no notifications without insights"):
        update(connection, group, has_insights=False)
    group = update(connection, group, has_insights=False, has_notifications=False)
    assert (group.has_insights, group.has_notifications) == (False, False)


def test_update_leaves_the_rest(connection: sqlite3.Connection) -> None:
    group = create(connection, "slow", expression="fault", has_insights=True)

    update(connection, group, expression="error")

    found = groups.find_group(connection, "slow", None)
    assert (found.arn, found.expression, found.has_insights) == (group.arn, "error", True)


def test_update_of_default(connection: sqlite3.Connection) -> None:
    default = groups.find_group(connection, "Default", None)

    assert not update(connection, default, has_insights=False).has_insights
    with pytest.raises(InvalidRequest, match="has every trace, got 'fault'"):
        update(connection, default, expression="fault")


def test_delete(connection: sqlite3.Connection) -> None:
    group = create(connection, "slow", given_tags={"a": "b"})

    groups.delete_group(connection, group)

    with pytest.raises(InvalidRequest, match=r"^Group not found"):
        groups.find_group(connection, "slow", None)
    with pytest.raises(ResourceNotFound):
        tags.list_tags(connection, group.arn)
    with pytest.raises(InvalidRequest, match="'Default' cannot be deleted"):
        groups.delete_group(connection, groups.find_group(connection, "Default", None))


def test_find_needs_a_name_or_an_arn(connection: sqlite3.Connection) -> None:
    group = create(connection, "slow")

    with pytest.raises(InvalidRequest, match="GroupName or GroupARN, got neither"):
        groups.find_group(connection, None, None)
    with pytest.raises(InvalidRequest, match=r"^Group not found.* got 'fast' and 'arn:"):
        groups.find_group(connection, "fast", group.arn)


def test_read_groups(traces: Path) -> None:
    with changing(traces) as connection:
        group = create(connection, "slow", expression="responsetime > 5")

    found = groups.read_groups(traces)

    assert found["slow"] == found[group.arn] == "responsetime > 5"
    assert found["Default"] == ""
