"""Say in JSON's own words what application code puts on a segment, whatever it is.

Nothing is asked of a value that could cost or change something: no query is run, no iterator is
read, no method of the value's own is called.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from .redaction import REDACTED, is_secret_name, redact_text

MAX_DEPTH = 20
MAX_ITEMS = 10_000


def make_plain(value: Any, *, redact: bool = False, depth: int = 0) -> Any:
    """Return what JSON can say of a value: text as keys, no NaN, no endless nesting.

    redact: take out secrets, by the name that a value has and by what a text looks like.
    """
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is str:
        return redact_text(value) if redact else value
    if kind is int:
        return value
    if kind is float:
        return value if math.isfinite(value) else repr(value)
    if depth > MAX_DEPTH:
        return "…"
    try:
        return _make_plain(value, redact, depth + 1)
    except Exception:
        return describe_type(value)


def _make_plain(value: Any, redact: bool, depth: int) -> Any:
    # By its type: to ask a lazy object for its class would run its query.
    kind = type(value)
    if issubclass(kind, Mapping):
        return {
            name: REDACTED
            if redact and is_secret_name(name)
            else make_plain(item, redact=redact, depth=depth)
            for name, item in (
                (make_key(key), item) for key, item in list(value.items())[:MAX_ITEMS]
            )
        }
    if issubclass(kind, list | tuple | set | frozenset):
        return [make_plain(item, redact=redact, depth=depth) for item in list(value)[:MAX_ITEMS]]
    if issubclass(kind, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if issubclass(kind, Enum):
        return make_plain(value.value, redact=redact, depth=depth)
    if issubclass(kind, str):
        text = str.__str__(value)
        return redact_text(text) if redact else text
    if issubclass(kind, int):
        return int(value)
    if issubclass(kind, float):
        return make_plain(float(value))
    if issubclass(kind, datetime | date | time):
        return value.isoformat()
    if issubclass(kind, timedelta):
        return value.total_seconds()
    if issubclass(kind, Decimal | UUID | PurePath):
        return str(value)
    if issubclass(kind, BaseException):
        text = f"{type(value).__name__}: {value}"
        return redact_text(text) if redact else text
    if issubclass(kind, Promise):
        return make_plain(str(value), redact=redact, depth=depth)
    if callable(value) or hasattr(kind, "__iter__"):
        return describe_type(value)
    if dataclasses.is_dataclass(kind):
        attributes = {
            field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)
        }
    else:
        attributes = getattr(value, "__dict__", {})
    shown = {name: item for name, item in attributes.items() if not str(name).startswith("_")}
    return make_plain(shown, redact=redact, depth=depth) if shown else describe_type(value)


def make_key(key: Any) -> str:
    """Return a key of a mapping as text."""
    kind = type(key)
    if issubclass(kind, str):
        return str.__str__(key)
    return str(key) if key is None or issubclass(kind, int | float | tuple) else describe_type(key)


def describe_type(value: Any) -> str:
    """Return what a value is, where it cannot be said what it holds."""
    # By its type, as above.
    kind = value if issubclass(type(value), type) else type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"
