"""A process of its own that answers requests and says what it did: `program.py REQUESTS`.

REQUESTS: a JSON list of {"path", "headers", "environ", "trace"}; `trace` becomes
_X_AMZN_TRACE_ID, as the Lambda runtime sets it anew for each invocation; null deletes it.
Prints a JSON list of {"status", "headers", "body", "open"}: `open` names the entities left open.
{"paths"}, several, are asked for at once, by ASGI in one thread: the answer is a list of bodies.
{"call"} calls a function of scenarios.py: the answer is {"value"} or {"raised"}.
"""

import asyncio
import io
import json
import os
import sys
import traceback
from typing import Any


def answer(application: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Do one of the things that were asked for."""
    if "trace" in wanted:
        if wanted["trace"] is None:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        else:
            os.environ["_X_AMZN_TRACE_ID"] = wanted["trace"]
    if "call" in wanted:
        return call(wanted["call"])
    if "paths" in wanted:
        return asyncio.run(ask_at_once(wanted["paths"]))
    return ask(application, wanted)


def call(name: str) -> dict[str, Any]:
    """Call a function of scenarios.py."""
    from tests.tracing import scenarios

    try:
        return {"value": getattr(scenarios, name)()}
    except Exception as error:
        traceback.print_exc()
        return {"raised": type(error).__name__}


async def ask_at_once(paths: list[str]) -> dict[str, Any]:
    """Send requests through the ASGI application, all at once."""
    from django.core.asgi import get_asgi_application

    from tests.tracing.api import open_names

    application = get_asgi_application()
    bodies = await asyncio.gather(*(ask_by_asgi(application, path) for path in paths))
    return {"bodies": bodies, "open": open_names()}


async def ask_by_asgi(application: Any, url: str) -> str:
    """Send one request through the ASGI application, and read its body to the end."""
    from asgiref.testing import ApplicationCommunicator

    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "client": ("192.0.2.7", 1234),
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "http.request"})
    started = await communicator.receive_output(20)
    body, is_open = f"{started['status']} ", True
    while is_open:
        part = await communicator.receive_output(20)
        body += part.get("body", b"").decode()
        is_open = part.get("more_body", False)
    await communicator.wait(20)
    return body


def ask(application: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Send one request through the WSGI application, and read its body to the end."""
    from tests.tracing.api import open_names

    path, _, query = wanted["path"].partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        **{
            "HTTP_" + name.upper().replace("-", "_"): value
            for name, value in wanted.get("headers", {}).items()
        },
        **wanted.get("environ", {}),
    }
    told: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], info: object = None) -> None:
        told.update(status=int(status[:3]), headers=dict(headers))

    body = application(environ, start_response)
    try:
        text = b"".join(body).decode()
    except Exception as error:
        text = f"broken body: {error}"
    finally:
        body.close()
    return {**told, "body": text, "open": open_names()}


def break_function(place: str) -> None:
    """Make a function raise from here on: `module.function` or `module.Class.method`."""
    import importlib

    def fail(*arguments: Any, **keywords: Any) -> Any:
        raise OSError(f"{place} is broken")

    path, _, name = place.rpartition(".")
    try:
        owner: Any = importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, kind = path.rpartition(".")
        owner = getattr(importlib.import_module(module), kind)
    getattr(owner, name)
    setattr(owner, name, fail)


def main() -> None:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    if broken := os.environ.get("TEST_BREAK"):
        break_function(broken)
    answers = [answer(application, wanted) for wanted in json.loads(sys.argv[1])]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
