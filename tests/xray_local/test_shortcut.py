"""The short way of PutTraceSegments: whatever is asked, it answers as Django does."""

import gzip
import json
import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from tests.xray_local.conftest import Console
from tests.xray_local.made import make_segment, make_subsegment
from xray_local.api.segments import DOCUMENTS_MAX
from xray_local.errors import IntakeDown
from xray_local.http_server import Server
from xray_local.intake.arrivals import Document, is_usual, read_documents
from xray_local.parts import KEY, Parts
from xray_local.shortcut import REQUEST_LINE, Shortcut

# Django's own way ends with connections to databases, if other tests have any.
pytestmark = pytest.mark.django_db

HOST = b"Host: 127.0.0.1:2000\r\n"
LINE = REQUEST_LINE


class Way:
    """A server that answers, by the shortcut or without; notes what it passed on."""

    def __init__(self, folder: Path, is_short: bool) -> None:
        self.sent: list[list[bytes]] = []
        self.error: Exception | None = None
        self.long = 0  # how many requests went the long way
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        parts = Parts(folder / "x.sqlite3", self._send, self._udp, lambda: {"forwarded": 1})
        django = WSGIHandler()

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            self.long += 1
            environ[KEY] = parts
            return django(environ, start_response)

        listening = socket.create_server(("127.0.0.1", 0))
        self._address = listening.getsockname()
        shortcut = Shortcut(self._send) if is_short else None
        self._server = Server(listening, answer, shortcut)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def _send(self, documents: Iterable[bytes]) -> None:
        if self.error:
            raise self.error
        self.sent.append(list(documents))

    def connect(self) -> socket.socket:
        return socket.create_connection(self._address, timeout=10)

    def ask(self, *pieces: bytes) -> bytes:
        """Return all that is answered to what is sent, without what differs each time."""
        with self.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02 if len(pieces) > 1 else 0)  # so that they are read one by one
            connection.shutdown(socket.SHUT_WR)
            answered = b""
            while data := connection.recv(65_536):
                answered += data
        answered = re.sub(rb"x-amzn-requestid: [0-9a-f-]{36}\r\n", b"an id\r\n", answered)
        return re.sub(rb"Date: [^\r]+ GMT\r\n", b"a date\r\n", answered)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._udp.close()


@pytest.fixture
def ways(tmp_path: Path, console: Console) -> Iterator[tuple[Way, Way]]:
    """The short one and the long one."""
    short, long = Way(tmp_path, is_short=True), Way(tmp_path, is_short=False)
    yield short, long
    short.stop()
    long.stop()


def make_body(*documents: dict[str, Any] | str) -> bytes:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in documents]
    return json.dumps({"TraceSegmentDocuments": texts}).encode()


def make_request(body: bytes, headers: bytes = HOST, line: bytes = LINE) -> bytes:
    return b"%s%sContent-Length: %d\r\n\r\n%s" % (line, headers, len(body), body)


GOOD = make_body(make_segment(), make_segment())
AS_BOTO3_DOES = (
    b"Accept-Encoding: identity\r\nContent-Type: application/json\r\n"
    b"User-Agent: Boto3/1.44.5 md/Botocore#1.44.5\r\nX-Amz-Date: 20261122T070000Z\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=a/20261122/eu-west-1/xray/aws4_request, "
    b"SignedHeaders=content-type;host;x-amz-date, Signature=0\r\n"
    b"amz-sdk-invocation-id: 8135df0b-c245-44d7-8543-33aba8f4d329\r\n"
    b"amz-sdk-request: attempt=1\r\n"
)
NOT_DEEP = {**make_segment(), "metadata": {"a": {"b": json.loads("[" * 350 + "]" * 350)}}}


@pytest.mark.parametrize(
    "request_",
    [
        make_request(GOOD),
        make_request(GOOD, b"HOST:127.0.0.1:2000\r\n" + AS_BOTO3_DOES),
        make_request(GOOD, HOST + b"Connection: Keep-Alive\r\nX-Amzn-Xray-Timestamp: 1.5\r\n"),
        make_request(make_body()),
        make_request(make_body(make_subsegment("late", trace_id=make_segment()["trace_id"]))),
        make_request(make_body(NOT_DEEP)),
        make_request(b' { "TraceSegmentDocuments" : [ ] } '),
        make_request(GOOD) * 3,
    ],
)
def test_what_is_usual_goes_the_short_way(ways: tuple[Way, Way], request_: bytes) -> None:
    short, long = ways

    found = short.ask(request_)

    assert found == long.ask(request_)
    assert found.startswith(b"HTTP/1.1 200 OK\r\n")
    assert found.count(b'{"UnprocessedTraceSegments":[]}') == long.long
    assert short.sent == long.sent
    assert short.long == 0


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (make_request(GOOD, HOST, b"GET /TraceSegments HTTP/1.1\r\n"), 405),
        (make_request(GOOD, HOST, b"POST /TraceSegments?a=b HTTP/1.1\r\n"), 200),
        (make_request(GOOD, HOST, b"POST /TraceSegments HTTP/1.0\r\n"), 200),
        (make_request(GOOD, HOST, b"POST /Groups HTTP/1.1\r\n"), 200),
        # The head.
        (make_request(GOOD, b"Host: evil.example\r\n"), 403),
        (make_request(GOOD, b""), 200),
        (make_request(GOOD, HOST + b"Host: localhost\r\n"), None),
        (make_request(GOOD, HOST + b"Origin: http://evil.example\r\n"), 403),
        (make_request(GOOD, HOST + b"Origin: http://127.0.0.1:2000\r\n"), 200),
        (make_request(GOOD, HOST + b"Sec-Fetch-Site: cross-site\r\n"), 403),
        (make_request(GOOD, HOST + b"Connection: close\r\n"), 200),
        (make_request(GOOD, HOST + b"Expect: 100-continue\r\n"), 100),
        (make_request(GOOD, HOST + b"Unheard-Of: yes\r\n"), 200),
        (make_request(GOOD, HOST + b"X-Xray-Local-Forwarded: 1\r\n"), 400),
        (make_request(gzip.compress(GOOD), HOST + b"Content-Encoding: gzip\r\n"), 200),
        (make_request(GOOD, HOST + b"Content-Length: 3\r\n"), None),
        (make_request(GOOD, HOST + b"Accept: a\nOrigin: http://evil.example\r\n"), 403),
        (make_request(GOOD, HOST + b"Accept: a\rOrigin: http://evil.example\r\n"), None),
        (make_request(GOOD, HOST + b"Accept: a\r\n Origin: b\r\n"), 200),
        (make_request(GOOD, HOST + b"Accept\r\n"), None),
        (make_request(GOOD, HOST + b"Accept : a\r\n"), None),
        (make_request(GOOD, HOST + b"User-Agent: %s\r\n" % (b"a" * 10_000)), 200),
        (make_request(GOOD, HOST + b"Content-Type: a; charset=\0\r\n"), 500),
        (LINE + HOST + b"\r\n", 400),
        (LINE + HOST + b"Content-Length: 3x\r\n\r\n{}", 411),
        (LINE + HOST + b"Content-Length: 99999999\r\n\r\n{}", 413),
        (LINE + HOST + b"Content-Length: %s\r\n\r\n{}" % (b"9" * 5000), 413),
        (LINE + HOST + b"Content-Length: 500\r\n\r\n" + GOOD[:100], 400),
        (LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
        # The body.
        (make_request(b""), 400),
        (make_request(b"no JSON"), 400),
        (make_request(b"[]"), 400),
        (make_request(b'{"TraceSegmentDocuments": "a"}'), 400),
        (make_request(b'{"TraceSegmentDocuments": [1]}'), 400),
        (make_request(b'{"TraceSegmentDocuments": null}'), 400),
        (make_request(b'{"Other": 1, "TraceSegmentDocuments": []}'), 200),
        (make_request(b'{"Other": 1e999, "TraceSegmentDocuments": []}'), 400),
        (make_request(b'{"\xff": 1, "TraceSegmentDocuments": []}'), 400),
        (make_request(b'{"TraceSegmentDocuments": ["\\ud800"]}'), 400),
        (make_request(b'{"TraceSegmentDocuments": ["\xff"]}'), 400),
        (make_request(make_body(*[make_segment()] * (DOCUMENTS_MAX + 1))), 400),
        # The documents.
        (make_request(make_body(make_segment(), "{}")), 200),
        (make_request(make_body(make_segment(), "no JSON")), 200),
        (make_request(make_body({**make_segment(), "start_time": "now"})), 200),
        (make_request(make_body({**make_segment(), "type": "subsegment"})), 200),
        (make_request(make_body("[" * 500 + "]" * 500)), 200),
        (make_request(make_body(json.dumps(make_segment()) * 2)), 200),
    ],
)
def test_all_else_is_left_to_django(
    ways: tuple[Way, Way], request_: bytes, status: int | None
) -> None:
    short, long = ways

    found = short.ask(request_)

    assert found == long.ask(request_)
    assert status is None or found.startswith(b"HTTP/1.1 %d " % status)
    assert short.sent == long.sent
    assert short.long == long.long


@pytest.mark.parametrize("spaces", [b" ", b"\t", b" \t "])
def test_spaces_around_the_length_are_no_part_of_it(ways: tuple[Way, Way], spaces: bytes) -> None:
    request = make_request(GOOD).replace(b"Content-Length: ", b"Content-Length:" + spaces)
    request = request.replace(b"\r\n\r\n", spaces + b"\r\n\r\n")

    assert ways[0].ask(request).startswith(b"HTTP/1.1 200 OK")
    assert ways[1].ask(request).startswith(b"HTTP/1.1 200 OK")
    assert ways[0].sent == ways[1].sent


@pytest.mark.parametrize("depth", [*range(394, 402), *range(960, 1000)])
def test_levels_of_a_document(ways: tuple[Way, Way], depth: int) -> None:
    """Some are too many for us, some for the stack, at a place that both ways have elsewhere."""
    head = json.dumps(make_segment())[:-1]
    for inner in ("", "1e999"):
        tail = "[" * depth + inner + "]" * depth
        body = make_body(f'{head}, "y": {tail}}}', make_segment())

        answers = [way.ask(make_request(body)) for way in ways]

        assert answers[0] == answers[1]
        assert answers[0].startswith(b"HTTP/1.1 200 OK")
        assert (b'"ErrorCode":"ParseError"' in answers[0]) == (depth > 399)


def test_what_is_taken_is_not_refused_when_it_is_stored() -> None:
    body = json.dumps({**make_segment(), "user": 1, "metadata": {"a": {"b": 0}}})
    for depth in range(390, 410):
        deep = body.replace(": 0}}", f": {'[' * depth}1{']' * depth}}}}}").encode()
        arrived = read_documents(deep)

        assert is_usual(deep) <= (len(arrived) == 1 and isinstance(arrived[0], Document))


def test_a_body_that_is_too_large_is_not_waited_for(ways: tuple[Way, Way]) -> None:
    with ways[0].connect() as connection:
        connection.sendall(LINE + HOST + b"Content-Length: 99999999\r\n\r\n")

        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_heads_may_come_in_pieces(ways: tuple[Way, Way]) -> None:
    request = make_request(GOOD, HOST + AS_BOTO3_DOES)

    for place in (1, len(LINE), len(LINE) + 10, request.index(b"\r\n\r\n") + 3, len(request) - 5):
        for way in ways:
            assert way.ask(request[:place], request[place:]).startswith(b"HTTP/1.1 200 OK")

    assert ways[0].sent == ways[1].sent


def test_what_comes_next_is_answered(ways: tuple[Way, Way]) -> None:
    asked = make_request(GOOD) + make_request(b"no JSON") + make_request(GOOD)

    short, long = (way.ask(asked) for way in ways)

    assert short == long
    assert re.findall(rb"HTTP/1.1 (\d+)", short) == [b"200", b"400", b"200"]
    assert ways[0].long == 1


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (IntakeDown("It is being started again."), 429, b"It is being started again."),
        (ZeroDivisionError(), 500, b"InternalFailure"),
    ],
)
def test_what_fails_is_an_error_of_the_server(
    ways: tuple[Way, Way],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    text: bytes,
) -> None:
    for way in ways:
        way.error = error

    short, long = (way.ask(make_request(GOOD)) for way in ways)

    assert short == long
    assert short.startswith(b"HTTP/1.1 %d " % status)
    assert text in short
    assert type(error).__name__ in caplog.text or status == 429
