"""Rates, shares, sizes and counts, written for people; times are in `times`."""

import json


def write_rate(per_minute: float, style: str = "") -> str:
    """Return how often something happens; in the style "short", with the unit in three letters."""
    unit = "/m" if style == "short" else "/min"
    return f"{per_minute:.{0 if per_minute >= 9.95 else 1 if per_minute >= 0.095 else 2}f}{unit}"


def write_share(percent: float) -> str:
    """Return hundredths as a person says them; what is there is never 0 %."""
    if percent == 0:
        return "0 %"
    return f"{percent:.0f} %" if percent >= 0.95 else "< 1 %"


def write_count(number: int) -> str:
    """Return a number of things, its thousands apart."""
    return f"{number:,}"


def write_size(size_bytes: float) -> str:
    """Return a size in the unit that suits it, of 1000 bytes each."""
    for unit in ("B", "KB", "MB"):
        if size_bytes < 999.5:
            return f"{size_bytes:.{0 if unit == 'B' or size_bytes >= 9.95 else 1}f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:,.1f} GB"


def write_units(value: float) -> str:
    """Return a length in a drawing, short and never in the words of a locale."""
    return json.dumps(round(value, 2))
