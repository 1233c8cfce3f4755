"""The screen that compares two sets of traces."""

import html
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.xray_local.conftest import Console, Store
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    send_all,
)
from tests.xray_local.made import make_request, make_segment
from tests.xray_local.program import Program
from xray_local.console import analytics_page
from xray_local.console.analytics_page import Row

START = int(time.time()) // 60 * 60 - 1200
END = START + 1200


def make_visits() -> list[dict[str, Any]]:
    """Return forty requests: every fourth slow and by Ada, every tenth a fault on /bad."""
    visits = []
    for number in range(40):
        is_slow, is_bad = number % 4 == 0, number % 10 == 0
        start = START + 30.0 * number
        visits.append(
            make_segment(
                name="site",
                start_time=start,
                end_time=start + (0.9 if is_slow else 0.1),
                user="ada" if is_slow else "alan",
                fault=is_bad or None,
                annotations={"stage": "dev", "number": number % 2},
                http=make_request(
                    f"http://site/{'bad' if is_bad else 'good'}", 500 if is_bad else 200
                ),
            )
        )
    return visits


@pytest.fixture
def visits(store: Store) -> list[dict[str, Any]]:
    visits = make_visits()
    store(*visits)
    return visits


def open_page(console: Console, **query: Any) -> dict[str, Any]:
    response = console.get(f"/analytics?{urlencode({'start': START, 'end': END} | query)}")
    assert response.status_code == 200, response.content
    return {key: response.context[key] for key in ("groups", "tables")}


def count(console: Console, expression: str, start: float = START, end: float = END) -> int:
    fields = {"StartTime": start, "EndTime": end, "FilterExpression": expression or "duration >= 0"}
    found = console.post("/TraceSummaries", fields | {"TimeRangeType": "Event"})
    return len(found.json()["TraceSummaries"])


def find_rows(context: dict[str, Any], title: str) -> dict[str, Row]:
    table = next(table for table in context["tables"] if table.title == title)
    return {row.label: row for row in table.rows}


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 40),
        ({"a": "fault"}, 4),
        ({"a_low": 0.5}, 10),
        ({"a_high": 0.5}, 30),
        ({"a": 'user = "ada"', "a_low": 0.5, "filter": "fault"}, 2),
        ({"a_from": START, "a_to": START + 299}, 10),
    ],
)
def test_a_set_has_as_many_traces_as_the_api_says(
    console: Console, query: dict[str, Any], expected: int
) -> None:
    ((group, _, histogram),) = open_page(console, **query)["groups"]

    assert group.count == expected == count(console, group.expression, group.start, group.end)
    assert group.is_all
    assert sum(int(row[0]) for row in histogram.table.rows) == expected


@pytest.mark.usefixtures("visits")
def test_what_differs_most_comes_first(console: Console) -> None:
    context = open_page(console, b="responsetime > 0.5")

    users = find_rows(context, "User")
    assert list(users) == ["ada", "alan"]
    assert users["ada"].counts == (10, 10)
    assert users["ada"].percents == (25, 100)
    assert (users["ada"].difference, users["alan"].difference) == (75, -75)
    assert find_rows(context, "stage")["dev"].difference == 0
    assert find_rows(context, "Status")["500"].counts == (4, 2)
    assert [group.title for group, _, _ in context["groups"]] == ["A", "B"]


def test_what_is_as_large_comes_in_the_order_of_the_alphabet(
    console: Console, store: Store
) -> None:
    for name in ("delta", "alpha", "echo", "charlie", "bravo"):
        store(make_segment(start_time=START + 1.0, annotations={"tenant": name}))

    rows = find_rows(open_page(console), "tenant")

    assert list(rows) == ["alpha", "bravo", "charlie", "delta", "echo"]


@pytest.mark.usefixtures("visits")
def test_a_value_narrows_its_set(console: Console) -> None:
    row = find_rows(open_page(console, b="fault"), "User")["ada"]

    query = {key: values[0] for key, values in parse_qs(row.links[1].lstrip("?")).items()}
    context = open_page(console, **query)

    assert [group.count for group, _, _ in context["groups"]] == [40, 2]
    assert context["groups"][1][0].choice.expression == 'fault AND user = "ada"'
    # What is asked for already cannot be asked for again.
    assert find_rows(context, "User")["ada"].links[1] == ""


@pytest.mark.usefixtures("visits")
def test_an_annotation_is_no_column_of_the_same_name(console: Console, store: Store) -> None:
    annotations = {"Status": "gold"}
    store(
        make_segment(start_time=START + 1.0, annotations=annotations, http=make_request("/", 200))
    )

    context = open_page(console)

    assert "gold" not in find_rows(context, "Status")
    assert "gold" in find_rows(context, "Annotation Status")


def test_both_histograms_have_one_scale(console: Console) -> None:
    groups = open_page(console, b="responsetime > 0.5")["groups"]

    ticks = [histogram.x_ticks for _, _, histogram in groups]
    assert ticks[0] == ticks[1]


@pytest.mark.usefixtures("visits")
def test_of_a_large_set_the_newest(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics_page, "SET_TRACES", 10)

    ((group, _, _),) = open_page(console)["groups"]

    assert (group.count, group.is_all) == (10, False)
    assert "(the newest)" in console.page(f"/analytics?start={START}&end={END}")


@pytest.mark.usefixtures("visits")
def test_a_mistake_of_the_page_is_at_its_place(console: Console) -> None:
    page = console.page(f"/analytics?start={START}&end={END}&filter=bogus%20%3D%201")

    assert "at character 1: expected" in page.split('id="mistake-a"')[1].split("</p>")[0]


@pytest.mark.usefixtures("visits")
def test_a_wrong_filter_says_what_is_wrong_and_stays(console: Console) -> None:
    page = html.unescape(console.page(f"/analytics?start={START}&end={END}&a=fault%20x&b=error"))

    assert 'value="fault x"' in page
    assert "at character 7: expected" in page.split('id="mistake-a"')[1].split("</p>")[0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("a_low=x", "Expected seconds as a_low"), ("b_from=x", "as b_from, got")],
)
def test_wrong_queries(console: Console, query: str, expected: str) -> None:
    assert expected in html.unescape(console.page(f"/analytics?{query}", 400))


def test_nothing_is_stored(console: Console) -> None:
    assert "Nothing has arrived yet" in console.page("/analytics")


@pytest.fixture(scope="module")
def running(xray: Program) -> Program:
    send_all(xray, *make_visits())
    return xray


@pytest.mark.parametrize("query", ["", "b=fault", "b=fault%20x", "start=0&end=60"])
def test_accessible_and_fits(each_page: Page, running: Program, query: str) -> None:
    each_page.goto(f"{running.url}/analytics?{query}")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_compare_the_slowest_and_brush(page: Page, running: Program) -> None:
    page.goto(f"{running.url}/analytics?start={START}&end={END}")

    page.get_by_role("link", name="what failed").click()
    expect(page.get_by_role("heading", name="B 4 traces")).to_be_visible()
    box = page.locator("#set-b ~ figure svg[data-brush] .column").last.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    expect(page.get_by_role("heading", name="B 2 traces")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="B 4 traces")).to_be_visible()
