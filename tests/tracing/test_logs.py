"""Each line says which trace and which request it belongs to."""

import contextvars
import copy
import json
import logging
import logging.handlers
import pickle
import shutil
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest

from tests.lambda_runtime import run_function
from tracing import Trace, xray_recorder
from tracing.logs import (
    JSONFormatter,
    OnceFilter,
    TextFormatter,
    TraceFilter,
    current_request_id,
    forget_request,
    install,
    remember_request,
)

from .conftest import ACTIVE, TRACE_ID, Runner


def make_record(
    message: str = "hello %s", *arguments: object, **extra: object
) -> logging.LogRecord:
    record = logging.LogRecord(
        "movies", logging.INFO, __file__, 1, message, arguments or None, None
    )
    record.__dict__.update(extra)
    return record


def test_json_and_text_inside_and_outside_a_request() -> None:
    request = HttpRequest()
    context = type("Context", (), {"aws_request_id": "REQ-1"})()
    request.META["apig_wsgi.context"] = context
    inside, outside, after = (make_record("hello %s", "you") for _ in range(3))

    ids = remember_request(request)
    segment = xray_recorder.begin_segment("test", sampling=1)
    TraceFilter().filter(inside)
    ids.trace_id = segment.trace_id
    segment.sampled = False
    xray_recorder.end_segment()
    forget_request()
    TraceFilter().filter(outside)
    after.request = request
    TraceFilter().filter(after)

    line = json.loads(JSONFormatter().format(inside))
    assert line["message"] == "hello you"
    assert line["trace_id"] == segment.trace_id
    assert line["request_id"] == "REQ-1"
    assert line["level"] == "INFO"
    assert line["timestamp"].endswith("+00:00")
    assert f"[trace {segment.trace_id} request REQ-1]" in TextFormatter().format(inside)
    assert json.loads(JSONFormatter().format(outside))["trace_id"] == "-"
    assert "[trace" not in TextFormatter().format(outside)
    # What Django logs when the last middleware has returned still knows its request.
    assert json.loads(JSONFormatter().format(after))["trace_id"] == segment.trace_id


def test_exceptions_are_one_line_of_json_without_secrets() -> None:
    record = make_record()
    record.args = ("you",)
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        record.exc_info = sys.exc_info()

    line = JSONFormatter().format(record)

    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: password=[redacted]")
    assert TextFormatter().format(record).endswith("ValueError: password=[redacted]")


def test_once_filter() -> None:
    once = OnceFilter()
    elsewhere = make_record("another name")
    elsewhere.lineno = 2

    assert [once.filter(make_record(f"name {number}")) for number in range(3)] == [
        True,
        False,
        False,
    ]
    assert once.filter(elsewhere)


def test_the_servers_line_carries_the_ids_of_the_request_before_it() -> None:
    request = HttpRequest()
    remember_request(request).trace_id = TRACE_ID
    forget_request()
    first, second = make_record("GET /"), make_record("GET /static/x.css")
    first.name = second.name = "django.server"

    TraceFilter().filter(first)
    TraceFilter().filter(second)

    assert TRACE_ID in TextFormatter().format(first)
    assert json.loads(JSONFormatter().format(second))["trace_id"] == "-"


@pytest.mark.parametrize("path", ["/missing", "/broken"])
def test_every_line_of_a_request_carries_its_ids(run: Runner, path: str) -> None:
    result = run({"path": path, "headers": {"X-Amzn-Trace-Id": ACTIVE}})

    (line,) = [
        line for line in result.log.splitlines() if path in line and "django.request" in line
    ]
    assert f"[trace {TRACE_ID} request " in line


def test_json_on_lambda(run: Runner, tmp_path: Path) -> None:
    result = run(
        {"path": "/missing", "trace": ACTIVE},
        {"path": "/missing", "trace": None},
        on_lambda=True,
        DJANGO_SETTINGS_MODULE="tests.tracing.site_settings_deployed",
        STATIC_ROOT=str(tmp_path),
    )

    traced, untraced = (json.loads(line) for line in result.log.splitlines())
    assert (traced["message"], traced["trace_id"]) == ("Not Found: /missing", TRACE_ID)
    assert (untraced["message"], untraced["trace_id"]) == ("Not Found: /missing", "-")
    assert "X-Amzn-Trace-Id" in result.answers[0]["headers"]
    assert "X-Amzn-Trace-Id" not in result.answers[1]["headers"]


@pytest.fixture
def installed() -> Iterator[None]:
    """Every record knows its ids during the test; the runtime's own factory comes back after."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    install()
    yield
    logging.setLogRecordFactory(before)


class Keeper(logging.Handler):
    """A handler of another package: no filter, and a format of its own."""

    def __init__(self, format: str = "%(trace_id)s %(request_id)s %(message)s") -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(format))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def logger() -> logging.Logger:
    """A logger that nobody else listens to."""
    logger = logging.Logger("elsewhere")
    logger.addHandler(Keeper())
    return logger


def lines_of(logger: logging.Logger) -> list[str]:
    (keeper,) = logger.handlers
    assert isinstance(keeper, Keeper)
    return keeper.lines


@pytest.fixture
def request_of_lambda() -> Iterator[HttpRequest]:
    """A request that Lambda calls REQ-1, in a trace that is over."""
    request = HttpRequest()
    request.META["apig_wsgi.context"] = type("Context", (), {"aws_request_id": "REQ-1"})()
    remember_request(request).trace_id = TRACE_ID
    yield request
    forget_request()


@pytest.mark.usefixtures("installed", "request_of_lambda")
def test_records_of_others_handlers_know_their_ids(logger: logging.Logger) -> None:
    logger.warning("inside")
    forget_request()
    logger.warning("outside")

    assert lines_of(logger) == [f"{TRACE_ID} REQ-1 inside", "- - outside"]


@pytest.mark.usefixtures("installed", "request_of_lambda")
def test_what_an_application_gives_as_extra_is_neither_refused_nor_replaced(
    logger: logging.Logger,
) -> None:
    logger.warning("mine", extra={"request_id": "my own", "trace_id": "mine too"})

    assert lines_of(logger) == ["mine too my own mine"]


@pytest.mark.usefixtures("installed", "request_of_lambda")
def test_records_that_are_formatted_later_know_where_they_were_made(
    logger: logging.Logger,
) -> None:
    (keeper,) = logger.handlers
    logger.handlers = [logging.handlers.MemoryHandler(10, logging.CRITICAL, keeper)]

    logger.warning("inside")
    forget_request()
    logger.handlers[0].close()

    assert isinstance(keeper, Keeper)
    assert keeper.lines == [f"{TRACE_ID} REQ-1 inside"]


@pytest.mark.usefixtures("installed", "request_of_lambda")
def test_records_are_copied_and_pickled_with_their_ids() -> None:
    record = logging.getLogRecordFactory()("x", 20, "f", 1, "hello %s", ("you",), None)
    forget_request()

    for made in (copy.copy(record), pickle.loads(pickle.dumps(record))):  # noqa: S301
        assert (made.trace_id, made.request_id, made.getMessage()) == (
            TRACE_ID,
            "REQ-1",
            "hello you",
        )
    assert not hasattr(record, "nothing")


@pytest.mark.usefixtures("request_of_lambda")
def test_the_factory_of_another_package_stays_in_use(logger: logging.Logger) -> None:
    class Special(logging.LogRecord):
        pass

    def make(*arguments: Any, **keywords: Any) -> logging.LogRecord:
        kind = Special if arguments[0] == "special" else logging.LogRecord
        record = kind(*arguments, **keywords)
        record.theirs = "theirs"
        return record

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(make)
    try:
        install()
        wrapped = logging.getLogRecordFactory()
        install()
        assert logging.getLogRecordFactory() is wrapped
        logger.handlers[0].setFormatter(logging.Formatter("%(theirs)s %(request_id)s"))
        logger.warning("hello")
        special = wrapped("special", 20, "f", 1, "hello", None, None)
    finally:
        logging.setLogRecordFactory(before)

    assert lines_of(logger) == ["theirs REQ-1"]
    assert type(special) is Special
    assert TraceFilter().filter(special)
    assert special.__dict__["request_id"] == "REQ-1"


@pytest.mark.usefixtures("installed")
def test_logging_works_where_tracing_does_not(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracing.current.current_trace", lambda: 1 / 0)

    logger.warning("hello")

    assert lines_of(logger) == ["- - hello"]


@pytest.mark.usefixtures("installed")
def test_the_sdks_zeros_are_no_trace(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = Trace(trace_id=f"1-{'0' * 8}-{'0' * 24}", is_sampled=False)
    monkeypatch.setattr("tracing.current.current_trace", lambda: zeros)

    logger.warning("hello")

    assert lines_of(logger) == ["- - hello"]


def test_a_request_id_is_made_once_and_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    monkeypatch.setattr(uuid, "uuid4", lambda: made.append("id") or f"id-{len(made)}")

    remember_request(HttpRequest())
    assert made == []
    with ThreadPoolExecutor(4) as pool:
        contexts = [contextvars.copy_context() for _ in range(8)]
        ids = set(pool.map(lambda context: context.run(current_request_id), contexts))
    forget_request()

    assert ids == {"id-1"}
    assert current_request_id() is None


# A function that logs as a project would, with Lambda's own handler or with one of its own.
ENTRY = """
import logging.config, os
from django.conf import settings
settings.configure()
from django.http import HttpRequest
from tracing import logs

if os.environ.get("OWN"):
    logging.config.dictConfig({
        "version": 1,
        "formatters": {"json": {"()": "tracing.logs.JSONFormatter"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": "INFO"},
    })
logs.install()
log = logging.getLogger("shop")

def handler(event, context):
    log.warning("before %s", "it")
    request = HttpRequest()
    request.META["apig_wsgi.context"] = context
    logs.remember_request(request)
    log.warning("sold %s", "a hat", extra={"price": 3})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")
    logs.forget_request()
    return context.aws_request_id
"""


def log_on_lambda(folder: Path, **variables: str) -> tuple[str, list[str]]:
    """Return the request id of an invocation and what the function logged, line by line."""
    task_dir = folder / "task"
    task_dir.mkdir()
    shutil.copytree("tracing", task_dir / "tracing")
    (task_dir / "entry.py").write_text(ENTRY)
    with run_function(task_dir, folder / "log", "entry.handler", **variables) as function:
        request_id = function.invoke({}, ACTIVE)
    lines = (folder / "log").read_text().splitlines()
    return request_id, [line for line in lines if "LAMBDA_WARNING" not in line]


@pytest.mark.parametrize("own", ["", "yes"])
def test_lambdas_json_format_says_each_record_once_by_lambdas_names(
    tmp_path: Path, own: str
) -> None:
    request_id, lines = log_on_lambda(tmp_path, AWS_LAMBDA_LOG_FORMAT="JSON", OWN=own)

    before, sold, broken = (json.loads(line) for line in lines)
    assert [line["message"] for line in (before, sold, broken)] == [
        "before it",
        "sold a hat",
        "broken",
    ]
    for line in (before, sold, broken):
        assert (line["requestId"], line["xrayTraceId"]) == (request_id, TRACE_ID)
        assert not {"trace_id", "request_id"} & line.keys()
        assert {"timestamp", "level", "logger"} < line.keys()
    assert (broken["errorType"], broken["errorMessage"]) == (
        "ZeroDivisionError",
        "division by zero",
    )
    assert "entry.py" in broken["location"]
    assert "1 / 0" in "".join(broken["stackTrace"])


def test_lambdas_text_format_ends_with_the_trace_id(tmp_path: Path) -> None:
    request_id, lines = log_on_lambda(tmp_path)

    sold = lines[1].split("\t")
    assert (sold[0], sold[2]) == ("[WARNING]", request_id)
    assert sold[3:] == ["sold a hat", f"XRAY TraceId: {TRACE_ID}"]
    assert sum("sold a hat" in line for line in lines) == 1
    assert any("ZeroDivisionError" in line for line in lines)
