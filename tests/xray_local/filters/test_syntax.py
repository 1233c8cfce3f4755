"""Expressions as text, there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xray_local.filters.made import EXPRESSIONS
from xray_local.filters import BadFilter, read_filter
from xray_local.filters.parser import parse
from xray_local.filters.syntax import Comparison, Expression, join_all, write

PIECES = """
ok !fault AND OR NOT ( ) { } = != < <= > >= CONTAINS BEGINSWITH ENDSWITH "a" "" 1 -2.5e3 true
annotation.a annotation[b.c] service edge id ( name : , type account.id rootcause.fault.service
rootcause.json #[{"Services":[]}] #[ group.name "\\" http.url duration é ' [ annotation.
"""


@given(EXPRESSIONS)
@settings(deadline=None, max_examples=150)
def test_there_and_back(expression: Expression) -> None:
    assert parse(write(expression)) == expression


@given(st.text(st.characters(codec="utf-8"), max_size=50))
@settings(deadline=None)
def test_any_text_there_and_back(text: str) -> None:
    expression = Comparison("user", "=", text)

    assert parse(write(expression)) == expression


@given(st.lists(st.sampled_from(PIECES.split()) | st.text(max_size=3), max_size=12).map(" ".join))
@settings(deadline=None, max_examples=200)
def test_whatever_is_written_is_read_or_refused_with_a_place(text: str) -> None:
    mistake = None
    try:
        read_filter(text)
    except BadFilter as error:
        mistake = error

    if mistake is not None:
        assert 1 <= mistake.position <= len(text) + 1
        assert "expected" in str(mistake)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ok !partial duration <3", "ok AND !partial AND duration < 3"),
        ("ok or fault and error", "ok OR fault AND error"),
        ("(ok OR fault) error", "(ok OR fault) AND error"),
        ("NOT ok and !(fault or error)", "!ok AND !(fault OR error)"),
        ("responseTime>2", "responsetime > 2"),
        ("Fault = TRUE", "fault = true"),
        ('fault = "false"', "fault = false"),
        ('availability.zone contains ""', 'availabilityzone CONTAINS ""'),
        ("annotation.Age", "annotation.Age"),
        ("annotation[Age]", "annotation.Age"),
        ("edge{SOURCE.annotation[Age]}", "edge() { source.annotation.Age }"),
        ("edge{source.annotation[a b]=1}", "edge() { source.annotation[a b] = 1 }"),
        ("annotation[ a-b ]>.5", "annotation[a-b] > 0.5"),
        ('user = "a\\"\\\\b\\c"', 'user = "a\\"\\\\b\\\\c"'),
        ('service(id(type:"t",name:"n"))', 'service(id(name: "n", type: "t"))'),
        ('service(id(name: "n"))', 'service("n")'),
        ("service { fault }", "service() { fault }"),
        ('group.name != "x"', '!group.name = "x"'),
        ('rootcause.json=#[ {"b":1,"a":2} ]', 'rootcause.json = #[{"a": 2, "b": 1}]'),
    ],
)
def test_spellings(text: str, canonical: str) -> None:
    assert write(parse(text)) == canonical


def test_all_of_some_expressions() -> None:
    assert join_all() == join_all("", "") == ""
    assert join_all("", "fault OR error") == "fault OR error"
    assert join_all("fault OR error", "", "user") == "(fault OR error) AND (user)"
