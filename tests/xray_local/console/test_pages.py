"""The pages, as HTML."""

import html
import json
import re
import sqlite3
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.xray_local.conftest import Console, Store
from tests.xray_local.made import (
    NOON,
    TRACES,
    make_request,
    make_segment,
    make_subsegment,
)
from xray_local.store.queries import Cursor

GUIDE = "https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html"
HOSTILE = "</pre><script>alert('x')</script><img src=x onerror=alert(1)>\"' style='x"


class Elements(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def check_nothing_runs(page: str) -> None:
    """Hold that a page has no element or attribute that only a document could have put there."""
    for tag, attributes in Elements(page).found:
        assert tag not in ("style", "iframe", "object", "base")
        assert tag != "script" or (attributes["src"] or "").startswith("/assets/")
        assert tag != "form" or attributes["method"] in ("get", "post", "dialog")
        assert (attributes.get("action") or "/").startswith("/")
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("href", "src"):
                assert (value or "").startswith(("/", "?", "#")) or value == GUIDE


def make_hostile(value: Any = HOSTILE) -> dict[str, Any]:
    """Return a segment that holds the value wherever a document can hold one."""
    cause = {
        "exceptions": [
            {
                "id": value,
                "type": value,
                "message": value,
                "stack": [{"path": value, "line": value, "label": value}],
            }
        ]
    }
    request = dict.fromkeys(("method", "url", "user_agent", "client_ip"), value)
    fields: dict[str, Any] = {
        "user": value,
        "origin": value,
        "namespace": value,
        "http": {"request": request, "response": {"status": value}},
        "aws": {"operation": value, "table_name": value, "account_id": value},
        "sql": {"sanitized_query": value},
        "annotations": {HOSTILE: value},
        "metadata": {HOSTILE: {HOSTILE: value}},
        "cause": cause,
        "links": [value],
    }
    inner = make_subsegment() | fields | {"name": value, "id": value, "parent_id": value}
    return make_segment(**fields | {"name": HOSTILE, "subsegments": [inner, value]})


def test_list_of_traces(console: Console, store: Store) -> None:
    store(
        make_segment(
            http=make_request("http://a/films/", 200), user="ada", annotations={"route": "films"}
        ),
        make_segment(name="worker", start_time=NOON + 1, fault=True),
    )

    page = console.page(TRACES)

    rows = page.partition("<tbody>")[2]
    assert rows.index("worker") < rows.index("/films/")
    for text in ("ada", "<b>route</b> films", "flag-fault", "flag-ok", ">200<", "100 ms"):
        assert text in page
    check_nothing_runs(page)


def test_list_when_empty(console: Console) -> None:
    page = console.page(TRACES)

    assert "Nothing has arrived yet" in page
    assert "AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000" in page


def test_list_page_by_page(console: Console, store: Store) -> None:
    store(*[make_segment(start_time=NOON + number) for number in range(120)])
    path, found = TRACES, []

    while path:
        page = console.page(path)
        found += re.findall(r'<tr id="trace-([0-9a-f-]+)"', page)
        link = re.search(r'href="(\?[^"]*after=[^"]+)"', page)
        path = f"/traces{html.unescape(link[1])}" if link else ""

    assert len(found) == len(set(found)) == 120


def test_list_after_the_last(console: Console, store: Store) -> None:
    store(make_segment())
    page = console.page(f"{TRACES}&after={Cursor(1.0, 1).encode()}")

    assert "No more traces" in page


def test_list_with_a_link_that_is_none(console: Console) -> None:
    assert "Expected a token" in console.page(f"{TRACES}&after=x", status=400)


def test_list_tells_of_refused_documents(console: Console, connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO counts VALUES ('refused', 3), ('dropped', 1)")

    page = console.page(TRACES)

    assert "3 documents refused." in page
    assert "1 datagram dropped." in page


@pytest.mark.parametrize(
    "value",
    [HOSTILE, 1, 10**400, -1.5, True, None, [], [HOSTILE], {}, {HOSTILE: HOSTILE}, "\u202e\0"],
)
def test_hostile_documents(console: Console, store: Store, value: Any) -> None:
    segment = make_hostile(value)
    store(segment)

    for path in (
        TRACES,
        f"/traces/{segment['trace_id']}",
        f"/traces/{segment['trace_id']}?element={segment['id']}",
    ):
        check_nothing_runs(console.page(path))
    assert console.get(f"/traces/{segment['trace_id']}.json").status_code == 200


def test_deep_documents(console: Console, store: Store) -> None:
    deep: Any = "x"
    for _ in range(390):
        deep = [deep]
    nested = make_subsegment()
    for _ in range(190):
        nested = make_subsegment(subsegments=[nested])
    root = make_segment(metadata={"deep": {"er": deep}})
    other = make_segment(subsegments=[nested])
    store(root, other)

    for segment in (root, other):
        assert console.page(f"/traces/{segment['trace_id']}")
        assert console.get(f"/traces/{segment['trace_id']}.json").status_code == 200


def test_status(console: Console, connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO counts VALUES ('refused', 12345)")
    connection.execute("INSERT INTO refusals VALUES (?, 'ParseError', ?)", (NOON, HOSTILE))

    page = console.page("/status")

    assert "12345" in page
    assert "ParseError" in page
    check_nothing_runs(page)


def test_counts(console: Console) -> None:
    counts = console.get("/counts").json()

    assert counts["datagrams"] == counts["kernel_dropped"] == 0
    assert counts["socket_buffer_bytes"] > 0


def test_pages_are_not_kept(console: Console) -> None:
    assert console.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/", "/traces", "/status", "/counts", "/traces/x", "/traces/x.json"]
)
def test_database_gone(console: Console, connection: sqlite3.Connection, path: str) -> None:
    for table in ("traces", "segments", "counts"):
        connection.execute(f"DROP TABLE {table}")

    page = console.page(path, status=503)

    assert "no such table" in page
    assert "xray.sqlite3" in page


def test_no_such_page(console: Console) -> None:
    page = console.page("/nothing/<b>", status=404)

    assert "There is nothing here" in page
    check_nothing_runs(page)


def test_only_for_reading(console: Console) -> None:
    assert console.request("DELETE", "/").status_code == 405
    assert console.request("POST", "/traces").status_code == 405
    assert console.request("HEAD", "/").status_code == 200


def test_a_failure_of_ours(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xray_local.console.traces_page.list_traces", None)
    console._client.raise_request_exception = False

    response = console.get("/traces")

    assert response.status_code == 500
    assert b"its terminal says how" in response.content


def test_titles_say_where_one_is(console: Console, store: Store) -> None:
    root = make_segment(http=make_request("http://a/films/", 200))
    store(root)

    titles = [
        re.search(r"<title>(.*)</title>", console.page(path), re.DOTALL)
        for path in ("/traces", "/status", f"/traces/{root['trace_id']}")
    ]

    assert len({title[1] for title in titles if title}) == 3
    assert json.dumps(titles[2][1] if titles[2] else "").count("GET /films/") == 1


def test_a_trace_has_the_same_name_everywhere(console: Console, store: Store) -> None:
    """An orphan may have begun before the root, as clocks differ."""
    root = make_segment(name="the root", start_time=NOON + 1)
    orphan = make_segment(name="an orphan", parent_id="0" * 16, trace_id=root["trace_id"])
    store(orphan, root)

    title = re.search(r"<title>(.*)</title>", console.page(f"/traces/{root['trace_id']}"))

    assert title
    assert "the root" in title[1]
    assert "the root" in console.page(TRACES)
