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
from itertools import islice
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise

from .redaction import REDACTED, is_secret_name, redact_quoted, redact_short, redact_text

# What PEP 249 has a driver call its errors, and Django and SQLAlchemy theirs.
DATABASE_ERRORS = frozenset({"DatabaseError", "InterfaceError"})

MAX_DEPTH = 20
# Of one value with all that is in it: a document has 64 kB, and what is shared is told each time.
MAX_ITEMS = 10_000
MAX_CHARACTERS = 1_000_000
CHARACTERS_PER_ITEM = MAX_CHARACTERS // MAX_ITEMS
KEPT_CHARACTERS = 300
PLAIN_KEYS = frozenset({int, float, bool, type(None)})


def make_plain(value: Any, *, redact: bool = False) -> Any:
    """Return what JSON can say of a value: text as keys, no NaN, no endless nesting.

    redact: take out secrets, by the name that a value has and by what a text looks like.
    What is within itself, too deep or too much is told as "…".
    """
    return Teller(redact).tell(value)


class Teller:
    """Tells one value: how much more may be told, and what it stands in."""

    def __init__(self, redact: bool) -> None:
        self.redact = redact
        self.items_left = MAX_ITEMS
        self.path: list[int] = []

    def tell(self, value: Any) -> Any:
        """Return what JSON can say of a value."""
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if kind is str:
            return self.tell_text(value)
        if kind is int:
            return value
        if kind is float:
            return value if math.isfinite(value) else repr(value)
        if len(self.path) > MAX_DEPTH or id(value) in self.path:
            return "…"
        self.path.append(id(value))
        try:
            return self._tell(value, kind)
        except Exception:
            return describe_type(value)
        finally:
            self.path.pop()

    def _tell(self, value: Any, kind: type) -> Any:
        # By its type: to ask a lazy object for its class would run its query.
        if issubclass(kind, Mapping):
            return self.tell_mapping(value, kind)
        if issubclass(kind, list | tuple | set | frozenset):
            return self.tell_sequence(value, kind)
        if issubclass(kind, bytes | bytearray | memoryview):
            return f"{len(value)} bytes"
        if issubclass(kind, Enum):
            return self.tell(value.value)
        if issubclass(kind, str):
            return self.tell_text(str.__str__(value))
        if issubclass(kind, int):
            return int(value)
        if issubclass(kind, float):
            return self.tell(float(value))
        if issubclass(kind, datetime | date | time):
            return value.isoformat()
        if issubclass(kind, timedelta):
            return value.total_seconds()
        if issubclass(kind, Decimal | UUID | PurePath):
            return str(value)
        if issubclass(kind, BaseException):
            return self.tell_text(f"{type(value).__name__}: {read_message(value)}")
        if issubclass(kind, Promise):
            return self.tell(str(value))
        if callable(value) or hasattr(kind, "__iter__"):
            return describe_type(value)
        if dataclasses.is_dataclass(kind):
            attributes = {
                field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)
            }
        else:
            attributes = getattr(value, "__dict__", {})
        shown = {name: item for name, item in attributes.items() if not str(name).startswith("_")}
        return self.tell_mapping(shown, dict) if shown else describe_type(value)

    def tell_text(self, text: str) -> str:
        """Return a text; many long ones are too much as well."""
        self.items_left -= len(text) // CHARACTERS_PER_ITEM
        if not self.redact:
            return text
        return redact_short(text) if len(text) <= KEPT_CHARACTERS else redact_text(text)

    def tell_mapping(self, value: Mapping[Any, Any], kind: type) -> dict[str, Any]:
        """Return a mapping; of what a visitor has sent, only the names."""
        items = list(islice(value.items(), max(self.items_left, 0)))
        named = [(make_key(key), item) for key, item in items]
        is_secret = self.redact and (
            issubclass(kind, MultiValueDict)
            # {"name": "password", "value": ...}
            or any(
                type(item) is str
                and name.lower().endswith(("name", "key"))
                and is_secret_name(item)
                for name, item in named
            )
        )
        told: dict[str, Any] = {}
        for name, item in named:
            if not self._has_room():
                break
            is_value = issubclass(kind, MultiValueDict) or name.lower().endswith(
                ("value", "values")
            )
            if self.redact and ((is_secret and is_value) or is_secret_name(name)):
                told[self.tell_text(name)] = REDACTED
            else:
                told[self.tell_text(name)] = self.tell(item)
        if len(told) < len(value) and self.items_left <= 0:
            told["…"] = "…"
        return told

    def tell_sequence(self, value: Any, kind: type) -> list[Any]:
        """Return the items of a list, a tuple or a set; of ("password", ...) only the name."""
        if self.redact and len(value) == 2 and issubclass(kind, list | tuple):
            name, item = value
            if type(name) is bytes:
                name = name.decode("latin-1")
            is_flag = item is None or item is True or item is False
            if type(name) is str and is_secret_name(name) and not is_flag:
                self.items_left -= 2
                return [self.tell_text(name), REDACTED]
        told: list[Any] = []
        for item in islice(value, max(self.items_left, 0)):
            if not self._has_room():
                break
            told.append(self.tell(item))
        if len(told) < len(value):
            told.append("…")
        return told

    def _has_room(self) -> bool:
        self.items_left -= 1
        return self.items_left >= 0


def read_message(exception: BaseException) -> str:
    """Return the exception's text, of a database's without the values that it quotes.

    An exception whose own __str__ fails still has a type.
    """
    try:
        text = str(exception)
        if DATABASE_ERRORS.isdisjoint(base.__name__ for base in type(exception).__mro__):
            return text
        if len(exception.args) == 2 and type(exception.args[0]) is int:
            # MySQL's code and message
            code, message = exception.args
            return f"({code}, {redact_quoted(str(message))})"
        return redact_quoted(text)
    except Exception:
        return ""


def make_key(key: Any) -> str:
    """Return a key of a mapping as text."""
    kind = type(key)
    if issubclass(kind, str):
        return str.__str__(key)
    if issubclass(kind, tuple):
        # Not its own words: they would be those of its items, which may be queries.
        return str(tuple(key if type(key) in PLAIN_KEYS else make_key(key) for key in key))
    return str(key) if key is None or issubclass(kind, int | float) else describe_type(key)


def describe_type(value: Any) -> str:
    """Return what a value is, where it cannot be said what it holds."""
    # By its type, as above.
    kind = value if issubclass(type(value), type) else type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"
