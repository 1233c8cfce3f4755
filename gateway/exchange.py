"""Call a WSGI application for one request and keep its reply."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .normalise import Request

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Reply:
    """What an application answered: `status` with its reason, such as '200 OK'."""

    status: str = ""
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    @property
    def status_code(self) -> int:
        return int(self.status.partition(" ")[0])


class Exchange:
    """A WSGI application for one request, standing between apig-wsgi and the real one.

    It corrects the environ on the way in. The reply stays here whole, with its repeated headers and
    its bytes, which apig-wsgi would copy twice and may take for text.
    """

    def __init__(self, application: WSGIApplication, request: Request) -> None:
        self.reply = Reply()
        self._application = application
        self._request = request
        self._chunks: list[bytes] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        # apig-wsgi sets it even where there is no cookie.
        del environ["HTTP_COOKIE"]
        environ.update(self._request.environ)
        chunks = self._application(environ, self._start_response)
        try:
            for chunk in chunks:
                self._chunks.append(chunk)
        finally:
            # Frameworks free a request's resources here, whatever became of the body.
            # https://peps.python.org/pep-3333/#specification-details
            if hasattr(chunks, "close"):
                chunks.close()
        if not self.reply.status:
            raise RuntimeError(
                f"The application {self._application!r} answered without calling start_response."
            )
        self.reply.body = b"".join(self._chunks)
        start_response(self.reply.status, [])
        return []

    def _start_response(
        self,
        status: str,
        headers: Headers,
        exc_info: tuple[type[BaseException], BaseException, TracebackType]
        | tuple[None, None, None]
        | None = None,
    ) -> Callable[[bytes], Any]:
        # Nothing has been sent yet, so that an error page may always take the reply's place.
        self.reply.status = status
        self.reply.headers = headers
        return self._chunks.append


def make_page(status: HTTPStatus, text: str) -> Reply:
    """Return a plain page of the gateway's own, for when no application can answer."""
    text = escape(text)
    body = (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{status.phrase}</title>\n<h1>{status.phrase}</h1>\n<p>{text}</p>\n</html>\n"
    )
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
    return Reply(f"{status.value} {status.phrase}", headers, body.encode())
