"""The trace id and the request id in every log record."""

import logging


class TraceFilter(logging.Filter):
    """Add trace_id and request_id to each record."""


class JSONFormatter(logging.Formatter):
    """One JSON object a line."""


class TextFormatter(logging.Formatter):
    """A line that people read."""
