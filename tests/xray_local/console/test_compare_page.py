"""The page that compares two traces, as HTML."""

import gc
import html
import re
from typing import Any

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.console.test_pages import HOSTILE, check_nothing_runs, make_hostile
from tests.xray_local.made import NOON, make_request, make_segment, make_subsegment, make_trace_id
from xray_local.console.compare_page import write_sentences
from xray_local.console.comparison import compare
from xray_local.console.outline import Outline, outline
from xray_local.console.pauses import without_collecting
from xray_local.traces.trees import Element, build_tree


def make_films(calls: int, **fields: Any) -> dict[str, Any]:
    """Return a request that calls DynamoDB so many times, 40 ms each."""
    aws = {"operation": "GetItem", "table_name": "Movies"}
    children = [
        make_subsegment(
            "DynamoDB",
            namespace="aws",
            aws=aws,
            start_time=NOON + number * 0.04,
            end_time=NOON + (number + 1) * 0.04,
        )
        for number in range(calls)
    ]
    return make_segment(
        http=make_request("http://a/films/", 200),
        end_time=NOON + calls * 0.04 + 0.01,
        subsegments=children,
        **fields,
    )


def build(segment: dict[str, Any]) -> Outline:
    return outline(build_tree([segment]))


@pytest.fixture
def films(store: Store) -> tuple[str, str]:
    """The ids of a quick trace and a slow one."""
    one, other = make_films(1), make_films(21)
    store(one, other)
    return one["trace_id"], other["trace_id"]


def test_in_words(console: Console, films: tuple[str, str]) -> None:
    page = html.unescape(console.page("/compare?one={}&other={}".format(*films)))

    assert "B is 800 ms slower than A: 850 ms instead of 50 ms, 17 times as long." in page
    assert "800 ms of it in DynamoDB GetItem Movies, called 20 times more." in page
    assert "0 only in A, 20 only in B." in page
    check_nothing_runs(page)


def test_the_other_way_round(console: Console, films: tuple[str, str]) -> None:
    page = html.unescape(console.page("/compare?other={}&one={}".format(*films)))

    assert "B is 800 ms quicker than A" in page
    assert "called 20 times less." in page
    assert "\N{MINUS SIGN}800 ms" in page
    (swap,) = re.findall(r'href="([^"]+)">Swap', page)
    assert "slower" in console.page(f"/compare{swap}")


def test_rows(console: Console, films: tuple[str, str]) -> None:
    path = "/compare?one={}&other={}".format(*films)

    def count(query: str) -> tuple[int, int]:
        page = console.page(path + query)
        return page.count("<tr data-row>"), page.count(">only in B</span>")

    assert count("") == (22, 20)
    assert count("&only=other") == (20, 20)
    assert count("&only=both") == (2, 0)
    assert count("&only=one") == (0, 0)
    first = console.page(f"{path}&order=difference").split("<tr data-row>")[1]
    assert "+800 ms" in first


def test_pages_of_rows(console: Console, store: Store, films: tuple[str, str]) -> None:
    many = make_films(450)
    store(many)
    path = f"/compare?one={films[0]}&other={many['trace_id']}"

    pages = [console.page(f"{path}&page={number}") for number in (1, 2, 3)]

    assert [page.count("<tr data-row>") for page in pages] == [200, 200, 51]
    assert "201 to 400 of 451" in pages[1]
    assert all(len(page) < 200_000 for page in pages)


@pytest.mark.parametrize("query", ["&order=x", "&only=x", "&page=0", "&page=x"])
def test_links_that_lead_nowhere(console: Console, films: tuple[str, str], query: str) -> None:
    assert "Expected" in console.page("/compare?one={}&other={}".format(*films) + query, status=400)


def test_choosing_the_other(console: Console, films: tuple[str, str]) -> None:
    page = console.page(f"/compare?one={films[0]}")

    (link,) = re.findall(r'<tr data-row><th scope="row"><a href="([^"]+)"', page)
    chosen = console.page(f"/compare{html.unescape(link)}")
    assert "slower than A" in chosen
    assert f'value="{films[0]}"' in page


def test_nothing_chosen_yet(console: Console) -> None:
    page = console.page("/compare")

    assert page.count("<input name=") == 2
    check_nothing_runs(page)


def test_traces_that_are_not_here(console: Console, films: tuple[str, str]) -> None:
    page = console.page(f"/compare?one={films[0]}&other={HOSTILE}", status=404)

    assert "There is no trace" in page
    check_nothing_runs(page)
    assert console.page(f"/compare?one={make_trace_id()}", status=404)


def test_hostile_documents(console: Console, store: Store, films: tuple[str, str]) -> None:
    hostile = make_hostile()
    hostile["subsegments"].append(make_subsegment(HOSTILE, sql={"sanitized_query": HOSTILE}))
    store(hostile)

    check_nothing_runs(console.page(f"/compare?one={films[0]}&other={hostile['trace_id']}"))
    check_nothing_runs(console.page(f"/compare?one={hostile['trace_id']}"))


def test_sentences_of_the_same() -> None:
    trace = build(make_films(2))

    assert write_sentences(compare(trace, trace)) == ["Both took the same time."]


def test_sentences_of_what_only_one_has() -> None:
    other = make_segment(
        end_time=NOON + 0.05,
        subsegments=[make_subsegment("render", start_time=NOON, end_time=NOON + 0.03)],
    )

    sentences = write_sentences(compare(build(make_films(10)), build(other)))

    assert sentences[0].startswith("B is 360 ms quicker than A: 50 ms instead of 410 ms")
    assert sentences[1] == "400 ms of it in DynamoDB GetItem Movies, which only A has, 10 times."
    assert sentences[2] == "30 ms slower in render, which only B has, once."
    assert len(sentences) == 3


def test_what_was_compared_goes_at_once(console: Console, films: tuple[str, str]) -> None:
    def list_kept() -> list[Element]:
        found = [each for each in gc.get_objects() if type(each) is Element]
        return [each for each in found if each.content.get("trace_id") in films]

    with without_collecting():
        console.page("/compare?one={}&other={}".format(*films))
        assert list_kept() == []
