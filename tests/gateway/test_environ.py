import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import MalformedEvent, RequestTooLarge
from gateway.environ import MAX_VARIABLES, VARIABLES, make_environ, make_template
from gateway.sources import LIMIT_BYTES, recognise

from .examples import Context, Event, list_events, make_event


def read(event: Event) -> dict[str, Any]:
    return make_environ(event, Context(), recognise(event), make_template())


def list_headers(event: Event) -> list[str]:
    return [name for name in read(event) if name.startswith("HTTP_")]


@pytest.mark.parametrize("name", list_events())
def test_the_event_stays_as_it_is(name):
    event = make_event(name)
    before = copy.deepcopy(event)

    environ = read(event)

    assert event == before
    assert environ["apig_wsgi.full_event"] is event


@pytest.mark.parametrize("name", ["rest_api_get", "http_api_get", "function_url_get"])
def test_client_address_is_the_services_word(name):
    assert read(make_event(name))["REMOTE_ADDR"] == "203.0.113.7"


def test_client_address_is_the_last_that_the_load_balancer_added():
    assert read(make_event("load_balancer_get"))["REMOTE_ADDR"] == "203.0.113.7"
    assert read(make_event("load_balancer_health_check"))["REMOTE_ADDR"] == ""


def test_protocol_has_a_default():
    assert read(make_event("rest_api_get"))["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert read(make_event("load_balancer_get"))["SERVER_PROTOCOL"] == "HTTP/1.1"


@pytest.mark.parametrize("name", list_events())
def test_server_port_is_never_empty(name):
    assert read(make_event(name))["SERVER_PORT"] in ("80", "443")


@pytest.mark.parametrize(
    ("name", "headers", "scheme", "port"),
    [
        ("rest_api_get", {"X-Forwarded-Proto": "http"}, "http", "80"),
        ("rest_api_get", {}, "https", "443"),
        ("rest_api_get", {"X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "x"}, "https", "443"),
        ("rest_api_get", {"X-Forwarded-Port": "8443"}, "https", "8443"),
        ("rest_api_get", {"X-Forwarded-Port": "\u0664"}, "https", "443"),
        ("function_url_get", {}, "https", "443"),
        ("load_balancer_get", {}, "http", "80"),
        ("load_balancer_get", {"x-forwarded-proto": "https"}, "https", "443"),
    ],
)
def test_scheme_and_port(name, headers, scheme, port):
    environ = read(make_event(name, headers=headers, multiValueHeaders=None))

    assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == (scheme, port)


def test_server_name_without_host():
    assert read(make_event("load_balancer_health_check"))["SERVER_NAME"] == "localhost"
    host = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
    assert read(make_event("rest_api_get"))["SERVER_NAME"] == host


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("rest_api_get", {"multiValueHeaders": {"X-Name": ["a", "b"], "x-name": ["c"]}}),
        ("rest_api_get", {"multiValueHeaders": None, "headers": {"X-Name": "a, b, c"}}),
        ("rest_api_get", {"multiValueHeaders": {}, "headers": {"X-Name": "a, b, c"}}),
        ("http_api_get", {"headers": {"x-name": "a, b, c"}}),
    ],
)
def test_repeated_headers_are_joined(name, changes):
    assert read(make_event(name, **changes))["HTTP_X_NAME"] == "a, b, c"


@pytest.mark.parametrize("names", [("X_Forwarded_Proto",), ("X-Name_", "é-name")])
def test_headers_that_could_pose_as_others_are_dropped(names):
    event = make_event("http_api_get", headers=dict.fromkeys(names, "http"), cookies=[])

    assert list_headers(event) == []


@pytest.mark.parametrize("value", [None, [], [None]])
def test_null_headers_are_none(value):
    event = make_event("rest_api_get", multiValueHeaders={"X": value, "Y": [None, "y"]})

    assert list_headers(event) == ["HTTP_Y"]


@pytest.mark.parametrize(
    ("name", "changes", "cookies"),
    [
        ("rest_api_get", {}, "sessionid=s1; csrftoken=c1"),
        ("rest_api_get", {"multiValueHeaders": {"Cookie": ["a=1", "b=2"]}}, "a=1; b=2"),
        ("http_api_get", {}, "sessionid=s1; csrftoken=c1"),
        ("http_api_get", {"cookies": ["a=1"], "headers": {"cookie": "b=2"}}, "a=1; b=2"),
        ("http_api_get", {"cookies": None, "headers": {"cookie": "b=2"}}, "b=2"),
        ("load_balancer_multi_value_get", {}, "sessionid=s1; csrftoken=c1"),
    ],
)
def test_cookies_are_joined_by_semicolon(name, changes, cookies):
    assert read(make_event(name, **changes))["HTTP_COOKIE"] == cookies


def test_non_ascii_header_and_cookie():
    event = make_event("http_api_get", headers={"x-name": "café"}, cookies=["name=€"])

    environ = read(event)

    assert environ["HTTP_X_NAME"].encode("latin-1").decode() == "café"
    assert environ["HTTP_COOKIE"].encode("latin-1").decode() == "name=€"


def test_content_type_with_a_comma_stays_whole():
    boundary = 'multipart/form-data; boundary="a,b"'

    environ = read(make_event("http_api_get", headers={"content-type": boundary}))

    assert environ["CONTENT_TYPE"] == boundary


@pytest.mark.parametrize(
    ("name", "changes", "query"),
    [
        ("rest_api_get", {}, "genre=comedy&genre=drama&q=n%C3%A9e+%26+co"),
        (
            "rest_api_get",
            {"multiValueQueryStringParameters": None},
            "genre=drama&q=n%C3%A9e+%26+co",
        ),
        ("rest_api_get", {"multiValueQueryStringParameters": {"a": None, "b": [""]}}, "a=&b="),
        ("rest_api_get", {"multiValueQueryStringParameters": {"a=b&": ["%41"]}}, "a%3Db%26=%2541"),
        ("rest_api_console_test", {}, ""),
        ("http_api_get", {}, "genre=comedy&genre=drama&q=n%C3%A9e+%26+co"),
        ("http_api_get", {"rawQueryString": "q=é%41 b"}, "q=%C3%A9%41%20b"),
        ("http_api_get", {"rawQueryString": None}, ""),
        ("load_balancer_get", {}, "genre=drama&q=n%C3%A9e+%26+co"),
        ("load_balancer_multi_value_get", {}, "genre=comedy&genre=drama&q=n%C3%A9e+%26+co"),
        ("load_balancer_get", {"queryStringParameters": {"q": "é"}}, "q=%C3%A9"),
    ],
)
def test_query(name, changes, query):
    assert read(make_event(name, **changes))["QUERY_STRING"] == query


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"body": None}, b""),
        ({"body": ""}, b""),
        ({"body": "née"}, "née".encode()),
        ({"body": base64.b64encode(b"\x00\xff").decode(), "isBase64Encoded": True}, b"\x00\xff"),
        ({"body": "b2s=", "isBase64Encoded": None}, b"b2s="),
    ],
)
def test_body(changes, body):
    environ = read(make_event("http_api_get", **changes))

    assert environ["wsgi.input"].read() == body
    assert environ["CONTENT_LENGTH"] == str(len(body))


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("rest_api_get", {"httpMethod": None}, "method such as 'GET', got ''"),
        ("rest_api_get", {"httpMethod": "GÉT"}, "method such as 'GET'"),
        ("rest_api_get", {"httpMethod": 1}, "'httpMethod' to be a text or null, got int"),
        ("rest_api_get", {"path": ["/"]}, "'path'"),
        ("rest_api_get", {"requestContext": []}, "'requestContext'"),
        ("rest_api_get", {"multiValueHeaders": []}, "'multiValueHeaders'"),
        ("rest_api_get", {"multiValueHeaders": {"X": [1]}}, "'X' to hold texts, got int"),
        ("rest_api_get", {"body": {"title": "x"}}, "'body'"),
        ("rest_api_get", {"body": "b2s", "isBase64Encoded": True}, "not base64"),
        ("rest_api_get", {"body": "b2s=!", "isBase64Encoded": True}, "not base64"),
        ("rest_api_get", {"body": "é", "isBase64Encoded": True}, "not base64"),
        ("http_api_get", {"requestContext": {"http": "GET"}}, "'http'"),
        ("http_api_get", {"requestContext": {}}, "method"),
        ("http_api_get", {"cookies": {"a": "1"}}, "'cookies'"),
        ("http_api_get", {"rawQueryString": 1}, "'rawQueryString'"),
    ],
)
def test_malformed_event(name, changes, message):
    event = make_event(name, **changes)

    with pytest.raises(MalformedEvent, match=message):
        read(event)


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "/\ud800"},
        {"multiValueHeaders": {"X": ["\udfff"]}},
        {"multiValueQueryStringParameters": {"q": ["\ud800"]}},
        {"body": "\ud800"},
    ],
)
def test_half_a_surrogate_pair(changes):
    """It has no bytes; the handler answers 400 to it."""
    with pytest.raises(UnicodeError):
        read(make_event("rest_api_get", **changes))


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("198.51.100.99, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:8080", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("127.0.0.1,[2001:db8::1]:443", "2001:db8::1"),
        ("", ""),
    ],
)
def test_a_load_balancer_may_add_the_port(forwarded_for, address):
    event = make_event("load_balancer_get", headers={"x-forwarded-for": forwarded_for})

    assert read(event)["REMOTE_ADDR"] == address


@given(
    headers=st.dictionaries(
        st.text("aAbB-", min_size=1, max_size=4),
        st.text(st.characters(max_codepoint=126), max_size=5),
        max_size=6,
    ),
    name=st.sampled_from(["rest_api_get", "http_api_get"]),
)
def test_usual_headers_are_read_as_all_others(headers, name):
    """One header beyond ASCII sends the others down the longer way; it makes no difference."""
    key = "multiValueHeaders" if name == "rest_api_get" else "headers"

    def read_all(given: dict[str, str]) -> dict[str, Any]:
        values = {n: [text] if name == "rest_api_get" else text for n, text in given.items()}
        environ = read(make_event(name, cookies=None, **{key: values}))
        environ.pop("HTTP_ODD", None)
        return {n: text for n, text in environ.items() if n.startswith(("HTTP_", "CONTENT_"))}

    if headers:
        assert read_all(headers) == read_all(headers | {"odd": "é"})


@pytest.mark.parametrize("base_path", ["/sh%6Fp", "/caf%C3%A9", "/café"])
def test_script_name_is_decoded_like_the_path(base_path):
    """A client may encode what it likes, and an emulator may decode it."""
    path = f"{base_path}/movies/"
    event = make_event("rest_api_custom_domain", path=path)
    event["requestContext"]["path"] = path

    environ = read(event)

    expected = "/shop" if "sh" in base_path else "/café"
    assert environ["SCRIPT_NAME"].encode("latin-1").decode() == expected
    assert environ["PATH_INFO"] == "/movies/"


def test_names_of_headers_do_not_fill_the_memory():
    for number in range(MAX_VARIABLES + 10):
        event = make_event("http_api_get", headers={f"x-{number}": "1"}, cookies=[])
        assert list_headers(event) == [f"HTTP_X_{number}"]

    assert len(VARIABLES) <= MAX_VARIABLES


def test_request_too_large():
    with pytest.raises(RequestTooLarge, match=f"{LIMIT_BYTES + 1} characters"):
        read(make_event("http_api_get", body="x" * (LIMIT_BYTES + 1)))
