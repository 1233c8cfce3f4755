"""Checks answers of the API against botocore's service model, which botocore itself does not."""

import json
import math
from typing import Any

from botocore.model import Shape

COMMON_CODES = ("InvalidRequestException", "ThrottledException", "UnknownOperationException")


def watch(client: Any) -> Any:
    """Return the client, whose every answer is checked from now on."""
    client.meta.events.register("before-parse.xray", _check)
    return client


def _check(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    headers = {key.lower(): value for key, value in response_dict["headers"].items()}
    assert headers["content-type"] == "application/json"
    assert headers["x-amzn-requestid"]
    body = json.loads(response_dict["body"])
    if response_dict["status_code"] == 200:
        check(operation_model.output_shape, body, operation_model.name)
        return
    code = headers["x-amzn-errortype"]
    errors = {shape.name: shape for shape in operation_model.error_shapes}
    # Bad members are refused by whatever operation, were it not in its model.
    if code not in COMMON_CODES:
        assert code in errors, f"{operation_model.name} answers {code}, expected {sorted(errors)}"
    if code in errors:
        shape = errors[code]
        members = {key: value for key, value in body.items() if key != "__type"}
        check(shape, members, f"{operation_model.name} {code}")
        assert response_dict["status_code"] == shape.metadata.get("error", {}).get(
            "httpStatusCode", 400
        )


def check(shape: Shape, value: Any, path: str) -> None:
    """Fail unless the value of JSON is of the shape, without members that it has not."""
    match shape.type_name:
        case "structure":
            assert isinstance(value, dict), f"{path} is {value!r}, expected an object"
            unknown = sorted(value.keys() - shape.members.keys())
            assert not unknown, f"{path} has {unknown}, expected {sorted(shape.members)}"
            missing = [name for name in shape.required_members if name not in value]
            assert not missing, f"{path} lacks {missing}"
            if shape.is_tagged_union:
                assert len(value) == 1, f"{path} is {value!r}, expected one member"
            for name, each in value.items():
                check(shape.members[name], each, f"{path}.{name}")
        case "list":
            assert isinstance(value, list), f"{path} is {value!r}, expected a list"
            _check_bounds(shape, len(value), path)
            for number, each in enumerate(value):
                check(shape.member, each, f"{path}[{number}]")
        case "map":
            assert isinstance(value, dict), f"{path} is {value!r}, expected a map"
            for name, each in value.items():
                check(shape.key, name, f"{path} key")
                check(shape.value, each, f"{path}[{name!r}]")
        case "string":
            assert isinstance(value, str), f"{path} is {value!r}, expected a text"
            _check_bounds(shape, len(value), path)
            assert not shape.enum or value in shape.enum, f"{path} is {value!r}"
        case "boolean":
            assert isinstance(value, bool), f"{path} is {value!r}, expected true or false"
        case "integer" | "long":
            assert type(value) is int, f"{path} is {value!r}, expected a whole number"
            bits = 31 if shape.type_name == "integer" else 63
            assert -(2**bits) <= value < 2**bits, f"{path} is {value!r}"
        case "double" | "float" | "timestamp":
            assert type(value) in (int, float), f"{path} is {value!r}, expected a number"
            assert math.isfinite(value), f"{path} is {value!r}"
        case other:
            raise AssertionError(f"{path} is of the type {other}, which is not known here")


def _check_bounds(shape: Shape, size: int, path: str) -> None:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    assert least <= size <= most, f"{path} has the length {size}, expected {least} to {most}"
