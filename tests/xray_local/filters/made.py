"""Expressions and traces by chance, from few values, so that they often meet."""

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from hypothesis import strategies as st

from tests.xray_local.made import NOON, make_id, make_segment, make_subsegment, make_trace_id
from xray_local.filters.compiler import read_filter
from xray_local.filters.evaluator import Trace, holds
from xray_local.filters.keywords import ENDS, KEYWORDS, OPERATORS, Scope, Type
from xray_local.filters.syntax import (
    And,
    CauseJson,
    CauseTest,
    Comparison,
    EdgeTest,
    Expression,
    Id,
    Not,
    Or,
    ServiceTest,
)
from xray_local.intake.arrivals import read_document
from xray_local.store.database import SCHEMA
from xray_local.store.queries import list_traces
from xray_local.store.storage import Storage

TEXTS = ["", "a", "ab", "b", "é", '"', "\\", "AWS::S3::Bucket", "remote", "GET", "100%", "A"]
# What means something to SQLite's GLOB, to JSON, or to both.
TEXTS += ["*", "a?", "[a]", "a\n", "\x7f\x1b"]
NUMBERS = [0.0, 0.1, 0.25, 1.0, 200.0, 201.0, 404.0, 500.0, -1.0, 2.5e-7]
KEYS = ["a", "b.c", "e_1", "10", "A"]
NAMES = ["a", "b", "movies"]


@contextmanager
def open_storage() -> Iterator[tuple[sqlite3.Connection, Storage]]:
    """Give an empty database in memory."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in SCHEMA.split(";\n"):
            connection.execute(statement)
        yield connection, Storage(connection)


def save(storage: Storage, documents: list[dict[str, Any]]) -> None:
    storage.save([read_document(json.dumps(each).encode()) for each in documents], Counter())


def find(connection: sqlite3.Connection, text: str) -> set[str]:
    """Return the ids of the traces that a query finds."""
    page = list_traces(connection, chosen=read_filter(text), limit=10_000)
    assert page.next_token is None
    return {summary["Id"] for summary in page.summaries}


def read_trace(documents: list[dict[str, Any]]) -> Trace:
    """Return the trace of these documents as they would be stored."""
    bodies = (read_document(json.dumps(each).encode()).body for each in documents)
    return Trace(bodies)


def find_naively(traces: dict[str, Trace], expression: Expression) -> set[str]:
    """Return the ids of the traces for which the expression holds, by their documents alone."""
    return {trace_id for trace_id, trace in traces.items() if holds(expression, trace)}


# Expressions.

FIELDS = st.sampled_from(KEYS).map(lambda key: f"annotation.{key}")


def make_tests(scope: Scope) -> st.SearchStrategy[Comparison]:
    """Return comparisons that may stand in the scope."""
    fields = [(each.name, each.type) for each in KEYWORDS.values() if each.scopes & scope]
    known = st.sampled_from(fields).flatmap(lambda field: _make_test(*field))
    if not scope & (Scope.TRACE | Scope.SERVICE | Scope.EDGE):
        return known
    types = st.sampled_from([Type.BOOLEAN, Type.NUMBER, Type.STRING])
    return known | st.tuples(FIELDS, types).flatmap(lambda field: _make_test(*field))


def _make_test(field: str, kind: Type) -> st.SearchStrategy[Comparison]:
    values: dict[Type, st.SearchStrategy[Any]] = {
        Type.BOOLEAN: st.booleans(),
        Type.NUMBER: st.sampled_from(NUMBERS),
        Type.STRING: st.sampled_from(TEXTS),
    }
    compared = st.builds(Comparison, st.just(field), st.sampled_from(OPERATORS[kind]), values[kind])
    return st.just(Comparison(field)) | compared


def make_blocks(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the leaves, joined in every way."""

    def join(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.builds(And, parts) | st.builds(Or, parts) | st.builds(Not, inner)

    return st.recursive(leaves, join, max_leaves=5)


IDS = st.builds(
    Id,
    st.none() | st.sampled_from(NAMES),
    st.none() | st.sampled_from(["AWS::S3::Bucket", "remote"]),
    st.none() | st.sampled_from(["a", "b"]),
)
SERVICE_BLOCKS = make_blocks(make_tests(Scope.SERVICE))
EDGE_BLOCKS = make_blocks(
    make_tests(Scope.EDGE)
    | st.tuples(st.sampled_from(ENDS), FIELDS, st.sampled_from([Type.NUMBER, Type.STRING])).flatmap(
        lambda field: _make_test(field[0] + field[1], field[2])
    )
)
COMPLEX = (
    st.builds(ServiceTest, IDS, st.none() | SERVICE_BLOCKS)
    | st.builds(EdgeTest, IDS.filter(any), IDS.filter(any), st.none() | EDGE_BLOCKS)
    | st.just(EdgeTest(Id(), Id(), Comparison("fault")))
)
CAUSES = st.one_of(
    *(
        st.builds(CauseTest, st.sampled_from(["fault", "error"]), st.just(part), make_blocks(tests))
        for part, tests in (
            ("service", make_tests(Scope.CAUSE_SERVICE)),
            ("entity", make_tests(Scope.CAUSE_ENTITY)),
            ("exception", make_tests(Scope.CAUSE_EXCEPTION)),
        )
    ),
    st.builds(
        CauseTest,
        st.just("responsetime"),
        st.just("entity"),
        make_blocks(make_tests(Scope.CAUSE_ENTITY | Scope.CAUSE_COVERAGE)),
    ),
    st.just(CauseJson('[{"Services": [{"Name": "a"}]}]')),
)
EXPRESSIONS = make_blocks(make_tests(Scope.TRACE) | COMPLEX | CAUSES)


# Traces.


def make_trace(chance: random.Random, seconds: float) -> list[dict[str, Any]]:
    """Return the documents of a trace, in any order, some incomplete."""
    trace_id = make_trace_id(seconds)
    documents: list[dict[str, Any]] = []
    parents: list[str] = []
    for _ in range(chance.randint(1, 4)):
        fields = _make_fields(chance)
        if parents and chance.random() < 0.8:
            fields["parent_id"] = chance.choice(parents)
            if chance.random() < 0.4:
                fields |= {"type": "subsegment"} | _make_call(chance)
        fields["subsegments"] = _make_inside(chance, depth=2)
        document = make_segment(trace_id=trace_id, **fields)
        if chance.random() < 0.2:
            del document["end_time"]
            document["in_progress"] = True
        parents += _list_ids(document)
        documents.append(document)
    chance.shuffle(documents)
    return documents


def _make_inside(chance: random.Random, depth: int) -> list[dict[str, Any]]:
    number = chance.randint(0, 2) if depth else 0
    return [
        make_subsegment(
            subsegments=_make_inside(chance, depth - 1),
            **(_make_fields(chance) | (_make_call(chance) if chance.random() < 0.6 else {})),
        )
        for _ in range(number)
    ]


def _make_call(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.5:
        return {"namespace": "remote"}
    aws = {"bucket_name": chance.choice(NAMES), "account_id": chance.choice(["a", "b"])}
    return {"namespace": "aws", "name": chance.choice(["S3", "b"]), "aws": aws}


def _make_fields(chance: random.Random) -> dict[str, Any]:
    def maybe(value: Any, share: float = 0.4) -> Any:
        return value if chance.random() < share else None

    start = NOON + chance.choice([0, 0.1, 0.25, 1])
    request = {
        "url": maybe(chance.choice(TEXTS)),
        "method": maybe(chance.choice(["GET", "a"])),
        "user_agent": maybe(chance.choice(TEXTS)),
        "client_ip": maybe(chance.choice(TEXTS)),
    }
    cause = {"exceptions": [{"type": chance.choice(TEXTS), "message": chance.choice(TEXTS)}]}
    values = [*TEXTS, *NUMBERS, True, False, "x\0y"]
    ec2 = {"instance_id": maybe(chance.choice(TEXTS)), "availability_zone": chance.choice(TEXTS)}
    return {
        "id": make_id(),
        "name": chance.choice(NAMES),
        "start_time": start,
        "end_time": start + chance.choice([0, 0.1, 0.25, 1.0]),
        "fault": maybe(True),
        "error": maybe(True),
        "throttle": maybe(True, 0.2),
        "user": maybe(chance.choice(TEXTS)),
        "origin": maybe(chance.choice(["AWS::S3::Bucket", "remote"])),
        "resource_arn": maybe(chance.choice(TEXTS)),
        "http": maybe(
            {
                "request": request,
                "response": {"status": chance.choice([200, 201, 302, 404, 500, None])},
            },
            0.6,
        ),
        "aws": maybe({"account_id": maybe(chance.choice(["a", "b"])), "ec2": maybe(ec2)}),
        "cause": maybe(cause),
        "annotations": {key: chance.choice(values) for key in KEYS if chance.random() < 0.3},
    }


def _list_ids(document: dict[str, Any]) -> list[str]:
    return [document["id"]] + [
        each for child in document.get("subsegments", ()) for each in _list_ids(child)
    ]
