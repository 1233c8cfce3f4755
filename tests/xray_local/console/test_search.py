"""Finding elements of a trace."""

from typing import Any

import pytest

from tests.xray_local.made import make_request, make_segment, make_subsegment
from xray_local.console.outline import Outline, outline
from xray_local.console.search import find_same, find_text
from xray_local.traces.trees import build_tree


@pytest.fixture
def whole() -> Outline:
    exception = {"id": "e" * 16, "type": "KeyError", "message": "Tea"}
    children: list[dict[str, Any]] = [
        make_subsegment("DynamoDB", aws={"operation": "GetItem"}, namespace="aws"),
        make_subsegment("db", sql={"sanitized_query": "SELECT Straße FROM a WHERE b = 1"}),
        make_subsegment("call", namespace="remote", http=make_request("http://a/b", 404)),
        make_subsegment("view", annotations={"is_new": 42.5}, cause={"exceptions": [exception]}),
        make_subsegment("db", sql={"sanitized_query": "SELECT Straße FROM a WHERE b = 2"}),
    ]
    return outline(
        build_tree([make_segment(metadata={"x": {"y": ["deep"]}}, subsegments=children)])
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("getitem", {1}),
        ("STRASSE", {2, 5}),
        ("404", {3}),
        ("http://A/", {3}),
        ("42.5", {4}),
        ("is_new", {4}),
        ("keyerror", {4}),
        ("deep", {0}),
        ("movies", {0}),
        ("nowhere", set()),
    ],
)
def test_texts(whole: Outline, text: str, found: set[int]) -> None:
    assert find_text(whole, text) == found


def test_what_is_embedded_is_not_its_parent_s(whole: Outline) -> None:
    assert 0 not in find_text(whole, "dynamodb")


def test_ids(whole: Outline) -> None:
    assert find_text(whole, whole.places[3].element.id) == {3}


def test_the_same_call(whole: Outline) -> None:
    assert find_same(whole, whole.places[2].element.id) == {2, 5}
    assert find_same(whole, whole.places[1].element.id) == {1}
    assert find_same(whole, whole.places[0].element.id) == set()
    assert find_same(whole, "none") == set()


@pytest.mark.parametrize("value", [10**400, float("nan"), None, True, [[[]]], {"a": {}}])
def test_values_of_any_kind(value: Any) -> None:
    tree = build_tree([make_segment(metadata={"a": value})])

    assert find_text(outline(tree), "nowhere") == set()
