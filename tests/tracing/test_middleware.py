"""What a request's segment says."""

import asyncio
import gc
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import copy_context
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from aws_xray_sdk.core.recorder import SERVICE_INFO, XRAY_META
from django.contrib.auth.models import User
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

import tracing
from tests.conftest import Daemon, walk
from tests.segment_schema import find_mistakes
from tracing.context import innermost
from tracing.middleware import XRayMiddleware, answer_request, begin_request, read_user

from .conftest import ACTIVE, PARENT_ID, PASS_THROUGH, TRACE_ID, UNSAMPLED, Runner


def test_a_segment_describes_its_request(run: Runner) -> None:
    result = run(
        {"path": "/ok", "headers": {"User-Agent": "probe/1"}}, STAGE="test", RELEASE="1.2.3"
    )

    segment = result.documents[0]
    assert segment["name"] == "movies"
    assert segment["http"]["request"] == {
        "url": "http://localhost/ok",
        "method": "GET",
        "user_agent": "probe/1",
        "client_ip": "192.0.2.7",
    }
    assert segment["http"]["response"] == {"status": 200, "content_length": 2}
    assert segment["annotations"] == {"stage": "test", "release": "1.2.3", "route": "ok"}
    assert segment["end_time"] >= segment["start_time"]
    assert result.answers[0]["headers"]["X-Amzn-Trace-Id"] == f"Root={segment['trace_id']}"


def test_a_trace_that_came_with_the_request_goes_on(run: Runner) -> None:
    result = run(
        {"path": "/trace", "headers": {"X-Amzn-Trace-Id": f"{ACTIVE}"}},
        {"path": "/trace", "headers": {"X-Amzn-Trace-Id": UNSAMPLED}},
        {"path": "/trace", "headers": {"X-Amzn-Trace-Id": f"Root={TRACE_ID};Sampled=?"}},
        {"path": "/trace", "headers": {"X-Amzn-Trace-Id": "Root=../../etc;Parent=x;Sampled=1"}},
    )

    assert [document["trace_id"] for document in result.documents[:2]] == [TRACE_ID, TRACE_ID]
    assert result.documents[0]["parent_id"] == PARENT_ID
    assert "parent_id" not in result.documents[1]
    assert len(result.documents) == 3
    assert result.documents[2]["trace_id"].startswith("1-")
    told = [json.loads(answer["body"]) for answer in result.answers]
    assert told[1] == {"trace_id": TRACE_ID, "is_sampled": False}
    assert result.answers[2]["headers"]["X-Amzn-Trace-Id"] == f"Root={TRACE_ID};Sampled=1"


def test_ignored_paths_make_no_trace(run: Runner) -> None:
    result = run("/healthz", "/healthzx", "/static/none.css")

    assert [answer["status"] for answer in result.answers] == [200, 404, 404]
    assert [part["http"]["request"]["url"] for part in result.documents] == [
        "http://localhost/healthzx"
    ]


def test_switched_off_nothing_is_sent(run: Runner) -> None:
    result = run("/queries", "/annotated", "/leaky", AWS_XRAY_SDK_ENABLED="false")

    assert [answer["status"] for answer in result.answers] == [200, 200, 200]
    assert result.datagrams == []


def test_n5_on_lambda_one_datagram_hangs_under_the_function(run: Runner) -> None:
    result = run(
        {"path": "/queries", "trace": ACTIVE},
        {"path": "/queries", "trace": ACTIVE.replace(PARENT_ID, "b" * 16)},
        on_lambda=True,
    )

    assert len(result.datagrams) == 2
    first, second = result.documents
    assert (first["type"], first["trace_id"], first["parent_id"]) == (
        "subsegment",
        TRACE_ID,
        PARENT_ID,
    )
    assert (first["annotations"]["cold_start"], second["annotations"]["cold_start"]) == (
        True,
        False,
    )
    assert [child["name"] for child in first["subsegments"]] == ["default@sqlite"]


def test_an_unsampled_request_uses_the_cold_start_up(run: Runner) -> None:
    result = run(
        {"path": "/ok", "trace": UNSAMPLED}, {"path": "/ok", "trace": ACTIVE}, on_lambda=True
    )

    assert [document["annotations"]["cold_start"] for document in result.documents] == [False]


def test_the_path_is_escaped_once(run: Runner) -> None:
    result = run("/100% caf\u00e9?q=1")

    url = result.documents[0]["http"]["request"]["url"]
    assert url == "http://localhost/100%25%20caf%C3%A9"


def test_an_unhandled_exception_is_one_fault_with_its_stack(run: Runner) -> None:
    result = run("/broken")

    segment = result.documents[0]
    assert len(segment["cause"]["exceptions"]) == 1
    exception = segment["cause"]["exceptions"][0]
    assert exception["type"] == "ValueError"
    assert exception["stack"][0]["label"] == "broken"
    assert exception["stack"][0]["path"].endswith("tests/tracing/urls.py")
    assert exception["stack"][0]["line"] > 0
    assert result.log.count("Traceback") == 1
    assert result.log.count("ERROR") == 1


def test_a_failure_marked_by_hand_leaves_the_request_alone(run: Runner) -> None:
    result = run("/failing-step", "/captured")

    assert "fault" not in result.documents[0]
    step = result.find("by hand")
    assert step["fault"] is True
    assert step["cause"]["exceptions"][0]["message"] == "step failed"
    assert "fault" not in result.find("captured")


def test_no_secret_leaves(run: Runner) -> None:
    result = run(
        {
            "path": "/queries?password=secret-1&next=/x",
            "headers": {
                "Cookie": "sessionid=secret-2",
                "Authorization": "Bearer secret-3",
                "Referer": "http://localhost/?token=secret-4",
            },
        },
        "/broken?api_key=secret-5",
        "/bad-query",
        "/remote?url=http://user:secret-6@127.0.0.1:9/path%3Ftoken%3Dsecret-7",
        "/secrets",
    )

    sent = b"".join(result.datagrams)
    for secret in (b"secret-", b"hunter2", b"parameter secret", b"literal secret"):
        assert secret not in sent
    assert b"SELECT %s" in sent
    assert b"The view broke" in sent
    # What is no secret stays.
    account = result.find("call https://example.com/pathredacted")["metadata"]["default"]["account"]
    assert account == {"name": "alice", "password": "[redacted]"}
    assert "hunter2" not in result.log
    assert "secret-" not in result.log


def test_no_daemon_no_harm(run: Runner) -> None:
    for address in ("127.0.0.1:9", "no-such-host.invalid:2000"):
        result = run("/ok", "/many", "/ok", AWS_XRAY_DAEMON_ADDRESS=address)

        assert [answer["status"] for answer in result.answers] == [200, 200, 200]
        assert len(result.log.splitlines()) <= 1, result.log


class Echo(BaseHTTPRequestHandler):
    """Answers with the tracing header that it got."""

    def do_GET(self) -> None:
        body = self.headers.get("X-Amzn-Trace-Id", "none").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    """The URL of an Echo."""
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/echo"
        server.shutdown()


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (ACTIVE, f"Root={TRACE_ID};Parent=*;Sampled=1;Lineage=1:2:3"),
        (UNSAMPLED, f"Root={TRACE_ID};Parent={PARENT_ID};Sampled=0;Lineage=1:2:3"),
        (PASS_THROUGH, f"Root={TRACE_ID};Lineage=1:2:3"),
    ],
    ids=["active", "unsampled", "pass-through"],
)
def test_w14_the_trace_goes_on_downstream(
    run: Runner, echo: str, trace: str, expected: str
) -> None:
    result = run({"path": f"/remote?url={echo}", "trace": trace}, on_lambda=True)

    status, _, header = result.answers[0]["body"].partition(" ")
    assert status == "200"
    if result.documents:
        subsegment = result.find("127.0.0.1")
        assert subsegment["http"]["request"] == {"url": echo, "method": "GET"}
        assert subsegment["http"]["response"] == {"status": 200, "content_length": len(header)}
        expected = expected.replace("*", subsegment["id"])
    assert header == expected


def test_w14_a_server_passes_on_what_it_was_told(run: Runner, echo: str) -> None:
    asked = {"path": f"/remote?url={echo}", "headers": {"X-Amzn-Trace-Id": UNSAMPLED}}

    result = run(asked)

    assert result.answers[0]["body"] == f"200 {UNSAMPLED}"
    assert result.answers[0]["headers"]["X-Amzn-Trace-Id"] == f"Root={TRACE_ID}"
    assert result.datagrams == []


def test_a_remote_that_refuses_is_a_fault_of_its_subsegment(run: Runner) -> None:
    result = run("/remote?url=http://127.0.0.1:9/closed")

    assert result.answers[0]["body"] == "failed: ConnectionError"
    subsegment = result.find("127.0.0.1")
    assert subsegment["fault"] is True
    assert subsegment["namespace"] == "remote"
    assert "fault" not in result.documents[0]


def test_a_view_that_meddles_with_segments_loses_no_request(run: Runner) -> None:
    on_lambda = run({"path": "/cleared", "trace": ACTIVE}, on_lambda=True)
    result = run("/own-segment", "/cleared", "/ended", "/ok")

    assert on_lambda.names() == ["movies", "forgotten"]
    assert [answer["status"] for answer in result.answers] == [200, 200, 200, 200]
    assert [answer["open"] for answer in result.answers] == [[], [], [], []]
    assert result.names() == ["own", "in own", "movies", "movies", "forgotten", "movies", "movies"]
    assert all("end_time" in entity for document in result.documents for entity in walk(document))


def test_a_failed_query_is_a_fault_of_its_subsegment(run: Runner) -> None:
    result = run("/bad-query")

    query = result.find("default@sqlite")
    assert query["fault"] is True
    assert query["sql"]["sanitized_query"] == "SELECT nothing FROM nowhere"
    assert query["sql"]["database_type"] == "SQLite"
    assert "fault" not in result.documents[0]


@pytest.mark.parametrize("on_lambda", [False, True], ids=["server", "lambda"])
def test_every_document_obeys_the_schema(run: Runner, on_lambda: bool) -> None:
    paths = (
        "/queries",
        "/bad-query",
        "/template",
        "/broken",
        "/missing",
        "/forbidden",
        "/stream",
        "/stream?break=1",
        "/annotated",
        "/odd",
        "/leaky",
        "/failing-step",
        "/threads",
        "/outlived",
        "/remote?url=http://127.0.0.1:9/closed",
        "/many?count=300",
        "/many?count=1&bytes=100000",
    )
    result = run(*({"path": path, "trace": ACTIVE} for path in paths), on_lambda=on_lambda)

    assert len(result.documents) >= len(paths)
    for document in result.documents:
        assert find_mistakes(document) == [], document["name"]
        for entity in walk(document):
            assert entity.get("end_time", math.inf) >= entity["start_time"]


def test_the_schema_finds_mistakes() -> None:
    segment = {"name": "a", "id": "0" * 16, "start_time": 1.0, "trace_id": TRACE_ID, "end_time": 2}
    subsegment = {"name": "b", "id": "1" * 16, "start_time": 1.0, "end_time": 2}

    assert find_mistakes({**segment, "subsegments": [subsegment]}) == []
    for wrong in (
        {"name": "what?"},
        {"id": "1"},
        {"in_progress": True},
        {"trace_id": "1-2-3"},
        {"http": {"request": {"url": "x" * 251}}},
        {"annotations": {"a-b": 1}},
        {"metadata": {"a": 1}},
        {"subsegments": [{**subsegment, "namespace": "local"}]},
        {"subsegments": [{**subsegment, "sql": {"query": "SELECT"}}]},
    ):
        assert find_mistakes({**segment, **wrong}), wrong


def put_nothing(segment: Any) -> None:
    pass


def put_more(segment: Any) -> None:
    segment.put_annotation("size", 7)
    # As a text it looks like the key of another.
    segment.put_annotation("text", '"colour":')
    segment.put_annotation("colour", "red")


def put_the_same(segment: Any) -> None:
    segment.put_annotation("stage", "mine")


def put_a_route(segment: Any) -> None:
    segment.put_annotation("route", "mine")


def look(segment: Any) -> None:
    assert segment.annotations == {"stage": "test"}
    assert segment.http["request"]["method"] == "GET"
    assert segment.service["runtime"] == "CPython"


def put_blocks(segment: Any) -> None:
    segment.put_http_meta("user_agent", "another")
    segment.put_metadata("corners", 4)
    segment.set_aws({"account_id": "123"})
    segment.set_service({"version": "1"})


@pytest.mark.parametrize(
    ("act", "annotations"),
    [
        (put_nothing, {}),
        (put_more, {"size": 7, "text": '"colour":', "colour": "red"}),
        (put_the_same, {"stage": "mine"}),
        (put_a_route, {}),
        (look, {}),
        (put_blocks, {}),
    ],
)
def test_what_is_said_of_a_request_can_be_looked_at_and_added_to(
    act: Callable[[Any], None], annotations: dict[str, Any], daemon: Daemon, settings: Any
) -> None:
    settings.TRACING_ANNOTATIONS = {"stage": "test"}

    def view(request: HttpRequest) -> HttpResponse:
        act(tracing.xray_recorder.current_segment())
        request.resolver_match = SimpleNamespace(view_name='a "route"')  # type: ignore[assignment]
        return HttpResponse("text")

    request = RequestFactory().get("/", headers={"user-agent": "probe", "x-amzn-trace-id": ACTIVE})
    XRayMiddleware(view)(request)

    (datagram,) = daemon.receive()
    document = json.loads(datagram.split(b"\n", 1)[1], object_pairs_hook=make_dict)
    expected = {"stage": "test", "route": 'a "route"'} | annotations
    assert document["annotations"] == expected
    assert document["http"] == {
        "request": {
            "method": "GET",
            "url": "http://testserver/",
            "user_agent": "another" if act is put_blocks else "probe",
            "client_ip": "127.0.0.1",
        },
        "response": {"status": 200, "content_length": 4},
    }
    is_told = act is put_blocks
    assert document["service"] == ({"version": "1"} if is_told else SERVICE_INFO)
    assert document["aws"] == ({"account_id": "123"} if is_told else XRAY_META)
    assert find_mistakes(document) == []


def make_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, in which no key may stand twice."""
    made = dict(pairs)
    assert len(made) == len(pairs), pairs
    return made


def test_the_user_is_told_without_a_query() -> None:
    def fail() -> object:
        raise AssertionError("Nobody asked for the user.")

    request = HttpRequest()
    assert read_user(request) is None
    request.user = SimpleLazyObject(fail)  # type: ignore[assignment]
    assert read_user(request) is None
    # As `login` leaves it.
    request.user = User(pk=7)
    assert read_user(request) == "7"
    request.user = SimpleLazyObject(lambda: User(pk=8))  # type: ignore[assignment]
    assert request.user.is_authenticated
    assert read_user(request) == "8"


def test_nothing_is_begun_beneath_a_request_that_is_not_sampled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until its end: what outlives it, on Lambda, may be in another invocation by then."""
    request = RequestFactory().get("/", headers={"X-Amzn-Trace-Id": UNSAMPLED})
    request.resolver_match = None
    template = Template("page")
    begun: list[str] = []
    monkeypatch.setattr("tracing.templates.begin_beneath", lambda *given: begun.append(given[1]))

    entity = begin_request(request)
    kept = copy_context()
    template.render(Context())
    assert begun == []
    answer_request(entity, request, HttpResponse())
    kept.run(template.render, Context())

    assert begun == ["template"]
    assert not entity.is_silent


async def stream() -> AsyncIterator[bytes]:
    """Yield endless chunks, each from a step."""
    with tracing.in_subsegment("stream"):
        while True:
            with tracing.in_subsegment("chunk"):
                await asyncio.sleep(0)
            yield b"x"


@pytest.fixture(autouse=True)
def leave_connections_open() -> Iterator[None]:
    """Keep an answer that closes from the connections that earlier tests opened.

    Django's own test client does the same.
    """
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


def begin_answer() -> tuple[Any, StreamingHttpResponse]:
    """Return a request's entity and its streaming answer."""
    request = RequestFactory().get("/")
    entity = begin_request(request)
    entity.request.is_async = True
    response = StreamingHttpResponse(stream())
    request.resolver_match = None
    answer_request(entity, request, response)
    return entity, response


@pytest.mark.parametrize("leave", ["close", "forget"])
def test_a3_a_reader_that_goes_away_between_two_chunks(daemon: Daemon, leave: str) -> None:
    async def main() -> None:
        _, response = begin_answer()
        chunks = aiter(response)
        assert await anext(chunks) == b"x"
        before = innermost.get()
        if leave == "forget":
            del response, chunks
            gc.collect()
        else:
            await sync_to_async(response.close)()
        assert innermost.get() is before

    asyncio.run(main())

    (document,) = daemon.documents(1)
    assert [entity["name"] for entity in walk(document)][1:] == ["stream", "chunk"]
    assert all("end_time" in entity for entity in walk(document))
    assert "fault" not in document


def test_a3_an_answer_that_was_never_begun(daemon: Daemon) -> None:
    async def main() -> None:
        _, response = begin_answer()
        response.close()

    asyncio.run(main())

    (document,) = daemon.documents(1)
    assert "end_time" in document


def test_a4_a_view_that_is_cancelled_has_not_failed(daemon: Daemon) -> None:
    async def view(request: HttpRequest) -> Any:
        await asyncio.sleep(10)

    async def main() -> None:
        answer = XRayMiddleware(view)(RequestFactory().get("/"))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(answer, 0.01)

    asyncio.run(main())

    (document,) = daemon.documents(1)
    assert "fault" not in document
    assert "cause" not in document


def test_a4_a_body_that_is_cancelled_has_not_failed(daemon: Daemon) -> None:
    async def main() -> None:
        entity, response = begin_answer()
        body: Any = response.streaming_content
        await anext(body)
        with pytest.raises(asyncio.CancelledError):
            await body.athrow(asyncio.CancelledError())
        await sync_to_async(response.close)()
        assert not entity.in_progress

    asyncio.run(main())

    (document,) = daemon.documents(1)
    assert "fault" not in document
