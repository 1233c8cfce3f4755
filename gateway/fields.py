"""Read an event's fields: null is empty, and any other type than AWS's is refused by name."""

from typing import Any

from .errors import MalformedEvent


def read_map(holder: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object, empty where it is null or missing. Raises MalformedEvent."""
    try:
        value = holder[name]
    except KeyError:
        return {}
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    raise MalformedEvent(f"Expected {name!r} to be an object or null, got {_kind(value)}.")


def read_text(holder: dict[str, Any], name: str) -> str:
    """Return a text, empty where it is null or missing. Raises MalformedEvent."""
    try:
        value = holder[name]
    except KeyError:
        return ""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    raise MalformedEvent(f"Expected {name!r} to be a text or null, got {_kind(value)}.")


def read_texts(value: object, name: str) -> list[str]:
    """Return one text or a list of texts as a list, without nulls. Raises MalformedEvent."""
    if isinstance(value, str):
        return [value]
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedEvent(f"Expected {name!r} to be a list of texts, got {_kind(value)}.")
    if len(value) == 1 and isinstance(value[0], str):
        return value
    for item in value:
        if item is not None and not isinstance(item, str):
            raise MalformedEvent(f"Expected {name!r} to hold texts, got {_kind(item)}.")
    return [item for item in value if item is not None]


def to_wsgi_text(text: str) -> str:
    """Return text as WSGI wants it: its UTF-8 bytes, each as one latin-1 character.

    Raises UnicodeEncodeError for half a surrogate pair, which has no bytes.
    Source: https://peps.python.org/pep-3333/#unicode-issues
    """
    return text if text.isascii() else text.encode().decode("latin-1")


def from_wsgi_text(text: str) -> str:
    """Return WSGI's text as it was meant: its bytes read as UTF-8, else as latin-1.

    A text that WSGI does not allow, with characters beyond latin-1, stays as it is.
    """
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _kind(value: object) -> str:
    return type(value).__name__
