"""The page of the service map."""

import html
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import make_segment, make_subsegment
from xray_local.console import map_drawing, map_page


def make_front(**fields: Any) -> dict[str, Any]:
    """Return a request of now to a front that called a table and an API."""
    now = time.time()
    calls = [
        make_subsegment(
            "DynamoDB",
            namespace="aws",
            aws={"table_name": "Movies"},
            start_time=now,
            end_time=now + 0.05,
        ),
        make_subsegment("api.local", namespace="remote", start_time=now, fault=True),
    ]
    return make_segment(
        **{
            "name": "front",
            "origin": "AWS::EC2::Instance",
            "start_time": now,
            "end_time": now + 0.2,
            "subsegments": calls,
        }
        | fields
    )


def read_links(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'href="(/traces\?[^"]*)"', page)]


def read_choices(page: str) -> set[str]:
    """Return the links that choose a node or an edge."""
    return {html.unescape(each) for each in re.findall(r'href="(\?node=[^"]*)"', page)}


def read_rows(page: str, table: str) -> list[list[str]]:
    """Return the texts of a table's cells, row by row."""
    body = page.split(f'<table class="{table}">')[1].split("<tbody>")[1].split("</tbody>")[0]
    return [
        [
            " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in body.split("</tr>")[:-1]
    ]


def test_nothing_has_arrived(console: Console) -> None:
    assert "Nothing has arrived yet" in console.page("/")


def test_nothing_has_been_traced_in_the_range(console: Console, store: Store) -> None:
    store(make_segment(start_time=time.time() - 7200))

    page = console.page("/")

    assert "Nothing has been traced in the last hour" in page
    assert 'href="?range=24h"' in page
    page = console.page("/?range=24h&filter=fault")
    assert "Nothing that fits has been traced in the last 24 hours" in page
    assert "Show the last 7 days" in page
    assert "Show the last 24 hours" not in page


def test_services_and_calls_with_their_numbers(console: Console, store: Store) -> None:
    store(*[make_front() for _ in range(3)], make_front(error=True))

    page = console.page("/?range=5m")

    assert read_rows(page, "services") == [
        ["front", "AWS::EC2::Instance", "4 (0.8/min)", "200 ms", "215 ms", "75 % ok 25 % error"],
        ["Movies", "AWS::DynamoDB::Table", "4 (0.8/min)", "50 ms", "51 ms", "100 % ok"],
        ["api.local", "remote", "4 (0.8/min)", "100 ms", "100 ms", "100 % fault"],
    ]
    assert [row[:3] for row in read_rows(page, "calls")] == [
        ["client", "front", "4 (0.8/min)"],
        ["front", "Movies", "4 (0.8/min)"],
        ["front", "api.local", "4 (0.8/min)"],
    ]


def test_the_drawing_has_a_ring_for_each_node(console: Console, store: Store) -> None:
    store(*[make_front() for _ in range(3)], make_front(error=True))

    page = console.page("/")

    nodes = re.findall(r'<g class="node.*?</g>', page, re.DOTALL)
    rings = [re.findall(r'ring ring-(\w+)"[^>]*dasharray="([\d.]+)', node) for node in nodes]
    assert rings == [
        [("ok", "75.0"), ("error", "25.0")],
        [("ok", "100.0")],
        [("fault", "100.0")],
        [],  # the client's
    ]
    assert len(re.findall(r'class="edge[ "]', page)) == 3
    assert 'class="edge edge-fault"' in page
    assert 'aria-label="Services of the last hour' in page


def test_each_node_and_edge_leads_to_its_traces(console: Console, store: Store) -> None:
    store(make_front(), make_segment(name="other", start_time=time.time()))

    expressions = set()
    for link in read_choices(console.page("/")):
        chosen = console.page(f"/{link}")
        expressions |= {
            parse_qs(urlsplit(each).query)["filter"][0]
            for each in read_links(chosen.split('class="actions"')[1])[:1]
        }

    assert expressions == {
        'service("front")',
        'service("Movies")',
        'service("api.local")',
        'service("other")',
        'service("front") { root }',
        'service("other") { root }',
        'edge("front", "Movies")',
        'edge("front", "api.local")',
    }
    for expression in expressions:
        found = console.get(f"/traces?{urlencode({'filter': expression})}")
        assert found.status_code == 200
        assert len(found.context["lines"]) == 1


def test_services_of_the_same_name_are_told_apart_by_type(console: Console, store: Store) -> None:
    service = make_segment(name="resize", origin="AWS::Lambda", start_time=time.time())
    function = make_segment(
        name="resize",
        origin="AWS::Lambda::Function",
        parent_id=service["id"],
        trace_id=service["trace_id"],
        start_time=time.time(),
    )
    store(service, function)

    page = console.page("/")

    assert "AWS%3A%3ALambda%3A%3AFunction" in page
    assert [row[:2] for row in read_rows(page, "services")] == [
        ["resize", "AWS::Lambda"],
        ["resize", "AWS::Lambda::Function"],
    ]


@pytest.mark.parametrize(
    ("name", "shown"), [("5m", []), ("1h", ["recent"]), ("6h", ["old", "recent"])]
)
def test_ranges(console: Console, store: Store, name: str, shown: list[str]) -> None:
    now = time.time()
    store(
        make_segment(name="recent", start_time=now - 1800),
        make_segment(name="old", start_time=now - 3 * 3600),
    )

    page = console.page(f"/?range={name}")

    found = [row[0] for row in read_rows(page, "services")] if "<table" in page else []
    assert found == shown


def test_what_is_not_drawn_stands_in_the_tables(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_drawing, "NODES_MAX", 2)
    store(*[make_front() for _ in range(2)])

    page = console.page("/")

    assert len(re.findall(r'<g class="node', page)) == 2
    assert len(read_rows(page, "services")) == 3
    assert "2 services with fewer requests are not drawn" in page


def test_the_busiest_call_to_each_service_is_drawn_before_others(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_drawing, "EDGES_MAX", 4)
    front = make_front()
    busy = [make_subsegment("api.local", namespace="remote") for _ in range(3)]
    busy = [call | {"start_time": time.time()} for call in busy]
    other = make_segment(
        name="other",
        trace_id=front["trace_id"],
        parent_id=front["id"],
        start_time=time.time(),
        subsegments=busy,
    )
    store(front, other)

    page = console.page("/")

    drawn = re.findall(r'<g class="edge[^>]*><title>(.*?):', page)
    assert set(drawn) == {
        "client to front",
        "front to Movies",
        "front to other",
        "other to api.local",
    }
    assert len(read_rows(page, "calls")) == 5
    assert "1 call with fewer requests is not drawn; the tables can show all." in page


def test_long_tables_begin_with_the_most_requests(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_page, "ROWS_MAX", 2)
    store(make_front(), *[make_segment(name="z", start_time=time.time()) for _ in range(3)])

    page = console.page("/")

    assert read_rows(page, "services")[0][0] == "z"
    assert "The 2 services and 2 calls with the most requests, of 4 and 4." in page
    assert [len(read_rows(page, table)) for table in ("services", "calls")] == [2, 2]
    assert 'href="?all=1"' in page
    assert len(read_rows(console.page("/?all=1"), "services")) == 4


def make_fan(count: int, **fields: Any) -> dict[str, Any]:
    """Return a request to a front that called so many others."""
    now = time.time()
    calls = [
        make_subsegment(f"api-{number:02}", namespace="remote", start_time=now)
        for number in range(count)
    ]
    return make_segment(**{"name": "front", "start_time": now, "subsegments": calls} | fields)


def read_words(page: str) -> list[tuple[float, float]]:
    """Return where the words of calls stand in the drawing."""
    places = re.findall(r'<text class="weight[^"]*" x="([-\d.]+)" y="([-\d.]+)"', page)
    return [(float(x), float(y)) for x, y in places]


def test_words_of_calls_stand_beside_each_other(console: Console, store: Store) -> None:
    store(make_fan(12), make_fan(12, name="other"))

    words = read_words(console.page("/"))

    assert len(words) > 2
    for number, (x, y) in enumerate(words):
        for other_x, other_y in words[:number]:
            assert abs(x - other_x) >= 110 or abs(y - other_y) >= 15


def test_of_a_crowd_only_the_calls_of_what_is_chosen_have_words(
    console: Console, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_drawing, "CROWD", 3)
    store(make_fan(4))

    page = console.page("/")
    assert " crowded" in page
    assert not read_words(page)

    chosen = console.page("/?node=api-02&type=remote")
    assert len(read_words(chosen)) == 1
    assert len(re.findall(r'class="edge[^"]* near', chosen)) == 1


def test_few_nodes_are_round_and_many_are_boxes(console: Console, store: Store) -> None:
    store(make_fan(4))
    assert "few-layers round" in console.page("/")

    store(make_fan(5))
    page = console.page("/")
    assert "few-layers boxed" in page
    height = float(re.findall(r'data-height="([\d.]+)"', page)[0])
    assert height <= 5 * 1.25 * 56


def test_all_of_a_type_are_drawn_as_one(console: Console, store: Store) -> None:
    store(make_fan(3), make_fan(2, name="other"))

    page = console.page("/?collapse=client,remote")

    drawn = re.findall(r'data-name="([^"]*)"', page)
    assert sorted(drawn) == ["2 clients ", "3 remote remote", "front ", "other "]
    assert ["2 clients", "front"] in [row[:2] for row in read_rows(page, "calls")]
    # What stands for many leads to them.
    assert not re.findall(r'href="[^"]*node=(?:2|3)', page)
    assert "Join 2" in console.page("/")
    assert re.search(r'href="\?collapse=remote">Split 2 <span class="untrusted">clients', page)


def test_names_are_shown_as_they_are_and_do_nothing(console: Console, store: Store) -> None:
    name = '<script>alert("x")</script>"\' & {{ x }}'
    call = make_subsegment(name, namespace="remote", start_time=time.time())
    store(make_segment(name="front", start_time=time.time(), subsegments=[call]))

    page = console.page("/")

    assert "alert" in page
    assert "<script>" not in page
    for link in read_choices(page):
        assert console.get(f"/{link}").status_code == 200


def test_a_long_name_is_cut_in_the_drawing_alone(console: Console, store: Store) -> None:
    name = "a-name-that-goes-on-and-on." * 5
    store(make_segment(name=name, start_time=time.time()))

    page = console.page("/")

    assert f'<text class="label" y="47">{name[:27]}…</text>' in page
    assert read_rows(page, "services")[0][0] == name


def test_a_service_that_calls_itself_and_a_link(console: Console, store: Store) -> None:
    now = time.time() - 5
    call = make_subsegment("front", namespace="remote", start_time=now)
    root = make_segment(name="front", start_time=now, subsegments=[call])
    again = make_segment(
        name="front", parent_id=call["id"], trace_id=root["trace_id"], start_time=now
    )
    receiver = make_segment(
        name="worker", start_time=now + 1, links=[{"trace_id": root["trace_id"], "id": root["id"]}]
    )
    store(root, again, receiver)

    page = console.page("/")

    assert "edge-link" in page
    assert ["front", "worker (link)"] in [row[:2] for row in read_rows(page, "calls")]
    assert ["front", "front"] in [row[:2] for row in read_rows(page, "calls")]


def test_the_navigation_leads_to_it(console: Console) -> None:
    assert re.search('<a href="/" [^>]*>Map</a>', console.page("/traces"))
    assert re.search('<a href="/" [^>]*aria-current="page">Map</a>', console.page("/"))


@pytest.mark.parametrize("path", ["/", "/services", "/analytics"])
def test_a_filter_that_came_along_is_told_and_can_be_dropped(
    console: Console, store: Store, path: str
) -> None:
    store(make_front(), make_segment(name="z", start_time=time.time()))

    page = console.page(f"{path}?range=5m&filter=service(%22z%22)")

    link = '<a class="button" href="?range=5m">Drop the filter</a>'
    assert link in page
    assert "Drop the filter" not in console.page(f"{path}?range=5m")


def test_how_many_failed_traces_were_read_is_told(console: Console, store: Store) -> None:
    store(make_front())
    assert "Calls and times are those of the newest 1 trace." in console.page("/")

    store(*[make_front(fault=True) for _ in range(2)])
    assert "those of the newest 2 traces that failed; calls and times" in console.page("/")


@pytest.mark.parametrize("path", ["/", "/services", "/live"])
def test_a_wrong_filter_can_be_put_right(console: Console, path: str) -> None:
    page = html.unescape(console.page(f"{path}?filter=fault AND nonsense"))

    assert "The filter cannot be read" in page
    assert "<mark>nonsense</mark>" in page
    assert "/traces?filter=fault+AND+nonsense" in page


@pytest.mark.parametrize("query", ["", "?filter=ok"])
def test_that_few_of_what_fits_is_counted_is_told(
    console: Console, store: Store, query: str
) -> None:
    store(make_front())

    said = "Of the traces that fit, the newest 1,000 at most are counted;"
    assert (said in console.page(f"/{query}")) == bool(query)


def test_the_map_can_be_filtered(console: Console, store: Store) -> None:
    store(make_front(), make_segment(name="other", start_time=time.time()))

    page = console.page("/?filter=service(%22other%22)")

    assert [row[0] for row in read_rows(page, "services")] == ["other"]
    assert 'name="filter" value="service(&quot;other&quot;)"' in page
