"""A hundred thousand requests of every kind in one process: prints how its memory has grown."""

import gc
import io
import json
import os
import sys
import threading
from typing import Any

REQUESTS = 100_000
# By then every cache is full.
WARM_UP = 20_000
PATHS = (
    *["/ok"] * 32,
    "/queries",
    "/annotated",
    "/leaky",
    "/captured",
    "/missing",
    "/stream",
    "/cleared",
    "/threads",
)


def answer(application: Any, path: str, number: int) -> None:
    """Send one request; every fourth is not sampled."""
    header = f"Root=1-5759e988-{number:024x};Sampled={0 if number % 4 == 3 else 1}"
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_USER_AGENT": f"agent {number}",
        "HTTP_X_AMZN_TRACE_ID": header,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    body = application(environ, lambda status, headers, info=None: None)
    b"".join(body)
    body.close()


def measure_bytes() -> int:
    """Return the memory that this process holds."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    before = threads = 0
    for number in range(REQUESTS):
        if number == WARM_UP:
            before, threads = measure_bytes(), threading.active_count()
        answer(application, PATHS[number % len(PATHS)], number)
    grown = measure_bytes() - before
    assert threading.active_count() <= threads
    json.dump({"requests": REQUESTS, "grown_bytes": grown}, sys.stdout)


if __name__ == "__main__":
    main()
