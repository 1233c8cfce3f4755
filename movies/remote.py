"""One GET of a remote URL, bounded in time and in bytes, whatever the other side does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from requests import Response

    from .connections import BoundedSession, Deadline

MAX_REDIRECTS = 5
MAX_BODY_BYTES = 64 * 1024
CHUNK_BYTES = 8 * 1024


class RemoteAnswer(NamedTuple):
    """What came of asking a URL; error says in one plain sentence what went wrong.

    url is the one that answered, after redirects, without user, password and query.
    """

    url: str
    status: int | None
    duration_ms: float
    error: str | None

    @property
    def is_ok(self) -> bool:
        """Whether it answered whole, with a status below 400."""
        return self.error is None and self.status is not None and self.status < 400


class _Progress:
    """How far one fetch has come."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status: int | None = None


class _TooManyRedirects(Exception):
    pass


def fetch(url: str, timeout_seconds: float) -> RemoteAnswer:
    """Ask a URL, following at most five redirects, and return what came of it.

    timeout_seconds bounds all of it: the name, connecting, redirects, headers, and the body, of
    which at most 64 KB are read. Never raises for what the other side does.
    """
    # Here and not above, so that a page that asks nobody doesn't wait for these imports.
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    from .connections import BoundedSession, Deadline

    progress, error = _Progress(url), None
    started = time.monotonic()
    with Deadline(timeout_seconds) as deadline, BoundedSession(deadline) as session:
        try:
            _ask(session, progress, deadline)
        except (
            RequestException,
            HTTPError,
            HTTPException,
            OSError,
            ValueError,
            _TooManyRedirects,
        ) as problem:
            error = _explain(problem)
        if error and deadline.is_past:
            error = f"It did not answer within {timeout_seconds:g} s."
    duration_ms = (time.monotonic() - started) * 1000
    return RemoteAnswer(show_url(progress.url), progress.status, duration_ms, error)


def show_url(url: str) -> str:
    """Return the URL without what may be secret in it: user, password, query, fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    if not parts.scheme or not parts.netloc:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _ask(session: BoundedSession, progress: _Progress, deadline: Deadline) -> None:
    for _ in range(MAX_REDIRECTS + 1):
        wait_seconds = max(deadline.seconds_left, 0.001)
        with session.get(progress.url, stream=True, timeout=wait_seconds) as response:
            target = session.find_redirect(response)
            if target is None:
                progress.status = response.status_code
                _read_body(response, deadline)
                return
            progress.url = urljoin(progress.url, target)
    raise _TooManyRedirects


def _read_body(response: Response, deadline: Deadline) -> None:
    """Read the body as it comes, not unpacked, as far as we care."""
    read_bytes = 0
    while read_bytes < MAX_BODY_BYTES:
        chunk = response.raw.read(CHUNK_BYTES, decode_content=False)
        # A body without a length seems to end, too, when the deadline shuts the connection down.
        if deadline.is_past:
            raise TimeoutError
        if not chunk:
            return
        read_bytes += len(chunk)


def _explain(problem: Exception) -> str:
    """Return what went wrong, in words of our own: theirs may quote the URL with its secrets."""
    from requests import exceptions as of_requests
    from urllib3 import exceptions as of_urllib3

    sentences: dict[str, tuple[type[BaseException], ...]] = {
        f"It redirected more than {MAX_REDIRECTS} times.": (_TooManyRedirects,),
        "Its name is not known.": (of_urllib3.NameResolutionError,),
        "No TLS connection could be agreed on with it.": (
            of_requests.SSLError,
            of_urllib3.SSLError,
        ),
        "It refused the connection.": (ConnectionRefusedError,),
        "It did not answer in time.": (
            of_requests.Timeout,
            of_urllib3.ReadTimeoutError,
            TimeoutError,
        ),
        "It broke the connection off.": (
            ConnectionError,
            of_urllib3.ProtocolError,
            HTTPException,
        ),
        "It is not a URL that can be asked.": (ValueError,),
    }
    causes = list(_causes(problem))
    for sentence, kinds in sentences.items():
        if any(isinstance(cause, kinds) for cause in causes):
            return sentence
    return "It could not be reached."


def _causes(problem: object) -> Iterator[BaseException]:
    """Yield an exception and all that it came from, outermost first."""
    while isinstance(problem, BaseException):
        yield problem
        first = problem.args[0] if problem.args else None
        inner = getattr(problem, "reason", None) or first
        problem = inner if isinstance(inner, BaseException) else problem.__cause__
