"""Fifty clients for a minute: no write is lost, no trace mixed, no segment left open."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
import requests

from scripts.stack import make_environment
from tests.conftest import walk
from tests.processes import ROOT
from tests.scripts.runs import Run, make_run_environment, start_run

CLIENTS = 50
# Of each client: more than five hundred requests in all.
STEPS = 10
# Between two of them, at most, as people pause: without, a machine that is busy with other tests
# has more to do than it can, and what is tested is how it says so.
PAUSE_SECONDS = 10.0
FILM = "/api/movies/1999/The%20Matrix/"
PAGES = (
    "/movies/",
    "/movies/?genre=Drama",
    "/movies/?decade=1990",
    "/movies/?q=the",
    "/movies/1999/The%20Matrix/",
    "/api/movies/?limit=5",
    "/app",
    "/lab/many-queries/",
    "/nothing-here",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The whole stack, as `make run` starts it, on free ports."""
    with start_run(tmp_path_factory.mktemp("load") / "local") as run:
        run.wait_for("Ctrl-C stops all of it.")
        yield run


MAKE_SESSIONS = """
from django.contrib.auth.models import Permission, User
from django.test import Client
editing = Permission.objects.get(codename="edit_catalogue")
for name in {names}:
    user = User.objects.create(username=name)
    user.user_permissions.add(editing)
    client = Client()
    client.force_login(user)
    print(client.cookies["sessionid"].value)
"""


class Client:
    """One visitor with an account: looks around, votes once, reviews, adds films."""

    def __init__(self, url: str, number: int) -> None:
        self.url = url
        self.name = f"visitor{number}"
        self.session = requests.Session()
        self.random = random.Random(number)
        self.statuses: Counter[int] = Counter()
        self.seen: list[tuple[str, str]] = []  # trace id, path
        self.films: list[str] = []
        self.review = ""
        self.has_voted = False

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self.session.request(
            method, self.url + path, timeout=60, allow_redirects=False, **options
        )
        # Where AWS is too busy to answer, /app says 500 with AWS's words, all others 503.
        is_aws_busy = path == "/app" and response.status_code == 500
        self.statuses[503 if is_aws_busy else response.status_code] += 1
        root = response.headers["X-Amzn-Trace-Id"].removeprefix("Root=")
        self.seen.append((root, path))
        return response

    def write(self, method: str, path: str, body: dict[str, Any]) -> requests.Response:
        token = self.session.cookies["csrftoken"]
        return self.ask(method, path, json=body, headers={"X-CSRFToken": token})

    def sign_in(self, session_key: str) -> None:
        self.session.cookies["sessionid"] = session_key
        page = self.ask("GET", unquote(FILM).replace("/api", ""))
        assert self.name in page.text

    def pause(self) -> None:
        time.sleep(self.random.uniform(0, PAUSE_SECONDS))

    def step(self) -> None:
        choice = self.random.random()
        if not self.has_voted:
            response = self.write("POST", FILM + "votes/", {"stars": 7})
            self.has_voted = response.ok
        elif choice < 0.1:
            text = f"{self.name} at {time.time()}"
            if self.write("PUT", FILM + "reviews/mine/", {"stars": 5, "text": text}).ok:
                self.review = text
        elif choice < 0.2:
            title = f"{self.name} number {len(self.films)}"
            film = {"year": 2020, "title": title, "genres": ["Drama"]}
            if self.write("POST", "/api/movies/", film).ok:
                self.films.append(title)
        else:
            self.ask("GET", self.random.choice(PAGES))


@pytest.fixture(scope="module")
def clients(run: Run) -> list[Client]:
    """Fifty clients that have been busy for a minute."""
    clients = [Client(run.stack.site_url, number) for number in range(CLIENTS)]
    keys = make_sessions(run, [client.name for client in clients])

    def live(client: Client, key: str) -> None:
        client.pause()
        client.sign_in(key)
        for _ in range(STEPS):
            client.pause()
            client.step()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(live, clients, keys))
    return clients


def make_sessions(run: Run, names: list[str]) -> list[str]:
    """Make editors' accounts and return the cookie of a session of each.

    By the forms, the hashes of fifty passwords would take longer than all the rest.
    """
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", MAKE_SESSIONS.format(names=names)],
        cwd=ROOT,
        env=make_environment(run.stack, make_run_environment(run.stack)),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=60,
    )
    return done.stdout.split()


def test_the_site_answers_everybody(clients: list[Client], run: Run) -> None:
    statuses = sum((client.statuses for client in clients), Counter[int]())

    assert statuses.keys() <= {200, 201, 302, 404, 503}, statuses
    # An emulation may be late with an answer or two; the site says so, and goes on.
    assert statuses[503] <= 0.01 * statuses.total(), statuses
    assert statuses[200] > CLIENTS * 5
    assert "Traceback" not in run.output


def test_no_write_is_lost(clients: list[Client], run: Run) -> None:
    film = requests.get(run.stack.site_url + FILM, timeout=10).json()
    reviews, cursor = {}, None
    while True:
        page = requests.get(
            run.stack.site_url + FILM + "reviews/",
            params={"limit": 100} | ({"cursor": cursor} if cursor else {}),
            timeout=10,
        ).json()
        reviews |= {review["author"]: review["text"] for review in page["reviews"]}
        cursor = page["next_cursor"]
        if cursor is None:
            break
    titles, cursor = [], None
    while True:
        page = requests.get(
            run.stack.site_url + "/api/movies/",
            params={"year": "2020", "limit": 100} | ({"cursor": cursor} if cursor else {}),
            timeout=10,
        ).json()
        titles += [movie["title"] for movie in page["movies"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert film["votes"] == sum(client.has_voted for client in clients) == CLIENTS
    assert film["rating"] == 7
    for client in clients:
        assert reviews.get(client.name, "") == client.review
    added = [title for client in clients for title in client.films]
    assert len(added) > CLIENTS // 4
    assert len(titles) == len(set(titles))
    assert set(added) <= set(titles)


def test_each_trace_holds_one_request_whole(clients: list[Client], run: Run) -> None:
    import json

    seen = dict(pair for client in clients for pair in client.seen)
    assert len(seen) == sum(len(client.seen) for client in clients)
    xray = boto3.client(
        "xray",
        endpoint_url=run.stack.xray_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    ids = list(seen)
    traces: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(ids), 50):
        answer = xray.batch_get_traces(TraceIds=ids[start : start + 50])
        for trace in answer["Traces"]:
            traces[trace["Id"]] = [json.loads(part["Document"]) for part in trace["Segments"]]

    # UDP may lose a datagram on a machine that is this busy; it may not lose many.
    assert len(traces) > 0.98 * len(ids)
    for trace_id, documents in traces.items():
        own = [document for document in documents if not document.get("inferred")]
        assert len(own) == 1, f"{trace_id} holds {len(own)} segments."
        asked = urlsplit(seen[trace_id]).path
        assert unquote(urlsplit(own[0]["http"]["request"]["url"]).path) == unquote(asked)
        for entity in walk(own[0]):
            assert own[0]["start_time"] <= entity["start_time"] <= entity["end_time"]
            assert entity["end_time"] <= own[0]["end_time"]
