"""Read query parameters: every one is known, stands once, and is what it says."""

import re
from collections.abc import Collection

from django.http import HttpRequest

from movies.errors import BadInput

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,9})")
SHOWN_CHARS = 50


def check_query(request: HttpRequest, known: Collection[str]) -> None:
    """Raise BadInput for a parameter that this address doesn't have, or has twice."""
    fields = {}
    for name, values in request.GET.lists():
        if name not in known:
            right = ", ".join(sorted(known)) or "none here"
            fields[name[:SHOWN_CHARS]] = f"This parameter isn't known; expected {right}."
        elif len(values) > 1:
            fields[name] = f"Expected this parameter once, got it {len(values)} times."
    if fields:
        raise BadInput.of_fields(fields)


def read_number(request: HttpRequest, name: str, lowest: int, highest: int) -> int | None:
    """Return a whole number from lowest to highest, None where the parameter is absent."""
    text = request.GET.get(name)
    if text is None:
        return None
    if NUMBER.fullmatch(text) and lowest <= int(text) <= highest:
        return int(text)
    shown = repr(text[:SHOWN_CHARS])
    raise BadInput(name, f"Expected a whole number from {lowest} to {highest}, got {shown}.")


def read_text(request: HttpRequest, name: str, max_chars: int) -> str | None:
    """Return a text of 1 to max_chars characters, None where the parameter is absent."""
    text = request.GET.get(name)
    if text is None or 1 <= len(text) <= max_chars:
        return text
    raise BadInput(name, f"Expected 1 to {max_chars} characters, got {len(text)}.")


def read_choice(request: HttpRequest, name: str, choices: Collection[str]) -> str | None:
    """Return one of the choices, None where the parameter is absent."""
    text = request.GET.get(name)
    if text is None or text in choices:
        return text
    shown = repr(text[:SHOWN_CHARS])
    raise BadInput(name, f"Expected one of {', '.join(choices)}, got {shown}.")
