"""The short way of PutTraceSegments: whatever is asked, it answers as Django does."""

import gzip
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from tests.xray_local.conftest import Console
from tests.xray_local.made import make_segment
from xray_local.shortcut import PATH, take_segments

# Django's own way ends with connections to databases, if other tests have any.
pytestmark = pytest.mark.django_db

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
GOOD = json.dumps({"TraceSegmentDocuments": [json.dumps(make_segment()), "{}"]}).encode()


def ask(
    application: Application, parts: dict[str, Any], body: bytes, changes: dict[str, str]
) -> tuple[str, dict[str, str], bytes]:
    """Return the status, the headers and the body of what the application answers."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "2000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:2000",
        "CONTENT_TYPE": "application/x-amz-json-1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        **parts,
        **changes,
    }
    started: list[Any] = []
    content = b"".join(application(environ, lambda *values: started.extend(values)))
    headers = dict(started[1])
    # Each answer has an id of its own.
    assert len(headers.pop("x-amzn-requestid", "-" * 36)) == 36
    return started[0], headers, content


@pytest.mark.parametrize(
    ("body", "changes", "status"),
    [
        (GOOD, {}, "200 OK"),
        (gzip.compress(GOOD), {"HTTP_CONTENT_ENCODING": "gzip"}, "200 OK"),
        (b"no JSON", {}, "400 Bad Request"),
        (b"", {}, "400 Bad Request"),
        (GOOD, {"REQUEST_METHOD": "GET"}, "405 Method Not Allowed"),
        (GOOD, {"REQUEST_METHOD": "OPTIONS"}, "405 Method Not Allowed"),
        (GOOD, {"HTTP_HOST": "evil.example"}, "403 Forbidden"),
        (GOOD, {"HTTP_ORIGIN": "http://evil.example"}, "403 Forbidden"),
        (GOOD, {"HTTP_ORIGIN": "http://127.0.0.1:2000"}, "200 OK"),
        (GOOD, {"HTTP_SEC_FETCH_SITE": "cross-site"}, "403 Forbidden"),
        (GOOD, {"QUERY_STRING": "a=b", "SCRIPT_NAME": ""}, "200 OK"),
    ],
)
def test_answers_are_django_s(
    console: Console, body: bytes, changes: dict[str, str], status: str
) -> None:
    parts = dict(console._environ)

    found = ask(take_segments, parts, body, changes)

    assert found == ask(WSGIHandler(), parts, body, changes)
    assert found[0] == status


def test_what_fails_is_an_error_of_the_server(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(documents: Iterable[bytes]) -> None:
        raise ZeroDivisionError

    parts = dict(console._environ)
    (key,) = parts
    object.__setattr__(parts[key], "send", fail)

    found = ask(take_segments, parts, GOOD, {})

    assert found == ask(WSGIHandler(), parts, GOOD, {})
    assert found[0].startswith("500 ")
    assert b"InternalFailure" in found[2]
    assert "ZeroDivisionError" in caplog.text
