"""What segment documents consist of: ids, times, members of any type; read with care.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import json
import math
import re
from typing import Any, NoReturn

import msgspec

EXAMPLE_TRACE_ID = "1-58406520-a006649127e371903a2de979"
TRACE_ID = re.compile(r"[0-9]-[0-9A-Fa-f]{8}-[0-9A-Fa-f]{24}")
ID_CHARACTERS = 16
# The last second of the year 9999: what every clock and calendar can show.
MAX_TIME = 253_402_300_799
# Whole numbers that are longer can be no double; much longer, Python does not read them.
NUMBER_MAX_CHARACTERS = 300


def load_document(body: bytes) -> dict[str, Any]:
    """Return a stored document."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        # It has a number that is too large where the schema says nothing.
        content: dict[str, Any] = DECODER.decode(body.decode())
        return content


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant}, which is not JSON")


def _read_float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _read_integer(text: str) -> int | None:
    return int(text) if len(text) <= NUMBER_MAX_CHARACTERS else None


_decode = msgspec.json.Decoder(dict[str, Any]).decode
# Reads JSON to the letter; a number that nobody can hold is null.
DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_read_float, parse_int=_read_integer
)


def as_number(value: object) -> float | None:
    """Return the value if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def as_time(value: object) -> float | None:
    """Return the value if it is a point of time that a calendar can show, else None."""
    number = value if type(value) is float else as_number(value)
    return number if number is not None and 0 <= number <= MAX_TIME else None


def as_text(value: object, limit: int = 2000) -> str | None:
    """Return the value, cut at the limit, if it is a text with something in it; else None."""
    return value[:limit] if isinstance(value, str) and value else None


def as_mapping(value: object) -> dict[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def show(value: object) -> str:
    """Return a short text in ASCII that says what the value is; safe in a log line."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # a number or a nesting that Python does not print
        return f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."
