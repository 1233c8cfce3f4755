"""The least that tracing can do: dicts, a context variable, one datagram for each request.

It reads no header, decides nothing, records no exception and cleans nothing: a lower bound.
"""

import json
import os
import random
import socket
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = b'{"format":"json","version":1}\n'

_subsegments: ContextVar[list[dict[str, Any]] | None] = ContextVar("subsegments", default=None)
_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
_socket.setblocking(False)


class Middleware:
    """One segment for each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        host, _, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].partition(":")
        _socket.connect((host, int(port)))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        subsegments: list[dict[str, Any]] = []
        token = _subsegments.set(subsegments)
        start = time.time()
        try:
            response = self.get_response(request)
        finally:
            _subsegments.reset(token)
        url = f"{request.scheme}://{request.META['HTTP_HOST']}{request.path}"
        segment = {
            "name": "small",
            "id": f"{random.getrandbits(64):016x}",
            "trace_id": f"1-{int(start):08x}-{random.getrandbits(96):024x}",
            "start_time": start,
            "end_time": time.time(),
            "http": {
                "request": {"method": request.method, "url": url},
                "response": {"status": response.status_code},
            },
            "subsegments": subsegments,
        }
        _socket.send(HEADER + json.dumps(segment, separators=(",", ":")).encode())
        return response


def record(name: str, call: Callable[[], Any], **values: Any) -> Any:
    """Make a call; note it if a request is open."""
    subsegments = _subsegments.get()
    if subsegments is None:
        return call()
    start = time.time()
    try:
        return call()
    finally:
        identifier = f"{random.getrandbits(64):016x}"
        subsegments.append(
            {"name": name, "id": identifier, "start_time": start, "end_time": time.time(), **values}
        )


def trace_connection(*, connection: Any, **keywords: object) -> None:
    """Note every statement of a connection."""

    def execute(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        described = {"namespace": "remote", "sql": {"sanitized_query": sql}}
        return record("sqlite", lambda: run(sql, parameters, many, context), **described)

    connection.execute_wrappers.append(execute)


def start() -> Callable[[], object]:
    """Set Django up and wrap what is noted."""
    import django

    django.setup()
    from botocore.client import BaseClient
    from django.db.backends.signals import connection_created
    from django.template.base import Template

    render, call = Template.render, BaseClient._make_api_call

    def make_api_call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        described = {"operation": operation, "table_name": parameters.get("TableName")}
        return record(
            client.meta.service_model.endpoint_prefix,
            lambda: call(client, operation, parameters),
            namespace="aws",
            aws=described,
        )

    def render_template(template: Template, context: Any) -> Any:
        return record(str(template.name), lambda: render(template, context))

    connection_created.connect(trace_connection)
    Template.render = render_template  # type: ignore[assignment, method-assign]
    BaseClient._make_api_call = make_api_call
    return lambda: None
