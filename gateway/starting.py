"""Make an application ready for its first event, while Lambda still starts the process.

Init has a whole processor, an invocation only what its memory buys: what every request needs is
loaded before the first, what only some need is not.
"""

import gc
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .handler import make_handler

log = logging.getLogger(__name__)

# In the environ of the request that nobody has sent.
IS_WARM_UP = "gateway.is_warm_up"
# The first makes what is missing. With the others the interpreter adapts to the code that it runs:
# each takes half a millisecond, and the first event from outside is a third quicker.
WARM_UP_REQUESTS = 3


@contextmanager
def starting() -> Iterator[None]:
    """Import the application within this block, with the garbage collector at rest.

    What a start makes, stays: looking through it again and again is a sixth of the start's work.
    Afterwards the collector passes over all that is there.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.freeze()


def warm_up(application: WSGIApplication, path: str) -> None:
    """Answer requests that nobody has sent, so that the first from outside takes no longer.

    path: answers 200 without asking anybody else. Django loads its URL conf and all views at the
    first request, whatever that asks for, and each of the middleware makes what it needs.
    The application finds `gateway.is_warm_up` in the environ. A failure is logged, and no more.
    """

    def marked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return application({**environ, IS_WARM_UP: True}, start_response)

    handler, event = make_handler(marked), make_event(path)
    try:
        statuses = {handler(event, None)["statusCode"] for _ in range(WARM_UP_REQUESTS)}
    except Exception:
        log.exception("Could not warm up with %s.", path)
    else:
        for status in statuses - {HTTPStatus.OK}:
            log.warning("Expected 200 of %s to warm up, got %s.", path, status)


def make_event(path: str) -> dict[str, Any]:
    """Return the event of a REST API's GET, as far as the gateway reads it."""
    host = find_host()
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "multiValueHeaders": {"Host": [host], "X-Forwarded-Proto": ["https"]},
        "pathParameters": {"proxy": path.removeprefix("/")},
        "requestContext": {
            "domainName": host,
            "identity": {"sourceIp": "127.0.0.1"},
            "path": path,
        },
        "body": None,
        "isBase64Encoded": False,
    }


def find_host() -> str:
    """Return a host that the application answers to: Django's first."""
    hosts: list[str] = []
    if "django.conf" in sys.modules:
        from django.conf import settings

        hosts = settings.ALLOWED_HOSTS
    return next((host.removeprefix(".") for host in hosts if host != "*"), "localhost")
