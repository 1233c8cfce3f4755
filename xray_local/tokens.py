"""Tokens: a place in a list, as a text that travels to a client and back."""

import base64
import json
from collections.abc import Sequence
from typing import Any


def encode(place: Sequence[str | float]) -> str:
    """Return the token of a place."""
    text = json.dumps(list(place), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str) -> list[Any]:
    """Return the place that a token stands for. Raises ValueError if it is none of `encode`'s."""
    try:
        padded = token.encode() + b"=" * (-len(token) % 4)
        place = json.loads(base64.b64decode(padded, b"-_", validate=True))
    except RecursionError as error:
        raise ValueError(str(error)) from None
    if not isinstance(place, list):
        raise ValueError(f"Expected a list, got a {type(place).__name__}.")
    return place
