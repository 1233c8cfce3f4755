"""The operations on tags.

https://docs.aws.amazon.com/xray/latest/api/API_TagResource.html
"""

from typing import Any

from django.http import HttpRequest

from xray_local.control import tags
from xray_local.control.database import changing, reading
from xray_local.errors import InvalidRequest
from xray_local.parts import get_parts
from xray_local.traces.documents import show

from .wire import operation, read_objects, read_text, read_texts, require

TAGS_MAX = 200


@operation
def tag_resource(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Add tags to a group or a sampling rule."""
    require(fields.get("Tags"), "Tags")
    with changing(get_parts(request).database) as connection:
        tags.tag(connection, _read_arn(fields), read_tags(fields))
    return {}


@operation
def untag_resource(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Remove tags; keys that are not there do not matter."""
    keys = read_texts(fields, "TagKeys", at_most=TAGS_MAX)
    for key in keys:
        read_text({"a key": key}, "a key", at_least=1, at_most=128)
    with changing(get_parts(request).database) as connection:
        tags.untag(connection, _read_arn(fields), keys)
    return {}


@operation
def list_tags_for_resource(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return all tags of a resource, which fit on one page."""
    read_text(fields, "NextToken")
    with reading(get_parts(request).database) as connection:
        found = tags.list_tags(connection, _read_arn(fields))
    return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}


def read_tags(fields: dict[str, Any]) -> dict[str, str]:
    """Return the member Tags, none where it is not there. Raises InvalidRequest."""
    found: dict[str, str] = {}
    for each in read_objects(fields, "Tags", at_most=TAGS_MAX) or ():
        key = require(read_text(each, "Key", at_least=1, at_most=128), "Key")
        if key in found:
            raise InvalidRequest(f"Expected each key once in Tags, got {show(key)} twice.")
        found[key] = require(read_text(each, "Value", at_most=256), "Value")
    return found


def _read_arn(fields: dict[str, Any]) -> str:
    return require(read_text(fields, "ResourceARN", at_least=1, at_most=1011), "ResourceARN")
