"""Read an event's fields: null is empty, and any other type than AWS's is refused by name."""

from typing import Any

from .errors import MalformedEvent


def read_map(holder: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object, empty where it is null or missing. Raises MalformedEvent."""
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedEvent(f"Expected {name!r} to be an object or null, got {_kind(value)}.")
    return value


def read_text(holder: dict[str, Any], name: str) -> str:
    """Return a text, empty where it is null or missing. Raises MalformedEvent."""
    value = holder.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedEvent(f"Expected {name!r} to be a text or null, got {_kind(value)}.")
    return value


def read_texts(value: object, name: str) -> list[str]:
    """Return one text or a list of texts as a list, without nulls. Raises MalformedEvent."""
    if isinstance(value, str):
        return [value]
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedEvent(f"Expected {name!r} to be a list of texts, got {_kind(value)}.")
    for item in value:
        if not isinstance(item, str):
            if item is None:
                return read_texts([other for other in value if other is not None], name)
            raise MalformedEvent(f"Expected {name!r} to hold texts, got {_kind(item)}.")
    return value


def to_wsgi_text(text: str) -> str:
    """Return text as WSGI wants it: its UTF-8 bytes, each as one latin-1 character.

    Raises UnicodeEncodeError for half a surrogate pair, which has no bytes.
    Source: https://peps.python.org/pep-3333/#unicode-issues
    """
    return text if text.isascii() else text.encode().decode("latin-1")


def _kind(value: object) -> str:
    return type(value).__name__
