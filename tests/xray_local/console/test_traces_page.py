"""The table of traces: its numbers are those that the API answers."""

import html
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import pytest

from tests.xray_local.conftest import Console, Store, make_client
from tests.xray_local.console.browser import send_all
from tests.xray_local.console.test_pages import HOSTILE, check_nothing_runs
from tests.xray_local.made import NOON, TRACES, make_request, make_segment, make_subsegment
from tests.xray_local.program import Program
from xray_local.console.facets import Choice, make_facets
from xray_local.console.figures import write_count
from xray_local.console.scope import Scope
from xray_local.console.times import write_duration
from xray_local.console.traces_page import ORDERS, PAGE_ROWS, find_mistake
from xray_local.filters import BadFilter, read_filter
from xray_local.store.facets import Facets

FILTERS = [
    "",
    "fault",
    "http.status = 404 OR responsetime > 0.2",
    'annotation.route = "film"',
    'service("api") { fault }',
    'user = "ada" AND http.method = "POST"',
    'rootcause.fault.service { name = "api" }',
]


class Table(HTMLParser):
    """The rows of the table: the text of each cell, by the class of its column."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self.ids: list[str] = []
        self._column = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "tr" and (attributes.get("id") or "").startswith("trace-"):
            self.rows.append({})
            self.ids.append((attributes["id"] or "").removeprefix("trace-"))
        elif tag == "td" and self.rows:
            self._column = (attributes["class"] or "").split()[0]
            self.rows[-1][self._column] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._column = ""

    def handle_data(self, data: str) -> None:
        if self._column and self.rows:
            self.rows[-1][self._column] += data


def read_facets(page: str) -> dict[str, dict[str, int]]:
    """Return the counts of the facets, by their titles and labels."""
    found = {}
    for part in re.findall(r"<h2 class=\"untrusted\">(.*?)</section>", page, re.DOTALL):
        title, _, rest = part.partition("</h2>")
        found[html.unescape(title)] = {
            html.unescape(label): int(count.replace(",", ""))
            for label, count in re.findall(
                r">([^<]*)</(?:a|span)><span class=\"number\">([\d,]+)<", rest
            )
        }
    return found


def make_traces(now: float) -> list[dict[str, Any]]:
    chance = random.Random(7)
    made = []
    for number in range(130):
        status = chance.choice([200, 200, 200, 302, 404, 429, 500])
        seconds = chance.lognormvariate(-2.5, 1)
        call = make_subsegment(
            "api",
            namespace="remote",
            start_time=now - number,
            end_time=now - number + seconds / 2,
            fault=True if status == 500 and number % 2 else None,
        )
        made.append(
            make_segment(
                name="site",
                start_time=now - number,
                end_time=now - number + seconds,
                http=make_request(
                    f"http://site/{number % 9}/", status, chance.choice(["GET", "POST"])
                ),
                error=True if status in (404, 429) else None,
                throttle=True if status == 429 else None,
                fault=True if status == 500 else None,
                user=chance.choice(["ada", "grace", None]),
                annotations={"route": chance.choice(["film", "person"]), "number": number % 3},
                subsegments=[call],
            )
        )
    return made


@pytest.fixture(scope="module")
def times(xray: Program) -> tuple[float, float]:
    """A range with some of the traces that the program has."""
    now = float(int(time.time()))
    send_all(xray, *make_traces(now))
    return now - 110, now - 4


@pytest.fixture(scope="module")
def api(xray: Program) -> Iterator[Any]:
    client = make_client(xray.url)
    yield client
    client.close()


def ask(api: Any, times: tuple[float, float], expression: str) -> list[dict[str, Any]]:
    """Return all summaries that boto3 finds."""
    pages = api.get_paginator("get_trace_summaries").paginate(
        StartTime=times[0],
        EndTime=times[1],
        TimeRangeType="Event",
        **({"FilterExpression": expression} if expression else {}),
    )
    return [summary for page in pages for summary in page["TraceSummaries"]]


def read_all(xray: Program, times: tuple[float, float], **query: str) -> tuple[Table, str]:
    """Return the rows of all pages, and the first page."""
    path = f"/traces?{urlencode({'start': times[0], 'end': times[1], **query})}"
    first, rows = "", Table("")
    while path:
        page = xray.fetch(path)
        first = first or page
        table = Table(page)
        rows.rows += table.rows
        rows.ids += table.ids
        link = re.search(r'href="(\?[^"]*after=[^"]+)"', page)
        path = f"/traces{html.unescape(link[1])}" if link else ""
    return rows, first


@pytest.mark.parametrize("expression", FILTERS)
def test_rows_are_what_boto3_answers(
    xray: Program, api: Any, times: tuple[float, float], expression: str
) -> None:
    summaries = ask(api, times, expression)

    table, first = read_all(xray, times, filter=expression)

    assert table.ids == [summary["Id"] for summary in summaries]
    for row, summary in zip(table.rows, summaries, strict=True):
        http = summary["Http"]
        assert row["method"] == http["HttpMethod"]
        assert http["HttpURL"].endswith(row["url"])
        assert row["status"].split()[0] == str(http["HttpStatus"])
        assert ("fault" in row["status"]) == summary["HasFault"]
        assert ("error" in row["status"]) == summary["HasError"]
        assert ("throttle" in row["status"]) == summary["HasThrottle"]
        assert row["response"] == write_duration(summary["ResponseTime"] * 1000)
        assert row["services"].split(", ") == [each["Name"] for each in summary["ServiceIds"]]
        assert row["user"].split() == [
            word for each in summary["Users"] for word in ("User", each["UserName"])
        ]
        assert (
            f"route {summary['Annotations']['route'][0]['AnnotationValue']['StringValue']}"
            in (row["annotations"])
        )
    if not expression:
        assert f"<strong>{len(summaries)}</strong> traces in" in first


@pytest.mark.parametrize("expression", [each for each in FILTERS if "rootcause" not in each])
def test_facets_are_what_boto3_answers(
    xray: Program, api: Any, times: tuple[float, float], expression: str
) -> None:
    summaries = ask(api, times, expression)

    facets = read_facets(read_all(xray, times, filter=expression)[1])

    statuses = Counter(str(summary["Http"]["HttpStatus"]) for summary in summaries)
    methods = Counter(summary["Http"]["HttpMethod"] for summary in summaries)
    urls = Counter(summary["Http"]["HttpURL"][len("http://site") :] for summary in summaries)
    users = Counter(each["UserName"] for summary in summaries for each in summary["Users"])
    services = Counter(each["Name"] for summary in summaries for each in summary["ServiceIds"])
    numbers = Counter(
        str(int(each["AnnotationValue"]["NumberValue"]))
        for summary in summaries
        for each in summary["Annotations"]["number"]
    )
    assert facets["Status"] == dict(statuses)
    assert facets["Method"] == dict(methods)
    assert facets["Service"] == dict(services)
    assert facets.get("User", {}) == dict(users)
    assert facets["number"] == dict(numbers)
    assert all(urls[label] == count for label, count in facets["URL"].items())


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_has_each_trace_once(
    xray: Program, api: Any, times: tuple[float, float], order: str
) -> None:
    summaries = ask(api, times, "")

    table, first = read_all(xray, times, sort=order)

    known = {summary["Id"]: summary for summary in summaries}
    assert len(table.ids) == len(set(table.ids)) == len(known) > 2 * PAGE_ROWS
    read = {
        "newest": lambda each: each["StartTime"].timestamp(),
        "slowest": lambda each: each["ResponseTime"],
        "highest": lambda each: each["Http"]["HttpStatus"],
    }
    pairs = {"oldest": "newest", "fastest": "slowest", "lowest": "highest"}
    places = [read[pairs.get(order, order)](known[each]) for each in table.ids]
    assert places == sorted(places, reverse=order in read)
    assert ORDERS[order][1] in first


def test_a_facet_narrows_and_is_taken_back(
    xray: Program, api: Any, times: tuple[float, float]
) -> None:
    _, page = read_all(xray, times, filter="http.status = 404 OR fault")
    (link,) = re.findall(r'href="(\?[^"]*)" title="ada"', page)

    narrowed = xray.fetch(f"/traces{html.unescape(link)}")

    expression = '(http.status = 404 OR fault) AND user = "ada"'
    assert f'value="{html.escape(expression)}"' in narrowed
    assert Table(narrowed).ids == [each["Id"] for each in ask(api, times, expression)]
    (back,) = re.findall(r'href="(\?[^"]*)" title="ada" aria-current="true"', narrowed)
    assert 'value="http.status = 404 OR fault"' in xray.fetch(f"/traces{html.unescape(back)}")


def test_columns_are_chosen_in_the_address(console: Console, store: Store) -> None:
    store(make_segment(http=make_request("http://a/", 200)))

    as_form = Table(console.page(f"{TRACES}&columns=status&columns=url")).rows
    as_link = Table(console.page(f"{TRACES}&columns=status,url")).rows
    without_link = Table(console.page(f"{TRACES}&columns=status")).rows

    assert [list(row) for row in as_form] == [["pick", "url", "status"]]
    assert as_link == as_form
    assert [list(row) for row in without_link] == [["pick", "id", "status"]]
    page = console.page(f"{TRACES}&columns=status,url")
    assert "columns=status%2Curl" in page.partition("sort=")[0]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("sort=x", "Expected one of newest, oldest, slowest, fastest, highest, lowest as sort"),
        ("columns=x", "Expected some of time, id, method,"),
        ("after=x", "Expected a token"),
    ],
)
def test_what_is_refused(console: Console, query: str, reason: str) -> None:
    assert reason in html.unescape(console.page(f"{TRACES}&{query}", 400))


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("duration > fast", "fast"),
        ("fault AND", ""),
        ('user = "ada', ""),
        ("nonsense = 1", "nonsense"),
        ('user > "ada"', ">"),
        ('ok AND user = "ada" x', "x"),
    ],
)
def test_the_wrong_word_is_marked(expression: str, wrong: str) -> None:
    with pytest.raises(BadFilter) as error:
        read_filter(expression)

    mistake = find_mistake(expression, error.value)

    assert mistake.wrong == wrong
    assert mistake.before + mistake.wrong + mistake.after == expression


def test_two_chosen_lead_to_their_comparison(console: Console) -> None:
    response = console.get("/chosen?trace=new&trace=old&range=6h")

    assert response.status_code == 302
    assert response.headers["Location"] == "/compare?range=6h&one=old&other=new"


def test_more_are_shown_together(console: Console, store: Store) -> None:
    segments = [make_segment() for _ in range(3)]
    store(*segments)
    ids = [segment["trace_id"] for segment in segments]

    page = console.page(f"/chosen?{urlencode({'trace': [*ids, 'gone']}, doseq=True)}")

    assert Table(page).ids == ids
    assert "<code>gone</code> is not here any more" in page


@pytest.mark.parametrize("number", [0, 1, 11])
def test_too_few_or_many_chosen(console: Console, number: int) -> None:
    query = urlencode({"trace": [str(each) for each in range(number)]}, doseq=True)

    assert f"from two to 10 traces to be chosen in the table, got {number}" in console.page(
        f"/chosen?{query}", 400
    )


def test_completions(console: Console, store: Store) -> None:
    store(make_segment(annotations={"route": "film", "is_cold": True}, user='say "hi"'))
    path = f"/completions?start={NOON - 1}&end={NOON + 1}&before="

    def complete(before: str) -> list[str]:
        found = console.get(path + quote(before)).json()
        return [option["text"] for option in found["options"]]

    assert complete("annotation") == ["annotation.route", "annotation.is_cold"]
    assert complete("annotation.route = ") == ['"film"']
    assert complete("user = ") == ['"say \\"hi\\""']
    assert complete("service(") == ['"movies"']
    assert complete("group.name = ") == ['"Default"']


def test_what_a_filter_cannot_say_is_no_link() -> None:
    found = Facets(annotations={'a"]b': Counter([(False, "x")]), "a b": Counter([(False, 1.0)])})

    spaced, strange = make_facets(found, Scope(0, 1))

    assert (strange.title, strange.choices) == ('a"]b', (Choice("x", 1, "", False),))
    assert spaced.choices[0].label == "1"
    assert parse_qs(spaced.choices[0].link)["?filter"] == ["annotation[a b] = 1"]


def test_true_is_not_one(console: Console, store: Store) -> None:
    store(make_segment(annotations={"is_cold": True}), make_segment(annotations={"is_cold": 1}))

    page = console.page(f"{TRACES}&filter=annotation.is_cold+%3D+true")

    assert read_facets(console.page(TRACES))["is_cold"] == {"1": 1, "true": 1}
    assert read_facets(page)["is_cold"] == {"true": 1}
    assert page.count('aria-current="true">true<') == 1


def test_hostile_values_are_only_text(console: Console, store: Store) -> None:
    store(
        make_segment(
            name=HOSTILE,
            user=HOSTILE,
            http=make_request(HOSTILE, 200, HOSTILE[:20]),
            annotations={HOSTILE: HOSTILE, "plain": HOSTILE},
        )
    )

    page = console.page(TRACES)

    check_nothing_runs(page)
    for link in re.findall(r'<li><a class="untrusted" href="([^"]+)"', page):
        narrowed = console.page(f"/traces{html.unescape(link)}")
        check_nothing_runs(narrowed)
        assert len(Table(narrowed).ids) == 1


def test_nothing_in_the_range(console: Console, store: Store) -> None:
    store(make_segment())

    page = console.page("/traces?range=15m")

    assert "No traces in the last 15 minutes" in page
    assert write_count(0) in page
