"""Groups: traces that fit a filter expression, under a name.

https://docs.aws.amazon.com/xray/latest/api/API_Group.html

What the documents leave open was decided so:

- A group without an expression, as Default, has every trace.
- An updated expression applies to all traces, the older ones too: a group's traces are chosen at
  reading. X-Ray applies it to later traces only.
- Default has insights from the beginning, which in X-Ray have to be switched on (doubtful).
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xray_local.errors import InvalidRequest
from xray_local.filters import read_filter
from xray_local.traces.documents import show

from . import tags
from .arns import make_arn, make_unique_arn
from .database import reading

DEFAULT = "Default"
KIND = "group"


@dataclass(frozen=True, slots=True)
class Group:
    """A group; has_notifications is kept, though nobody is notified."""

    name: str
    arn: str
    expression: str = ""
    has_insights: bool = False
    has_notifications: bool = False


def create_default(connection: sqlite3.Connection) -> None:
    """Store the group that every account has."""
    _insert(connection, Group(DEFAULT, make_arn(KIND, DEFAULT), has_insights=True))


def create_group(
    connection: sqlite3.Connection,
    name: str,
    expression: str | None,
    *,
    has_insights: bool | None,
    has_notifications: bool | None,
    given_tags: Mapping[str, str],
) -> Group:
    """Store a new group and return it. Raises InvalidRequest."""
    if name.lower() == DEFAULT.lower():
        raise InvalidRequest(f"Expected another name for the group, {name!a} is reserved.")
    if connection.execute("SELECT 1 FROM groups WHERE name = ?", (name,)).fetchone():
        raise InvalidRequest(f"Group {show(name)} exists already; names must be unique.")
    group = _change(
        Group(name, make_unique_arn(KIND, name)), expression, has_insights, has_notifications
    )
    _insert(connection, group)
    tags.replace_tags(connection, group.arn, given_tags)
    return group


def update_group(
    connection: sqlite3.Connection,
    group: Group,
    *,
    expression: str | None,
    has_insights: bool | None,
    has_notifications: bool | None,
) -> Group:
    """Change what is not None, and return the group as it is then. Raises InvalidRequest."""
    if group.name == DEFAULT and expression:
        raise InvalidRequest(
            f"Expected no FilterExpression for the group {DEFAULT!r}, which has every trace, "
            f"got {show(expression)}."
        )
    group = _change(group, expression, has_insights, has_notifications)
    connection.execute("DELETE FROM groups WHERE name = ?", (group.name,))
    _insert(connection, group)
    return group


def delete_group(connection: sqlite3.Connection, group: Group) -> None:
    """Remove the group and its tags. Raises InvalidRequest."""
    if group.name == DEFAULT:
        raise InvalidRequest(f"The group {DEFAULT!r} cannot be deleted.")
    connection.execute("DELETE FROM groups WHERE name = ?", (group.name,))
    tags.replace_tags(connection, group.arn, {})


def find_group(connection: sqlite3.Connection, name: str | None, arn: str | None) -> Group:
    """Return the group of the name or the ARN, or of both. Raises InvalidRequest."""
    if name is None and arn is None:
        raise InvalidRequest("Expected GroupName or GroupARN, got neither.")
    found = [
        group
        for group in list_groups(connection)
        if name in (None, group.name) and arn in (None, group.arn)
    ]
    if not found:
        asked = " and ".join(show(each) for each in (name, arn) if each is not None)
        # Tools know this case by the first two words.
        raise InvalidRequest(f"Group not found: expected one that GetGroups lists, got {asked}.")
    return found[0]


def list_groups(connection: sqlite3.Connection) -> list[Group]:
    """Return all groups in the order of their names."""
    rows = connection.execute(
        "SELECT name, arn, expression, has_insights, has_notifications FROM groups ORDER BY name"
    )
    return [
        Group(name, arn, expression, bool(has_insights), bool(has_notifications))
        for name, arn, expression, has_insights, has_notifications in rows
    ]


def read_groups(traces: Path) -> Mapping[str, str]:
    """Return the expressions of all groups, by their names and by their ARNs.

    traces: the database of traces, beside which the settings are. An expression that is empty is
    that of a group of every trace. Raises sqlite3.Error and DatabaseUnusable.
    """
    with reading(traces) as connection:
        groups = list_groups(connection)
    return {key: group.expression for group in groups for key in (group.name, group.arn)}


def _change(
    group: Group, expression: str | None, has_insights: bool | None, has_notifications: bool | None
) -> Group:
    if expression:
        # Here, where it can still be put right. Within a group there are no groups.
        read_filter(expression)
    group = replace(
        group,
        expression=group.expression if expression is None else expression,
        has_insights=group.has_insights if has_insights is None else has_insights,
        has_notifications=(
            group.has_notifications if has_notifications is None else has_notifications
        ),
    )
    if group.has_notifications and not group.has_insights:
        raise InvalidRequest(
            "Expected InsightsEnabled where NotificationsEnabled is true: "
            "there are no notifications without insights."
        )
    return group


def _insert(connection: sqlite3.Connection, group: Group) -> None:
    connection.execute(
        "INSERT INTO groups VALUES (?, ?, ?, ?, ?)",
        (group.name, group.arn, group.expression, group.has_insights, group.has_notifications),
    )
