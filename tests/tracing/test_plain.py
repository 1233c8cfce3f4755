"""What is said of a value in JSON's words, and what not."""

import json
import time
from typing import Any

import pytest
from django.db import DataError, connection
from django.http import QueryDict
from django.utils.functional import SimpleLazyObject

from tracing.plain import MAX_CHARACTERS, MAX_ITEMS, make_plain
from tracing.redaction import REDACTED


class Node:
    """What knows its children and its parent."""

    def __init__(self, parent: Any = None) -> None:
        self.parent = parent
        self.children: list[Node] = []


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


def test_what_is_within_itself_ends() -> None:
    parent = Node()
    parent.children = [Node(parent) for _ in range(3)]
    loop: list[Any] = [1]
    loop.append(loop)
    names: dict[str, Any] = {"a": 1}
    names["self"] = names

    assert make_plain(parent) == {
        "parent": None,
        "children": [{"parent": "…", "children": []}] * 3,
    }
    assert make_plain(loop) == [1, "…"]
    assert make_plain(names) == {"a": 1, "self": "…"}


def test_what_is_shared_is_told_each_time() -> None:
    shared = {"a": 1}

    assert make_plain([shared, shared]) == [{"a": 1}, {"a": 1}]


def test_what_is_shared_again_and_again_is_bounded() -> None:
    """Twenty lists of forty times the same: 40 ** 20 items."""
    value: Any = "text"
    for _ in range(20):
        value = [value] * 40
    began = time.monotonic()

    told = make_plain({"a": value, "b": 1}, redact=True)

    assert time.monotonic() - began < 2
    assert MAX_ITEMS < count(told) < 2 * MAX_ITEMS
    assert told["…"] == "…"


def test_a_long_list_ends_in_a_mark() -> None:
    told = make_plain({"list": range, "items": list(range(2 * MAX_ITEMS))})

    assert len(told["items"]) <= MAX_ITEMS
    assert told["items"][-1] == "…"


def test_many_long_texts_are_bounded() -> None:
    told = make_plain(["x" * 10_000] * 1000)

    assert len(json.dumps(told)) < 2 * MAX_CHARACTERS
    assert told[-1] == "…"


@pytest.mark.parametrize(
    "value",
    [
        {"https://u:SECRET@h?z=SECRET": 1},
        {("https://u:SECRET@h",): 1},
        [("password", "SECRET")],
        [["X-Api-Key", "SECRET"]],
        ("Cookie", ["a=SECRET"]),
        [(b"authorization", "Basic SECRET")],
        {"name": "password", "value": "SECRET"},
        [{"Key": "api_key", "Value": {"S": "SECRET"}}],
        {"ParameterKey": "token", "ParameterValue": "SECRET"},
        {"GET": QueryDict("q=SECRET&a=b")},
        {"META": {"QUERY_STRING": "q=SECRET", "HTTP_AUTHORIZATION": "Basic SECRET"}},
        {"event": {"rawQueryString": "q=SECRET", "queryStringParameters": {"q": "SECRET"}}},
        {"pass": "SECRET"},
        {"pw": "SECRET"},
        {"sid": "SECRET"},
        {"private_key": "SECRET"},
        DataError('malformed array literal: "SECRET"'),
    ],
)
def test_no_secret_is_told(value: Any) -> None:
    assert "SECRET" in str(value)
    assert "SECRET" not in str(make_plain(value, redact=True))


def test_what_is_no_secret_is_told() -> None:
    value = {
        "name": "film",
        "value": 1,
        "pair": ["a", "b"],
        "flag": ["is_token", True],
        "key": "x",
        "passenger": "y",
    }

    assert make_plain(value, redact=True) == value


def test_of_a_form_only_the_names_are_told() -> None:
    assert make_plain(QueryDict("q=a&next=b"), redact=True) == {"q": REDACTED, "next": REDACTED}


def test_a_tuple_as_a_key_runs_no_query(django_user_model: Any) -> None:
    """Its repr would: without a database that may be used, that fails."""
    told = make_plain({(1, "a", django_user_model.objects.all()): 1})

    assert list(told) == ["(1, 'a', '<django.db.models.query.QuerySet>')"]
    assert connection.connection is None or not connection.queries


def test_a_lazy_object_in_a_pair_is_not_evaluated() -> None:
    def fail() -> Any:
        raise AssertionError("evaluated")

    lazy = SimpleLazyObject(fail)

    assert make_plain([("token", lazy)], redact=True) == [["token", REDACTED]]
    assert make_plain([(lazy, "a")], redact=True)[0][1] == "a"
