"""Traffic: where it goes, where it ends, and what it says of it."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from scripts.ports import find_free_port
from scripts.traffic import Crowd, Visit, find_root, read_limits, summarise
from tests.processes import ROOT


class Site(http.server.BaseHTTPRequestHandler):
    """A site of a few pages, one of which redirects away from this machine."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/silent":
            self.close_connection = True
            return
        page = b'<a href="/away">1</a> <a href="/silent">2</a> <a href="/movies/1999/Brazil/">3</a>'
        self.send_response({"/away": 302, "/lab/": 500}.get(self.path, 200))
        self.send_header("Location", "https://example.invalid/") if self.path == "/away" else None
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def root() -> Iterator[str]:
    Site.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_browse_is_bounded_by_requests(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # So many that chance leaves out nothing.
    monkeypatch.setattr("scripts.traffic.PAUSE_SECONDS", (0.0, 0.01))
    crowd = Crowd(root, max_seconds=60, max_requests=400)

    crowd.browse(lambda _: None)

    assert len(crowd.visits) == len(Site.asked) == 400
    assert crowd.share_done == 1
    assert {"/", "/away", "/silent", "/movies/1999/Brazil/"} <= set(Site.asked)
    assert {visit.path for visit in crowd.visits} == set(Site.asked)
    assert {visit.status for visit in crowd.visits} == {0, 200, 302, 500}
    assert any(path.startswith("/movies/?q=") for path in Site.asked)


def test_browse_stays_behind_a_stage(root: str) -> None:
    crowd = Crowd(f"{root}dev/", max_seconds=60, max_requests=40)

    crowd.browse(lambda _: None)

    assert {path[:5] for path in Site.asked} == {"/dev/"}
    assert {f"/dev{visit.path}" for visit in crowd.visits} == set(Site.asked)


def test_browse_is_bounded_by_time(root: str) -> None:
    crowd = Crowd(root, max_seconds=0.5, max_requests=10_000)

    crowd.browse(lambda _: None)

    assert 0 < len(crowd.visits) < 1000


def test_browse_ends_with_ctrl_c(root: str) -> None:
    crowd = Crowd(root, max_seconds=60, max_requests=10_000)

    def press_ctrl_c(crowd: Crowd) -> None:
        if crowd.visits and not crowd.is_over:
            raise KeyboardInterrupt

    crowd.browse(press_ctrl_c)

    assert crowd.share_done < 0.5


def test_summarise() -> None:
    visits = [Visit("/movies/", 200, duration_ms) for duration_ms in range(1, 101)]
    visits += [Visit("/app", 302, 50), Visit("/lab/exception/", 500, 50)]

    assert summarise(visits).splitlines() == [
        "102 requests to 3 kinds of pages: 100 x 200, 1 x 302, 1 x 500.",
        "Half took less than 50 ms, 95 % less than 95 ms.",
        "Failed: /lab/exception/, as the lab is meant to.",
    ]


def test_summarise_real_failures() -> None:
    visits = [Visit("/", 500, 1), Visit("/app?x", 0, 2)]

    lines = summarise(visits).splitlines()

    assert lines[0] == "2 requests to 2 kinds of pages: 1 x 500, 1 x no answer."
    assert lines[2:] == ["Failed: /.", "Gave no answer: /app."]


def test_summarise_little() -> None:
    assert summarise([]) == "No requests."
    assert "Half took less than 7 ms" in summarise([Visit("/", 200, 7)])


def test_read_limits() -> None:
    assert read_limits({}) == (60, 5000)
    assert read_limits({"SECONDS": "5", "REQUESTS": "7"}) == (5, 7)


@pytest.mark.parametrize("text", ["0", "-1", "much", "1.5"])
def test_read_limits_bad(text: str) -> None:
    with pytest.raises(ValueError, match=r"SECONDS is '.*'; expected a number such as 60\."):
        read_limits({"SECONDS": text})


def test_find_root(root: str) -> None:
    port, silent = root.split(":")[-1].strip("/"), str(find_free_port())

    assert find_root({"SITE_PORT": port, "LAMBDA_PORT": silent}) == root
    assert find_root({"SITE_PORT": silent, "LAMBDA_PORT": port}) == f"{root}dev/"
    assert find_root({"SITE_URL": f"{root}any/stage"}) == f"{root}any/stage/"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {},
            "The site does not answer at http://127.0.0.1:{port}/ nor at "
            "http://127.0.0.1:{other_port}/dev/. Start it in another terminal: make run, or",
        ),
        (
            {"SITE_URL": "http://127.0.0.1:{port}/dev"},
            "The site does not answer at http://127.0.0.1:{port}/dev/. Start it in",
        ),
        ({"SITE_URL": "here"}, "SITE_URL is 'here'; expected one such as http://127.0.0.1:3000/d"),
        ({"SECONDS": "soon"}, "SECONDS is 'soon'; expected a number such as 60."),
        ({"XRAY_PORT": "x"}, "XRAY_PORT is 'x'; expected a port number from 1 to 65535."),
    ],
)
def test_main_refuses(variables: dict[str, str], line: str) -> None:
    port, other_port = find_free_port(), find_free_port()
    variables = {name: text.format(port=port) for name, text in variables.items()}
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.traffic"],
        cwd=ROOT,
        env=os.environ | {"SITE_PORT": str(port), "LAMBDA_PORT": str(other_port)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    [said] = ran.stderr.splitlines()
    assert said.startswith(line.format(port=port, other_port=other_port))
