"""Awkward requests and replies through a model of every service: what is sent is what arrives.

Each rule names its source.
"""

import gzip
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import make_handler

from .examples import Context, Echo
from .services import CLIENT, SERVICES, SINGLE_VALUE, Answer, Request, Service

RFC_9110 = "https://www.rfc-editor.org/rfc/rfc9110"
RFC_6265 = "https://www.rfc-editor.org/rfc/rfc6265"
PEP_3333 = "https://peps.python.org/pep-3333/"
URL_STANDARD = "https://url.spec.whatwg.org/"
API_GATEWAY_NOTES = (
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"
)

pytestmark = pytest.mark.filterwarnings("error")
# For each service.
few = settings(max_examples=25)
every_service = pytest.mark.parametrize("service", SERVICES, ids=repr)

# Everything but half a surrogate pair, which no service would send.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# A path of the application: HTTP APIs cut off a decoded path at its question mark.
PATHS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/?"), min_size=1),
    max_size=4,
).map(lambda parts: "/" + "/".join(parts))
TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1)
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)


def send(service: Service, request: Request, echo: Echo | None = None) -> tuple[Echo, Answer]:
    """Send a request through a service; return what the application saw, and the client."""
    echo = echo or Echo()
    response = make_handler(echo)(service.deliver(request), Context())
    return echo, service.receive(response, request)


def read_wsgi(text: str) -> str:
    """Return a text of WSGI's as the application will read it."""
    return text.encode("latin-1").decode()


AWKWARD_PATHS = {
    "/": URL_STANDARD,
    "/movies": URL_STANDARD,
    "/movies/": "the slash at the end is the application's",
    "//movies//": "empty parts are parts: " + URL_STANDARD,
    "/café": PEP_3333 + "#unicode-issues",
    "/€/🎬": PEP_3333 + "#unicode-issues",
    "/a b": URL_STANDARD,
    "/a+b": "a plus is a plus in a path: " + URL_STANDARD,
    "/100%": "https://github.com/middleapi/standard-server/pull/93",
    "/100%41": "decoded once, and once only",
    "/100%2541": "decoded once, and once only",
    "/a%2Fb": "an encoded percent sign before 2F",
    "/a;b=1": URL_STANDARD,
    "/a#b": "https://github.com/middleapi/standard-server/pull/93",
    "/a&b=c": URL_STANDARD,
    "/dev": "a path that looks like the stage",
    "/dev/": "a path that looks like the stage",
    "/dev/dev/": "a path that looks like the stage",
    "/devil/": "a path that begins like the stage",
    "/shop/v1/": "a path that looks like the base path",
    "/shop/v1/shop/v1": "a path that looks like the base path",
    "/{proxy+}": "a path that looks like a resource",
    "/$default": "a path that looks like a stage",
    "/.hidden/~user/(x)!*'": URL_STANDARD,
    "/" + "long/" * 400: "8 KB are allowed: " + API_GATEWAY_NOTES,
    "/a\tb": URL_STANDARD,
    "/\u202etxt.exe": PEP_3333 + "#unicode-issues",
    "/e\u0301": "not normalised: " + PEP_3333,
}


@every_service
@pytest.mark.parametrize("path", AWKWARD_PATHS)
def test_path_arrives(service: Service, path: str):
    echo, _answer = send(service, Request(path))

    assert read_wsgi(echo.environ["PATH_INFO"]) == path
    assert echo.environ["SCRIPT_NAME"] == service.script_name


@every_service
@few
@given(path=PATHS)
def test_any_path_arrives(service: Service, path: str):
    echo, _answer = send(service, Request(path))

    assert read_wsgi(echo.environ["PATH_INFO"]) == path
    assert echo.environ["SCRIPT_NAME"] == service.script_name


# By rule and source.
AWKWARD_QUERIES: dict[str, tuple[tuple[str, str], ...]] = {
    f"there may be none, {PEP_3333}#environ-variables": (),
    f"texts may be empty, {URL_STANDARD}#urlencoded-parsing": (("a", ""),),
    f"names may be empty, {URL_STANDARD}#urlencoded-parsing": (("", "a"),),
    f"spaces and plus signs differ, {URL_STANDARD}#urlencoded-parsing": (("a b", "c+d e"),),
    f"what separates may be meant, {URL_STANDARD}#urlencoded-parsing": (("a=b&", "c;d#=&?"),),
    f"REST APIs decode, {API_GATEWAY_NOTES}": (("a%41", "100%2541"),),
    f"texts are UTF-8, {URL_STANDARD}#urlencoded-parsing": (("né", "€🎬"),),
    "there may be many": tuple((f"n{number}", str(number)) for number in range(50)),
    "brackets are usual, https://www.php.net/manual/en/faq.html.php": (("a[b]", "c]"),),
    f"lines may be ended, {URL_STANDARD}#urlencoded-parsing": (("a", "b\r\nc"),),
    f"commas separate nothing, {URL_STANDARD}#urlencoded-parsing": (("a", "b,c"),),
}


@every_service
@pytest.mark.parametrize("why", AWKWARD_QUERIES)
def test_query_arrives(service: Service, why: str):
    query = AWKWARD_QUERIES[why]

    echo, _answer = send(service, Request(query=query))

    assert read_query(echo) == list(query)


@every_service
@few
@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_any_query_arrives(service: Service, pairs: list[tuple[str, str]]):
    """Repeated names keep their order among themselves; maps keep no other."""
    if service.name in SINGLE_VALUE:
        pairs = list(dict(pairs).items())

    echo, _answer = send(service, Request(query=tuple(pairs)))

    def by_name(pair: tuple[str, str]) -> str:
        return pair[0]

    assert sorted(read_query(echo), key=by_name) == sorted(pairs, key=by_name)


def read_query(echo: Echo) -> list[tuple[str, str]]:
    query = echo.environ["QUERY_STRING"]
    assert query.isascii()
    return parse_qsl(query, keep_blank_values=True, max_num_fields=100)


# A rule, the headers that the client sends, and the variables that the application sees; None where
# it must see nothing.
HEADER_RULES: list[tuple[str, Any, dict[str, str | None]]] = [
    (
        f"repeated headers are joined, {RFC_9110}#section-5.3",
        [("X-Name", "a"), ("X-Name", "b")],
        {"HTTP_X_NAME": "a,b"},
    ),
    (
        f"names are told apart without case, {RFC_9110}#section-5.1",
        [("x-NAME", "a")],
        {"HTTP_X_NAME": "a"},
    ),
    (
        f"cookies are joined by a semicolon, {RFC_6265}#section-5.4",
        [("Cookie", "a=1"), ("Cookie", "b=2")],
        {"HTTP_COOKIE": "a=1; b=2"},
    ),
    (
        f"a cookie may hold a comma, {RFC_6265}#section-5.2",
        [("Cookie", "a=1,2; b=3")],
        {"HTTP_COOKIE": "a=1,2; b=3"},
    ),
    (f"a request may have no cookie, {PEP_3333}", [], {"HTTP_COOKIE": None}),
    (
        f"a content type may hold a comma, {RFC_9110}#section-8.3.1",
        [("Content-Type", 'multipart/form-data; boundary="a,b"')],
        {"CONTENT_TYPE": 'multipart/form-data; boundary="a,b"', "HTTP_CONTENT_TYPE": None},
    ),
    (
        f"the length is the body's, {PEP_3333}#environ-variables",
        [("Content-Length", "999")],
        {"CONTENT_LENGTH": "0", "HTTP_CONTENT_LENGTH": None},
    ),
    (
        "underscores could pose as hyphens, https://docs.gunicorn.org/en/stable/settings.html#header-map",
        [("X_Forwarded_Proto", "http"), ("X_Name", "a")],
        {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_NAME": None},
    ),
    (
        "the address is the service's word, not the client's: [REST] [HTTP] [URL] [ALB]",
        [("X-Forwarded-For", "127.0.0.1")],
        {"REMOTE_ADDR": CLIENT, "HTTP_X_FORWARDED_FOR": f"127.0.0.1, {CLIENT}"},
    ),
    (
        "the scheme is the service's word: [REST] [HTTP] [URL] [ALB]",
        [("X-Forwarded-Proto", "http"), ("X-Forwarded-Port", "80")],
        {"wsgi.url_scheme": "https", "SERVER_PORT": "443"},
    ),
    (
        f"an empty header is there, {RFC_9110}#section-5.5",
        [("X-Empty", "")],
        {"HTTP_X_EMPTY": ""},
    ),
    (
        f"dates hold commas, {RFC_9110}#section-5.6.7",
        [("If-Modified-Since", "Fri, 20 Nov 2026 12:00:00 GMT")],
        {"HTTP_IF_MODIFIED_SINCE": "Fri, 20 Nov 2026 12:00:00 GMT"},
    ),
    (
        f"texts are bytes to WSGI, {PEP_3333}#unicode-issues",
        [("X-City", "Torrejón €")],
        {"HTTP_X_CITY": "Torrejón €".encode().decode("latin-1")},
    ),
    (
        f"what is repeated may be beyond ASCII, {PEP_3333}#unicode-issues",
        [("X-City", "ó"), ("X-City", "€")],
        {"HTTP_X_CITY": "ó,€".encode().decode("latin-1")},
    ),
    (
        f"cookies may be beyond ASCII, {PEP_3333}#unicode-issues",
        [("Cookie", "name=née")],
        {"HTTP_COOKIE": "name=née".encode().decode("latin-1")},
    ),
    (
        f"credentials arrive, {RFC_9110}#section-11.6.2",
        [("Authorization", "Basic dTpw")],
        {"HTTP_AUTHORIZATION": "Basic dTpw"},
    ),
    (
        "no header can be a variable of the gateway's own",
        [("wsgi.url_scheme", "http"), ("Script-Name", "/x"), ("Remote-Addr", "127.0.0.1")],
        {"wsgi.url_scheme": "https", "REMOTE_ADDR": CLIENT, "HTTP_SCRIPT_NAME": "/x"},
    ),
]


@every_service
@pytest.mark.parametrize(
    ("headers", "variables"),
    [rule[1:] for rule in HEADER_RULES],
    ids=[rule[0] for rule in HEADER_RULES],
)
def test_headers_arrive(service: Service, headers: Any, variables: dict[str, str | None]):
    if service.name in SINGLE_VALUE and len({name for name, _text in headers}) < len(headers):
        headers = [(headers[0][0], "; ".join(text for _name, text in headers))]
        variables = {name: to_wsgi(headers[0][1]) for name in variables}

    echo, _answer = send(service, Request(headers=tuple(headers)))

    found = {name: echo.environ.get(name) for name in variables}
    # Services join with a comma, ours adds a space: to HTTP it is the same.
    if "HTTP_X_FORWARDED_FOR" not in variables and "HTTP_COOKIE" not in variables:
        found = {
            name: text.replace(", ", ",") if text and name.startswith("HTTP_X") else text
            for name, text in found.items()
        }
    assert found == variables


def to_wsgi(text: str) -> str:
    return text.encode().decode("latin-1")


@every_service
@few
@given(headers=st.dictionaries(TOKEN, PRINTABLE, max_size=8))
def test_any_headers_arrive(service: Service, headers: dict[str, str]):
    pairs = tuple(
        (f"X-{name}-{number}", text) for number, (name, text) in enumerate(headers.items())
    )

    echo, _answer = send(service, Request(headers=pairs))

    for name, text in pairs:
        assert echo.environ[f"HTTP_{name.upper().replace('-', '_')}"] == text


@every_service
@few
@given(body=st.binary(max_size=300), method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
def test_any_body_arrives(service: Service, body: bytes, method: str):
    """Of any method: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.1 forbids none."""
    echo, _answer = send(service, Request(method=method, body=body))

    assert echo.body == body
    assert echo.environ["REQUEST_METHOD"] == method
    assert echo.environ["CONTENT_LENGTH"] == str(len(body))


@every_service
@few
@given(text=TEXT)
def test_any_text_arrives(service: Service, text: str):
    echo, _answer = send(service, Request(method="POST", body=text.encode(), is_text=True))

    assert echo.body == text.encode()


@every_service
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"]
)
def test_method_arrives(service: Service, method: str):
    """Any token may be one: https://www.rfc-editor.org/rfc/rfc9110#section-9.1"""
    echo, answer = send(service, Request(method=method))

    assert echo.environ["REQUEST_METHOD"] == method
    assert answer.body == (b"" if method == "HEAD" else b"ok")


GZIP = gzip.compress("née".encode(), mtime=0)
# What a reply is, and the reply. One rule holds for all, for the bodies of HTTP are bytes; base64
# is for what JSON, which is UTF-8, cannot hold: [REST] [HTTP] [URL] [ALB] of services.py, and
# https://www.rfc-editor.org/rfc/rfc8259#section-8.1
REPLY_RULES: list[tuple[str, bytes, list[tuple[str, str]]]] = [
    ("text", "née €🎬".encode(), [("Content-Type", "text/html; charset=utf-8")]),
    ("text in another charset", b"caf\xe9", [("Content-Type", "text/html; charset=iso-8859-1")]),
    ("text in UTF-16", "é".encode("utf-16"), [("Content-Type", 'text/plain; charset="UTF-16"')]),
    (
        "text in Shift JIS",
        "映画".encode("shift-jis"),
        [("content-type", "text/plain;charset=Shift_JIS")],
    ),
    ("text that is not what it says", b"\xff\xfe", [("Content-Type", "text/plain; charset=utf-8")]),
    ("JSON", b'{"a": "\xc3\xa9"}', [("Content-Type", "application/json")]),
    ("JSON of a kind", b"{}", [("Content-Type", "application/problem+json")]),
    ("an image", b"\x89PNG\r\n\x1a\n\x00", [("Content-Type", "image/png")]),
    ("an image of text", b"<svg/>", [("Content-Type", "image/svg+xml")]),
    ("bytes of no type", bytes(range(256)), []),
    ("text of no type", b"ok", []),
    ("compressed text", GZIP, [("Content-Type", "text/html"), ("Content-Encoding", "gzip")]),
    ("compressed JSON", GZIP, [("content-encoding", "gzip"), ("content-type", "application/json")]),
    ("compressed to ASCII", b"ascii", [("Content-Type", "text/html"), ("Content-Encoding", "br")]),
    ("no body", b"", [("Content-Type", "image/png")]),
    ("control characters", b"\x00\x1f\x7f\r\n", [("Content-Type", "text/plain")]),
    ("line separators of JavaScript", "\u2028\u2029".encode(), [("Content-Type", "text/plain")]),
    ("a type with a comma", b"x", [("Content-Type", 'multipart/mixed; boundary="a,b"')]),
    ("a type in capitals", b"ok", [("Content-Type", "TEXT/HTML; CHARSET=UTF-8")]),
    ("a type that is none", b"\xff", [("Content-Type", "nonsense;;=")]),
    # In base64 nearly what a load balancer takes.
    ("a large image", bytes(780_000), [("Content-Type", "image/png")]),
]


@every_service
@pytest.mark.parametrize(
    ("body", "headers"),
    [rule[1:] for rule in REPLY_RULES],
    ids=[rule[0] for rule in REPLY_RULES],
)
def test_reply_arrives(service: Service, body: bytes, headers: list[tuple[str, str]]):
    """Byte by byte, whatever it is: https://www.rfc-editor.org/rfc/rfc9110#section-6.4"""
    _echo, answer = send(service, Request(), Echo(body, tuple(headers)))

    assert answer.status == 200
    assert answer.body == body
    assert answer.headers == tuple((name.lower(), text) for name, text in headers)


@every_service
@few
@given(
    body=st.binary(max_size=200) | TEXT.map(str.encode),
    content_type=st.sampled_from(
        ["", "text/html", "text/html; charset=utf-8", "text/plain; charset=latin-1", "image/gif"]
    ),
    encoding=st.sampled_from(["", "gzip", "identity"]),
    status=st.sampled_from(["200 OK", "404 Not Found", "500 Internal Server Error", "299 "]),
)
def test_any_reply_arrives(
    service: Service, body: bytes, content_type: str, encoding: str, status: str
):
    headers = [("Content-Type", content_type), ("Content-Encoding", encoding)]
    given_headers = tuple(pair for pair in headers if pair[1])

    _echo, answer = send(service, Request(), Echo(body, given_headers, status))

    assert (answer.status, answer.body) == (int(status[:3]), body)


@every_service
def test_every_cookie_arrives(service: Service):
    """Set-Cookie cannot be joined: https://www.rfc-editor.org/rfc/rfc6265#section-3"""
    cookies = [f"c{number}=1; Expires=Fri, 20 Nov 2026 12:00:00 GMT" for number in range(20)]
    headers = [("Set-Cookie" if n % 2 else "set-cookie", text) for n, text in enumerate(cookies)]

    _echo, answer = send(service, Request(), Echo(headers=tuple(headers)))

    assert answer.cookies == cookies


@every_service
@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["Cookie", "Accept"], f"{RFC_9110}#section-12.5.5"),
        (["a", "b, c", "d"], f"{RFC_9110}#section-5.3"),
        (['<a>; rel="x,y"', "<b>"], "https://www.rfc-editor.org/rfc/rfc8288#section-3"),
    ],
)
def test_repeated_headers_of_the_reply_arrive(service: Service, texts: list[str], why: str):
    headers = tuple(("Link" if number else "link", text) for number, text in enumerate(texts))

    _echo, answer = send(service, Request(), Echo(headers=headers))

    assert ", ".join(answer.list_texts("link")) == ", ".join(texts)


@every_service
def test_head_has_the_headers_of_get(service: Service):
    """https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2"""
    headers = (("Content-Length", "3"), ("Content-Type", "image/png"))

    _echo, answer = send(service, Request(method="HEAD"), Echo(b"\x89PN", headers))

    assert answer.list_texts("content-length") == ["3"]


@every_service
@pytest.mark.parametrize("filler", [b"x", b"\x00", "é".encode()])
def test_reply_over_the_limit_is_a_page(service: Service, filler: bytes, caplog):
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    _echo, answer = send(service, Request(), Echo(filler * 6_300_000))

    assert answer.status == 500
    limit = (
        b"1048576 that a load balancer" if "load" in service.name else b"6291556 that AWS Lambda"
    )
    assert b"more than the " + limit + b" can pass on" in answer.body
    assert [record.levelname for record in caplog.records] == ["ERROR"]


# What no service would send, and what the client is told.
MALFORMED: list[tuple[str, Any, str]] = [
    ("body", 1, "'body' to be a text"),
    ("body", ["a"], "'body' to be a text"),
    ("headers", "a", "'headers' to be an object"),
    ("multiValueHeaders", ["a"], "'multiValueHeaders' to be an object"),
    ("headers", {"X": {"a": "b"}}, "'X' to be a list of texts"),
    ("headers", {"X": 1}, "'X' to be a list of texts"),
    ("headers", {"X": [["a"]]}, "'X' to hold texts"),
    ("headers", {"X": ["a", 1]}, "'X' to hold texts"),
    ("multiValueHeaders", {"X": {"a": "b"}}, "'X' to be a list of texts"),
    ("cookies", "a=1", None),
    ("cookies", [1], "'cookies' to hold texts"),
]


@every_service
@pytest.mark.parametrize(("name", "value", "told"), MALFORMED)
def test_malformed_event_is_400(service: Service, name: str, value: Any, told: str | None, caplog):
    """And one record in the log, which does not repeat what may be secret."""
    event = service.deliver(Request()) | {name: value}
    if name == "headers":
        # Only where it is the map that is read.
        event["multiValueHeaders"] = None

    response = make_handler(Echo())(event, Context())

    assert response["statusCode"] == (400 if told else 200)
    if told:
        assert told.replace("'", "&#x27;") in response["body"]
        assert [record.levelname for record in caplog.records] == ["WARNING"]


@every_service
@pytest.mark.parametrize(
    "name",
    [
        "body",
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "rawQueryString",
        "cookies",
        "pathParameters",
        "isBase64Encoded",
        "resource",
        "routeKey",
    ],
)
@pytest.mark.parametrize("is_missing", [True, False])
def test_null_and_missing_are_nothing(service: Service, name: str, is_missing: bool):
    """The console's test events have nulls where services leave members out, and the reverse."""
    event = service.deliver(Request("/movies/", query=(("a", "b"),)))
    event.pop(name, None)
    if not is_missing:
        event[name] = None
    echo = Echo()

    assert make_handler(echo)(event, Context())["statusCode"] == 200
    assert echo.environ["PATH_INFO"].endswith("/movies/")
    assert echo.environ["SERVER_NAME"]
    assert echo.environ["SERVER_PORT"] in ("80", "443")
