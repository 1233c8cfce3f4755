"""The trace id and the request id in every log record; JSON on Lambda, readable on a laptop."""

import json
import logging
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from .redaction import redact_text

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# Trace and request of the last request of this thread, for the server's line about it.
_last_ids: ContextVar[tuple[str, str]] = ContextVar("last_ids", default=("-", "-"))
# runserver logs each request when the last middleware has returned, and knows no request by then.
SERVER_LOGGER = "django.server"


def remember_request(request: HttpRequest) -> None:
    """Give the request its id: Lambda's own where there is one."""
    context = request.META.get("apig_wsgi.context")
    request_id = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    _request_id.set(request_id)
    # Django logs 4xx and 5xx after the last middleware has returned, with the request at hand.
    request._ids = ("-", request_id)  # type: ignore[attr-defined]
    _last_ids.set(("-", request_id))


def remember_trace(request: HttpRequest, trace_id: str) -> None:
    """Keep the trace id with the request, for what is logged when the trace has ended."""
    request._ids = (trace_id or "-", request._ids[1])  # type: ignore[attr-defined]
    _last_ids.set(request._ids)  # type: ignore[attr-defined]


def forget_request() -> None:
    """Say that what is logged from here on belongs to no request."""
    _request_id.set(None)


class TraceFilter(logging.Filter):
    """Add trace_id and request_id to each record; `-` where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Settings name this class before the SDK may be imported; by the first record it may.
        from .current import current_trace

        trace = current_trace()
        ids = getattr(getattr(record, "request", None), "_ids", ("-", "-"))
        if record.name == SERVER_LOGGER:
            ids = _last_ids.get()
            # A static file on the same connection never reaches the middleware.
            _last_ids.set(("-", "-"))
        record.trace_id = trace.trace_id if trace else ids[0]
        record.request_id = _request_id.get() or ids[1]
        return True


class JSONFormatter(logging.Formatter):
    """One JSON object a line, with the names that CloudWatch and Lambda's own logs use."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "message": redact_text(record.getMessage()),
            "request_id": getattr(record, "request_id", "-"),
            "trace_id": getattr(record, "trace_id", "-"),
        }
        if record.exc_info:
            line["exception"] = redact_text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A line that people read."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {record.name}: {redact_text(record.getMessage())}"
        if getattr(record, "request_id", "-") != "-":
            line += f"  [trace {getattr(record, 'trace_id', '-')} request {record.request_id}]"  # type: ignore[attr-defined]
        if record.exc_info:
            line += "\n" + redact_text(self.formatException(record.exc_info))
        return line


class OnceFilter(logging.Filter):
    """Let each line of the SDK log once in this process: it repeats itself at every request."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[Any] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        # The SDK formats before it logs: the place, not the text, says that it is the same.
        place = (record.pathname, record.lineno)
        if place in self._seen:
            return False
        self._seen.add(place)
        return True
