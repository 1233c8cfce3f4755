"""What X-Ray takes of a document, rule by rule, and what is removed."""

import json
from typing import Any

import pytest

from tests.segment_schema import find_mistakes
from tests.xray_local.made import (
    NOON,
    make_id,
    make_late,
    make_segment,
    make_subsegment,
    make_trace_id,
)
from xray_local.intake.arrivals import read_document
from xray_local.traces.documents import load_document

FLAGS = ("fault", "error", "throttle", "in_progress")
TEXTS = ("user", "origin", "resource_arn", "namespace")


def store(document: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored; check that storing it again changes nothing."""
    body = read_document(json.dumps(document).encode()).body
    assert read_document(body).body == body
    return load_document(body)


def left_of(key: str, value: Any) -> Any:
    """Return what is stored as this member, "removed" if nothing is; the same everywhere."""
    segment = store(make_segment(**{key: value}))
    (inner,) = store(make_segment(subsegments=[make_subsegment(**{key: value})]))["subsegments"]
    late = store(make_late(make_segment(), **{key: value}))
    found = {json.dumps(each.get(key, "removed")) for each in (segment, inner, late)}
    assert len(found) == 1
    return json.loads(found.pop())


def test_all_that_complies_stays() -> None:
    request = {"method": "GET", "url": "/", "client_ip": "::1", "user_agent": "x"}
    exception = {
        "id": make_id(),
        "message": "m",
        "type": "T",
        "remote": False,
        "truncated": 1,
        "skipped": 2,
        "cause": make_id(),
        "stack": [{"path": "p", "line": 3, "label": "l"}],
    }
    common = {
        "fault": True,
        "error": False,
        "throttle": True,
        "http": {
            "request": request | {"x_forwarded_for": True, "traced": True},
            "response": {"status": 200, "content_length": 0},
        },
        "annotations": {"a.b_C9": "x" * 1000, "n": 1.5, "b": False},
        "metadata": {"x": {"y": [None]}, "AWS.z": {}},
        "cause": {"working_directory": "/", "paths": ["p"], "exceptions": [exception]},
        "links": [{"trace_id": make_trace_id(), "id": make_id(), "attributes": {"x": 1}}],
    }
    call = make_subsegment(
        "any name: <b>",
        namespace="aws",
        traced=True,
        precursor_ids=[make_id()],
        aws={
            "operation": "Scan",
            "account_id": "1",
            "region": "r",
            "request_id": "i",
            "queue_url": "q",
            "table_name": "t",
            "resource_names": ["n"],
            "retries": 3,
        },
        sql={
            "connection_string": "c",
            "url": "u",
            "sanitized_query": "s",
            "database_type": "t",
            "database_version": "v",
            "driver_version": "d",
            "user": "x",
            "preparation": "call",
        },
        **common,
    )
    segment = make_segment(
        user="ada",
        origin="AWS::EC2::Instance",
        resource_arn="arn",
        service={"version": "1", "runtime": "CPython"},
        aws={
            "account_id": "1",
            "ec2": {"instance_id": "i", "availability_zone": "z"},
            "ecs": {"container": "c"},
            "eks": {"pod": "p"},
            "elastic_beanstalk": {"environment_name": "e", "deployment_id": 32},
            "xray": {"sdk": "s", "sdk_version": "2", "auto_instrumentation": False},
            "cloudwatch_logs": [{"log_group": "g", "arn": "a"}],
        },
        subsegments=[call | {"cause": make_id()}, call | {"id": make_id()}],
        **common,
    )

    assert store(segment) == segment


@pytest.mark.parametrize("key", FLAGS)
@pytest.mark.parametrize("value", ["yes", 1, None, [], {}])
def test_a_flag_is_a_boolean(key: str, value: Any) -> None:
    assert left_of(key, value) == "removed"


@pytest.mark.parametrize("key", TEXTS)
@pytest.mark.parametrize("value", [1, True, None, [], {}])
def test_a_text_is_a_text(key: str, value: Any) -> None:
    assert left_of(key, value) == "removed"


def test_long_texts_are_cut() -> None:
    assert left_of("user", "é" * 251) == "é" * 250
    assert left_of("http", {"request": {"url": "x" * 300, "method": "y" * 250}}) == {
        "request": {"url": "x" * 250, "method": "y" * 250}
    }
    assert left_of("sql", {"user": "x" * 300, "url": "y" * 300}) == {
        "user": "x" * 250,
        "url": "y" * 300,
    }
    assert left_of("annotations", {"a": "x" * 1001}) == {"a": "x" * 1000}


@pytest.mark.parametrize("end_time", ["now", True, -1, 10**400, 253_402_300_800, None])
def test_an_end_that_is_no_time_is_removed(end_time: Any) -> None:
    assert left_of("end_time", end_time) == "removed"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("movies.example.com:8000/é #1&a=b+c-d@e%", "movies.example.com:8000/é #1&a=b+c-d@e%"),
        ("映画 ٣", "映画 ٣"),
        ("<script>alert('x')</script>", "scriptalertx/script"),
        ("a\nb\tc\0d", "abcd"),
        ("x" * 250, "x" * 200),
        ("?" + "x" * 201, "x" * 200),
    ],
)
def test_the_name_of_a_segment(name: str, stored: str) -> None:
    assert store(make_segment(name=name))["name"] == stored


def test_the_name_of_a_subsegment_may_be_anything() -> None:
    name = "<any>\n" * 100
    segment = make_segment(subsegments=[make_subsegment(name)])

    assert store(segment) == segment
    assert store(make_late(segment, name=name))["name"] == name


@pytest.mark.parametrize("parent_id", ["short", 1, None, "x" * 17])
def test_the_parent_of_a_segment(parent_id: Any) -> None:
    assert "parent_id" not in store(make_segment() | {"parent_id": parent_id})


@pytest.mark.parametrize("kind", [1, None, []])
def test_a_type_that_is_no_text_makes_a_segment(kind: Any) -> None:
    assert "type" not in store(make_segment() | {"type": kind})


@pytest.mark.parametrize(
    ("annotations", "stored"),
    [
        ({"": 1, "a b": 1, "é": 1, "a-b": 1, "k" * 501: 1, "ok\n": 1}, {}),
        ({"k" * 500: 1, "A.z_9": 1}, {"k" * 500: 1, "A.z_9": 1}),
        ({"none": None, "list": [], "object": {}, "huge": 10**400, "x": ""}, {"x": ""}),
        ([1], "removed"),
        (None, "removed"),
    ],
)
def test_annotations(annotations: Any, stored: Any) -> None:
    assert left_of("annotations", annotations) == stored


@pytest.mark.parametrize(
    ("metadata", "stored"),
    [
        ({"x": {"any": [None, {}]}, "y": 1, "z": None, "l": [{}]}, {"x": {"any": [None, {}]}}),
        ("text", "removed"),
        ([], "removed"),
    ],
)
def test_metadata_is_a_map_of_objects(metadata: Any, stored: Any) -> None:
    assert left_of("metadata", metadata) == stored


@pytest.mark.parametrize(
    ("http", "stored"),
    [
        ("GET /", "removed"),
        ({"request": "GET", "response": None, "other": 1}, {"other": 1}),
        (
            {"request": {"url": 1, "method": "GET", "x_forwarded_for": "::1", "more": None}},
            {"request": {"method": "GET", "more": None}},
        ),
        ({"response": {"status": "200", "content_length": []}}, {"response": {}}),
        ({"response": {"status": 200.0}}, {"response": {"status": 200.0}}),
    ],
)
def test_http(http: Any, stored: Any) -> None:
    assert left_of("http", http) == stored


@pytest.mark.parametrize(
    ("aws", "stored"),
    [
        (1, "removed"),
        (
            {"operation": 1, "region": "r", "ec2": {"instance_id": 1, "x": 1}, "other": [1]},
            {"region": "r", "ec2": {"x": 1}, "other": [1]},
        ),
        ({"xray": "sdk", "ecs": [], "resource_names": ["a", 1]}, {"resource_names": ["a"]}),
        ({"elastic_beanstalk": {"deployment_id": "7"}}, {"elastic_beanstalk": {}}),
        ({"cloudwatch_logs": [{"log_group": 1}, "x"]}, {"cloudwatch_logs": [{}]}),
    ],
)
def test_aws(aws: Any, stored: Any) -> None:
    assert left_of("aws", aws) == stored


def test_sql() -> None:
    assert left_of("sql", "SELECT") == "removed"
    assert left_of("sql", {"sanitized_query": 1, "url": "u", "x": 1}) == {"url": "u", "x": 1}


def test_service() -> None:
    assert left_of("service", "1.0") == "removed"
    assert left_of("service", {"version": 1, "compiler": 2}) == {"compiler": 2}


def test_cause() -> None:
    known = make_id()

    assert left_of("cause", known) == known
    assert left_of("cause", "short") == "removed"
    assert left_of("cause", {"paths": ["p", 1], "working_directory": 1}) == {"paths": ["p"]}
    assert left_of("cause", {"exceptions": {}}) == {}
    assert left_of(
        "cause",
        {
            "exceptions": [
                {"message": "without an id"},
                {"id": "short"},
                1,
                {"id": known, "message": 1, "remote": "no", "skipped": 1.5},
                {"id": known, "stack": [1, {"path": "p", "line": "3", "label": None}]},
            ]
        },
    ) == {
        "exceptions": [
            {"message": "without an id"},
            {},
            {"id": known},
            {"id": known, "stack": [{"path": "p"}]},
        ]
    }


def test_exceptions_of_the_sdk_for_ruby() -> None:
    """It gives them no ids: https://github.com/aws/aws-xray-sdk-ruby, model/cause.rb."""
    frame = {"path": "app/models/film.rb", "line": 7, "label": "find"}
    cause = {
        "working_directory": "/app",
        "paths": ["/usr/lib/ruby"],
        "exceptions": [{"message": "no film", "type": "KeyError", "stack": [frame]}],
    }
    body = json.dumps(make_segment(cause=cause)).encode()

    assert read_document(body).body == body


def test_links() -> None:
    link = {"trace_id": make_trace_id(), "id": make_id()}

    assert left_of("links", [link, 1, {}, link | {"trace_id": "1-2-3"}, link | {"id": 1}]) == [link]
    assert left_of("links", [link | {"attributes": 1}]) == [link]
    assert left_of("links", link) == "removed"


def test_bad_subsegments_are_removed_with_all_that_is_in_them() -> None:
    good = make_subsegment(subsegments=[make_subsegment("inner", fault="yes"), 1])
    bad = [
        1,
        None,
        make_subsegment(id="short"),
        make_subsegment(name=None),
        make_subsegment(name=""),
        make_subsegment(start_time="now", end_time=NOON),
        make_subsegment(id=None, subsegments=[make_subsegment()]),
    ]

    stored = store(make_segment(subsegments=[*bad, good]))

    (kept,) = stored["subsegments"]
    assert kept["id"] == good["id"]
    (inner,) = kept["subsegments"]
    assert inner["name"] == "inner"
    assert "fault" not in inner


@pytest.mark.parametrize("subsegments", [{}, "x", 1, None])
def test_subsegments_that_are_no_list(subsegments: Any) -> None:
    assert "subsegments" not in store(make_segment() | {"subsegments": subsegments})


def test_what_is_left_complies_with_the_schema_in_other_words() -> None:
    text: Any = {
        "user": 1,
        "fault": "x",
        "cause": 3,
        "sql": 1,
        "metadata": 5,
        "http": {"request": 1},
    }
    segment = make_segment(
        **text, name="a?", annotations={"é": 1}, subsegments=[make_subsegment(**text), 5]
    )
    del segment["sql"]

    stored = store(segment)

    assert find_mistakes(stored) == []
