"""A process of its own that answers requests and says what it did: `program.py REQUESTS`.

REQUESTS: a JSON list of {"path", "headers", "environ", "trace"}; `trace` becomes
_X_AMZN_TRACE_ID, as the Lambda runtime sets it anew for each invocation; null deletes it.
Prints a JSON list of {"status", "headers", "body", "open"}: `open` names the entities left open.
"""

import io
import json
import os
import sys
from typing import Any


def answer(application: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Send one request through the WSGI application, and read its body to the end."""
    from tracing.context import open_entities

    if wanted["path"] == "outside":
        return use_recorder_outside_a_request()
    if "trace" in wanted:
        if wanted["trace"] is None:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        else:
            os.environ["_X_AMZN_TRACE_ID"] = wanted["trace"]
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
    return {**told, "body": text, "open": [entity.name for entity in open_entities()]}


def use_recorder_outside_a_request() -> dict[str, Any]:
    """Call the recorder as a management command would, twice, and say what it raised."""
    from tracing import xray_recorder

    try:
        for _ in range(2):
            xray_recorder.begin_subsegment("outside")
            xray_recorder.end_subsegment()
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def main() -> None:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    answers = [answer(application, wanted) for wanted in json.loads(sys.argv[1])]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
