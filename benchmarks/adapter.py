"""What an adapter adds to a call of the application: this project's gateway, and others.

One process for each adapter, on one core; see benchmarks/pairs.py. Each answers batches of events
through its adapter and, right before or after, of the same requests by calling the application
directly: with an environ that lies ready, to a body joined and decoded, for JSON takes nothing
else. The ratio of the two batches' CPU is the figure; medians, with 95 % confidence intervals.
Before anything is measured, every adapter's answer is looked at: one that answers wrongly is told
so, and not measured.

All of it twice: with memory as a function has it, where the kernel hands out each megabyte anew,
which takes many times what copying it takes; and where the C library keeps the memory that it once
had, so that a megabyte costs the least that it can, and what else an adapter does shows most.

    make bench                                   or
    .venv/bin/python -m benchmarks.adapter --rounds 100
The others are run where they are installed: in .venv-bench, which `make .venv-bench/bench.stamp`
makes, or in the environment of --python.
"""

import argparse
import base64
import importlib
import importlib.util
import io
import json
import logging
import os
import random
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from benchmarks.pairs import ROOT, Worker, count, estimate, serve, shuffled, tell

BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
WARM_UP_REQUESTS = 300
# What the C library does with memory, by its environment.
MEMORIES: dict[str, dict[str, str]] = {
    "Memory as a function has it:": {},
    "Memory that is kept:": {
        "MALLOC_TRIM_THRESHOLD_": str(2**28),
        "MALLOC_MMAP_THRESHOLD_": str(2**28),
    },
}
DISCARDED_ROUNDS = 2
LARGE_TEXT = "All work and no play makes Jack a dull boy.\n" * 22_728  # 1,000,032 bytes
HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.7",
    "Cache-Control": "max-age=0",
    "CloudFront-Viewer-Country": "IE",
    "Cookie": "sessionid=s1; csrftoken=c1",
    "Host": HOST,
    "Referer": f"https://{HOST}/dev/",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
    "X-Forwarded-For": "203.0.113.7, 130.176.1.2",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}
FORM = urlencode({"title": "Metropolis", "text": "x" * 2000}).encode()

Event = dict[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]


class Scenario:
    """A request, and what its answer has to have."""

    def __init__(self, path: str, body: bytes, size_bytes: int, budget: float | None) -> None:
        self.path = path
        self.body = body
        self.size_bytes = size_bytes
        self.budget = budget

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    def list_headers(self) -> dict[str, str]:
        if not self.body:
            return HEADERS
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return HEADERS | form | {"Content-Length": str(len(self.body))}

    def make_environ(self) -> dict[str, Any]:
        """Return what an adapter should make of it: what calling the application costs alone."""
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "/dev",
            "PATH_INFO": self.path,
            "QUERY_STRING": "genre=comedy&page=2",
            "CONTENT_LENGTH": str(len(self.body)),
            "CONTENT_TYPE": self.list_headers().get("Content-Type", ""),
            "SERVER_NAME": HOST,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "203.0.113.7",
            "wsgi.url_scheme": "https",
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            **{f"HTTP_{n.upper().replace('-', '_')}": text for n, text in HEADERS.items()},
        }

    def make_event(self, version: str) -> Event:
        """Return the event of a REST API (1.0) or of an HTTP API (2.0)."""
        body = {
            "body": base64.b64encode(self.body).decode() if self.body else None,
            "isBase64Encoded": bool(self.body),
        }
        headers = self.list_headers()
        if version == "2.0":
            return body | {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": self.path,
                "rawQueryString": "genre=comedy&page=2",
                "cookies": headers["Cookie"].split("; "),
                "headers": {n.lower(): text for n, text in headers.items() if n != "Cookie"},
                "requestContext": {
                    "accountId": "123456789012",
                    "apiId": "a1b2c3d4e5",
                    "domainName": HOST,
                    "http": {
                        "method": self.method,
                        "path": self.path,
                        "protocol": "HTTP/1.1",
                        "sourceIp": "203.0.113.7",
                        "userAgent": headers["User-Agent"],
                    },
                    "requestId": "TyKfpjqsjoEEJNg=",
                    "stage": "$default",
                },
            }
        return body | {
            "resource": "/{proxy+}",
            "path": self.path,
            "httpMethod": self.method,
            "headers": headers,
            "multiValueHeaders": {name: [text] for name, text in headers.items()},
            "queryStringParameters": {"genre": "comedy", "page": "2"},
            "multiValueQueryStringParameters": {"genre": ["comedy"], "page": ["2"]},
            "pathParameters": {"proxy": self.path.strip("/")},
            "stageVariables": None,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": HOST,
                "httpMethod": self.method,
                "identity": {"sourceIp": "203.0.113.7", "userAgent": headers["User-Agent"]},
                "path": f"/dev{self.path}",
                "protocol": "HTTP/1.1",
                "requestId": "5d5dd2f1-0d50-4b9e-9d4a-0c6c3e6d2b11",
                "stage": "dev",
            },
        }


SCENARIOS = {
    "GET hello": Scenario("/hello/", b"", 5, 1.35),
    "POST form": Scenario("/form/", FORM, 10, None),
    "GET 1 MB of text": Scenario("/large/", b"", len(LARGE_TEXT), 1.10),
}
VERSIONS = {"v1": "1.0", "v2": "2.0"}
CASES = {
    f"{version} {name}": (number, scenario)
    for name, scenario in SCENARIOS.items()
    for version, number in VERSIONS.items()
}


def set_up_site() -> None:
    """Configure Django for three views, without middleware and without a database."""
    import django
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def hello(request: HttpRequest) -> HttpResponse:
        return HttpResponse("hello")

    def form(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{request.POST['title']}")

    def large(request: HttpRequest) -> HttpResponse:
        return HttpResponse(LARGE_TEXT, content_type="text/plain; charset=utf-8")

    urls: Any = types.ModuleType("benchmarked_urls")
    urls.urlpatterns = [path("hello/", hello), path("form/", form), path("large/", large)]
    sys.modules[urls.__name__] = urls
    settings.configure(
        ROOT_URLCONF=urls.__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="none is needed here",  # noqa: S106
        USE_I18N=False,
        LOGGING_CONFIG=None,
    )
    django.setup(set_prefix=False)


def make_gateway(application: Any) -> Handler:
    from gateway import make_handler

    return make_handler(application)


def make_apig_wsgi(application: Any) -> Handler:
    from apig_wsgi import make_lambda_handler

    return make_lambda_handler(application)


def make_serverless_wsgi(application: Any) -> Handler:
    serverless_wsgi = importlib.import_module("serverless_wsgi")
    return lambda event, context: serverless_wsgi.handle_request(application, event, context)


def make_mangum(application: Any) -> Handler:
    import asyncio

    from django.core.asgi import get_asgi_application

    mangum = importlib.import_module("mangum")
    asyncio.set_event_loop(asyncio.new_event_loop())
    handler: Handler = mangum.Mangum(get_asgi_application(), lifespan="off")
    return handler


def make_awsgi(application: Any) -> Handler:
    awsgi = importlib.import_module("awsgi")
    return lambda event, context: awsgi.response(application, event, context)


def make_zappa(application: Any) -> Handler:
    """It reads a module of settings, and writes a line for each request: to nowhere here."""
    settings: Any = types.ModuleType("zappa_settings")
    settings.__dict__.update(
        APP_MODULE="zappa_settings",
        APP_FUNCTION="application",
        DJANGO_SETTINGS=None,
        LOG_LEVEL="INFO",
        BINARY_SUPPORT=True,
        CONTEXT_HEADER_MAPPINGS={},
        ENVIRONMENT_VARIABLES={},
        API_STAGE="dev",
        PROJECT_NAME="benchmark",
        DEBUG=False,
        DOMAIN=None,
        BASE_PATH=None,
        EXCEPTION_HANDLER=None,
        AWS_EVENT_MAPPING={},
        COGNITO_TRIGGER_MAPPING={},
        application=application,
    )
    sys.modules["zappa_settings"] = settings
    standard_output, sys.stdout = sys.stdout, io.StringIO()
    try:
        zappa = importlib.import_module("zappa.handler")
        handler: Handler = zappa.LambdaHandler("zappa_settings").handler
    finally:
        sys.stdout = standard_output
    logging.getLogger().handlers = [logging.StreamHandler(io.StringIO())]
    return handler


# What makes each, and the module that has to be there.
ADAPTERS: dict[str, tuple[Callable[[Any], Handler], str]] = {
    "gateway": (make_gateway, "gateway"),
    "apig-wsgi": (make_apig_wsgi, "apig_wsgi"),
    "serverless-wsgi": (make_serverless_wsgi, "serverless_wsgi"),
    "awsgi": (make_awsgi, "awsgi"),
    "Zappa": (make_zappa, "zappa"),
    "Mangum": (make_mangum, "mangum"),
}


class Context:
    """What adapters read of Lambda's context."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    function_name = "benchmark"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:benchmark"
    memory_limit_in_mb = "1024"
    log_group_name = "/aws/lambda/benchmark"
    log_stream_name = "2026/11/20/[$LATEST]0123456789abcdef"


def work(adapter: str) -> None:
    """Answer batches: through the adapter, or by calling the application directly."""
    set_up_site()
    from django.core.handlers.wsgi import WSGIHandler

    application: Any = WSGIHandler()
    handler = ADAPTERS[adapter][0](application)
    context = Context()
    events = {name: case[1].make_event(case[0]) for name, case in CASES.items()}
    environs = {name: case[1].make_environ() for name, case in CASES.items()}

    def call_directly(case: str) -> int:
        environ = environs[case] | {"wsgi.input": io.BytesIO(CASES[case][1].body)}
        chunks: Any = application(environ, lambda status, headers, info=None: None)
        body = b"".join(chunks).decode()
        chunks.close()
        return len(body)

    def answer_one(batch: dict[str, Any]) -> None:
        if batch["is_direct"]:
            call_directly(batch["case"])
        else:
            handler(events[batch["case"]], context)

    wrong = []
    for case, (_version, scenario) in CASES.items():
        assert call_directly(case) == scenario.size_bytes
        problem = find_problem(handler, events[case], context, scenario)
        if problem:
            wrong.append((case, problem))
            continue
        for _ in range(3 if "MB" in case else WARM_UP_REQUESTS):
            call_directly(case)
            handler(events[case], context)
    print(json.dumps(wrong), flush=True)
    serve(answer_one)


def find_problem(handler: Handler, event: Event, context: Any, scenario: Scenario) -> str:
    """Return what is wrong with an adapter's answer; nothing if it is right."""
    try:
        response = handler(event, context)
    except Exception as error:
        return repr(error)[:60]
    if int(response["statusCode"]) != 200:
        return f"answered {response['statusCode']}"
    body = response["body"]
    length = len(base64.b64decode(body) if response.get("isBase64Encoded") else body.encode())
    return "" if length == scenario.size_bytes else f"answered {length} bytes"


def find_python() -> str:
    """Return the interpreter that has the other adapters, or this one."""
    return str(BENCH_PYTHON) if BENCH_PYTHON.exists() else sys.executable


def list_installed(python: str) -> list[str]:
    """Return the adapters whose packages an interpreter has."""
    if python == sys.executable:
        return [name for name, kind in ADAPTERS.items() if importlib.util.find_spec(kind[1])]
    result = subprocess.run(
        [python, "-m", "benchmarks.adapter", "--list"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return result.stdout.split()


def measure(python: str, rounds: int, requests: int) -> None:
    """Measure the adapters that are there in turn, and print the tables."""
    names = list_installed(python)
    for title, memory in MEMORIES.items():
        print(title)
        measure_all(names, python, memory, rounds, requests)
    missing = [name for name in ADAPTERS if name not in names]
    if missing:
        print(f"Not installed for {python}: {', '.join(missing)}.")


def measure_all(
    names: list[str], python: str, memory: dict[str, str], rounds: int, requests: int
) -> None:
    """Measure the adapters with such a use of memory, and print the table."""
    workers: dict[str, Worker] = {}
    wrong: dict[tuple[str, str], str] = {}
    figures: dict[tuple[str, str], list[tuple[float, float]]] = {}
    try:
        for name in names:
            command = [python, "-m", "benchmarks.adapter", "--work", name]
            workers[name] = Worker(name, command, os.environ | memory)
        for name, worker in workers.items():
            wrong |= {(name, case): problem for case, problem in json.loads(worker.read_line())}
            worker.wait_until_ready()
        for number in count(DISCARDED_ROUNDS + rounds):
            for case in CASES:
                for name in shuffled(names):
                    if (name, case) in wrong:
                        continue
                    # The processes before have filled the core's caches with their own.
                    workers[name].run(1 + requests // 4, case=case, is_direct=True)
                    told = {
                        is_direct: workers[name].run(requests, case=case, is_direct=is_direct)
                        for is_direct in random.sample((True, False), 2)
                    }
                    if number >= DISCARDED_ROUNDS:
                        pair = told[True]["cpu_us"], told[False]["cpu_us"]
                        figures.setdefault((name, case), []).append(pair)
    finally:
        for worker in workers.values():
            worker.stop()
    print_table(names, figures, wrong)


def print_table(
    names: list[str],
    figures: dict[tuple[str, str], list[tuple[float, float]]],
    wrong: dict[tuple[str, str], str],
) -> None:
    """Print one line for each case and adapter."""
    print(f"{'case':<20}{'adapter':<17}{'direct us':>10}{'added us':>9}{'ratio':>7}  95 % CI")
    for case, (_version, scenario) in CASES.items():
        for name in names:
            if (name, case) in wrong:
                print(f"{case:<20}{name:<17}  {wrong[name, case]}")
                continue
            pairs = figures[name, case]
            ratio, low, high = estimate([through / direct for direct, through in pairs])
            direct = estimate([direct for direct, _through in pairs])[0]
            added = estimate([through - direct for direct, through in pairs])[0]
            verdict = ""
            if name == "gateway" and scenario.budget:
                verdict = f"  budget {scenario.budget:.2f} {tell(ratio <= scenario.budget)}"
            print(
                f"{case:<20}{name:<17}{direct:>10.1f}{added:>9.1f}{ratio:>7.2f}"
                f"  [{low:.2f}, {high:.2f}]{verdict}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="What an adapter adds to an application.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--requests", type=int, default=40, help="requests in a batch")
    parser.add_argument(
        "--python", default=find_python(), help="the interpreter that runs the adapters"
    )
    parser.add_argument("--work", choices=ADAPTERS, help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.list:
        print(*list_installed(sys.executable))
    elif arguments.work:
        work(arguments.work)
    else:
        measure(arguments.python, arguments.rounds, arguments.requests)


if __name__ == "__main__":
    main()
