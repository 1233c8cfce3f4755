"""As a stranger would: every link, the trace of every page, and what breaks on the way."""

import json
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
import requests
from playwright.sync_api import Page, expect

from scripts.ports import find_holder
from tests.conftest import walk
from tests.scripts.runs import Run, start_run, wait_until
from tests.segment_schema import find_mistakes
from tests.xray_local.console import browser as fixtures
from tests.xray_local.console.walking import walk_console

browser, page = fixtures.browser, fixtures.page

MAX_PAGES = 400
# What the lab's buttons are answered with where it isn't 200: they fail on purpose.
LAB_STATUSES = {"/lab/throttled/": 429, "/lab/exception/": 500}
# Lists link to hundreds of films; a handful of each kind of page shows as much.
MAX_PAGES_OF_A_KIND = 6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The whole stack, as `make run` starts it, on free ports."""
    with start_run(tmp_path_factory.mktemp("walk") / "local") as run:
        run.wait_for("Ctrl-C stops all of it.")
        yield run


def get(run: Run, path: str, timeout_seconds: float = 30) -> requests.Response:
    return requests.get(run.stack.site_url + path, timeout=timeout_seconds, allow_redirects=False)


def find_trace(run: Run, response: requests.Response) -> dict[str, Any]:
    """Return the one segment of the trace that a response names, once it has arrived."""
    trace_id = response.headers["X-Amzn-Trace-Id"].removeprefix("Root=")
    xray = boto3.client(
        "xray",
        endpoint_url=run.stack.xray_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    found: list[dict[str, Any]] = []

    def has_arrived() -> bool:
        found[:] = xray.batch_get_traces(TraceIds=[trace_id])["Traces"]
        return bool(found)

    wait_until(has_arrived, f"The trace {trace_id} of {response.url}", 10)
    documents = [json.loads(segment["Document"]) for segment in found[0]["Segments"]]
    (own,) = [document for document in documents if not document.get("inferred")]
    assert find_mistakes(own) == []
    return own


def list_kinds(entity: dict[str, Any]) -> set[str]:
    """Return which kinds of outside a segment holds: the names of what it called."""
    kinds = set()
    for child in walk(entity):
        if child.get("namespace") == "aws":
            kinds.add(child["name"])
        elif "sql" in child:
            kinds.add("sql")
        elif child.get("namespace") == "remote":
            kinds.add("remote")
        elif child["name"].endswith(".html"):
            kinds.add("template")
    return kinds


def test_every_link_leads_to_a_page_with_its_trace(run: Run) -> None:
    from scripts.links import PageParser

    waiting, seen, kinds = deque(["/"]), {"/"}, dict[str, int]()
    visited: list[requests.Response] = []
    while waiting and len(visited) < MAX_PAGES:
        path = waiting.popleft()
        response = get(run, path)
        visited.append(response)
        expected = (LAB_STATUSES[path],) if path in LAB_STATUSES else (200, 302)
        assert response.status_code in expected, f"{path} answered {response.status_code}"
        if "html" not in response.headers["Content-Type"]:
            continue
        page = PageParser()
        page.feed(response.text)
        for link in page.links:
            parts = urlsplit(requests.compat.urljoin(response.url, link))
            if f"{parts.scheme}://{parts.netloc}" != run.stack.site_url:
                continue
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            kind = "/".join(parts.path.split("/")[:2]) + parts.query.partition("=")[0]
            if target not in seen and kinds.get(kind, 0) < MAX_PAGES_OF_A_KIND:
                seen.add(target)
                kinds[kind] = kinds.get(kind, 0) + 1
                waiting.append(target)

    assert len(visited) > 20
    for response in visited:
        path = urlsplit(response.url).path
        if path.startswith(("/healthz", "/static/")):
            assert "X-Amzn-Trace-Id" not in response.headers
            continue
        segment = find_trace(run, response)
        assert unquote(urlsplit(segment["http"]["request"]["url"]).path) == unquote(path)
        assert segment["http"]["response"]["status"] == response.status_code
        if "text/html" in response.headers["Content-Type"] and response.status_code != 302:
            trace_id = segment["trace_id"]
            assert f"{run.stack.xray_url}/traces/{trace_id}" in response.text
            console = requests.get(f"{run.stack.xray_url}/traces/{trace_id}", timeout=10)
            assert console.status_code == 200
            assert trace_id in console.text


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/", {"remote", "template"}),
        ("/app", {"remote", "s3", "dynamodb"}),
        ("/movies/", {"dynamodb", "template"}),
        ("/movies/1999/The%20Matrix/", {"dynamodb", "sql", "template"}),
        ("/api/movies/?limit=2", {"dynamodb"}),
        ("/readyz", {"dynamodb", "s3", "sql"}),
    ],
)
def test_traces_are_complete(run: Run, path: str, kinds: set[str]) -> None:
    response = get(run, path)
    segment = find_trace(run, response)

    assert response.status_code == 200
    assert list_kinds(segment) == kinds
    for entity in walk(segment):
        assert entity["end_time"] >= entity["start_time"]


def test_app_is_traced_step_by_step(run: Run) -> None:
    response = get(run, "/app")
    segment = find_trace(run, response)

    assert response.status_code == 200
    names = [child["name"] for child in segment["subsegments"]]
    assert [step["name"] for step in response.json()["steps"]] == [
        "remote",
        "s3",
        "dynamodb",
        "response",
    ]
    assert len(names) >= 4
    operations = [
        entity["aws"]["operation"]
        for entity in walk(segment)
        if entity.get("namespace") == "aws" and entity["name"] == "dynamodb"
    ]
    assert operations == ["DescribeTable", "PutItem", "GetItem"]


def test_the_lab_makes_the_traces_that_it_promises(run: Run) -> None:
    page = get(run, "/lab/").text
    import re

    slugs = sorted(set(re.findall(r"/lab/([a-z0-9-]+)/", page)))
    assert len(slugs) >= 10
    segments = {}
    for slug in slugs:
        response = get(run, f"/lab/{slug}/")
        assert response.status_code == LAB_STATUSES.get(f"/lab/{slug}/", 200), slug
        segments[slug] = find_trace(run, response)

    def entities(slug: str) -> list[dict[str, Any]]:
        return list(walk(segments[slug]))

    (exception,) = [slug for slug in slugs if "exception" in slug]
    assert segments[exception]["fault"] is True
    assert segments[exception]["cause"]["exceptions"][0]["stack"]
    assert any(any(entity.get("throttle") for entity in entities(slug)) for slug in slugs)
    assert any(len(entities(slug)) > 100 for slug in slugs)
    assert any(sum("sql" in entity for entity in entities(slug)) >= 20 for slug in slugs)
    assert any(segment["end_time"] - segment["start_time"] > 1 for segment in segments.values())
    conditional = [
        entity
        for slug in slugs
        for entity in entities(slug)
        for exception in entity.get("cause", {}).get("exceptions", ())
        if "ConditionalCheckFailed" in exception["type"] + exception["message"]
    ]
    assert conditional


def test_the_console_shows_all_of_it(run: Run, page: Page) -> None:
    """The traces of the site itself, on every screen."""
    for path in ("/", "/movies/", "/app", "/lab/", "/api/movies/", "/missing"):
        find_trace(run, get(run, path))

    seen = walk_console(page, run.stack.xray_url)

    assert seen["/traces/ID"]
    page.goto(run.stack.xray_url)
    services = page.locator("table.services")
    for name in ("movies", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "remote"):
        expect(services).to_contain_text(name)


def test_the_xray_may_die(run: Run) -> None:
    run.kill_listener(run.stack.xray_port)

    for _ in range(5):
        assert get(run, "/movies/").status_code == 200

    wait_until(lambda: is_console_there(run), "The X-Ray's return", 30)
    find_trace(run, get(run, "/movies/"))


def is_console_there(run: Run) -> bool:
    try:
        return requests.get(run.stack.xray_url, timeout=2).ok
    except requests.RequestException:
        return False


def test_the_embedded_aws_may_hang(run: Run) -> None:
    pid = find_holder("tcp", run.stack.aws_port).pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        page = get(run, "/movies/", 60)
        seconds = time.monotonic() - started
        ready = get(run, "/readyz", 60)
        home = get(run, "/")
    finally:
        os.kill(pid, signal.SIGCONT)

    assert page.status_code == 503
    assert seconds < 8  # 5, and some for a machine that is busy
    assert page.headers["Retry-After"]
    assert "out of reach" in page.text
    assert (ready.status_code, ready.json()["sql"]) == (503, "ok")
    assert home.status_code == 200
    segment = find_trace(run, page)
    assert segment["fault"] is True
    assert any(child.get("fault") for child in segment["subsegments"])
    assert get(run, "/movies/").status_code == 200


def test_the_embedded_aws_may_die(run: Run) -> None:
    run.kill_listener(run.stack.aws_port)
    statuses = {get(run, "/movies/").status_code, get(run, "/app").status_code}

    # It is started again at once; until then, pages say that it is away.
    assert statuses <= {200, 429, 500, 503}
    film = "/movies/1999/The%20Matrix/"
    wait_until(lambda: get(run, film).status_code == 200, "The film's return", 60)
    assert "Traceback" not in "".join(
        line for line in run.output.splitlines() if "django.request" in line
    )
