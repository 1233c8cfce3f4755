import base64
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import to_json

from gateway.exchange import Reply
from gateway.responses import encode, is_text, measure, shape
from gateway.sources import LIMIT_BYTES, Source

HEADERS = [
    ("Content-Type", "text/plain"),
    ("Vary", "Cookie"),
    ("Set-Cookie", "a=1; Path=/"),
    ("vary", "Accept"),
    ("set-cookie", "b=2; Expires=Fri, 20 Nov 2026 12:00:00 GMT"),
    ("Set-Cookie", "c=3"),
]
COOKIES = [text for name, text in HEADERS if name.lower() == "set-cookie"]


def answer(source: Source, **changes: Any) -> dict[str, Any]:
    fields = {"status": "200 OK", "headers": HEADERS, "body": b"ok"} | changes
    return shape(Reply(**fields), source, method="GET")[0]


@pytest.mark.parametrize("source", [Source.REST_API, Source.MULTI_VALUE_LOAD_BALANCER])
def test_multi_value_headers(source):
    response = answer(source)

    assert response["multiValueHeaders"] == {
        "Content-Type": ["text/plain"],
        "Vary": ["Cookie", "Accept"],
        "Set-Cookie": COOKIES,
    }
    assert "headers" not in response


@pytest.mark.parametrize("source", [Source.HTTP_API, Source.FUNCTION_URL])
def test_format_2(source):
    response = answer(source)

    assert response["headers"] == {"Content-Type": "text/plain", "Vary": "Cookie, Accept"}
    assert response["cookies"] == COOKIES


@pytest.mark.parametrize("source", [Source.HTTP_API, Source.LOAD_BALANCER])
def test_without_cookies_no_header_is_taken_for_one(source):
    response = answer(source, headers=[("", "x")])

    assert response["headers"] == {"": "x"}
    assert response.get("cookies", []) == []


def test_load_balancer_keeps_every_cookie():
    headers = answer(Source.LOAD_BALANCER)["headers"]

    cookies = {name: text for name, text in headers.items() if name.lower() == "set-cookie"}
    assert list(cookies.values()) == COOKIES
    assert headers["Vary"] == "Cookie, Accept"


def test_load_balancer_wants_the_reason():
    for source in (Source.LOAD_BALANCER, Source.MULTI_VALUE_LOAD_BALANCER):
        assert answer(source, status="404 Not Found")["statusDescription"] == "404 Not Found"
    assert "statusDescription" not in answer(Source.REST_API)


def test_head_has_headers_and_no_body():
    headers = [("Content-Length", "2"), ("Content-Type", "image/png")]

    response, _size = shape(Reply("200 OK", headers, b"\x89P"), Source.HTTP_API, method="HEAD")

    assert response["headers"]["Content-Length"] == "2"
    assert (response["body"], response["isBase64Encoded"]) == ("", False)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=utf-8", "née €".encode()),
        ("TEXT/HTML", b"ok"),
        ("application/json", b"{}"),
        ("application/problem+json", b"{}"),
        ("application/ld+json; profile=x", b"{}"),
        ("image/svg+xml", b"<svg/>"),
        ("text/javascript", b"1"),
        ("application/javascript", b"1"),
        ("application/x-www-form-urlencoded", b"a=1"),
        ("text/plain; Charset='UTF-8'", b"ok"),
        ("", b"ok"),
    ],
)
def test_text_stays_text(content_type, body):
    headers = {"Content-Type": [content_type]}

    assert encode(body, headers, {"content-type": "Content-Type"}) == (body.decode(), False)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("Content-Type", "image/png")], b"\x89PNG"),
        ([("content-type", "application/octet-stream")], b"ascii"),
        ([("Content-Type", "text/html"), ("Content-Encoding", "gzip")], b"\x1f\x8b\x08"),
        ([("Content-Type", "text/html"), ("content-encoding", "br")], b"ascii"),
        ([("Content-Type", "text/plain; charset=iso-8859-1")], b"caf\xe9"),
        ([("Content-Type", 'text/plain; charset="utf-16"')], "é".encode("utf-16")),
        ([("Content-Type", "text/plain; charset=utf-16le")], b"a\0"),
        ([("Content-Type", "text/plain; charset=utf-8")], b"\xff\xfe not what it says"),
        ([], b"\xff"),
    ],
)
def test_everything_else_is_base64(headers, body):
    spelled = {name.lower(): name for name, _text in headers}
    text, is_base64 = encode(body, {name: [text] for name, text in headers}, spelled)

    assert is_base64
    assert base64.b64decode(text) == body


def test_empty_body_is_text():
    headers = {"Content-Type": ["image/png"]}

    assert encode(b"", headers, {"content-type": "Content-Type"}) == ("", False)


def test_is_text_reads_the_type_to_its_end():
    assert not is_text("application/jsonl")


@pytest.mark.parametrize("filler", ["x", "\n", "\x1f", "é", "🎬", "\u2028"])
@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("environment", ["AWS_Lambda_python3.11", "AWS_Lambda_python3.13", ""])
def test_size_is_never_less_than_what_is_sent(source, filler, environment, monkeypatch):
    """What the runtime client itself makes of it: exactly near the limit, and no less below."""
    monkeypatch.setenv("AWS_EXECUTION_ENV", environment)
    for length in (0, 10, 500_000, 1_060_000):
        reply = Reply("200 OK", HEADERS, (filler * length).encode())
        response, size_bytes = shape(reply, source, "GET")
        sent = len(to_json(response).encode())
        assert size_bytes >= sent
        if sent > source.limit_bytes / 2:
            assert (size_bytes > source.limit_bytes) == (sent > source.limit_bytes)
        if size_bytes > source.limit_bytes:
            assert size_bytes == measure(response) == sent


def test_size_counts_headers():
    reply = Reply("200 OK", [("X-Name", "x" * LIMIT_BYTES)], b"")

    assert shape(reply, Source.REST_API, "GET")[1] > LIMIT_BYTES


@pytest.mark.parametrize("source", list(Source))
def test_headers_hold_the_bytes_that_the_application_meant(source):
    """WSGI has them as latin-1; JSON is UTF-8."""
    response = answer(source, headers=[("X-Name", "caf\xc3\xa9"), ("X-Old", "caf\xe9")])

    headers = response.get("headers") or {
        name: texts[0] for name, texts in response["multiValueHeaders"].items()
    }
    assert headers == {"X-Name": "café", "X-Old": "café"}
