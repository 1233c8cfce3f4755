"""The trace id and the request id in every log record; JSON on Lambda, readable on a laptop.

A filter has to be named on each handler, and the handlers of other packages name none. So `install`
makes every record of the process one that knows its ids: it notes at once in whose request it was
made, and writes `trace_id` and `request_id` into itself when a handler asks for its message. Not
before: what an application gives with `extra=` must neither be refused by logging nor be replaced.
"""

import json
import logging
import os
import re
import sys
import threading
import traceback
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, SupportsIndex

from django.http import HttpRequest

from .redaction import redact_text

NONE = "-"
# What the SDK's own segments have that are not sampled.
NO_TRACE = f"1-{0:08x}-{0:024x}"
# Servers log a request when the last middleware has returned, and know no request by then.
SERVER_LOGGERS = frozenset({"django.server", "gunicorn.access"})
ROOT = re.compile(r"\bRoot=(1-[0-9a-f]{8}-[0-9a-f]{24})\b", re.IGNORECASE)

_making_ids = threading.Lock()


class Ids:
    """The ids of one request. Its own id is Lambda's, or is made when somebody asks for it.

    context: Lambda's, of its invocation.
    """

    trace_id = NONE
    context: Any = None
    _request_id: str | None = None

    @property
    def request_id(self) -> str:
        """The same for whoever asks, in whatever thread."""
        if self._request_id is None:
            with _making_ids:
                if self._request_id is None:
                    self._request_id = self._make()
        return self._request_id

    def _make(self) -> str:
        lambdas = getattr(self.context, "aws_request_id", None) or runtime_request_id()
        return lambdas or str(uuid.uuid4())


# Of the request that is answered here; in a tuple, of the last that was: for the server's line.
_known: ContextVar[Ids | tuple[Ids] | None] = ContextVar("tracing_ids", default=None)


def remember_request(request: HttpRequest) -> Ids:
    """Say that what is logged from here on belongs to this request; return its ids.

    Its trace's id is the caller's to add: it is for what is logged when the trace has ended.
    """
    # Django logs 4xx and 5xx after the last middleware has returned, with the request at hand.
    request._ids = ids = Ids()  # type: ignore[attr-defined]
    context = request.META.get("apig_wsgi.context")
    if context is not None:
        ids.context = context
    _known.set(ids)
    return ids


def forget_request() -> None:
    """Say that what is logged from here on belongs to no request."""
    known = _known.get()
    if type(known) is Ids:
        _known.set((known,))


def _current_ids() -> Ids | None:
    known = _known.get()
    return known if isinstance(known, Ids) else None


def current_request_id() -> str | None:
    """Return the id of the request that this code runs in, or None outside a request."""
    ids = _current_ids()
    return None if ids is None else ids.request_id


def last_ids() -> tuple[str, str]:
    """Return trace id and request id of the request that this thread answers or has answered."""
    known = _known.get()
    ids = known[0] if isinstance(known, tuple) else known
    return (NONE, NONE) if ids is None else (ids.trace_id, ids.request_id)


def runtime_request_id() -> str | None:
    """Return the id of the invocation that Lambda's runtime client is at, if there is one."""
    # It tells the id to its own handler alone, by this name.
    return getattr(sys.modules.get("awslambdaric.bootstrap"), "_GLOBAL_AWS_REQUEST_ID", None)


def runtime_trace_id() -> str | None:
    """Return the trace id of the invocation that Lambda's runtime client is at."""
    header = os.environ.get("_X_AMZN_TRACE_ID")
    match = ROOT.search(header) if header else None
    return match[1] if match else None


def _note(record: logging.LogRecord) -> tuple[str | None, Ids | None]:
    """Return the id of the trace and the ids of the request that this code runs in."""
    known = _known.get()
    ids = None
    if isinstance(known, Ids):
        ids = known
    elif known is not None and record.name in SERVER_LOGGERS:
        ids = known[0]
        # A static file on the same connection never reaches the middleware.
        _known.set(None)
    elif known is not None and record.name == "gunicorn.error" and record.exc_info:
        ids = known[0]
    try:
        # Settings name this module before the SDK may be imported; by the first record it may.
        from .current import current_trace

        trace = current_trace()
    except Exception:  # logging must not fail because tracing does
        trace = None
    return (trace.trace_id if trace and trace.trace_id != NO_TRACE else None), ids


def _fill(record: logging.LogRecord, noted: tuple[str | None, Ids | None]) -> None:
    """Write the ids into a record that has none yet."""
    fields = record.__dict__
    if "trace_id" in fields and "request_id" in fields:
        return
    trace_id, ids = noted
    if ids is None:
        ids = getattr(fields.get("request"), "_ids", None)
    if trace_id is None and ids is not None and ids.trace_id != NONE:
        trace_id = ids.trace_id
    fields.setdefault("trace_id", trace_id or runtime_trace_id() or NONE)
    fields.setdefault("request_id", (ids.request_id if ids else runtime_request_id()) or NONE)


class Record(logging.LogRecord):
    """A record that knows the trace and the request that it was made in."""

    __slots__ = ("noted",)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.noted = _note(self)

    def getMessage(self) -> str:
        """Return the message; formatters ask for it first, and read the other fields after."""
        _fill(self, self.noted)
        return super().getMessage()

    def __getattr__(self, name: str) -> Any:
        if name in ("trace_id", "request_id"):
            _fill(self, self.noted)
            return self.__dict__[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # Queues copy records or send them to other processes: the ids travel as fields.
        _fill(self, self.noted)
        return logging.makeLogRecord, (self.__dict__.copy(),)


def install() -> None:
    """Make every record of this process know its ids. Doing so twice changes nothing."""
    previous = logging.getLogRecordFactory()
    if previous is logging.LogRecord:
        logging.setLogRecordFactory(Record)
    elif previous is not Record and not getattr(previous, "knows_ids", False):
        logging.setLogRecordFactory(_make_factory(previous))
    for handler in logging.getLogger().handlers:
        is_lambdas = type(handler).__module__ == "awslambdaric.bootstrap"
        if is_lambdas and handler.formatter and not isinstance(handler.formatter, LambdaFormatter):
            handler.setFormatter(LambdaFormatter(handler.formatter))


def _make_factory(previous: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """Return a factory of records such as another package's, but with ids."""

    def make(*arguments: Any, **keywords: Any) -> logging.LogRecord:
        made = previous(*arguments, **keywords)
        if type(made) is not logging.LogRecord:
            # A class of its own: its handlers need TraceFilter.
            return made
        record = Record.__new__(Record)
        record.__dict__ = made.__dict__
        record.noted = _note(record)
        return record

    make.knows_ids = True  # type: ignore[attr-defined]
    return make


class TraceFilter(logging.Filter):
    """Add trace_id and request_id to each record of a handler; `-` where there is none.

    Needed where a handler's format names them: records made before `install` have none.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        _fill(record, record.noted if isinstance(record, Record) else _note(record))
        return True


def read_ids(record: logging.LogRecord) -> tuple[str, str]:
    """Return trace id and request id of a record, each `-` where there is none."""
    return getattr(record, "trace_id", NONE), getattr(record, "request_id", NONE)


def describe_ids(record: logging.LogRecord) -> str:
    """Return what a line for people ends with: nothing for a record outside any request."""
    trace_id, request_id = read_ids(record)
    return "" if request_id == NONE else f"  [trace {trace_id} request {request_id}]"


class JSONFormatter(logging.Formatter):
    """One JSON object a line; with the names of Lambda's own, where Lambda logs in JSON too."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.is_lambdas = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        trace_id, request_id = read_ids(record)
        line: dict[str, Any] = {
            "timestamp": time.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact_text(record.getMessage()),
        }
        if self.is_lambdas:
            ids = {"requestId": request_id, "xrayTraceId": trace_id}
            line |= {name: value for name, value in ids.items() if value != NONE}
        else:
            line |= {"request_id": request_id, "trace_id": trace_id}
        if record.exc_info and self.is_lambdas:
            line |= self._describe_exception(record)
        elif record.exc_info:
            line["exception"] = redact_text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)

    @staticmethod
    def _describe_exception(record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields that Lambda's formatter has for an exception."""
        kind, error, stack = record.exc_info or (None, None, None)
        if kind is None:
            return {}
        return {
            "stackTrace": [redact_text(frame) for frame in traceback.format_tb(stack)],
            "errorType": kind.__name__,
            "errorMessage": redact_text(str(error)),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}",
        }


class TextFormatter(logging.Formatter):
    """A line that people read."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {record.name}: {redact_text(record.getMessage())}"
        line += describe_ids(record)
        if record.exc_info:
            line += "\n" + redact_text(self.formatException(record.exc_info))
        return line


class LambdaFormatter(logging.Formatter):
    """What Lambda's own formatter writes, and the trace id by the name that Lambda has for it.

    The request id is there already: the runtime client's handler adds it.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.formatter = formatter
        self.is_json = type(formatter).__name__ == "JsonFormatter"

    def format(self, record: logging.LogRecord) -> str:
        fields = record.__dict__.copy()
        trace_id, _ = read_ids(record)
        fields.pop("trace_id", None)
        fields.pop("request_id", None)
        if trace_id != NONE and self.is_json:
            fields["xrayTraceId"] = trace_id
        elif trace_id != NONE:
            # As in the line REPORT of each invocation.
            fields |= {"msg": f"{record.getMessage()}\tXRAY TraceId: {trace_id}", "args": None}
        shown = logging.LogRecord.__new__(logging.LogRecord)
        shown.__dict__.update(fields)
        line = self.formatter.format(shown)
        if hasattr(shown, "_frame_type"):
            # Lambda's handler looks for it: it tells the level to the log service.
            record._frame_type = shown._frame_type
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
