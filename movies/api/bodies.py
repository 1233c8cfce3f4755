"""Read request bodies: JSON more strictly than the parser would, and images."""

import json
import math
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest

from .errors import Problem

JSON_TYPE = "application/json"
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
# Beyond it, a float doesn't tell one whole number from the next.
LARGEST_EXACT_FLOAT = 2**53


def read_json(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object that the request carries.

    Refused, with the reason: another media type (415), more bytes than
    DATA_UPLOAD_MAX_MEMORY_SIZE (413), what isn't UTF-8, isn't JSON (NaN and Infinity aren't),
    names a member twice, is nested deeper than the parser goes, has half a surrogate pair, or
    isn't an object (400).
    """
    if request.content_type != JSON_TYPE:
        raise _wrong_type(request, JSON_TYPE)
    try:
        value = json.loads(
            request.body.decode("utf-8"),
            object_pairs_hook=_read_object,
            parse_constant=_refuse_constant,
            parse_float=_read_float,
            parse_int=_read_int,
        )
        # A lone \ud800 is a string to the parser, but no text that could be stored.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as exc:
        raise _bad_json(f"The body isn't UTF-8: {exc.reason} at byte {exc.start}.") from exc
    except UnicodeEncodeError as exc:
        raise _bad_json("A text in the body has half of a surrogate pair.") from exc
    except json.JSONDecodeError as exc:
        raise _bad_json(
            f"The body isn't JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}."
        ) from exc
    except RecursionError as exc:
        raise _bad_json("The body is nested too deeply; expected one object.") from exc
    if not isinstance(value, dict):
        raise _bad_json(f"Expected a JSON object, got {_name_type(value)}.")
    return value


def read_image(request: HttpRequest) -> bytes:
    """Return the raw bytes of an image; what they really are, `posters` looks at.

    No more than one byte over POSTER_MAX_BYTES, which `posters` then refuses. Raises Problem 415
    for a media type that isn't a poster's.
    """
    if request.content_type not in IMAGE_TYPES:
        raise _wrong_type(request, ", ".join(IMAGE_TYPES))
    content: bytes = request.read(settings.POSTER_MAX_BYTES + 1)
    return content


def _wrong_type(request: HttpRequest, expected: str) -> Problem:
    got = request.content_type or "none"
    return Problem(
        415, "unsupported_media_type", f"Expected Content-Type {expected}, got {got[:100]!r}."
    )


def _bad_json(message: str) -> Problem:
    return Problem(400, "bad_json", message)


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _bad_json(f"The member {twice[:100]!r} stands twice in one object.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _bad_json(f"{name} isn't JSON; expected a number or null.")


def _read_float(text: str) -> float | int:
    """Return a whole number as an int: JSON doesn't tell 7.0 from 7."""
    number = float(text)
    if not math.isfinite(number):
        raise _bad_json(f"The number {text[:50]} is too large.")
    if number.is_integer() and abs(number) <= LARGEST_EXACT_FLOAT:
        return int(number)
    return number


def _read_int(text: str) -> int:
    if len(text) > 100:  # Python refuses to read 4,300 digits; nothing here needs more than 10
        raise _bad_json(f"A number has {len(text)} digits; expected fewer.")
    return int(text)


def _name_type(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
