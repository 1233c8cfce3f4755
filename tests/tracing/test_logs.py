"""Each line says which trace and which request it belongs to."""

import json
import logging
import sys
from pathlib import Path

import pytest
from django.http import HttpRequest

from tracing import xray_recorder
from tracing.logs import (
    JSONFormatter,
    OnceFilter,
    TextFormatter,
    TraceFilter,
    forget_request,
    remember_request,
    remember_trace,
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

    remember_request(request)
    segment = xray_recorder.begin_segment("test", sampling=1)
    TraceFilter().filter(inside)
    remember_trace(request, segment.trace_id)
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
    remember_request(request)
    remember_trace(request, TRACE_ID)
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
