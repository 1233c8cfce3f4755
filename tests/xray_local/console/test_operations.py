"""What elements did, and which did the same."""

from typing import Any

import pytest

from tests.xray_local.made import make_request, make_segment, make_subsegment
from xray_local.console.operations import (
    Operation,
    describe_briefly,
    name_call,
    name_kind,
    name_operation,
)
from xray_local.traces.trees import Element, build_tree


def build_one(**fields: Any) -> Element:
    (root,) = build_tree([make_segment(subsegments=[make_subsegment(**fields)])])
    return root.children[0]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "local"),
        ({"namespace": "aws"}, "aws"),
        ({"namespace": "remote"}, "remote"),
        ({"namespace": "remote", "sql": {}}, "sql"),
        ({"namespace": '"><script>'}, "local"),
        ({"namespace": ["aws"]}, "local"),
    ],
)
def test_kinds(fields: dict[str, Any], kind: str) -> None:
    assert name_kind(build_one(**fields)) == kind


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({}, ""),
        ({"http": make_request("http://a/b", 200)}, "GET http://a/b"),
        ({"aws": {"operation": "PutItem", "table_name": "Movies"}}, "PutItem Movies"),
        ({"aws": {"operation": "GetObject", "bucket_name": "b", "key": "k"}}, "GetObject b k"),
        ({"aws": {"xray": {}}, "http": make_request("/", 1)}, "GET /"),
        ({"sql": {"sanitized_query": "SELECT\n  1"}}, "SELECT 1"),
        ({"http": 3, "aws": "x", "sql": [], "name": 1}, ""),
    ],
)
def test_notes(fields: dict[str, Any], note: str) -> None:
    assert describe_briefly(build_one(**fields)) == note


@pytest.mark.parametrize(
    ("fields", "operation"),
    [
        ({}, ("work", "local", "")),
        (
            {"namespace": "remote", "http": make_request("http://a/1", 200)},
            ("work", "remote", "GET"),
        ),
        (
            {"name": "S3", "namespace": "aws", "aws": {"operation": "GetObject", "key": "k"}},
            ("S3", "aws", "GetObject k"),
        ),
        (
            {"name": "SQS", "namespace": "aws", "aws": {"resource_names": ["q"]}},
            ("SQS", "aws", "q"),
        ),
        ({"sql": {"sanitized_query": "SELECT  1"}}, ("work", "sql", "SELECT ?")),
        ({"name": 1, "aws": {"operation": ["x"]}, "namespace": "aws"}, ("unnamed", "aws", "")),
    ],
)
def test_operations(fields: dict[str, Any], operation: tuple[str, str, str]) -> None:
    assert name_operation(build_one(**fields)) == Operation(*operation)


def test_a_segment_is_known_by_its_name() -> None:
    (root,) = build_tree([make_segment(http=make_request("http://a/", 200))])

    assert name_operation(root) == Operation("movies", "segment", "")
    assert name_call(root) is None


def test_calls_to_two_urls_are_not_the_same() -> None:
    one, other, again = (
        name_call(build_one(namespace="remote", http=make_request(url, 200)))
        for url in ("http://a/1", "http://a/2", "http://a/1")
    )

    assert one == again != other


def test_queries_with_other_values_are_the_same() -> None:
    one, other = (
        name_call(build_one(sql={"sanitized_query": query}))
        for query in ("SELECT a FROM b WHERE id = 1", "SELECT a FROM b WHERE id = 22")
    )

    assert one == other
    assert one
    assert one.note == "SELECT a FROM b WHERE id = ?"


def test_what_says_nothing_of_a_call_is_none() -> None:
    assert name_call(build_one(namespace="aws")) is None
    assert name_call(build_one()) is None
