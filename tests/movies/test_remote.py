"""Tests of movies.remote: whatever a remote does, an answer comes in time and says what it was."""

import base64
import socket
import struct
import time

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from movies.remote import RemoteAnswer, fetch, show_url
from tests.movies.remotes import answering, serving
from tests.processes import find_free_port

OK = "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"


def drip(connection: socket.socket, text: bytes) -> None:
    """Send a byte every tenth of a second, until nobody reads on."""
    for byte in text:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def test_answer() -> None:
    with serving(answering(OK)) as url:
        answer = fetch(url, 2)

    assert (answer.url, answer.status, answer.error, answer.is_ok) == (url, 200, None, True)
    assert 0 < answer.duration_ms < 2000


@pytest.mark.parametrize("status", [404, 500, 503])
def test_status_of_refusal(status: int) -> None:
    with serving(answering(f"HTTP/1.1 {status} No\nContent-Length: 0\n\n")) as url:
        answer = fetch(url, 2)

    assert (answer.status, answer.error, answer.is_ok) == (status, None, False)


def test_redirects_are_followed_to_the_one_that_answers() -> None:
    def answer_somewhere(connection: socket.socket, head: bytes) -> None:
        place = head.split()[1]
        if place == b"/end":
            answering(OK)(connection, head)
        else:
            step = {b"/": "/one?token=secret", b"/one?token=secret": "end"}[place]
            answering(f"HTTP/1.1 302 Go\nLocation: {step}\nContent-Length: 0\n\n")(connection, head)

    with serving(answer_somewhere) as url:
        answer = fetch(url, 2)

    assert (answer.url, answer.status) == (f"{url}end", 200)


def test_each_connection_is_used_once() -> None:
    def answer_and_read_no_more(connection: socket.socket, head: bytes) -> None:
        if b"GET /end" in head:
            return answering(OK)(connection, head)
        answering("HTTP/1.1 302 Go\nLocation: /end\nContent-Length: 0\n\n")(connection, head)
        assert connection.recv(1) == b""

    with serving(answer_and_read_no_more) as url:
        assert fetch(url, 2).is_ok


def test_redirects_without_end() -> None:
    asked: list[bytes] = []

    def redirect(connection: socket.socket, head: bytes) -> None:
        asked.append(head)
        answering("HTTP/1.1 302 Go\nLocation: /\nContent-Length: 0\n\n")(connection, head)

    with serving(redirect) as url:
        answer = fetch(url, 2)

    assert (answer.status, answer.error) == (None, "It redirected more than 5 times.")
    assert len(asked) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/", "http://[", "gopher:x"])
def test_redirect_to_what_is_not_http(target: str) -> None:
    with serving(answering(f"HTTP/1.1 302 Go\nLocation: {target}\n\n")) as url:
        answer = fetch(url, 2)

    assert (answer.status, answer.error) == (None, "It is not a URL that can be asked.")


def test_redirect_with_an_endless_body_is_not_read() -> None:
    sent_bytes = 0

    def pour(connection: socket.socket, head: bytes) -> None:
        nonlocal sent_bytes
        if b"GET /end" in head:
            return answering(OK)(connection, head)
        connection.sendall(b"HTTP/1.1 302 Go\r\nLocation: /end\r\n\r\n")
        while True:
            sent_bytes += connection.send(b"x" * 65536)

    with serving(pour) as url:
        answer = fetch(url, 2)

    assert answer.is_ok
    assert sent_bytes < 20_000_000


def test_refused() -> None:
    answer = fetch(f"http://127.0.0.1:{find_free_port()}/", 2)

    assert (answer.status, answer.error) == (None, "It refused the connection.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n\n",
        "HTTP/1.1 two hundred\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 9\n\nshort",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n",
        "HTTP/1.1 200 OK\n" + "X: y\n" * 200,
    ],
)
def test_broken_answers(text: str) -> None:
    with serving(answering(text)) as url:
        answer = fetch(url, 2)

    assert answer.error == "It broke the connection off."
    assert not answer.is_ok


def test_reset() -> None:
    def reset(connection: socket.socket, head: bytes) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with serving(reset) as url:
        answer = fetch(url, 2)

    assert answer.error == "It broke the connection off."


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n",
        b"HTTP/1.1 302 OK\r\nLocation: /\r\nX-Slow: ",
    ],
)
def test_drips_are_cut_off_in_time(start: bytes) -> None:
    def answer_slowly(connection: socket.socket, head: bytes) -> None:
        connection.sendall(start)
        drip(connection, b"x" * 99)

    with serving(answer_slowly) as url:
        answer = fetch(url, 0.5)

    assert answer.error == "It did not answer within 0.5 s."
    assert 450 < answer.duration_ms < 1500


def test_drip_within_a_tls_handshake_is_cut_off_in_time() -> None:
    # The head of a record of 16 KB, and then never enough of it.
    with serving(lambda connection, _: drip(connection, b"\x16\x03\x03\x40\x00" * 20)) as url:
        answer = fetch(url.replace("http:", "https:"), 0.5)

    assert answer.error == "It did not answer within 0.5 s."
    assert answer.duration_ms < 1500


def test_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/", 0.3)

    assert answer.error == "It did not answer within 0.3 s."
    assert answer.duration_ms < 1300


def test_huge_body_is_not_read_to_its_end() -> None:
    sent_bytes = 0

    def pour(connection: socket.socket, head: bytes) -> None:
        nonlocal sent_bytes
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent_bytes += connection.send(b"x" * 65536)

    with serving(pour) as url:
        answer = fetch(url, 2)

    assert answer.is_ok
    assert sent_bytes < 20_000_000


def test_packed_body_is_not_unpacked() -> None:
    # Whoever unpacks this fails, and a true one may be a thousand times larger than it looks.
    text = OK.replace("\n\n", "\nContent-Encoding: gzip\n\n")

    with serving(answering(text)) as url:
        assert fetch(url, 2).is_ok


def test_name_that_nobody_knows() -> None:
    assert fetch("http://no-such-host.invalid/", 2).error == "Its name is not known."


def test_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])

    assert fetch("http://films.test/", 2).error == "It could not be reached."


def test_tls_with_one_that_has_none() -> None:
    with serving(answering(OK)) as url:
        answer = fetch(url.replace("http:", "https:"), 2)

    assert answer.error == "No TLS connection could be agreed on with it."


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "//x",
        "ftp://x/",
        "http://",
        "http://[",
        "http://a..b/",
        "http://x:99999/",
        "http://\0/",
    ],
)
def test_what_is_not_a_url(url: str) -> None:
    answer = fetch(url, 1)

    assert answer.error == "It is not a URL that can be asked."


@given(st.text())
@hypothesis_settings(max_examples=50, deadline=None)
def test_any_text_as_a_path_of_a_closed_port(text: str) -> None:
    assert not fetch(f"http://127.0.0.1:9/{text}", 0.5).is_ok


def test_secrets_are_sent_but_never_shown() -> None:
    heads: list[bytes] = []

    def note(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        answering(OK)(connection, head)

    with serving(note) as url:
        answer = fetch(url.replace("//", "//user:hunter2@") + "path?key=hunter3#hunter4", 2)

    assert base64.b64encode(b"user:hunter2") in heads[0]
    assert b"/path?key=hunter3 " in heads[0]
    assert answer.url == f"{url}path"
    assert "hunter" not in repr(answer)


def test_secrets_are_not_in_errors() -> None:
    for url in ("http://user:hunter2@127.0.0.1:9/?hunter3", "http://hunter@[/", "hunter2"):
        assert "hunter" not in repr(fetch(url, 1))


def test_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    def note(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        answering(OK)(connection, head)

    with serving(note) as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        answer = fetch("http://somewhere.example/", 2)

    assert answer.is_ok
    assert heads[0].startswith(b"GET http://somewhere.example/ ")


@pytest.mark.parametrize(
    ("status", "error", "is_ok"),
    [
        (200, None, True),
        (399, None, True),
        (400, None, False),
        (200, "Cut.", False),
        (None, "x", False),
    ],
)
def test_is_ok(status: int | None, error: str | None, is_ok: bool) -> None:
    assert RemoteAnswer("http://x/", status, 1.0, error).is_ok is is_ok


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://aws.amazon.com", "https://aws.amazon.com"),
        ("https://a:b@x:8/p;q?r#s", "https://x:8/p;q"),
        ("http://[", "(not a URL)"),
        ("", "(not a URL)"),
    ],
)
def test_show_url(url: str, shown: str) -> None:
    assert show_url(url) == shown
