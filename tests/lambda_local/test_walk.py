"""The site behind a stage, behind a base path and at the root: in Chromium, nothing leads astray.

Every kind of page that a visitor and an administrator can reach, all that it links to and loads,
and every form that it has; at the root, without the administration.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_local.http_front import BASE_PATH
from scripts.stack import LAMBDA_STAGE
from tests.chromium import needs_chromium, run_chromium
from tests.lambda_local.load import AS_LAMBDA
from tests.lambda_local.test_make_lambda import make_client
from tests.lambda_local.visitor import Visitor
from tests.movies.pictures import make_png
from tests.movies.remotes import answering, serving
from tests.scripts.runs import Run, start_run

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="The package is for Linux."),
    needs_chromium,
]

MOUNTS = {
    "a stage": ("127.0.0.1", f"/{LAMBDA_STAGE}/"),
    "a base path": ("movies.custom-domain.localhost", f"{BASE_PATH}/"),
    "the root": ("movies.http-api.localhost", "/"),
}
PASSWORD = "a-long-word-4-tests"
MAKE_ADMINISTRATOR = """
from django.contrib.auth.models import User
User.objects.create_superuser({name!r}, password={password!r})
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One `make lambda` on free ports, its remote URL a server of ours."""
    reply = "HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok"
    with serving(answering(reply)) as remote:
        others = {"REMOTE_URL": remote, "REMOTE_URL_SECOND": remote}
        folder = tmp_path_factory.mktemp("walk") / "local"
        with start_run(folder, AS_LAMBDA, others) as run:
            run.wait_for("Ctrl-C stops all of it.", timeout_seconds=180)
            yield run


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with run_chromium() as browser:
        yield browser


@pytest.mark.parametrize("mount", MOUNTS)
def test_nothing_leads_astray(run: Run, chromium: Any, mount: str) -> None:
    host, prefix = MOUNTS[mount]
    besides = (f"{run.stack.xray_url}/traces/", f"{run.stack.aws_url}/movies-posters/")
    visitor = Visitor(chromium, f"http://{host}:{run.stack.site_port}{prefix}", besides)
    as_stranger = visitor.walk()
    # In the administration's list of accounts a visitor's is the first.
    number = list(MOUNTS).index(mount)
    use_the_forms(visitor, f"anderson{number}")
    as_administrator = set[str]()
    last: tuple[str, ...] = ()
    # At the root there is nothing to be lost from the administration's links, which are Django's.
    if prefix != "/":
        make_administrator(run, f"zion{number}")
        visitor.open("admin/")
        visitor.send("Log in", username=f"zion{number}", password=PASSWORD)
        assert visitor.page.url == f"{visitor.root}admin/"
        # Lists, the lab and the API are the same for everybody.
        for_all = {kind for kind in as_stranger if "?" in kind or kind.startswith(("lab/", "api/"))}
        as_administrator = visitor.walk(but=for_all)
        last = ("admin/movies/review/*/delete/", "admin/auth/user/*/delete/", "admin/logout/")
    visitor.send_the_other_forms(last)
    visitor.close()

    assert visitor.complaints == []
    assert {"", "app", "movies/*/*/", "accounts/sign-up/", "lab/slow/"} <= as_stranger
    assert len(as_stranger) > 30, as_stranger
    if prefix != "/":
        assert {"movies/*/*/edit/", "admin/auth/user/*/history/"} <= as_administrator
        assert len(as_administrator) > 30, as_administrator
        assert len(visitor.sent) > 20, visitor.sent


def make_administrator(run: Run, name: str) -> None:
    program = MAKE_ADMINISTRATOR.format(name=name, password=PASSWORD)
    answer = make_client(run).invoke(
        FunctionName="movies-dev-web", Payload=json.dumps({"manage": ["shell", "-c", program]})
    )
    assert json.loads(answer["Payload"].read())["exit_code"] == 0


def use_the_forms(visitor: Visitor, name: str) -> None:
    """Do all that a visitor can do; each form leads to the page that it should."""
    page, root = visitor.page, visitor.root
    visitor.open("movies/add/")
    visitor.follow("Sign up")
    visitor.send("Sign up", username=name, password1=PASSWORD, password2=PASSWORD)
    assert page.url == f"{root}movies/add/"

    visitor.send("Save", title=f"Café & {name}", year="2001")
    film = page.url
    assert film == f"{root}movies/2001/Caf%C3%A9%20&%20{name}/"
    page.check("[name=stars][value='8']", force=True)
    visitor.send("Vote")
    assert page.url == film
    visitor.follow("Edit")
    visitor.send("Save", plot="A plot.")
    assert "A plot." in page.inner_text("main")
    visitor.follow("Upload a poster")
    picture = {"name": "p.png", "mimeType": "image/png", "buffer": make_png()}
    page.set_input_files("main [type=file]", picture)
    visitor.send("Upload")
    assert page.url == film
    visitor.follow("Change the poster")
    visitor.send("Remove the poster")
    visitor.follow("Write a review")
    page.select_option("main [name=stars]", "8")
    visitor.send("Save", text="Good.")
    visitor.follow("Change your review")
    visitor.send("Delete your review")
    visitor.follow("Delete")
    visitor.send("Delete")
    assert page.url.startswith(f"{root}movies/")

    # For the account and for the administration to show.
    visitor.open("movies/1999/The%20Matrix/review/")
    page.select_option("main [name=stars]", "9")
    visitor.send("Save", text="Very good.")
    visitor.send("Sign out")
    assert page.url == root
    visitor.open("accounts/")
    visitor.send("Sign in", username=name, password=PASSWORD)
    assert page.url == f"{root}accounts/"
