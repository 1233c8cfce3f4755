"""What the address of a trace's page says, and the links of its rows."""

import pytest
from django.http import QueryDict

from tests.xray_local.made import NOON
from xray_local.console.scope import Scope
from xray_local.console.trace_query import TOGGLED_MAX, TraceQuery, read_trace_query
from xray_local.errors import InvalidRequest


def read(text: str) -> TraceQuery:
    query = QueryDict(text)
    kept = tuple((key, query.get(key, "")) for key in query)
    return read_trace_query(query, Scope(NOON, NOON + 3600, kept=kept))


def test_nothing() -> None:
    query = read("")

    assert (query.view, query.element, query.levels, query.order) == ("timeline", "", None, "start")
    assert (query.toggled, query.find, query.same, query.page) == (frozenset(), "", "", None)


def test_everything() -> None:
    query = read(
        "view=table&element=a&levels=2&toggle=b.c&find=+x+&same=d&times=clock&order=self&page=3"
    )

    assert (query.view, query.element, query.levels, query.order) == ("table", "a", 2, "self")
    assert (query.toggled, query.find, query.same) == ({"b", "c"}, "x", "d")
    assert (query.times, query.page) == ("clock", 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("view=x", "timeline, flame, table, sql, logs as view, got 'x'"),
        ("order=x", "as order, got 'x'"),
        ("times=x", "clock as times, or none, got 'x'"),
        ("levels=10", "a levels from 1 to 9, got '10'"),
        ("levels=0", "from 1 to 9"),
        ("page=%C2%B2", "a page from 1"),
        ("page=1000000000000", "a page from 1"),
    ],
)
def test_what_says_nothing(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        read(text)


def test_links_of_elements() -> None:
    assert read("").make_linker().link_element("a&b/c") == "?element=a%26b%2Fc"
    assert read("element=x&view=table&page=2").make_linker().link_element("a") == (
        "?view=table&element=a"
    )


def test_links_that_close_and_open() -> None:
    linker = read("toggle=b.a&view=timeline").make_linker()

    assert linker.link_toggle("c") == "?view=timeline&toggle=a.b.c"
    assert linker.link_toggle("a") == "?view=timeline&toggle=b"
    assert read("toggle=a").make_linker().link_toggle("a") == "?"
    assert read("toggle=a&view=table").make_linker().link_toggle("a") == "?view=table"
    assert read("").make_linker().link_toggle("a") == "?toggle=a"


def test_links_do_not_grow_for_ever() -> None:
    ids = [f"{number:016x}" for number in range(1000)]

    assert len(read("toggle=" + ".".join(ids)).toggled) == TOGGLED_MAX
