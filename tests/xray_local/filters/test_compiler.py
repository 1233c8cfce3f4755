"""What SQL finds is what the documents say."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.xray_local.filters.made import (
    EXPRESSIONS,
    TEXTS,
    find,
    find_naively,
    make_trace,
    open_storage,
    read_trace,
    save,
)
from tests.xray_local.made import NOON, make_segment, make_subsegment
from xray_local.filters import BadFilter, read_filter
from xray_local.filters.evaluator import Trace
from xray_local.filters.keywords import OPERATORS, Type
from xray_local.filters.parser import MAX_DEPTH, MAX_TESTS
from xray_local.filters.syntax import Comparison, Expression, write
from xray_local.store.shapes import read_shapes
from xray_local.traces.tallies import Shape

TRACES = 80


@pytest.fixture(scope="module")
def stored() -> Iterator[tuple[Any, dict[str, Trace]]]:
    """A database with traces by chance, stored in pieces, and their documents."""
    chance = random.Random(4)
    traces = [make_trace(chance, NOON + number) for number in range(TRACES)]
    pieces = [document for trace in traces for document in trace]
    chance.shuffle(pieces)
    with open_storage() as (connection, storage):
        for first in range(0, len(pieces), 40):
            save(storage, pieces[first : first + 40])
        yield connection, {trace[0]["trace_id"]: read_trace(trace) for trace in traces}


@given(EXPRESSIONS)
@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_sql_finds_what_the_documents_say(
    stored: tuple[Any, dict[str, Trace]], expression: Expression
) -> None:
    connection, traces = stored

    found = find(connection, write(expression))

    assert found == find_naively(traces, expression)


@pytest.mark.parametrize("name", ["", '"a"', '"b"'])
@pytest.mark.parametrize(
    "block",
    [
        "http.status = 201",
        "http.status != 200 AND ok",
        "http.status < 300",
        'http.method = "GET"',
        '!(http.method = "GET")',
        'http.url CONTAINS "a" AND responsetime > 0.05',
        'http.useragent != "a" OR fault',
        'user = "a"',
        "annotation.a = 1 OR annotation.a > 0.2",
        'annotation.a != "a" AND http.status > 0',
    ],
)
def test_what_the_row_of_a_trace_says_of_its_elements(
    stored: tuple[Any, dict[str, Trace]], name: str, block: str
) -> None:
    """Of its root all of http, of others nothing; it has the annotations and users of all."""
    connection, traces = stored
    other = 'id(type: "AWS::S3::Bucket")'
    texts = [f"service({name}) {{ {block} }}", f'edge("a", {name or other}) {{ {block} }}']

    for text in (*texts, *(f"!{each}" for each in texts), f"{texts[0]} AND !{texts[1]}"):
        found = find(connection, text)
        assert found == find_naively(traces, read_filter(text).expression), text


@pytest.mark.parametrize("operator", [">", ">=", "<", "<=", "="])
def test_a_root_that_took_two_thousand_years(operator: str) -> None:
    """Its time in the row of the trace, and that of its element, differ by more than usual."""
    with open_storage() as (connection, storage):
        segment = make_segment(start_time=692.5569646028146, end_time=66339317763.11699)
        save(storage, [segment])
        traces = {segment["trace_id"]: read_trace([segment])}

        for seconds in (66339317070.56002, 66339317070.56003, 66339317070.56004):
            text = f'service("movies") {{ responsetime {operator} {seconds} }}'
            found = find(connection, text)
            assert found == find_naively(traces, read_filter(text).expression), text


def test_http_of_roots_needs_no_documents() -> None:
    with open_storage() as (connection, storage):
        save(storage, [make_segment(name="a", http={"request": {"url": "x", "method": "GET"}})])
        shapes = read_shapes(connection)

    condition = read_filter('service("a") { http.url = "x" }').compile(lambda: shapes)

    assert condition.may == condition.must
    assert "http_url = " in condition.parts[0]
    assert len(condition.terms) == 2


@pytest.mark.parametrize("field", ["annotation.a", "user", "resource.arn", "http.url"])
@pytest.mark.parametrize("operator", OPERATORS[Type.STRING])
def test_texts_that_mean_something_to_sqlite(
    stored: tuple[Any, dict[str, Trace]], field: str, operator: str
) -> None:
    connection, traces = stored

    for value in TEXTS:
        expression = Comparison(field, operator, value)
        found = find(connection, write(expression))
        assert found == find_naively(traces, expression), value


@pytest.mark.parametrize("operator", OPERATORS[Type.STRING][2:])
def test_a_text_longer_than_a_pattern(operator: str) -> None:
    """SQLite takes patterns of 50,000 bytes; a control character has six in JSON."""
    stored = "\x01" * 1000

    with open_storage() as (connection, storage):
        segment = make_segment(annotations={"k": stored})
        save(storage, [segment])

        assert find(connection, f'annotation.k {operator} "{stored}"') == {segment["trace_id"]}
        assert find(connection, f'annotation.k {operator} "{stored * 9}"') == set()


@pytest.mark.parametrize(
    ("text", "is_exact"),
    [
        ("fault OR service() { error }", True),
        ("rootcause.fault.service { first }", False),
        ("ok AND !rootcause.json = #[]", False),
    ],
)
def test_what_sql_decides_alone(text: str, is_exact: bool) -> None:
    condition = read_filter(text).compile()

    assert (condition.may == condition.must) is is_exact


def test_shapes_are_read_once_and_only_where_they_are_asked_for() -> None:
    """There may be thousands."""
    reads: list[None] = []

    def read_none() -> dict[int, Shape]:
        reads.append(None)
        return {}

    read_filter("fault AND annotation.a = 1").compile(read_none)
    assert not reads

    read_filter('service("a") { fault } OR !edge("a", "b")').compile(read_none)
    assert len(reads) == 1


@pytest.mark.parametrize(
    "expression",
    [
        'service() { name = "service-3" AND responsetime > 0.05 }',
        'service() { fault OR !(name != "service-3") }',
        'service() { name CONTAINS "e-3" }',
    ],
)
def test_services_that_differ_by_their_names_alone(expression: str) -> None:
    with open_storage() as (connection, storage):
        segments = [make_segment(name=f"service-{number}") for number in range(5)]
        save(storage, segments)

        assert find(connection, expression) == {segments[3]["trace_id"]}


def test_nothing_of_the_text_gets_into_sql() -> None:
    hostile = "x' OR 1=1; DROP TABLE traces --"

    chosen = read_filter(
        f'annotation[{hostile}] = "{hostile}" service("{hostile}") {{ user CONTAINS "{hostile}" }}'
    )

    condition = chosen.compile()
    assert "DROP" not in condition.may + condition.must + "".join(condition.terms)
    with open_storage() as (connection, storage):
        save(storage, [make_segment()])
        assert find(connection, f'name = "{hostile}"') == set()


@pytest.mark.parametrize(
    "text",
    [
        "(ok OR " * MAX_DEPTH + "fault" + ")" * MAX_DEPTH,
        "(ok OR (fault AND " * (MAX_DEPTH // 2) + "ok" + "))" * (MAX_DEPTH // 2),
        "!(ok OR !(fault AND " * (MAX_DEPTH // 4) + "ok" + "))" * (MAX_DEPTH // 4),
        "(ok OR (fault AND " * (MAX_DEPTH // 2 - 2)
        + "service() {(ok OR (fault AND !annotation.a))}"
        + "))" * (MAX_DEPTH // 2 - 2),
        " ".join(["annotation.a = 1"] * MAX_TESTS),
        " OR ".join(['edge("a", "b") { annotation.a }'] * (MAX_TESTS // 2)),
        "!" * MAX_DEPTH + "ok",
    ],
)
def test_as_large_as_may_be(text: str) -> None:
    with open_storage() as (connection, storage):
        save(storage, [make_segment()])

        find(connection, text)


def test_groups() -> None:
    groups = {"slow": "responsetime > 3 OR fault", "arn:slow": "responsetime > 3"}

    chosen = read_filter('!group.name = "slow" AND group.arn = "arn:slow"', groups)

    assert write(chosen.expression) == "!(responsetime > 3 OR fault) AND responsetime > 3"
    assert write(read_filter('group.name = "slow" ok', groups).expression) == (
        "(responsetime > 3 OR fault) AND ok"
    )


def test_group_default_is_every_trace() -> None:
    assert read_filter('group.name = "Default"').compile().may == "1"
    assert read_filter('group.name != "Default"').compile().may == "0"


def test_group_that_does_not_exist() -> None:
    with pytest.raises(
        BadFilter, match=r"at character 14: expected a group that exists \('Default"
    ):
        read_filter('group.name = "slow"')


@pytest.mark.parametrize(
    ("block", "is_found", "is_sure"),
    [
        ("responsetime > 2.5", True, True),
        ("responsetime > 3", False, True),
        ("responsetime = 3", True, True),
        # Between the least and the greatest there may be one or not.
        ("responsetime = 2", False, False),
        ("responsetime > 1.5 AND responsetime < 2.5", False, False),
        ("responsetime > 0.5 AND responsetime < 3.5", True, True),
        ("!(responsetime <= 1 OR responsetime >= 3)", False, False),
        ("responsetime < 1 OR responsetime > 3", False, True),
        ("duration != 1 AND ok", True, True),
        ("duration >= 1 AND fault", False, True),
        # Not in the database.
        ("http.status = 200", True, False),
    ],
)
@pytest.mark.parametrize("negation", ["", "!"])
def test_times_of_several_calls(block: str, is_found: bool, is_sure: bool, negation: str) -> None:
    calls = [
        make_subsegment(
            name="api", namespace="remote", end_time=NOON + took, http={"response": {"status": 200}}
        )
        for took in (1, 3)
    ]
    chosen = read_filter(f'{negation}edge("front", "api") {{ {block} }}')
    with open_storage() as (connection, storage):
        save(storage, [make_segment(name="front", end_time=NOON + 4, subsegments=calls)])

        condition = chosen.compile(lambda: read_shapes(connection))
        may, must = connection.execute(
            f"SELECT {condition.may}, {condition.must} FROM traces",  # noqa: S608
            condition.values,
        ).fetchone()
        found = find(connection, write(chosen.expression))

    assert bool(found) is (is_found != bool(negation))
    assert (may == must) is is_sure
    assert may >= bool(found) >= must
