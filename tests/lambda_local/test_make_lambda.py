"""`make lambda`: the built package, behind each service's shape, seen on the local X-Ray."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests

from scripts import lambda_package
from scripts.lambda_run import make_function_variables
from scripts.ports import find_holder
from tests.chromium import needs_chromium, run_chromium
from tests.lambda_local import load
from tests.movies.remotes import answering, serving
from tests.processes import ROOT
from tests.scripts.runs import Run, choose_stack, make_run_environment, start_run, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="The package is for Linux.")

HOSTS = {"REST API": "", "HTTP API": "m.http-api.localhost", "URL": "m.lambda-url.localhost"}
FILM = "movies/1999/The%20Matrix/"
LAMBDA = ("movies-dev-web", "AWS::Lambda")
FUNCTION = ("movies-dev-web", "AWS::Lambda::Function")
STAGE = ("movies-dev/dev", "AWS::ApiGateway::Stage")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One `make lambda` on free ports, its remote URL a server of ours. It ends as it should."""
    reply = "HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok"
    with serving(answering(reply)) as remote:
        others = {"REMOTE_URL": remote, "REMOTE_URL_SECOND": remote}
        folder = tmp_path_factory.mktemp("lambda") / "local"
        with start_run(folder, load.AS_LAMBDA, others) as run:
            run.wait_for("Ctrl-C stops all of it.", timeout_seconds=180)
            yield run
            assert load.find_environments(run.stack.site_port)
            run.process.send_signal(signal.SIGINT)
            wait_until(run.is_gone, "The end of everything", 30)
            assert run.process.wait() == 0


def ask(run: Run, path: str, service: str = "REST API", **options: Any) -> requests.Response:
    """Ask for a path of the site, as the service has it."""
    headers = {"Host": f"{HOSTS[service]}:{run.stack.site_port}"} if HOSTS[service] else {}
    headers |= options.pop("headers", {})
    prefix = "/dev/" if service == "REST API" else "/"
    return requests.request(
        options.pop("method", "GET"),
        run.stack.site_url + prefix + path,
        headers=headers,
        timeout=60,
        allow_redirects=False,
        **options,
    )


def test_ready(run: Run) -> None:
    assert f"The site            {run.stack.site_url}/dev/\n" in run.output
    assert "INIT_START" not in run.output.partition("Ready after")[0]


@pytest.mark.parametrize("service", HOSTS)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", "<h1"),
        ("app", '"s3"'),
        ("movies/", "<h1"),
        ("movies/?genre=Drama", "<h1"),
        (FILM, "Keanu Reeves"),
        ("api/" + FILM, "Keanu Reeves"),
        ("accounts/sign-up/", "csrfmiddlewaretoken"),
        ("admin/login/", "Username"),
        ("readyz", ""),
    ],
)
def test_pages(run: Run, service: str, path: str, text: str) -> None:
    response = ask(run, path, service)

    assert response.status_code == 200, response.text
    assert text in response.text


@pytest.mark.parametrize("service", HOSTS)
def test_every_link_of_a_page(run: Run, service: str) -> None:
    """Links and files carry the stage where there is one, and only there."""
    prefix = "/dev/" if service == "REST API" else "/"
    page = ask(run, FILM, service).text
    links = set(re.findall(r'(?:href|src)="(/[^"]*)"', page))

    assert any("/static/" in link for link in links)
    assert len(links) > 5
    for link in links:
        assert link.startswith(prefix)
        assert ask(run, link.removeprefix(prefix), service).status_code in (200, 302), link


def test_a_form(run: Run) -> None:
    """A browser's origin is http here, though the function believes in https."""
    page = ask(run, "accounts/sign-up/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    cookies = "; ".join(f"{name}={text}" for name, text in page.cookies.items())
    answer = ask(
        run,
        "accounts/sign-up/",
        method="POST",
        headers={"Origin": run.stack.site_url, "Cookie": cookies},
        data={
            "csrfmiddlewaretoken": token[1],
            "username": "somebody",
            "password1": "a-long-word-4-tests",
            "password2": "a-long-word-4-tests",
        },
    )

    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith("/dev/")


@needs_chromium
def test_in_a_browser(run: Run) -> None:
    """At a URL, it keeps the secure cookies and may send forms; test_walk.py visits the APIs."""
    url = f"http://{HOSTS['URL']}:{run.stack.site_port}/"
    name = "visitor"
    complaints: list[str] = []
    with run_chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("requestfailed", lambda failed: complaints.append(failed.url))
        page.goto(f"{url}accounts/sign-up/")
        page.fill("[name=username]", name)
        page.fill("[name=password1]", "a-long-word-4-tests")
        page.fill("[name=password2]", "a-long-word-4-tests")
        page.press("[name=password2]", "Enter")
        page.wait_for_url(lambda there: "sign-up" not in there)
        assert page.url.startswith(url)
        assert name in page.inner_text("header")
        page.goto(f"{url}{FILM}")
        assert "The Matrix" in page.inner_text("h1")
        assert name in page.inner_text("header")
    assert complaints == []


def make_client(run: Run) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=run.stack.site_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_a_command(run: Run) -> None:
    answer = make_client(run).invoke(
        FunctionName="movies-dev-web", Payload=json.dumps({"manage": ["check"]})
    )

    assert json.loads(answer["Payload"].read()) == {
        "output": "System check identified no issues (0 silenced).\n",
        "exit_code": 0,
    }


def test_an_unknown_event(run: Run) -> None:
    answer = make_client(run).invoke(FunctionName="movies-dev-web", Payload=b'{"unknown": 1}')

    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "UnknownEvent"


def test_the_package_is_read_only(run: Run) -> None:
    """Also for the function of root."""
    [task_dir] = {
        word for word in find_command(run) if word.endswith("/task") and "/build/lambda/" in word
    }
    done = subprocess.run(
        [
            *("setpriv", "--inh-caps", "-dac_override", "--bounding-set", "-dac_override"),
            *("sh", "-c", f"echo > {task_dir}/new; echo >> {task_dir}/lambda_entry.py"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr.lower().count("permission denied") == 2


def find_command(run: Run) -> list[str]:
    pid = find_holder("tcp", run.stack.site_port).pid
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read().split("\0")


def test_the_map(run: Run) -> None:
    """It is the map that AWS would show: every service with its type, every call an edge."""
    ask(run, "app")
    ask(run, "")
    ask(run, "movies/")
    wanted = {
        (("movies-dev/dev", "client"), STAGE),
        (STAGE, LAMBDA),
        (LAMBDA, FUNCTION),
        (FUNCTION, ("Movies", "AWS::DynamoDB::Table")),
        (FUNCTION, ("MovieTerms", "AWS::DynamoDB::Table")),
        (FUNCTION, ("movies-posters", "AWS::S3::Bucket")),
        (FUNCTION, ("127.0.0.1", "remote")),
    }

    wait_until(lambda: wanted <= read_edges(run), f"The edges {wanted}")

    # What is called calls nobody.
    assert {source for source, _ in read_edges(run)} <= {
        ("movies-dev/dev", "client"),
        ("movies-dev-web", "client"),
        STAGE,
        LAMBDA,
        FUNCTION,
    }


Node = tuple[str, str]


def read_edges(run: Run) -> set[tuple[Node, Node]]:
    now = time.time()
    graph = load.make_xray_client(run).get_service_graph(StartTime=now - 3600, EndTime=now + 60)
    nodes = {each["ReferenceId"]: (each["Name"], each["Type"]) for each in graph["Services"]}
    return {
        (nodes[each["ReferenceId"]], nodes[edge["ReferenceId"]])
        for each in graph["Services"]
        for edge in each["Edges"]
    }


def test_a_trace(run: Run) -> None:
    """What the function sent hangs beneath Invocation, in the trace that the client named."""
    root = f"1-{int(time.time()):08x}-{'ab' * 12}"
    answer = ask(run, FILM, headers={"X-Amzn-Trace-Id": f"Root={root}"})
    assert answer.headers["X-Amzn-Trace-Id"].startswith(f"Root={root};")

    def read() -> dict[str, Any]:
        found = load.fetch(run, [root]).get(root, [])
        return {each["origin"]: each for each in found if "origin" in each}

    wait_until(lambda: "movies" in names_of(read()), "The site's own subsegment")
    function = read()["AWS::Lambda::Function"]
    parts = {part["name"]: part for part in function["subsegments"]}
    [request] = [part for part in parts["Invocation"]["subsegments"] if part["name"] == "movies"]
    assert request["http"]["response"]["status"] == 200
    assert "dynamodb" in {part["name"] for part in load.walk(request)}


@pytest.mark.parametrize("service", HOSTS)
def test_the_link_at_the_foot(run: Run, service: str) -> None:
    """It leads to the page's trace in the local X-Ray."""
    [link] = re.findall(rf'href="({run.stack.xray_url}/traces/[^"]+)"', ask(run, "", service).text)

    def shows_the_trace() -> bool:
        console = requests.get(link, timeout=10)
        return console.ok and "movies-dev-web" in console.text

    wait_until(shows_the_trace, f"The trace at {link}")


def names_of(documents: dict[str, Any]) -> set[str]:
    return {part["name"] for each in documents.values() for part in load.walk(each)}


def test_killed_under_load(run: Run) -> None:
    """Nobody is left without an answer, and X-Ray has all of every request that was answered."""
    report = load.load(run, seconds=40, kill_every_seconds=1, requests_each=4)

    assert report.failures == []
    assert report.incomplete == {}
    assert report.kills
    assert report.statuses.keys() <= {200, 404, 502, 504}, report.describe()
    assert report.statuses[502] <= report.kills
    assert report.statuses[200] > load.CLIENTS


def test_traffic(run: Run) -> None:
    """`make traffic` finds it, and stays behind the stage."""
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.traffic"],
        cwd=ROOT,
        env=make_run_environment(run.stack, SITE_PORT="9", REQUESTS="30"),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )

    assert ran.returncode == 0, ran.stderr
    assert "\n30 requests to " in ran.stdout
    assert " x 403" not in ran.stdout
    assert f"Their traces are at {run.stack.xray_url}/" in ran.stdout


def test_port_taken(run: Run) -> None:
    again = subprocess.run(
        load.AS_LAMBDA,
        cwd=ROOT,
        env=make_run_environment(run.stack),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert again.returncode == 1
    [line] = [line for line in again.stderr.splitlines() if "for the function" in line]
    assert "make lambda LAMBDA_PORT=" in line


def test_where_no_python_is_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_package.package, "PYTHON_VERSION", "3.99")

    python, version, said = lambda_package.find_interpreter()

    assert str(python) == sys.executable
    assert version == "{}.{}".format(*sys.version_info)
    assert said.startswith("Python 3.99, the function's, was not found: it runs with Python 3.")
    assert said.endswith(".venv/bin/uv python install 3.99")


def test_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_package.sys, "platform", "darwin")

    with pytest.raises(lambda_package.NoRuntime, match=r"make lambda needs Linux .* is darwin on"):
        lambda_package.prepare_function(lambda_package.Path(sys.executable), "3.13")


def test_variables(tmp_path: Any) -> None:
    """Of the terminal's own, only what is named comes along."""
    stack = choose_stack(tmp_path)
    variables = make_function_variables(
        stack, {"REMOTE_URL": "http://a/", "HOME": "/root", "DATABASE_URL": "sqlite:///:memory:"}
    )

    assert variables["REMOTE_URL"] == "http://a/"
    assert variables["DATABASE_URL"] == "sqlite:///:memory:"
    assert variables["DJANGO_SETTINGS_MODULE"] == "movies_site.settings"
    assert "HOME" not in variables
