"""gunicorn's logs with trace id and request id: `gunicorn --logger-class tracing.gunicorn.Logger`.

Its access log ends with both; a format of one's own may name `%(trace_id)s` and `%(request_id)s`.
"""

import logging
from typing import Any

from gunicorn import glogging
from gunicorn.config import AccessLogFormat

from .logs import describe_ids, install, last_ids

IDS = " trace=%(trace_id)s request=%(request_id)s"


class ErrorFormatter(logging.Formatter):
    """gunicorn's own line, with the ids at its end where it is about a request."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record) + describe_ids(record)


class Logger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's logger; each record knows its ids, for handlers of `logconfig_dict` too."""

    def setup(self, cfg: Any) -> None:
        """Set the logs up, at start and when the configuration is read again."""
        super().setup(cfg)
        install()
        if cfg.access_log_format == AccessLogFormat.default:
            cfg.set("access_log_format", AccessLogFormat.default + IDS)
        for handler in self.error_log.handlers:
            if (
                getattr(handler, "_gunicorn", False)
                and type(handler.formatter) is logging.Formatter
            ):
                handler.setFormatter(ErrorFormatter(self.error_fmt, self.datefmt))

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """Return what an access log's format may name."""
        trace_id, request_id = last_ids()
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return found | {"trace_id": trace_id, "request_id": request_id}
