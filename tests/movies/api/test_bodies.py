"""JSON bodies of any kind of badness, and the media types."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from movies.api.bodies import read_image, read_json
from movies.api.errors import Problem

DEEP = 100_000


def make_request(body: bytes, content_type: str = "application/json") -> Any:
    """Return a request with this body."""
    return RequestFactory().generic("POST", "/api/", body, CONTENT_TYPE=content_type)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, null, true, "x"]}\n', {"a": [1, 2.5, None, True, "x"]}),
        (b'{"a": 7.0}', {"a": 7}),
        (b'{"a": 1e3, "b": -0.0}', {"a": 1000, "b": 0}),
        ('{"é": "千 👩"}'.encode(), {"é": "千 👩"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a": {"b": 1}, "b": {"b": 2}}', {"a": {"b": 1}, "b": {"b": 2}}),
    ],
)
def test_read_json(body: bytes, value: Any) -> None:
    found = read_json(make_request(body))

    assert found == value
    # 7.0 is the integer 7 to JSON Schema, so it is here.
    assert json.dumps(found) == json.dumps(value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b"{'a': 1}", "isn't JSON"),
        (b'{"a": 1,}', "isn't JSON"),
        (b'{"a": 1} x', "Extra data"),
        (b"[]", "got an array"),
        (b'"text"', "got a string"),
        (b"null", "got null"),
        (b"true", "got a boolean"),
        (b"5", "got a number"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b'{"a": 1, "a": 1}', "'a' stands twice"),
        (b'{"b": {"a": 1, "c": 2, "a": 1}}', "'a' stands twice"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": "\x00"}', "control character"),
        (b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}", "deeply"),
        (b'{"a":' * DEEP, "deeply"),
    ],
)
def test_read_json_refuses(body: bytes, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as refusal:
        read_json(make_request(body))

    assert (refusal.value.status, refusal.value.code) == (400, "bad_json")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json", "x"],
)
def test_read_json_other_media_type(content_type: str) -> None:
    with pytest.raises(Problem, match="application/json") as refusal:
        read_json(make_request(b"{}", content_type))

    assert refusal.value.status == 415


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", " application/json"]
)
def test_read_json_same_media_type(content_type: str) -> None:
    assert read_json(make_request(b"{}", content_type)) == {}


def test_read_image_stops_past_the_limit() -> None:
    limit = settings.POSTER_MAX_BYTES

    content = read_image(make_request(b"x" * (limit + 1000), "image/png"))

    assert len(content) == limit + 1


@pytest.mark.parametrize("content_type", ["image/svg+xml", "image/gif", "image/*", "text/html"])
def test_read_image_other_media_type(content_type: str) -> None:
    with pytest.raises(Problem, match="image/jpeg, image/png, image/webp"):
        read_image(make_request(b"x", content_type))
