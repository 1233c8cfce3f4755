"""The site as a Lambda function: the real runtime client runs it, as it would lie in /var/task."""

import base64
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import Daemon, walk
from tests.gateway.examples import Event, make_event
from tests.lambda_runtime import Function, FunctionError, make_task_dir, run_function

ROOT = "1-67891233-abcdef012345678912345678"
PARENT = "53995c3f42cd8ad8"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:fb3d4e2a:0"
UNSAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=0;Lineage=1:fb3d4e2a:0"
# What a function with PassThrough tracing gets: neither parent nor decision.
PASS_THROUGH = f"Root={ROOT};Lineage=1:fb3d4e2a:0"
NO_SUCH_FILM = "/movies/1999/No%20Such%20Film/"
# Run in the function's own folder, with its settings.
SET_UP = """
import django; django.setup()
from django.core.management import call_command
from movies.catalogue import add_movie
from movies.fields import MovieFields
for command in ("collectstatic", "migrate"):
    call_command(command, interactive=False, verbosity=0)
call_command("set_up")
add_movie(MovieFields.from_untrusted({"year": 2001, "title": "Amélie: 100% €"}))
"""
FILM = "/movies/2001/Am%C3%A9lie:%20100%25%20%E2%82%AC/"


@pytest.fixture(scope="module")
def variables(embedded_aws: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment that serverless.yml gives the function."""
    suffix = uuid.uuid4().hex[:12]
    sql = tmp_path_factory.mktemp("sql") / "site.sqlite3"
    return {
        "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        "DJANGO_SECRET_KEY": "a-long-random-string-for-the-tests-of-the-function",
        "DJANGO_ALLOWED_HOSTS": ".execute-api.eu-west-1.amazonaws.com,.on.aws,movies.example.org",
        "DATABASE_URL": f"sqlite:///{sql}",
        "MOVIES_TABLE": f"Movies-{suffix}",
        "MOVIES_TERMS_TABLE": f"MovieTerms-{suffix}",
        "POSTERS_BUCKET": f"posters-{suffix}",
        "AWS_ENDPOINT_URL": embedded_aws,
        "REMOTE_URL": "http://127.0.0.1:9/",
        "REMOTE_URL_SECOND": "http://127.0.0.1:9/",
        "REMOTE_TIMEOUT_SECONDS": "1",
        "STAGE": "dev",
    }


@pytest.fixture(scope="module")
def task_dir(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ships, in a folder of its own, with static files collected and a film to look at."""
    task_dir = make_task_dir(tmp_path_factory.mktemp("var") / "task")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    environment = {"PATH": os.environ["PATH"], "AWS_REGION": "eu-west-1"} | keys | variables
    subprocess.run([sys.executable, "-c", SET_UP], cwd=task_dir, env=environment, check=True)
    return task_dir


@pytest.fixture(scope="module")
def receiver() -> Iterator[Daemon]:
    daemon = Daemon()
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def running(
    task_dir: Path,
    variables: dict[str, str],
    receiver: Daemon,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Function]:
    """The function, warm: one environment for all tests that need no cold start."""
    log_path = tmp_path_factory.mktemp("log") / "function.log"
    with run_function(
        task_dir, log_path, AWS_XRAY_DAEMON_ADDRESS=receiver.address, **variables
    ) as function:
        function.invoke(make_request("/healthz"))
        yield function


@pytest.fixture
def function(running: Function, receiver: Daemon) -> Function:
    """The warm function, with nothing left of an earlier test's segments."""
    receiver.receive()
    receiver.datagrams.clear()
    return running


def make_request(path: str, method: str = "GET", query: str = "", **changes: Any) -> Event:
    """Return an event of a REST API's dev stage."""
    event = make_event("rest_api_get", path=path, httpMethod=method, **changes)
    event["requestContext"]["path"] = f"/dev{path}"
    event["requestContext"]["httpMethod"] = method
    parameters = dict(pair.split("=") for pair in query.split("&") if pair)
    event["queryStringParameters"] = parameters or None
    event["multiValueQueryStringParameters"] = {
        name: [value] for name, value in parameters.items()
    } or None
    return event


def make_post(path: str, fields: dict[str, str], cookies: list[str]) -> Event:
    body = base64.b64encode(urlencode(fields).encode()).decode()
    event = make_request(path, "POST", body=body, isBase64Encoded=True)
    host = event["requestContext"]["domainName"]
    event["multiValueHeaders"] |= {
        "Content-Type": ["application/x-www-form-urlencoded"],
        "Cookie": cookies,
        "Referer": [f"https://{host}/dev{path}"],
    }
    return event


def read_bytes(response: dict[str, Any]) -> bytes:
    body = response["body"]
    return base64.b64decode(body) if response["isBase64Encoded"] else body.encode()


def read_links(response: dict[str, Any]) -> set[str]:
    """Return the paths that a page links to."""
    page = read_bytes(response).decode()
    return set(re.findall(r'(?:href|action|src)="(/[^"]*)"', page))


def read_cookies(response: dict[str, Any]) -> dict[str, str]:
    """Return the cookies that a REST API's response sets."""
    texts = response["multiValueHeaders"].get("Set-Cookie", [])
    return dict(text.strip().partition(";")[0].split("=", 1) for text in texts)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("rest_api_get", "/dev"),
        ("rest_api_custom_domain", "/shop"),
        ("http_api_get", ""),
        ("http_api_named_stage", "/dev"),
        ("function_url_get", ""),
        ("load_balancer_get", ""),
        ("load_balancer_multi_value_get", ""),
    ],
)
def test_links_lead_back_to_the_function(function: Function, name: str, prefix: str):
    """By whichever road, in whatever order: the stage or base path is this event's."""
    event = make_event(name, rawQueryString="", queryStringParameters=None)
    event["multiValueQueryStringParameters"] = None

    response = function.invoke(event)

    links = read_links(response)
    pages = {link for link in links if "/static/" not in link}
    assert response["statusCode"] == 200
    assert f"{prefix}/movies/" in pages
    assert {link for link in pages if not link.startswith(f"{prefix}/")} == set()


@pytest.mark.parametrize(
    ("name", "prefix"), [("rest_api_get", "/dev"), ("rest_api_custom_domain", "/shop")]
)
def test_static_files_lie_behind_the_stage_too(function: Function, name: str, prefix: str):
    function.invoke(make_event("function_url_get", rawQueryString=""))
    event = make_event(name, queryStringParameters=None, multiValueQueryStringParameters=None)

    links = read_links(function.invoke(event))

    assert [link for link in links if link.startswith(f"{prefix}/static/movies/")]


def test_film_with_an_awkward_title(function: Function):
    response = function.invoke(make_request(FILM))

    assert response["statusCode"] == 200
    assert "Amélie: 100% €" in response["body"]

    event = make_event("http_api_get", rawPath="/movies/2001/Amélie: 100% €/", rawQueryString="")
    assert "Amélie: 100% €" in function.invoke(event)["body"]


def test_static_file_as_a_browser_asks_for_it(function: Function):
    links = read_links(function.invoke(make_request("/movies/")))
    [link] = [link for link in links if link.endswith(".css")]

    response = function.invoke(make_request(link.removeprefix("/dev")))

    headers = response["multiValueHeaders"]
    assert response["statusCode"] == 200
    assert headers["Content-Encoding"] in (["gzip"], ["br"])
    assert response["isBase64Encoded"]
    assert len(read_bytes(response)) == int(headers["Content-Length"][0])


def test_head(function: Function):
    response = function.invoke(make_request("/movies/", "HEAD"))

    assert (response["statusCode"], response["body"]) == (200, "")


def test_signing_up_keeps_every_cookie(function: Function):
    """A form in base64, a CSRF cookie and a session cookie, a redirect behind the stage."""
    page = function.invoke(make_request("/accounts/sign-up/"))
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page["body"])
    assert token
    cookies = read_cookies(page)
    password = uuid.uuid4().hex
    fields = {
        "csrfmiddlewaretoken": token[1],
        "username": f"zoë-{uuid.uuid4().hex[:8]}",
        "password1": password,
        "password2": password,
    }

    response = function.invoke(
        make_post("/accounts/sign-up/", fields, [f"csrftoken={cookies['csrftoken']}"])
    )

    assert response["statusCode"] == 302
    assert response["multiValueHeaders"]["Location"] == ["/dev/movies/"]
    cookies |= read_cookies(response)
    assert {"csrftoken", "sessionid"} <= set(cookies)
    event = make_request("/accounts/")
    event["multiValueHeaders"]["Cookie"] = [f"{name}={text}" for name, text in cookies.items()]
    assert fields["username"] in function.invoke(event)["body"]


def test_malformed_event(function: Function):
    assert function.invoke(make_request("/movies/", body=[]))["statusCode"] == 400


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"Records": []}, "UnknownEvent: Expected an HTTP event"),
        (make_event("sqs_batch"), "UnservedEvent: This function has no use for messages"),
        ({"manage": "migrate"}, "MalformedEvent: Expected 'manage' to be a list"),
    ],
)
def test_event_without_a_place(function: Function, event: Event, error: str):
    with pytest.raises(FunctionError, match=error) as caught:
        function.invoke(event)

    assert caught.value.error["errorType"] == error.partition(":")[0]
    assert function.invoke(make_request("/healthz"))["body"] == "ok\n"


def test_management_command(function: Function, receiver: Daemon):
    function.invoke(make_request("/healthz"))

    result = function.invoke({"manage": ["migrate", "--check"]}, SAMPLED)
    failed = function.invoke({"manage": ["migrate", "no_such_app"]})

    assert result == {"output": "", "exit_code": 0}
    assert failed["exit_code"] == 1
    assert "No installed app with label 'no_such_app'" in failed["output"]
    assert "'migrate' ended with the exit code 1" in function.read_log()
    [document] = receiver.documents(1)
    assert (document["name"], document["trace_id"]) == ("manage migrate", ROOT)
    assert function.invoke(make_request(FILM))["statusCode"] == 200


def test_request_makes_one_tree_under_the_functions_segment(function: Function, receiver: Daemon):
    function.invoke(make_request(FILM), SAMPLED)

    [document] = receiver.documents(1)
    assert document["type"] == "subsegment"
    assert (document["trace_id"], document["parent_id"]) == (ROOT, PARENT)
    assert document["http"]["response"]["status"] == 200
    assert document["http"]["request"]["client_ip"] == "203.0.113.7"
    assert "/dev/movies/2001/Am%C3%A9lie" in document["http"]["request"]["url"]
    assert document["annotations"]["route"] == "movie"
    names = {part["name"] for part in walk(document)}
    assert "dynamodb" in {name.lower() for name in names}
    assert not [part for part in walk(document) if part.get("in_progress")]


def test_each_invocation_has_its_own_trace(function: Function, receiver: Daemon):
    """The same trace again with another parent is what a retry looks like."""
    headers = [
        SAMPLED,
        SAMPLED.replace(PARENT, "aaaaaaaaaaaaaaaa"),
        SAMPLED.replace(ROOT, "1-67891234-bbbbbbbbbbbbbbbbbbbbbbbb"),
    ]

    for header in headers:
        function.invoke(make_request(NO_SUCH_FILM), header)

    documents = receiver.documents(3)
    assert [(document["trace_id"], document["parent_id"]) for document in documents] == [
        (ROOT, PARENT),
        (ROOT, "aaaaaaaaaaaaaaaa"),
        ("1-67891234-bbbbbbbbbbbbbbbbbbbbbbbb", PARENT),
    ]


@pytest.mark.parametrize("header", [SAMPLED, UNSAMPLED, PASS_THROUGH, None])
def test_b1_page_is_the_same_whatever_the_trace_is_in(function: Function, header: str | None):
    """A 404 raised in a view stays a 404 where the header has no parent."""
    assert function.invoke(make_request(NO_SUCH_FILM), header)["statusCode"] == 404
    assert function.invoke(make_request(FILM), header)["statusCode"] == 200


@pytest.mark.parametrize("header", [UNSAMPLED, PASS_THROUGH, None])
def test_unsampled_request_sends_nothing(function: Function, receiver: Daemon, header: str | None):
    function.invoke(make_request(FILM), SAMPLED)
    assert len(receiver.documents(1)) == 1

    function.invoke(make_request(FILM), header)

    assert len(receiver.receive()) == 1


def test_not_found_is_an_error_and_no_fault(function: Function, receiver: Daemon):
    function.invoke(make_request(NO_SUCH_FILM), SAMPLED)

    [document] = receiver.documents(1)
    assert document["http"]["response"]["status"] == 404
    assert document["error"] is True
    assert "fault" not in document


def test_health_check_makes_no_trace(function: Function, receiver: Daemon):
    assert function.invoke(make_request("/healthz"), SAMPLED)["statusCode"] == 200

    assert receiver.receive() == []


def test_init_loads_what_every_request_needs_and_no_more(
    task_dir: Path, variables: dict[str, str], tmp_path: Path
):
    """Without a warning, and with nothing left for the collector to look through."""
    program = (
        "import gc, sys; "
        "print(*(name in sys.modules for name in "
        "('movies.views.movies', 'django.contrib.messages.storage.cookie', 'boto3', 'requests')), "
        "gc.get_freeze_count() > 50_000)"
    )
    with run_function(task_dir, tmp_path / "log", **variables) as function:
        result = function.invoke({"manage": ["shell", "--no-imports", "-c", program]})

        log = function.read_log()
    assert result == {"output": "True True False False True\n", "exit_code": 0}
    assert [line for line in log.splitlines() if "'shell' ended well" not in line] == []


def test_only_the_first_request_is_a_cold_start(
    task_dir: Path, variables: dict[str, str], receiver: Daemon, tmp_path: Path
):
    receiver.receive()
    receiver.datagrams.clear()
    address = receiver.address
    with run_function(
        task_dir, tmp_path / "log", AWS_XRAY_DAEMON_ADDRESS=address, **variables
    ) as cold:
        for _request in range(3):
            cold.invoke(make_request(NO_SUCH_FILM), SAMPLED)

        documents = receiver.documents(3)

    starts = [document["annotations"]["cold_start"] for document in documents]
    assert starts == [True, False, False]


def test_function_without_a_secret_key_says_so(
    task_dir: Path, variables: dict[str, str], tmp_path: Path
):
    without = {name: text for name, text in variables.items() if name != "DJANGO_SECRET_KEY"}

    with (
        run_function(task_dir, tmp_path / "log", **without) as function,
        pytest.raises(RuntimeError, match="DJANGO_SECRET_KEY is not set"),
    ):
        function.invoke(make_request("/healthz"))

    assert function.init_error
    assert function.init_error["errorType"] == "ImproperlyConfigured"


def test_answer_over_the_limit_leaves_the_function_alive(task_dir: Path, tmp_path: Path):
    """Without the guard the runtime client is answered 413, and ends."""
    (task_dir / "large.py").write_text(
        "from gateway import make_handler\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [b'x' * int(environ['PATH_INFO'][1:])]\n"
        "handler = make_handler(application)\n"
    )
    with run_function(task_dir, tmp_path / "log", handler="large.handler") as function:
        too_large = function.invoke(make_request("/6300000"))
        large = function.invoke(make_request("/6200000"))

    assert too_large["statusCode"] == 500
    assert (large["statusCode"], len(large["body"])) == (200, 6_200_000)


def test_messages_of_a_queue(
    task_dir: Path, variables: dict[str, str], receiver: Daemon, tmp_path: Path
):
    """Each in a subsegment that names the trace of its sender; what failed comes again."""
    (task_dir / "messages.py").write_text(
        "from gateway import make_handler\n"
        "from movies_site.wsgi import application\n"
        "from django.contrib.auth.models import User\n"
        "def handle(message):\n"
        "    User.objects.count()\n"
        "    if message.body == 'Metropolis':\n"
        "        raise LookupError(message.body)\n"
        "handler = make_handler(application, on_message=handle)\n"
    )
    receiver.receive()
    receiver.datagrams.clear()
    event = make_event("sqs_batch")
    trace = "1-67891234-bbbbbbbbbbbbbbbbbbbbbbbb"
    with run_function(
        task_dir,
        tmp_path / "log",
        handler="messages.handler",
        AWS_XRAY_DAEMON_ADDRESS=receiver.address,
        **variables,
    ) as function:
        response = function.invoke(event, SAMPLED.replace(ROOT, trace))
        log = function.read_log()

    [good, bad] = event["Records"]
    assert response == {"batchItemFailures": [{"itemIdentifier": bad["messageId"]}]}
    assert f"Message '{bad['messageId']}' of the queue 'films' failed." in log
    documents = receiver.documents(2)
    assert [(document["name"], document["trace_id"]) for document in documents] == [
        ("films", trace)
    ] * 2
    assert documents[0]["annotations"]["sender_trace_id"] == ROOT
    sender = dict(part.split("=") for part in good["attributes"]["AWSTraceHeader"].split(";"))
    assert documents[0]["links"] == [{"trace_id": ROOT, "id": sender["Parent"]}]
    assert [part["namespace"] for part in documents[0]["subsegments"]] == ["remote"]
    assert documents[1]["fault"] is True


# Static files are collected when packaging.
@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.django_db
def test_handler_in_this_process():
    from lambda_entry import lambda_handler

    event = make_request("/healthz")
    event["multiValueHeaders"]["Host"] = ["localhost"]

    assert lambda_handler(event, None)["statusCode"] == 200
