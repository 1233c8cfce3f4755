"""The page of one trace, as HTML, and its parts."""

import gc
import html
import json
import re
from typing import Any

import pytest

from tests.conftest import walk
from tests.xray_local.conftest import Console, Store
from tests.xray_local.console.browser import send_all
from tests.xray_local.console.test_pages import HOSTILE, check_nothing_runs, make_hostile
from tests.xray_local.made import (
    NOON,
    make_id,
    make_late,
    make_request,
    make_segment,
    make_subsegment,
)
from tests.xray_local.program import Program
from xray_local.console import trace_page
from xray_local.console.pauses import without_collecting
from xray_local.console.times import write_duration
from xray_local.console.trace_query import VIEWS
from xray_local.traces.trees import Element

ROW = re.compile(r'<div class="row[^>]*id="row-(\d+)"[^>]*>.*?</svg></span></div>', re.DOTALL)
NAME = re.compile(r"<bdi>(.*?)</bdi>")


def list_rows(page: str) -> list[str]:
    return [match[0] for match in ROW.finditer(page)]


def list_names(page: str) -> list[str]:
    return [html.unescape(name[1]) for row in list_rows(page) if (name := NAME.search(row))]


def make_query(number: int, **fields: Any) -> dict[str, Any]:
    sql = {"sanitized_query": f"SELECT <1> FROM a WHERE id = {number}"}  # noqa: S608 - a text
    return make_subsegment("db", namespace="remote", sql=sql, **fields)


@pytest.fixture
def family(store: Store) -> dict[str, Any]:
    """A root with a (and a1 in it) and b."""
    a = make_subsegment("a", subsegments=[make_subsegment("a1", annotations={"n": "needle"})])
    root = make_segment(name="root", subsegments=[a, make_subsegment("b")])
    store(root)
    return root


def link(document: dict[str, Any], query: str = "") -> str:
    return f"/traces/{document['trace_id']}{query}"


def test_trace(console: Console, store: Store) -> None:
    stack = [{"label": "show", "path": "movies/views.py", "line": 42}]
    exception = {"id": make_id(), "type": "KeyError", "message": "'x'", "stack": stack}
    failing = make_subsegment("S3", namespace="aws", cause={"exceptions": [exception]}, fault=True)
    root = make_segment(
        http=make_request("http://a/films/", 500),
        fault=True,
        subsegments=[*map(make_query, range(3)), failing],
    )
    store(root)

    page = console.page(link(root))

    assert list_names(page) == ["movies", "db", "db", "db", "S3"]
    for text in (
        "<strong>3 times</strong> the same query",
        "SELECT &lt;?&gt; FROM a WHERE id = ?",
        "3 \N{MULTIPLICATION SIGN}",
        "KeyError",
        "movies/views.py:42",
        "flag-fault",
        "bar-aws is-fault",
        "+0.00 ms",
    ):
        assert text in page
    check_nothing_runs(page)


def test_details_of_an_element(console: Console, store: Store) -> None:
    strange = make_subsegment(
        "strange", id="a&b=c#d/e?f +12%", metadata={"default": {"template": "films.html"}}
    )
    root = make_segment(subsegments=[strange])
    store(root)

    (path,) = set(re.findall(r'href="(\?element=a%26b[^"]+)"', console.page(link(root))))
    page = console.page(link(root, path))

    assert 'data-number="1"' in page
    assert "&quot;template&quot;: &quot;films.html&quot;" in page
    assert re.search(r'id="row-1"[^>]*aria-selected="true"', page)
    assert '<div class="pane"' not in console.page(link(root))


def test_part_of_the_page(console: Console, family: dict[str, Any]) -> None:
    pane = console.page(link(family, f"?element={family['id']}&part=pane"))
    body = console.page(link(family, "?part=body"))

    assert pane.startswith('<div class="pane"')
    assert "<html" not in body
    assert len(list_rows(body)) == 4
    assert console.page(link(family, "?part=pane")).strip() == ""


def test_closing_rows(console: Console, family: dict[str, Any]) -> None:
    page = console.page(link(family))
    a = family["subsegments"][0]["id"]

    assert list_names(page) == ["root", "a", "a1", "b"]
    assert f'href="?toggle={a}"' in page
    closed = console.page(link(family, f"?toggle={a}"))
    assert list_names(closed) == ["root", "a", "b"]
    assert re.search(r'id="row-1"[^>]*aria-expanded="false"', closed)
    assert re.search(r'class="twist" href="\?"', list_rows(closed)[1])
    assert list_names(console.page(link(family, "?levels=1"))) == ["root"]
    assert list_names(console.page(link(family, f"?levels=2&toggle={a}"))) == list_names(page)


def test_finding(console: Console, family: dict[str, Any]) -> None:
    page = console.page(link(family, "?find=NEEDLE"))

    assert list_names(page) == ["root", "a", "a1"]
    assert "1 of 4 fits" in page
    assert 'class="row above"' in list_rows(page)[1]
    assert "Nothing in this trace fits" in console.page(link(family, "?find=nowhere"))


def test_only_the_same_call(console: Console, store: Store) -> None:
    queries = [make_query(number) for number in range(5)]
    other = make_subsegment("other", sql={"sanitized_query": "SELECT 1"})
    root = make_segment(subsegments=[*queries, other])
    store(root)

    page = console.page(link(root, f"?same={queries[0]['id']}"))

    assert list_names(page) == ["movies", *["db"] * 5]
    assert "5 of 7 fit: the same call" in page


def test_times_of_day(console: Console, family: dict[str, Any]) -> None:
    page = console.page(link(family, "?times=clock"))

    assert re.search(r'class="number offset">[\d-]+ \d\d:\d\d:20\.000<', page)


@pytest.mark.parametrize("view", VIEWS)
def test_views(console: Console, store: Store, view: str) -> None:
    root = make_segment(subsegments=[make_query(1), make_query(2)])
    store(root)

    page = console.page(link(root, f"?view={view}"))

    (current,) = re.findall(r'aria-current="true" data-swap>([^<]+)</a>', page)[:1]
    assert current == VIEWS[view]
    assert ("SELECT" in page) is (view != "logs")
    check_nothing_runs(page)


def test_table_in_order(console: Console, store: Store) -> None:
    children = [
        make_subsegment(name, start_time=NOON + start, end_time=NOON + end)
        for name, start, end in (("b", 0, 0.01), ("a", 0.01, 0.09), ("c", 0.02, 0.05))
    ]
    root = make_segment(subsegments=children)
    store(root)

    def names(order: str) -> list[str]:
        page = console.page(link(root, f"?view=table&order={order}"))
        return re.findall(r'class="untrusted">(\w+)</a> <span class="muted', page)

    assert names("name") == ["a", "b", "c", "movies"]
    assert names("start") == ["movies", "b", "a", "c"]
    assert names("duration") == ["movies", "a", "c", "b"]
    assert names("path")[0] == "a"
    assert names("self")[0] == "a"


def test_in_progress_with_orphans(console: Console, store: Store) -> None:
    root = make_segment(in_progress=True, end_time=None)
    store(root, make_late(root, parent_id=make_id(), name="lost"))

    page = console.page(link(root))

    assert "1 in progress" in page
    assert "1 without its parent, which has not arrived" in page
    assert "flag-in-progress" in page
    assert "flag-orphan" in page
    assert "data-live" in page


def test_clocks_that_differ(console: Console, store: Store) -> None:
    early = make_subsegment(start_time=NOON - 0.25)
    late = make_subsegment(end_time=NOON + 0.3)
    root = make_segment(subsegments=[early, late])
    store(root)

    page = console.page(link(root))

    assert "1 began before its parent, by up to 250 ms" in page
    assert "1 ended after its parent, by up to 200 ms" in page


def test_trace_of_subsegments_only(console: Console, store: Store) -> None:
    lost = make_late(make_segment(), name="handler")
    store(lost)

    assert list_names(console.page(link(lost))) == ["handler"]


def test_cause_told_elsewhere(console: Console, store: Store) -> None:
    root = make_segment(cause=make_id())
    store(root)

    assert root["cause"] in console.page(link(root, f"?element={root['id']}"))


@pytest.mark.parametrize(
    "trace_id", ["1-6553f100-" + 24 * "0", "nonsense", "%3Cscript%3E", "x.json"]
)
def test_trace_that_is_not_here(console: Console, trace_id: str) -> None:
    page = console.page(f"/traces/{trace_id}", status=404)

    assert "Maybe it has not arrived yet" in page
    assert re.search(r'href="/traces/[^"]+">Reload', page)
    check_nothing_runs(page)


def test_element_that_is_not_here(console: Console, family: dict[str, Any]) -> None:
    assert "This trace is not here" in console.page(link(family, "?element=none"), status=404)


@pytest.mark.parametrize(
    "query",
    ["view=x", "order=x", "times=x", "levels=0", "levels=x", "page=0", "page=-1", "page=%C2%B2"],
)
def test_links_that_lead_nowhere(console: Console, family: dict[str, Any], query: str) -> None:
    page = console.page(link(family, f"?{query}"), status=400)

    assert "Expected" in page


@pytest.fixture
def large(store: Store) -> list[dict[str, Any]]:
    root = make_segment(end_time=NOON + 20)
    late = [
        make_late(root, start_time=NOON + number / 50, end_time=NOON + number / 50 + 0.01)
        for number in range(1000)
    ]
    store(root, *late)
    return [root, *late]


def test_rows_that_come_later(console: Console, large: list[dict[str, Any]]) -> None:
    page = console.page(link(large[0]))

    assert len(list_rows(page)) == 60
    assert 'aria-rowcount="1002"' in page
    places = re.findall(r'href="(\?page=\d+)" data-rows>Rows (\d+) to (\d+)</a>', page)
    assert places[0][1:] == ("61", "120")
    assert places[-1][1:] == ("961", "1001")
    rows = list_rows(page)
    for path, first, last in places:
        part = console.page(link(large[0], f"{html.unescape(path)}&part=rows"))
        assert part.startswith('<div class="rows"')
        assert len(list_rows(part)) == int(last) - int(first) + 1
        rows += list_rows(part)
    numbers = [int(match[1]) for match in map(ROW.match, rows) if match]
    assert numbers == list(range(1001))


def test_the_page_of_an_element(console: Console, large: list[dict[str, Any]]) -> None:
    page = console.page(link(large[0], f"?element={large[700]['id']}"))

    assert 'id="row-700"' in page
    assert re.search(r'href="\?element=\w+&amp;page=1" data-rows>Rows 1 to 60</a>', page)


def test_rows_after_the_last(console: Console, family: dict[str, Any]) -> None:
    page = console.page(link(family, "?page=99&part=rows"), status=400)

    assert "Expected a page from 1 to 1, got 99." in page
    assert not console.page(link(family, "?find=nowhere&part=rows")).strip()


def test_pages_are_small(console: Console, large: list[dict[str, Any]]) -> None:
    for query in ("", "?page=4&part=rows", "?view=table", "?view=flame", "?find=late"):
        assert len(console.page(link(large[0], query))) < 200_000


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("value", [HOSTILE, 1, 10**400, True, None, [HOSTILE], {}, "\u202e\0"])
def test_hostile_documents(console: Console, store: Store, value: Any, view: str) -> None:
    segment = make_hostile(value)
    inner = make_subsegment(HOSTILE, namespace="remote", sql={"sanitized_query": HOSTILE})
    segment["subsegments"].append(inner | {"id": HOSTILE[:16], "http": segment["http"]})
    store(segment)

    for query in (f"?view={view}", f"?view={view}&element={inner['id']}", f"?find={value}"):
        response = console.get(link(segment, query))
        assert response.status_code in (200, 404)
        check_nothing_runs(response.content.decode())


def test_links_to_more_of_the_kind(console: Console, store: Store) -> None:
    root = make_segment(http=make_request("http://a/films/?page=2", 200))
    store(root)

    page = console.page(link(root, "?range=15m"))

    (likeness,) = re.findall(r'href="(/traces\?[^"]+)">Traces like this one', page)
    assert "range=15m" in likeness
    console.page(html.unescape(likeness))
    assert f'href="/compare?range=15m&amp;one={root["trace_id"]}"' in page


def test_newer_and_older(console: Console, store: Store) -> None:
    segments = [
        make_segment(name=name, start_time=NOON + at, fault=name == "a")
        for at, name in enumerate("abaca")
    ]
    store(*segments)
    scope = f"start={int(NOON)}&end={int(NOON) + 60}"

    def list_links(number: int, query: str) -> list[str]:
        page = console.page(link(segments[number], f"?{query}"))
        found = re.findall(r'href="/traces/([\w-]+)\?([^"]*)"[^>]*>(?:\S Newer|Older \S)<', page)
        assert all(html.unescape(kept) == query for _, kept in found)
        return [trace_id for trace_id, _ in found]

    ids = [segment["trace_id"] for segment in segments]
    assert list_links(2, scope) == [ids[3], ids[1]]
    assert list_links(0, scope) == [ids[1]]
    assert list_links(4, scope) == [ids[3]]
    assert list_links(2, f"{scope}&filter=fault") == [ids[4], ids[0]]
    assert list_links(2, "range=5m") == []


def test_json(console: Console, store: Store) -> None:
    root = make_segment(subsegments=[make_subsegment()])
    store(root)

    trace = console.get(f"/traces/{root['trace_id']}.json").json()

    assert trace["Id"] == root["trace_id"]
    assert trace["Segments"] == [{"Id": root["id"], "Document": root}]


def test_as_batch_get_traces_has_it(shared_xray: Program, client: Any) -> None:
    """Every segment and subsegment has a row, with the duration that its document tells."""
    root = make_segment(
        http=make_request("http://a/films/", 200),
        subsegments=[
            make_subsegment(f"step {number}", end_time=NOON + number / 7) for number in range(20)
        ],
    )
    callee = make_segment(
        name="other",
        trace_id=root["trace_id"],
        parent_id=root["subsegments"][3]["id"],
        end_time=NOON + 0.4567,
    )
    send_all(shared_xray, root, make_late(root, end_time=NOON + 5), callee)

    (trace,) = client.batch_get_traces(TraceIds=[root["trace_id"]])["Traces"]

    told = [
        (each["name"], write_duration(1000 * (each["end_time"] - each["start_time"])))
        for segment in trace["Segments"]
        for each in walk(json.loads(segment["Document"]))
        if not each.get("inferred")
    ]
    page = shared_xray.fetch(f"/traces/{root['trace_id']}")
    shown = [
        (name, re.findall(r'class="number length">([^<]+)<', row)[0])
        for name, row in zip(list_names(page), list_rows(page), strict=True)
    ]
    assert sorted(shown) == sorted(told)
    assert write_duration(1000 * trace["Duration"]) in page


def test_what_is_no_longer_shown_goes_at_once() -> None:
    segment = make_segment(subsegments=[make_subsegment("a"), make_subsegment("b")])

    def list_kept() -> list[Element]:
        found = [each for each in gc.get_objects() if type(each) is Element]
        return [each for each in found if each.content.get("trace_id") == segment["trace_id"]]

    with without_collecting():
        trace = trace_page._Trace(segment["trace_id"], (json.dumps(segment).encode(),))
        assert len(trace.outline.places) == 3
        assert len(list_kept()) == 1
        del trace
        assert list_kept() == []
