"""Call a WSGI application for one request and keep its reply.

Source: https://peps.python.org/pep-3333/#the-start-response-callable
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from http import HTTPStatus
from types import TracebackType
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]


class Reply:
    """What an application answered: `status` with its reason, such as '200 OK'."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: str = "", headers: Headers | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers or []
        self.body = body


def exchange(application: WSGIApplication, environ: WSGIEnvironment) -> Reply:
    """Return the application's reply. Raises what the application raises."""
    reply = Reply()
    written: list[bytes] = []

    def start_response(
        status: str,
        headers: Headers,
        exc_info: tuple[type[BaseException], BaseException, TracebackType]
        | tuple[None, None, None]
        | None = None,
    ) -> Callable[[bytes], Any]:
        # Nothing has been sent yet, so that an error page may always take the reply's place.
        reply.status = status
        reply.headers = headers
        return written.append

    chunks = application(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        # Frameworks free a request's resources here, whatever became of the body.
        # https://peps.python.org/pep-3333/#specification-details
        if hasattr(chunks, "close"):
            chunks.close()
    if not reply.status:
        raise RuntimeError(f"The application {application!r} answered without start_response.")
    # One chunk, as frameworks send it, is not copied.
    reply.body = b"".join(written)
    return reply


def make_page(status: HTTPStatus, text: str) -> Reply:
    """Return a plain page of the gateway's own, for when no application can answer."""
    text = escape(text)
    body = (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{status.phrase}</title>\n<h1>{status.phrase}</h1>\n<p>{text}</p>\n</html>\n"
    )
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
    return Reply(f"{status.value} {status.phrase}", headers, body.encode())
