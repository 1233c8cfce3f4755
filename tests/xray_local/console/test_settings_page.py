"""The screen of settings: what is kept, export, import, clearing, and what has been counted."""

import html
import json
import re
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from playwright.sync_api import Browser, Page, expect

from tests.xray_local.conftest import Console, Store
from tests.xray_local.console.browser import (
    check_accessible,
    check_fits,
    check_steady,
    opened,
    send_all,
)
from tests.xray_local.made import NOON, make_request, make_segment
from tests.xray_local.program import Program, ask
from xray_local.console import settings_page
from xray_local.control import database as control_database
from xray_local.control.database import changing
from xray_local.control.limits import USUAL, find_limits
from xray_local.errors import IntakeDown
from xray_local.intake.pipeline import Limits
from xray_local.parts import KEY, Parts

PAST = "start=1699990000&end=1700010000"


def read_file(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def upload(console: Console, content: bytes) -> Any:
    file = SimpleUploadedFile("traces.jsonl", content)
    return console.send("/settings?range=6h", {"do": "import", "file": file})


def fail_to_send(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_documents: Any) -> None:
        raise IntakeDown("The process that stores segments took nothing.")

    parts = console._environ[KEY]
    failing = Parts(parts.database, refuse, parts.udp, clear=refuse, set_limits=refuse)
    monkeypatch.setitem(console._environ, KEY, failing)


def test_what_is_kept(console: Console, store: Store, database: Path) -> None:
    store(make_segment(), make_segment(start_time=NOON + 60))

    context = console.get("/settings").context

    usage = context["usage"]
    assert (usage.traces, usage.oldest, usage.newest) == (2, NOON, NOON + 60)
    page = console.page("/settings")
    assert "--max-bytes 536870912 --max-traces 100000 --max-hours 0" in page
    assert "537 MB" in page
    assert str(database) in page


def test_limits_are_changed(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = console._environ[KEY]
    told: list[Limits] = []
    monkeypatch.setitem(console._environ, KEY, replace(parts, set_limits=told.append))
    fields = {"do": "limits", "megabytes": "20", "traces": "5000", "hours": "48"}

    answer = console.send("/settings?range=6h", fields)

    assert (answer.status_code, answer["Location"]) == (303, "/settings?range=6h&saved=1")
    assert "This much is kept now." in console.page(answer["Location"])
    assert told == [Limits(20_000_000, 5000, 48)] == [find_limits(parts.database)]


def test_a_limit_that_is_not_changed_stays(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, though megabytes are shown; what the command says is not kept."""
    told: list[Limits] = []
    parts = replace(
        console._environ[KEY],
        set_limits=told.append,
        get_limits=lambda: Limits(400_000, USUAL.max_traces),
    )
    monkeypatch.setitem(console._environ, KEY, parts)

    console.send("/settings", {"do": "limits", "megabytes": "0", "traces": "5000", "hours": "0"})

    assert told == [Limits(400_000, 5000)]
    assert find_limits(parts.database) == Limits(USUAL.max_bytes, 5000)


@pytest.mark.parametrize("wrong", ["", "0", "-1", "1.5", "many", "9" * 5000, "٣"])
def test_limits_that_are_none(console: Console, wrong: str) -> None:
    fields = {"do": "limits", "megabytes": wrong, "traces": "5000", "hours": "0"}

    page = html.unescape(console.send("/settings", fields).content.decode())

    assert page.count("Expected a whole number from 1 on, got ") == 1
    assert 'value="5000"' in page
    assert find_limits(console._environ[KEY].database) == USUAL


@pytest.mark.parametrize("wrong", ["", "-1", "1.5", "876601", "9" * 12, "٣"])
def test_hours_that_the_command_refuses_too(console: Console, wrong: str) -> None:
    fields = {"do": "limits", "megabytes": "20", "traces": "5000", "hours": wrong}

    page = html.unescape(console.send("/settings", fields).content.decode())

    words = "Expected hours from 0, for as long as there is room, to 876600, got "
    assert page.count(words) == 1
    assert find_limits(console._environ[KEY].database) == USUAL


def test_what_is_too_old_is_told(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = replace(console._environ[KEY], get_limits=lambda: Limits(1, 1, 48))
    assert "ago goes as well" not in console.page("/settings")

    monkeypatch.setitem(console._environ, KEY, parts)

    page = console.page("/settings")
    assert "what ended more than 48 hours ago goes as well" in page
    assert "--max-hours 48" in page


def test_limits_that_cannot_be_kept(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Limits] = []
    parts = replace(console._environ[KEY], set_limits=told.append)
    monkeypatch.setitem(console._environ, KEY, parts)
    monkeypatch.setattr(control_database, "LOCK_TIMEOUT_SECONDS", 0.1)
    fields = {"do": "limits", "megabytes": "20", "traces": "5000", "hours": "0"}

    with changing(parts.database):
        answer = console.send("/settings", fields)

    page = html.unescape(answer.content.decode())
    assert "This much is kept now, but after the next start as much as before" in page
    assert "database is locked" in page
    assert told == [Limits(20_000_000, 5000)]
    assert find_limits(parts.database) == USUAL


def test_limits_while_nobody_stores(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_send(console, monkeypatch)

    answer = console.send(
        "/settings", {"do": "limits", "megabytes": "20", "traces": "5000", "hours": "48"}
    )

    assert "took nothing" in answer.content.decode()
    assert find_limits(console._environ[KEY].database) == USUAL


def test_with_nothing_stored(console: Console) -> None:
    page = console.page("/settings")

    assert "The oldest began" not in page
    assert "None." in page


def test_shares_of_what_may_be_kept(console: Console, store: Store) -> None:
    store(*[make_segment() for _ in range(100)])

    shares = dict(console.get("/settings").context["shares"])

    assert shares["of the traces"] == pytest.approx(0.1)
    assert 0 < shares["of the size"] < 1


def test_the_page_has_its_old_address_too(console: Console) -> None:
    assert "Refused documents" in console.page("/status")


def test_export(console: Console, store: Store) -> None:
    segments = [
        make_segment(start_time=NOON + number, http=make_request("http://a/", 200))
        for number in range(3)
    ]
    store(*segments, make_segment(fault=True), make_segment(start_time=NOON - 86_400))

    response = console.get(f"/export?{PAST}&filter=ok%20AND%20http.status%20=%20200")

    assert response["Content-Disposition"] == 'attachment; filename="traces.jsonl"'
    found = read_file(response)
    told = console.post("/Traces", {"TraceIds": [each["trace_id"] for each in segments]}).json()
    by_id = {each["Id"]: each for each in told["Traces"]}
    assert [each["Id"] for each in found] == [each["trace_id"] for each in reversed(segments)]
    assert {each["Id"]: each["Duration"] for each in found} == {
        each: trace["Duration"] for each, trace in by_id.items()
    }
    assert [json.loads(each["Segments"][0]["Document"]) for each in found] == segments[::-1]


def test_export_of_any_time(console: Console, store: Store) -> None:
    store(make_segment(), make_segment(start_time=NOON - 86_400))

    assert len(read_file(console.get("/export?all=1"))) == 2
    assert read_file(console.get("/export")) == []


def test_export_of_nothing_over_http(xray: Program) -> None:
    """To a client that closes the connection, as to one that keeps it."""
    path = f"{xray.url}/export?start=1&end=2"

    assert ask(path) == (200, b"")
    assert ask(path, Connection="keep-alive") == (200, b"")


def test_export_of_a_group(console: Console, store: Store) -> None:
    console.post("/CreateGroup", {"GroupName": "broken", "FilterExpression": "fault"})
    failed = make_segment(fault=True)
    store(failed, make_segment())

    found = read_file(console.get("/export?all=1&group=broken"))

    assert [each["Id"] for each in found] == [failed["trace_id"]]


def test_export_of_many(console: Console, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_page, "EXPORTED_TRACES", 3)
    store(*[make_segment(start_time=NOON + number) for number in range(5)])

    assert len(read_file(console.get("/export?all=1"))) == 3
    assert "The newest 3 traces" in console.page("/settings")


def test_export_with_a_wrong_filter(console: Console) -> None:
    answer = console.get("/export?filter=fault%20nonsense&range=6h")

    assert (answer.status_code, answer["Location"]) == (
        303,
        "/settings?range=6h&filter=fault+nonsense",
    )
    page = console.page(answer["Location"])
    assert 'value="fault nonsense"' in page
    assert 'class="wrong"' in page


def test_import_what_was_exported(console: Console, store: Store) -> None:
    segments = [
        make_segment(start_time=NOON + number, name="<script>alert(1)</script>")
        for number in range(3)
    ]
    store(*segments)
    content = b"".join(console.get("/export?all=1").streaming_content)
    console.send("/settings?clear=1", {"do": "clear"})
    assert read_file(console.get("/export?all=1")) == []

    page = upload(console, content).content.decode()

    assert "3 segments of 3 traces taken in</h2>" in page
    assert b"".join(console.get("/export?all=1").streaming_content) == content
    link = re.search(r'href="(/traces\?[^"]*)">Show them', page)
    assert link
    shown = console.page(html.unescape(link[1]))
    assert all(each["trace_id"] in shown for each in segments)


def test_import_says_what_it_skips(console: Console) -> None:
    good = json.dumps(make_segment()).encode()
    bad = json.dumps(make_segment(trace_id="<b>")).encode()

    answer = upload(console, b"\n".join([good, b"<script>", bad, *[b"x"] * 30]))

    report = answer.context["report"]
    assert (report.imported, report.mistakes) == (1, 32)
    assert [number for number, _ in report.reasons] == list(range(2, 22))
    page = answer.content.decode()
    assert "1 segment of 1 trace taken in, 32 lines skipped" in page
    assert "The first 20 of 32 are shown." in page
    assert "Line 3: " in page
    assert "<script>\n" not in page
    assert "&lt;b&gt;" in page


def test_import_a_large_line(console: Console) -> None:
    """Beyond what Django keeps in memory."""
    traces = [
        {"Id": each["trace_id"], "Segments": [{"Id": each["id"], "Document": json.dumps(each)}]}
        for each in (make_segment(metadata={"x": {"y": "z" * 50_000}}) for _ in range(80))
    ]

    report = upload(console, json.dumps({"Traces": traces}).encode()).context["report"]

    assert (report.imported, report.mistakes) == (80, 0)


def test_import_as_much_as_the_page_says(xray: Program) -> None:
    assert "up to 16 MB." in xray.fetch("/settings")
    line = json.dumps(make_segment(metadata={"x": {"y": "z" * 40_000}})).encode()
    lines = b"\n".join([line] * (16_000_000 // (len(line) + 1)))

    def send(content: bytes) -> tuple[int, bytes]:
        head = b'--edge\r\nContent-Disposition: form-data; name="do"\r\n\r\nimport\r\n'
        head += b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        return ask(
            f"{xray.url}/settings",
            head + content + b"\r\n--edge--\r\n",
            **{"Content-Type": "multipart/form-data; boundary=edge"},
        )

    status, page = send(lines)
    assert status == 200
    assert b"segments of 1 trace taken in" in page
    assert send(lines + b"\n" * 1_000_000)[0] == 413


def test_import_nothing(console: Console) -> None:
    answer = console.send("/settings", {"do": "import"})

    assert answer.status_code == 200
    assert "Expected a file of traces, got none" in answer.content.decode()
    assert upload(console, b"").context["report"].imported == 0


def test_import_while_nobody_stores(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_send(console, monkeypatch)

    answer = upload(console, json.dumps(make_segment()).encode())

    assert "took nothing." in answer.content.decode()
    assert answer.context["report"].imported == 0


def test_clear(console: Console, store: Store, connection: sqlite3.Connection) -> None:
    console.post("/CreateGroup", {"GroupName": "kept", "FilterExpression": "ok"})
    store(make_segment(), make_segment())
    page = console.page("/settings?clear=1")
    assert "2 traces and what is counted of them go for good." in page
    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (2,)

    answer = console.send("/settings?clear=1&range=6h", {"do": "clear"})

    assert (answer.status_code, answer["Location"]) == (303, "/settings?range=6h&cleared=done")
    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (0,)
    assert "All traces are deleted." in console.page(answer["Location"])
    assert "kept" in [each["GroupName"] for each in console.post("/Groups", {}).json()["Groups"]]


def test_clear_takes_long(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_page, "CLEAR_SECONDS", 0.05)
    parts = console._environ[KEY]
    monkeypatch.setitem(console._environ, KEY, Parts(parts.database, parts.send, parts.udp))

    answer = console.send("/settings?clear=1", {"do": "clear"})

    assert "are being deleted" in console.page(answer["Location"])


def test_clear_while_nobody_stores(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_send(console, monkeypatch)

    answer = console.send("/settings?clear=1", {"do": "clear"})

    assert answer.status_code == 200
    assert "took nothing." in answer.content.decode()


@pytest.mark.parametrize("fields", [{}, {"do": "explode"}])
def test_an_unknown_form(console: Console, fields: dict[str, str]) -> None:
    answer = console.send("/settings", fields)

    assert answer.status_code == 400
    assert "Expected limits, import or clear as do" in answer.content.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_form_of_another_site_is_refused(
    console: Console, store: Store, connection: sqlite3.Connection, headers: dict[str, str]
) -> None:
    store(make_segment())
    file = SimpleUploadedFile("traces.jsonl", json.dumps(make_segment()).encode())

    for fields in ({"do": "clear"}, {"do": "import", "file": file}):
        assert console.send("/settings?clear=1", fields, headers=headers).status_code == 403

    assert connection.execute("SELECT COUNT(*) FROM traces").fetchone() == (1,)


@pytest.mark.parametrize("query", ["", "clear=1", "filter=fault%20nonsense"])
def test_accessible_and_fits(each_page: Page, xray: Program, query: str) -> None:
    each_page.goto(f"{xray.url}/settings?{query}")

    check_steady(each_page)
    check_accessible(each_page)
    check_fits(each_page)


def test_export_clear_and_import_in_a_browser(
    browser: Browser, page: Page, xray: Program, tmp_path: Path
) -> None:
    now = time.time()
    send_all(xray, *[make_segment(start_time=now - number) for number in range(3)])
    path = tmp_path / "traces.jsonl"
    # For a page that is watched, a download is a request that failed.
    with browser.new_page() as other:
        other.goto(f"{xray.url}/settings")
        with other.expect_download() as download:
            other.get_by_role("button", name="Download").click()
        download.value.save_as(path)
    content = path.read_bytes()
    assert content.count(b"\n") >= 3

    page.goto(f"{xray.url}/settings")
    page.get_by_role("link", name="Delete all traces…").click()
    page.get_by_role("button", name="Delete all traces").click()
    expect(page.get_by_role("status")).to_contain_text("All traces are deleted.")
    assert xray.fetch("/export?all=1") == ""

    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("status")).to_contain_text("3 segments of 3 traces taken in")
    check_accessible(page)
    page.get_by_role("link", name="Show them").click()
    expect(page.locator("tbody tr[data-row]")).to_have_count(3)
    assert sorted(xray.fetch("/export?all=1").encode().splitlines()) == sorted(content.splitlines())


def test_the_theme(page: Page, xray: Program) -> None:
    page.goto(f"{xray.url}/settings")

    page.get_by_label("Colours").select_option("dark")

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.locator(".tools select")).to_have_value("dark")


def test_without_scripts(browser: Browser, xray: Program) -> None:
    with opened(browser, width=1280, scheme="light", has_scripts=False) as page:
        page.goto(f"{xray.url}/settings?clear=1")
        assert not page.get_by_label("Colours").is_visible()
        page.get_by_role("button", name="Delete all traces").click()
        page.wait_for_url("**cleared=done")
