from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from gateway.environ import make_environ, make_template
from gateway.exchange import Reply, make_page
from gateway.exchange import exchange as call
from gateway.sources import recognise

from .examples import Context, Echo, make_event


def exchange(application: Any, name: str = "rest_api_get", **changes: Any) -> Reply:
    event = make_event(name, **changes)
    environ = make_environ(event, Context(), recognise(event), make_template())
    return call(application, environ)


class Body:
    """A body that knows whether it was closed, and may fail on the way."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"one "
        if self.error:
            raise self.error
        yield b"two"

    def close(self) -> None:
        self.is_closed = True


def test_reply_is_kept_whole():
    headers = (("Link", "<a>"), ("Link", "<b>"), ("Content-Type", "text/plain"))

    reply = exchange(Echo(b"\xff", headers, "404 Not Found"))

    assert reply.status == "404 Not Found"
    assert reply.headers == list(headers)
    assert reply.body == b"\xff"


@pytest.mark.parametrize("error", [None, ConnectionError("lost")])
def test_body_is_closed_whatever_becomes_of_it(error):
    body = Body(error)

    def application(environ, start_response):
        start_response("200 OK", [])
        return body

    if error:
        with pytest.raises(ConnectionError, match="lost"):
            exchange(application)
    else:
        assert exchange(application).body == b"one two"
    assert body.is_closed


def test_generator_and_write_callable():
    def application(environ, start_response):
        write = start_response("200 OK", [("X-Name", "a")])
        write(b"one ")
        yield b"two "
        write(b"three ")
        yield b"four"

    assert exchange(application).body == b"one two three four"


def test_error_page_takes_the_place_of_a_reply_begun():
    def application(environ, start_response):
        start_response("200 OK", [("X-Name", "a")])
        try:
            raise LookupError("late")
        except LookupError as error:
            start_response(
                "500 Internal Server Error", [], (type(error), error, error.__traceback__)
            )
        return [b"sorry"]

    reply = exchange(application)

    assert (reply.status[:3], reply.headers, reply.body) == ("500", [], b"sorry")


def test_application_without_start_response():
    with pytest.raises(RuntimeError, match="without start_response"):
        exchange(lambda environ, start_response: [b"ok"])


def test_environ_has_no_empty_cookie_header():
    echo = Echo()

    exchange(echo, multiValueHeaders={"Host": ["m.org"]})

    assert "HTTP_COOKIE" not in echo.environ
    assert echo.environ["HTTP_HOST"] == "m.org"


def test_make_page_escapes():
    page = make_page(HTTPStatus.BAD_REQUEST, "<script>")

    assert page.status == "400 Bad Request"
    assert b"&lt;script&gt;" in page.body
