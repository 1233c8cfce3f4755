"""What a request over HTTP says in a trace, against a real server on loopback."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import urllib3

from tests.conftest import Daemon
from tests.tracing.conftest import TRACE_ID, UNSAMPLED, finish
from tracing import xray_recorder
from tracing.remote import make_address

HEADER = "X-Amzn-Trace-Id"


class Answer(BaseHTTPRequestHandler):
    """Answers by the path, and keeps which paths were asked with which headers."""

    seen: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        path = self.path.partition("?")[0]
        status = {"/missing": 404, "/moved": 302, "/busy": 503}.get(path, 200)
        if path == "/busy" and len(self.seen) > 1:
            status = 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/ok?token=hunter2")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    """A server on loopback: its URL, and the requests it saw."""
    seen: list[tuple[str, dict[str, str]]] = []
    handler = type("AnswerHandler", (Answer,), {"seen": seen})
    with HTTPServer(("127.0.0.1", 0), handler) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield SimpleNamespace(url=f"http://127.0.0.1:{running.server_port}", seen=seen)
        running.shutdown()


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    """What urllib3 sends by."""
    with urllib3.PoolManager() as manager:
        yield manager


@pytest.fixture
def opener() -> urllib.request.OpenerDirector:
    """What urllib sends by, with no regard for proxies of this machine."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def test_urllib3(server: Any, daemon: Daemon, segment: Any, pool: urllib3.PoolManager) -> None:
    headers = {"Accept": "text/plain", "x-amzn-trace-id": "stale"}

    pool.request("GET", f"{server.url}/ok?token=hunter2", headers=headers)

    (call,) = finish(daemon)
    assert (call["name"], call["namespace"]) == ("127.0.0.1", "remote")
    assert call["http"] == {
        "request": {"url": f"{server.url}/ok", "method": "GET"},
        "response": {"status": 200, "content_length": 2},
    }
    ((_, seen),) = server.seen
    assert {name: value for name, value in seen.items() if name.lower() == HEADER.lower()} == {
        HEADER: f"Root={segment.trace_id};Parent={call['id']};Sampled=1"
    }
    assert headers == {"Accept": "text/plain", "x-amzn-trace-id": "stale"}
    assert b"hunter2" not in daemon.datagrams[0]


def test_urllib3_retries_are_part_of_their_request(
    server: Any, daemon: Daemon, segment: Any, pool: urllib3.PoolManager
) -> None:
    retries = urllib3.Retry(total=3, status_forcelist=[503])

    pool.request("GET", f"{server.url}/busy", retries=retries, preload_content=False).release_conn()

    (call,) = finish(daemon)
    assert len(server.seen) == 2
    assert call["http"]["response"]["status"] == 200


def test_urllib3_redirects_are_requests(
    server: Any, daemon: Daemon, segment: Any, pool: urllib3.PoolManager
) -> None:
    pool.request("GET", f"{server.url}/moved")

    moved, ok = finish(daemon)
    assert [call["http"]["response"]["status"] for call in (moved, ok)] == [302, 200]
    assert ok["http"]["request"]["url"] == f"{server.url}/ok"
    assert [seen[HEADER].split(";")[1] for _, seen in server.seen] == [
        f"Parent={call['id']}" for call in (moved, ok)
    ]


def test_urllib3_with_the_headers_of_its_pool(server: Any, daemon: Daemon, segment: Any) -> None:
    port = int(server.url.rpartition(":")[2])
    with urllib3.HTTPConnectionPool("127.0.0.1", port, headers={"Accept": "text/html"}) as pool:
        pool.urlopen("GET", "/missing", None, None, False)

        (call,) = finish(daemon)
        assert (call["error"], call["http"]["response"]["status"]) == (True, 404)
        ((_, seen),) = server.seen
        assert seen["Accept"] == "text/html"
        assert call["id"] in seen[HEADER]
        assert pool.headers == {"Accept": "text/html"}


def test_urllib3_without_a_server(daemon: Daemon, segment: Any, pool: urllib3.PoolManager) -> None:
    with pytest.raises(urllib3.exceptions.MaxRetryError):
        pool.request("GET", "http://127.0.0.1:9/", retries=0)

    (call,) = finish(daemon)
    assert call["fault"] is True
    assert call["cause"]["exceptions"][0]["type"] == "MaxRetryError"
    assert call["cause"]["exceptions"][0]["remote"] is True


def test_requests_are_told_once(server: Any, daemon: Daemon, segment: Any) -> None:
    requests.get(f"{server.url}/moved", timeout=2)

    calls = finish(daemon)
    assert [call["http"]["response"]["status"] for call in calls] == [302, 200]
    assert all(
        f"Parent={call['id']}" in seen[HEADER]
        for call, (_, seen) in zip(calls, server.seen, strict=True)
    )


def test_urllib(
    server: Any, daemon: Daemon, segment: Any, opener: urllib.request.OpenerDirector
) -> None:
    request = urllib.request.Request(f"{server.url}/moved?token=hunter2", headers={HEADER: "stale"})

    with opener.open(request) as answer:
        assert answer.read() == b"ok"

    moved, ok = finish(daemon)
    assert (moved["name"], moved["namespace"]) == ("127.0.0.1", "remote")
    assert [call["http"]["response"]["status"] for call in (moved, ok)] == [302, 200]
    assert ok["http"] == {
        "request": {"url": f"{server.url}/ok", "method": "GET"},
        "response": {"status": 200, "content_length": 2},
    }
    assert [seen[HEADER] for _, seen in server.seen] == [
        f"Root={segment.trace_id};Parent={call['id']};Sampled=1" for call in (moved, ok)
    ]
    assert HEADER.capitalize() not in request.unredirected_hdrs
    assert b"hunter2" not in daemon.datagrams[0]


def test_urllib_refused(
    server: Any, daemon: Daemon, segment: Any, opener: urllib.request.OpenerDirector
) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(f"{server.url}/missing")
    caught.value.close()
    with pytest.raises(urllib.error.URLError):
        opener.open("http://127.0.0.1:9/")

    refused, unreachable = finish(daemon)
    assert (refused["error"], refused["http"]["response"]["status"]) == (True, 404)
    assert unreachable["fault"] is True


@pytest.mark.parametrize("way", ["pool", "opener", "requests"])
def test_not_sampled_the_trace_is_passed_on(
    way: str,
    server: Any,
    daemon: Daemon,
    pool: urllib3.PoolManager,
    opener: urllib.request.OpenerDirector,
) -> None:
    xray_recorder.begin_segment("test", traceid=TRACE_ID, parent_id="53995c3f42cd8ad8", sampling=0)

    if way == "pool":
        pool.request("GET", f"{server.url}/ok")
    elif way == "opener":
        opener.open(f"{server.url}/ok").close()
    else:
        requests.get(f"{server.url}/ok", timeout=2)

    xray_recorder.end_segment()
    ((_, seen),) = server.seen
    assert seen[HEADER] == UNSAMPLED.partition(";Lineage")[0]
    assert daemon.receive() == []


def test_outside_a_trace_nothing_is_added(
    server: Any,
    daemon: Daemon,
    pool: urllib3.PoolManager,
    opener: urllib.request.OpenerDirector,
) -> None:
    pool.request("GET", f"{server.url}/ok")
    opener.open(f"{server.url}/ok").close()

    assert all(HEADER not in seen for _, seen in server.seen)
    assert daemon.receive() == []


def test_an_address_behind_a_proxy_is_the_whole_url() -> None:
    pool = SimpleNamespace(host="::1", port=443, scheme="https")

    assert make_address(pool, "/a") == "https://[::1]/a"
    assert make_address(pool, "http://example.com/a") == "http://example.com/a"


def test_urllib3_takes_any_mapping_of_headers(
    server: Any, daemon: Daemon, segment: Any, pool: urllib3.PoolManager
) -> None:
    class Headers(Mapping[str, str]):
        def __getitem__(self, name: str) -> str:
            return {"Accept": "text/plain"}[name]

        def __iter__(self) -> Iterator[str]:
            return iter(["Accept"])

        def __len__(self) -> int:
            return 1

    pool.connection_from_url(server.url).urlopen("GET", "/ok", headers=Headers())

    (call,) = finish(daemon)
    ((_, seen),) = server.seen
    assert seen["Accept"] == "text/plain"
    assert f"Parent={call['id']}" in seen[HEADER]
