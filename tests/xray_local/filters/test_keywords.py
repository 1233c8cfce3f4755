"""Every keyword, by an example that finds some traces and not the others."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tests.xray_local.filters.made import find, open_storage, read_trace, save
from tests.xray_local.made import (
    NOON,
    make_id,
    make_late,
    make_request,
    make_segment,
    make_subsegment,
    make_trace_id,
)
from xray_local.filters.evaluator import holds
from xray_local.filters.keywords import ALIASES, KEYWORDS
from xray_local.filters.parser import COMPLEX, parse


def make_traces() -> dict[str, list[dict[str, Any]]]:
    """Return four traces by a letter each.

    g: a good page of `front`, which called the bucket `pictures` and `api`, whose fault it hid.
    b: a bad page of `front`, whose `api` failed in `save`. p: is in progress. t: was throttled.
    """
    return {"g": make_good(), "b": make_bad(), "p": make_partial(), "t": make_throttled()}


def make_good() -> list[dict[str, Any]]:
    bucket = make_subsegment(
        name="S3",
        namespace="aws",
        aws={"bucket_name": "pictures", "account_id": "123"},
        http={"response": {"status": 200}},
        annotations={"size": 7},
        end_time=NOON + 0.5,
    )
    call = make_subsegment(
        name="api",
        namespace="remote",
        http=make_request("http://api/ratings", 200),
        end_time=NOON + 1.5,
    )
    front = make_segment(
        name="front",
        origin="AWS::EC2::Instance",
        end_time=NOON + 2,
        user="ada",
        http={
            "request": {
                "url": "http://front/films?year=1927",
                "method": "GET",
                "user_agent": "Firefox/130",
                "client_ip": "10.0.0.1",
            },
            "response": {"status": 200},
        },
        aws={
            "account_id": "123",
            "ec2": {"instance_id": "i-1", "availability_zone": "eu-west-1a"},
        },
        resource_arn="arn:aws:front",
        annotations={"route": "films", "is_cold": False, "year": 1927},
        subsegments=[bucket, call],
    )
    api = make_segment(
        name="api",
        trace_id=front["trace_id"],
        parent_id=call["id"],
        end_time=NOON + 3,
        fault=True,
        http=make_request("http://api/ratings", 500, "POST"),
        user="api-user",
        annotations={"is_cold": True, "shard": "a.b"},
    )
    late = make_late(api, name="log", annotations={"my.key": "late"})
    return [api, late, front]


def make_bad() -> list[dict[str, Any]]:
    cause = {"exceptions": [{"id": make_id(), "type": "IOError", "message": "disk is full"}]}
    save_it = make_subsegment(name="save", fault=True, cause=cause, end_time=NOON + 0.9)
    call = make_subsegment(name="api", namespace="remote", fault=True, end_time=NOON + 1)
    front = make_segment(
        name="front",
        end_time=NOON + 1,
        fault=True,
        http=make_request("http://front/save", 500, "POST"),
        subsegments=[call],
    )
    api = make_segment(
        name="api",
        trace_id=front["trace_id"],
        parent_id=call["id"],
        fault=True,
        end_time=NOON + 0.95,
        subsegments=[save_it],
    )
    return [front, api]


def make_partial() -> list[dict[str, Any]]:
    return [make_segment(name="front", end_time=None, in_progress=True)]


def make_throttled() -> list[dict[str, Any]]:
    table = make_subsegment(
        name="DynamoDB",
        namespace="aws",
        aws={"table_name": "films"},
        error=True,
        throttle=True,
        end_time=NOON + 5,
        cause={
            "exceptions": [
                {"id": make_id(), "type": "Throttling", "message": "too much"},
                {"id": make_id(), "type": "Last"},
            ]
        },
    )
    return [
        make_segment(
            name="worker",
            trace_id=make_trace_id(),
            origin="AWS::Lambda::Function",
            error=True,
            http={"response": {"status": 429}},
            end_time=NOON + 6,
            subsegments=[table],
        )
    ]


@pytest.fixture(scope="module")
def stored() -> Iterator[tuple[sqlite3.Connection, dict[str, list[dict[str, Any]]]]]:
    traces = make_traces()
    with open_storage() as (connection, storage):
        for documents in traces.values():
            for document in documents:
                save(storage, [document])
        yield connection, traces


EXAMPLES = [
    ("ok", "g"),
    ("!ok", "bpt"),
    ("ok = false", "bpt"),
    ("ok != false", "g"),
    ("error", "t"),
    ("fault", "b"),
    ('fault = "true"', "b"),
    ("throttle", "t"),
    ("partial", "p"),
    ("ok !partial duration <5", "g"),
    ("inferred", "gt"),
    ("root", "gbpt"),
    ("root = false", ""),
    ("responsetime = 2", "g"),
    ("responseTime >= 1 AND responseTime < 6", "gb"),
    ("duration = 3", "g"),
    ("duration > 2 OR duration <= 0", "gpt"),
    ("http.status = 200", "g"),
    ("http.status != 200", "bt"),
    ("http.status", "gbt"),
    ("!http.status", "p"),
    ("!(http.status = 200)", "bpt"),
    ('http.url = "http://front/save"', "b"),
    ('http.url BEGINSWITH "http://front/"', "gb"),
    ('http.url ENDSWITH "1927"', "g"),
    ('http.url CONTAINS "/FILMS"', ""),
    ('http.url CONTAINS ""', "gb"),
    ('http.url ENDSWITH ""', "gb"),
    ('http.url contains "films" and !service("nobody")', "g"),
    ('http.method = "POST"', "b"),
    ('http.method != "POST"', "g"),
    ('http.useragent BEGINSWITH "Firefox"', "g"),
    ('http.clientip = "10.0.0.1"', "g"),
    ('user = "ada"', "g"),
    ('user = "api-user"', "g"),
    ('user != "ada"', "g"),
    ('user CONTAINS ""', "g"),
    ("!user", "bpt"),
    ('availabilityzone = "eu-west-1a"', "g"),
    ('availability.zone BEGINSWITH "eu"', "g"),
    ('instance.id = "i-1"', "g"),
    ('resource.arn ENDSWITH "front"', "g"),
    ('name = "worker"', "t"),
    ('type = "AWS::Lambda::Function"', "t"),
    ('account.id = "123"', "g"),
    ("annotation.route", "g"),
    ("!annotation.route", "bpt"),
    ('annotation.route = "films"', "g"),
    ('annotation[route] != "films"', ""),
    ("annotation.year > 1900", "g"),
    ('annotation.year = "1927"', ""),
    ("annotation.size <= 7", "g"),
    ("annotation.Route", ""),
    # A boolean is its value; of several values one that is true is enough.
    ("annotation.is_cold", "g"),
    ("annotation.is_cold = false", "g"),
    ("annotation.is_cold != true", "g"),
    ('annotation[my.key] BEGINSWITH "l"', "g"),
    ("annotation.my.key", "g"),
    ('service("front")', "gbp"),
    ('!service("front")', "t"),
    ('service("front") { fault }', "b"),
    ('service("api") { fault }', "gb"),
    ("service() { fault }", "gb"),
    ("service() { error }", "t"),
    ('service("front") {root = true and fault = true}', "b"),
    ('service("api") { root }', ""),
    ('service("api") { responsetime > 2 AND user = "api-user" }', "g"),
    ('service("api") { http.status = 200 }', ""),
    ('service("pictures") { inferred AND account.id = "123" AND annotation.size = 7 }', "g"),
    ('service("api") { annotation[my.key] = "late" AND annotation.is_cold }', "g"),
    ('service("api") { inferred }', ""),
    ('service("films") { throttle AND !fault AND duration = 5 }', "t"),
    ("service { partial }", "p"),
    ('service(id(type: "AWS::S3::Bucket"))', "g"),
    ('service(id(name: "worker", type: "AWS::Lambda")) { error }', ""),
    ('service(id(name: "worker", type: "AWS::Lambda::Function")) { error }', "t"),
    ('service(id(account.id: "123"))', "g"),
    ('edge("front", "api")', "gb"),
    ('edge("api", "front")', ""),
    # The caller's view: the call of the good page came back with 200.
    ('edge("front", "api") { fault }', "b"),
    ('edge("front", "api") { http.status = 200 AND responsetime = 1.5 }', "g"),
    ('edge("front", "api") { name = "api" AND !inferred }', "gb"),
    ('edge("worker", id(type: "AWS::DynamoDB::Table")) { error AND inferred }', "t"),
    ('edge(id(name: "front", type: "AWS::EC2::Instance"), "pictures")', "g"),
    ("edge() { throttle }", "t"),
    # Annotations of the call, and of the segment that called with its subsegments.
    ('edge("front", "pictures") { annotation.size = 7 }', "g"),
    ('edge("front", "pictures") { annotation.route = "films" }', ""),
    ('edge("front", "api") { source.annotation.route = "films" }', "g"),
    ('edge("front", "api") { Source.Annotation[size] = 7 }', "g"),
    ("edge() { !source.annotation.route AND source.annotation[is_cold] }", ""),
    ("edge() { !source.annotation.route }", "bt"),
    # Of the segment that answered; of the call, where none did.
    ('edge("front", "api") { destination.annotation.shard = "a.b" }', "g"),
    ('edge("front", "api") { Destination.Annotation[my.key] = "late" }', "g"),
    ('edge("front", "pictures") { destination.annotation.size = 7 }', "g"),
    ('edge("front", "api") { destination.annotation.route }', ""),
    ('group.name = "Default" AND fault', "b"),
    ('group.name != "Default"', ""),
    ('rootcause.fault.service { name = "api" }', "gb"),
    ('rootcause.fault.service { last AND name = "api" AND index = 1 AND !inferred }', "b"),
    # The page of `front` was good: the cause begins with `api`, and impacts nobody.
    ('rootcause.fault.service { first AND name = "api" AND index = 0 }', "g"),
    ('rootcause.error.service { inferred AND type = "AWS::DynamoDB::Table" }', "t"),
    ('rootcause.error.service { account.id = "123" }', ""),
    ("rootcause.fault.service { index > 5 }", ""),
    ('rootcause.fault.entity { last and name = "save" }', "b"),
    ('rootcause.fault.entity { remote and name = "api" }', "b"),
    ('rootcause.error.entity { first and name = "worker" }', "t"),
    ('rootcause.fault.exception { last and message = "disk is full" }', "b"),
    ('rootcause.fault.exception { name = "IOError" }', "b"),
    ('rootcause.error.exception { first and message CONTAINS "much" }', "t"),
    ('rootcause.error.exception { message = "too much" and last }', ""),
    ('rootcause.responsetime.service { last and type = "AWS::DynamoDB::Table" }', "t"),
    ('rootcause.responsetime.entity { remote and coverage > 0.7 and name = "api" }', "gb"),
    ('rootcause.responsetime.entity { last and coverage > 0.8 and name = "save" }', "b"),
    ('!rootcause.fault.entity { name = "save" }', "gpt"),
    ('rootcause.fault.entity { name = "save" } OR partial', "bp"),
    ('rootcause.json = #[{"Services": [{"Name": "front"}, {"Name": "api"}]}]', "b"),
    (
        'rootcause.json = #[{"Services": [{"Name": "front"}, '
        '{"EntityPath": [{"Name": "api"}, {"Name": "save", "Remote": false}]}]}]',
        "b",
    ),
    ('rootcause.json = #[{"ClientImpacting": false}] AND ok', "g"),
    ('rootcause.json = #[{"Services": [{"Name": "front"}]}]', "g"),
    ("rootcause.json = #[]", "gbpt"),
]


@pytest.mark.parametrize(("text", "letters"), EXAMPLES)
def test_example(
    stored: tuple[sqlite3.Connection, dict[str, list[dict[str, Any]]]], text: str, letters: str
) -> None:
    connection, traces = stored
    names = {documents[0]["trace_id"]: letter for letter, documents in traces.items()}

    found = find(connection, text)

    assert sorted(names[trace_id] for trace_id in found) == sorted(letters)


@pytest.mark.parametrize(("text", "letters"), [each for each in EXAMPLES if "group" not in each[0]])
def test_example_by_the_documents_alone(text: str, letters: str) -> None:
    traces = make_traces().items()

    found = [letter for letter, trace in traces if holds(parse(text), read_trace(trace))]

    assert sorted(found) == sorted(letters)


def test_every_keyword_has_an_example() -> None:
    words = {word.lower() for text, _ in EXAMPLES for word in re.findall(r"[A-Za-z.]+", text)}
    names = {each.partition("(")[0].replace("annotation.KEY", "annotation") for each in COMPLEX}

    # An ARN names no group yet.
    assert {*KEYWORDS, *ALIASES, *names} - words == {"group.arn"}
