"""Whole events through make_handler, and properties that hold for all of them."""

import base64
import json
import logging
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import UnknownEvent, make_handler
from gateway.sources import LIMIT_BYTES, LOAD_BALANCER_LIMIT_BYTES, Source, recognise

from .examples import Context, Echo, Event, list_events, make_event

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)
# Everything but half a surrogate pair, which no service would send.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def ask(event: Event, echo: Echo | None = None) -> tuple[Echo, dict[str, Any]]:
    """Return the application as it was asked, and the response."""
    echo = echo or Echo()
    return echo, make_handler(echo)(event, Context())


def read_body(response: dict[str, Any]) -> bytes:
    body = response["body"]
    return base64.b64decode(body) if response["isBase64Encoded"] else body.encode()


@pytest.mark.parametrize("name", list_events())
def test_saved_events_make_a_valid_environ(name):
    """What PEP 3333 asks of a server, as the standard library checks it."""
    response = make_handler(validator(Echo()))(make_event(name), Context())

    assert response["statusCode"] == 200
    assert read_body(response) == b"ok"


@pytest.mark.parametrize("name", list_events())
def test_application_finds_event_and_context(name):
    event = make_event(name)

    echo, _response = ask(event)

    assert echo.environ["apig_wsgi.full_event"] is event
    assert echo.environ["apig_wsgi.request_context"] is event["requestContext"]
    assert echo.environ["apig_wsgi.context"].aws_request_id == Context.aws_request_id


def test_rest_api_get():
    echo, _response = ask(make_event("rest_api_get"))

    expected = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/dev",
        "PATH_INFO": "/movies/",
        "QUERY_STRING": "genre=comedy&genre=drama&q=n%C3%A9e+%26+co",
        "REMOTE_ADDR": "203.0.113.7",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "HTTP_HOST": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
        "HTTP_COOKIE": "sessionid=s1; csrftoken=c1",
        "HTTP_X_FORWARDED_FOR": "198.51.100.99, 203.0.113.7",
        "CONTENT_LENGTH": "0",
    }
    assert {name: echo.environ[name] for name in expected} == expected


def test_rest_api_post_form():
    echo, _response = ask(make_event("rest_api_post_form"))

    assert echo.body == b"title=Caf%C3%A9&y=1930"
    assert echo.environ["CONTENT_LENGTH"] == "22"
    assert echo.environ["CONTENT_TYPE"] == "application/x-www-form-urlencoded"
    assert "HTTP_CONTENT_TYPE" not in echo.environ
    assert "HTTP_CONTENT_LENGTH" not in echo.environ


def test_function_url_post_json():
    echo, _response = ask(make_event("function_url_post_json"))

    assert json.loads(echo.body) == {"title": "Amélie", "year": 2001}


def test_path_reaches_the_application_as_utf_8():
    """An HTTP API delivers the path decoded, the others encoded; the application sees one thing."""
    title = "café €🎬 100%41"
    for name in list_events():
        event = make_event(name)
        is_decoded = recognise(event) is Source.HTTP_API
        path = f"/{title}" if is_decoded else f"/{quote(title)}"
        event["rawPath" if "rawPath" in event else "path"] = path

        echo, _response = ask(event)

        assert echo.environ["PATH_INFO"].encode("latin-1").decode() == f"/{title}"


def test_client_cannot_overwrite_what_the_service_says():
    event = make_event("rest_api_get")
    event["multiValueHeaders"]["X_Forwarded_Proto"] = ["http"]
    event["multiValueHeaders"]["X_Forwarded_For"] = ["127.0.0.1"]

    echo, _response = ask(event)

    assert echo.environ["HTTP_X_FORWARDED_PROTO"] == "https"
    assert echo.environ["HTTP_X_FORWARDED_FOR"] == "198.51.100.99, 203.0.113.7"


def test_application_failure_is_the_functions():
    def application(environ, start_response):
        raise ZeroDivisionError("no way")

    with pytest.raises(ZeroDivisionError, match="no way"):
        make_handler(application)(make_event("rest_api_get"), Context())


def test_unknown_event_is_told_to_the_caller():
    with pytest.raises(UnknownEvent, match=r"got an object with the keys \['detail'\]"):
        make_handler(Echo())({"detail": {}}, Context())


@pytest.mark.parametrize("name", list_events())
def test_malformed_event_is_told_to_the_client(name, caplog):
    response = make_handler(Echo())(make_event(name, body=["s3cret"]), Context())

    assert response["statusCode"] == 400
    assert "Expected &#x27;body&#x27; to be a text or null, got list." in response["body"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_half_a_surrogate_pair_is_told_to_the_client():
    response = make_handler(Echo())(make_event("rest_api_get", path="/\ud800"), Context())

    assert response["statusCode"] == 400
    assert "not Unicode" in response["body"]


def test_request_too_large_is_told_to_the_client():
    event = make_event("function_url_post_json", body="x" * (LIMIT_BYTES + 1))

    assert make_handler(Echo())(event, Context())["statusCode"] == 413


@pytest.mark.parametrize("name", list_events())
def test_response_over_the_limit_becomes_a_page_and_one_record(name, caplog):
    """At the limit to the byte it is sent as it is."""
    limit_bytes = LOAD_BALANCER_LIMIT_BYTES if name.startswith("load_balancer") else LIMIT_BYTES
    echo = Echo(b"x" * limit_bytes)

    _echo, response = ask(make_event(name), echo)

    assert response["statusCode"] == 500
    assert str(limit_bytes) in response["body"]
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "Answered 500" in record.getMessage()

    spare = limit_bytes - len(json.dumps(ask(make_event(name), Echo(b""))[1]))
    _echo, response = ask(make_event(name), Echo(b"x" * spare))
    assert response["statusCode"] == 200
    assert len(json.dumps(response)) == limit_bytes


@given(name=st.sampled_from(list_events()), changes=st.dictionaries(st.text(), JSON_VALUES))
def test_any_field_may_hold_anything(name, changes):
    """A changed HTTP event has an answer or is refused as unknown; nothing else is raised."""
    event = make_event(name)
    known = [*event, "cookies", "pathParameters", "version"]
    event |= dict(zip(known, changes.values(), strict=False)) | changes

    check_answered(event)


@given(
    name=st.sampled_from(list_events()),
    field=st.sampled_from(["path", "stage", "domainName", "http", "identity", "elb", "protocol"]),
    value=JSON_VALUES,
)
def test_any_context_may_hold_anything(name, field, value):
    event = make_event(name)
    event["requestContext"][field] = value

    check_answered(event)


@given(event=JSON_VALUES)
def test_any_event_at_all(event):
    check_answered(event)


def check_answered(event: Any) -> None:
    try:
        _echo, response = ask(event)
    except UnknownEvent:
        return
    assert response["statusCode"] in (200, 400)
    json.dumps(response)


@given(
    name=st.sampled_from(["rest_api_get", "load_balancer_multi_value_get", "http_api_get"]),
    pairs=st.lists(st.tuples(TEXT, TEXT), max_size=5),
)
def test_query_parameters_arrive(name, pairs):
    """Sent as each service sends them: decoded, encoded, or as one string."""
    event = make_event(name)
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        if name.startswith("load"):
            key, value = quote(key), quote(value)
        grouped.setdefault(key, []).append(value)
    event["queryStringParameters"] = {key: values[-1] for key, values in grouped.items()} or None
    event["multiValueQueryStringParameters"] = grouped or None
    event["rawQueryString"] = urlencode(pairs)

    echo, _response = ask(event)

    received = parse_qsl(echo.environ["QUERY_STRING"], keep_blank_values=True, strict_parsing=False)
    assert sorted(received) == sorted(pairs)


@given(body=st.binary(max_size=200), is_base64=st.booleans(), name=st.sampled_from(list_events()))
def test_bodies_arrive(body, is_base64, name):
    if is_base64:
        text = base64.b64encode(body).decode()
    else:
        text = body.decode("latin-1")
        body = text.encode()

    echo, _response = ask(make_event(name, body=text, isBase64Encoded=is_base64))

    assert echo.body == body
    assert echo.environ["CONTENT_LENGTH"] == str(len(body))


@given(
    body=st.binary(max_size=200),
    content_type=st.sampled_from(
        ["text/html; charset=utf-8", "text/plain; charset=iso-8859-1", "image/png", "", "x"]
    ),
    encoding=st.sampled_from(["", "gzip"]),
    name=st.sampled_from(list_events()),
)
def test_replies_arrive(body, content_type, encoding, name):
    headers = [("Content-Type", content_type), ("Content-Encoding", encoding)]
    given_headers = tuple(pair for pair in headers if pair[1])

    _echo, response = ask(make_event(name), Echo(body, given_headers))

    assert read_body(response) == body


@given(text=TEXT, name=st.sampled_from(list_events()))
def test_header_texts_arrive(text, name):
    event = make_event(name)
    is_multi_value = event.get("multiValueHeaders") is not None
    event["multiValueHeaders" if is_multi_value else "headers"] = {
        "X-Name": [text] if is_multi_value else text
    }

    echo, _response = ask(event)

    assert echo.environ["HTTP_X_NAME"].encode("latin-1").decode() == text
