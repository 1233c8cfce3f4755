"""Events to try, and a WSGI application that answers with what it was asked."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

EVENTS = Path(__file__).resolve().parent.parent / "events"
Event = dict[str, Any]


@cache
def read_event(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


def make_event(name: str, **changes: Any) -> Event:
    """Return a saved event with some of its fields replaced."""
    return json.loads(read_event(name)) | changes


OTHER_EVENTS = {"sqs_batch", "event_bridge_rule", "event_bridge_scheduler", "manage"}


def list_events() -> list[str]:
    """Return the names of the saved HTTP events."""
    return sorted({path.stem for path in EVENTS.glob("*.json")} - OTHER_EVENTS)


class Context:
    """What of Lambda's context object the tests look at."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"


class Echo:
    """Answers what it is told to, and keeps the environ and the body that it was called with."""

    def __init__(
        self,
        body: bytes = b"ok",
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/plain"),),
        status: str = "200 OK",
    ) -> None:
        self.answer = body, list(headers), status
        self.environ: WSGIEnvironment = {}
        self.body = b""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        self.environ = copy.copy(environ)
        self.body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        body, headers, status = self.answer
        start_response(status, headers)
        return [body]
