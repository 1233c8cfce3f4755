"""The operations on groups.

https://docs.aws.amazon.com/xray/latest/api/API_CreateGroup.html
"""

from typing import Any

from django.http import HttpRequest

from xray_local.control import groups
from xray_local.control.database import changing, reading
from xray_local.control.groups import Group
from xray_local.parts import get_parts

from .pages import take_page
from .tags import read_tags
from .wire import operation, read_boolean, read_object, read_text, require

PAGE_GROUPS = 100
NAME = "[A-Za-z0-9-]+"


@operation
def create_group(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Make a group."""
    name = read_text(fields, "GroupName", at_least=1, at_most=32, pattern=NAME)
    with changing(get_parts(request).database) as connection:
        group = groups.create_group(
            connection,
            require(name, "GroupName"),
            read_text(fields, "FilterExpression"),
            **_read_insights(fields),
            given_tags=read_tags(fields),
        )
    return {"Group": to_api(group)}


@operation
def get_group(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return one group."""
    with reading(get_parts(request).database) as connection:
        return {"Group": to_api(groups.find_group(connection, **read_name(fields)))}


@operation
def get_groups(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return all groups, Default among them."""
    token = read_text(fields, "NextToken", at_least=1, at_most=100)
    with reading(get_parts(request).database) as connection:
        found = groups.list_groups(connection)
    page, next_token = take_page(found, lambda group: (group.name,), token, PAGE_GROUPS)
    answer: dict[str, Any] = {"Groups": [to_api(group) for group in page]}
    if next_token:
        answer["NextToken"] = next_token
    return answer


@operation
def update_group(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Change the expression or the insights of a group; what is left out stays."""
    expression = read_text(fields, "FilterExpression")
    insights = _read_insights(fields)
    with changing(get_parts(request).database) as connection:
        group = groups.find_group(connection, **read_name(fields))
        return {
            "Group": to_api(
                groups.update_group(connection, group, expression=expression, **insights)
            )
        }


@operation
def delete_group(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Remove a group; its traces stay."""
    with changing(get_parts(request).database) as connection:
        groups.delete_group(connection, groups.find_group(connection, **read_name(fields)))
    return {}


def read_name(fields: dict[str, Any]) -> dict[str, str | None]:
    """Return what a request says of which group is meant. Raises InvalidRequest."""
    return {
        "name": read_text(fields, "GroupName", at_least=1, at_most=32),
        "arn": read_text(fields, "GroupARN", at_least=1, at_most=400),
    }


def to_api(group: Group) -> dict[str, Any]:
    """Return the shapes Group and GroupSummary, which are alike."""
    answer: dict[str, Any] = {"GroupName": group.name, "GroupARN": group.arn}
    if group.expression:
        answer["FilterExpression"] = group.expression
    answer["InsightsConfiguration"] = {
        "InsightsEnabled": group.has_insights,
        "NotificationsEnabled": group.has_notifications,
    }
    return answer


def _read_insights(fields: dict[str, Any]) -> dict[str, bool | None]:
    configuration = read_object(fields, "InsightsConfiguration") or {}
    return {
        "has_insights": read_boolean(configuration, "InsightsEnabled"),
        "has_notifications": read_boolean(configuration, "NotificationsEnabled"),
    }
