"""A real gunicorn says in its own logs which trace and which request a line belongs to."""

import http.client
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import ROOT, find_free_port, stop, wait_for_http

from .conftest import ACTIVE, TRACE_ID

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@contextmanager
def run_gunicorn(folder: Path, *options: str) -> Iterator[str]:
    """Run the site of these tests; yield its URL."""
    url = f"127.0.0.1:{find_free_port()}"
    command = [sys.executable, "-m", "gunicorn", "--bind", url, *options, "movies_site.wsgi"]
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "tests.tracing.site_settings",
        "LOCAL_DIR": str(folder),
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
        "HOME": str(folder),
    }
    with (folder / "error.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_for_http(f"http://{url}/static/", process)
            yield f"http://{url}"
        finally:
            stop(process)


def ask(url: str) -> None:
    request = urllib.request.Request(url, headers={"X-Amzn-Trace-Id": ACTIVE})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()
    except http.client.IncompleteRead:
        pass  # what a body that breaks looks like


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_the_access_log_ends_with_the_ids(tmp_path: Path, worker: str) -> None:
    access = tmp_path / "access.log"
    options = ("--logger-class", "tracing.gunicorn.Logger", "--worker-class", worker)

    with run_gunicorn(tmp_path, *options, "--access-logfile", str(access)) as url:
        ask(f"{url}/ok")
        ask(f"{url}/ok")

    first, second = (line for line in access.read_text().splitlines() if '"GET /ok ' in line)
    ids = [re.search(rf" trace={TRACE_ID} request=({UUID})$", line) for line in (first, second)]
    assert ids[0]
    assert ids[1]
    assert ids[0][1] != ids[1][1]


def test_a_format_of_ones_own_may_name_the_ids(tmp_path: Path) -> None:
    access = tmp_path / "access.log"
    options = ("--logger-class", "tracing.gunicorn.Logger", "--access-logfile", str(access))

    with run_gunicorn(tmp_path, *options, "--access-logformat", "%(U)s %(trace_id)s") as url:
        ask(f"{url}/ok")

    assert f"/ok {TRACE_ID}" in access.read_text().splitlines()


def test_the_line_about_an_exception_that_reached_gunicorn_has_the_ids(tmp_path: Path) -> None:
    with run_gunicorn(tmp_path, "--logger-class", "tracing.gunicorn.Logger") as url:
        ask(f"{url}/stream?break=1")

    lines = (tmp_path / "error.log").read_text().splitlines()
    (line,) = [line for line in lines if "Error handling request" in line]
    assert re.search(rf"  \[trace {TRACE_ID} request {UUID}\]$", line)
    assert not any("[trace" in line for line in lines if "Booting worker" in line)
