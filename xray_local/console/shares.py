"""Time as parts of a whole, which bars show one after another."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """A part of some time, in milliseconds and in hundredths of all; x is where it begins."""

    kind: str
    label: str
    ms: float
    percent: float
    x: float


def divide(seconds: Mapping[str, float], labels: Mapping[str, str]) -> list[Share]:
    """Return the share of each kind that has any time, in the order given; labels say them."""
    whole = sum(seconds.values())
    shares: list[Share] = []
    x = 0.0
    for kind, part in seconds.items():
        if part > 0:
            percent = 100 * part / whole
            shares.append(Share(kind, labels[kind], part * 1000, percent, x))
            x += percent
    return shares
