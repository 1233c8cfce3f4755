"""Rules for stage, base path and encoding, on events as AWS documents them or users captured."""

import pytest

from gateway.paths import split_path
from gateway.sources import recognise

from .examples import Event, make_event

API_HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


def split(event: Event) -> tuple[str, str]:
    return split_path(event, event["requestContext"], recognise(event))


def make_rest_event(path, public_path, host=API_HOST, resource="/{proxy+}", **parameters) -> Event:
    return {
        "httpMethod": "GET",
        "path": path,
        "resource": resource,
        "pathParameters": parameters or None,
        "requestContext": {"path": public_path, "domainName": host, "stage": "dev"},
    }


def make_http_event(path, stage, host=API_HOST, route="$default", **parameters) -> Event:
    return {
        "version": "2.0",
        "rawPath": path,
        "routeKey": route,
        "pathParameters": parameters or None,
        "requestContext": {"domainName": host, "stage": stage},
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rest_api_get", ("/dev", "/movies/")),
        ("rest_api_custom_domain", ("/shop", "/movies/")),
        ("rest_api_console_test", ("", "/movies/")),
        ("http_api_get", ("", "/movies/")),
        ("http_api_named_stage", ("/dev", "/movies/")),
        ("function_url_get", ("", "/movies/")),
        ("load_balancer_get", ("", "/movies/")),
        ("load_balancer_multi_value_get", ("", "/movies/")),
    ],
)
def test_saved_events(name, expected):
    assert split(make_event(name)) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        # The API's own host: the stage is in requestContext.path alone.
        (make_rest_event("/", "/dev", resource="/"), ("/dev", "/")),
        (make_rest_event("/", "/dev/", resource="/"), ("/dev", "/")),
        (make_rest_event("/a%20b", "/dev/a%20b", proxy="a b"), ("/dev", "/a%20b")),
        (make_rest_event("/movies/", None, proxy="movies"), ("/dev", "/movies/")),
        (make_rest_event("/", None, resource="/"), ("/dev", "/")),
        # An emulator that gives neither host nor encoded path.
        (make_rest_event("/café", "/dev/café", None, proxy="café"), ("/dev", "/caf%C3%A9")),
        # A custom domain: the base path is in both, and is what the resource leaves over.
        (make_rest_event("/shop/", "/shop/", "m.org", "/"), ("/shop", "/")),
        (make_rest_event("/shop", "/shop", "m.org", "/"), ("/shop", "/")),
        (make_rest_event("/movies", "/movies", "m.org", proxy="movies"), ("", "/movies")),
        (make_rest_event("/v1/shop/a/", "/v1/shop/a/", "m.org", proxy="a"), ("/v1/shop", "/a/")),
        (make_rest_event("/v1/pay", "/v1/pay", "m.org", "/pay"), ("/v1", "/pay")),
        (
            make_rest_event(
                "/s/pay/7/x", "/s/pay/7/x", "m.org", "/pay/{id}/{rest+}", id="7", rest="x"
            ),
            ("/s", "/pay/7/x"),
        ),
        # Parameters come decoded or not; a percent sign of its own must survive.
        (make_rest_event("/s/a%2Fb", "/s/a%2Fb", "m.org", proxy="a/b"), ("/s", "/a%2Fb")),
        (make_rest_event("/s/a%2Fb", "/s/a%2Fb", "m.org", proxy="a%2Fb"), ("/s", "/a%2Fb")),
        # A resource that says nothing about the path.
        (make_rest_event("/s/a", "/s/a", "m.org", proxy="other"), ("", "/s/a")),
        (make_rest_event("/s/a", "/s/a", "m.org"), ("", "/s/a")),
        (make_rest_event("/s/a", "/s/a", "m.org", None), ("", "/s/a")),
        (make_rest_event("/%73/a", "/%73/a", "m.org", proxy="a"), ("/%73", "/a")),
        (make_rest_event("/%73/a%20b", "/%73/a%20b", "m.org", proxy="a b"), ("", "/%73/a%20b")),
        (make_rest_event(None, None, None), ("", "/")),
    ],
)
def test_rest_api(event, expected):
    assert split(event) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (make_http_event("/movies/", "$default"), ("", "/movies/")),
        (make_http_event("/dev/movies/", "dev"), ("/dev", "/movies/")),
        (make_http_event("/dev", "dev"), ("/dev", "/")),
        (make_http_event("/devil/", "dev"), ("", "/devil/")),
        (make_http_event("/dev/a/", "dev", route="ANY /{proxy+}", proxy="a"), ("/dev", "/a/")),
        (make_http_event("/dev/", "dev", route="ANY /"), ("/dev", "/")),
        # Behind a custom domain the stage stands in rawPath, but not in the public URL.
        (make_http_event("/dev/a", "dev", "m.org"), ("", "/a")),
        (make_http_event("/dev/a", "dev", "m.org", "ANY /{proxy+}", proxy="a"), ("", "/a")),
        (make_http_event("/shop/a", "dev", "m.org", "ANY /{proxy+}", proxy="a"), ("/shop", "/a")),
        # Delivered decoded: nothing may be decoded once more.
        (make_http_event("/café/€/🎬", "$default"), ("", "/caf%C3%A9/%E2%82%AC/%F0%9F%8E%AC")),
        (make_http_event("/100%41", "$default"), ("", "/100%2541")),
        (make_http_event("/a b\nc", "$default"), ("", "/a%20b%0Ac")),
        (make_http_event("//movies", None), ("", "//movies")),
        (make_http_event(None, None, None), ("", "/")),
    ],
)
def test_http_api(event, expected):
    assert split(event) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (make_rest_event("/café 1%", "/café 1%"), ("", "/caf%C3%A9%201%25")),
        (make_rest_event("/dev/a", "/dev/a", resource="$default"), ("/dev", "/a")),
        (make_rest_event("/dev/a", "/dev/a", proxy="a"), ("/dev", "/a")),
        (make_rest_event("/dev/a", "/dev/a", "m.org", "$default"), ("", "/a")),
        (make_rest_event("/shop/a", "/shop/a", "m.org", proxy="a"), ("/shop", "/a")),
    ],
)
def test_http_api_with_format_1(event, expected):
    """Shaped as a REST API's event; but the path is decoded, and has the stage."""
    assert split(event | {"version": "1.0"}) == expected


@pytest.mark.parametrize("name", ["function_url_get", "load_balancer_get"])
def test_others_are_encoded_already(name):
    event = make_event(name, path="/caf%C3%A9%2541", rawPath="/caf%C3%A9%2541")

    assert split(event) == ("", "/caf%C3%A9%2541")
