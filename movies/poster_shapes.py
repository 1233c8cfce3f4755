"""What drawn posters are made of: palettes, dice that always fall the same way, SVG shapes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Palette:
    """Five colours like '#1b2a41': the title is ink on paper, and the picture uses all of them."""

    paper: str
    ink: str
    strong: str
    light: str
    deep: str

    @property
    def dark(self) -> str:
        """The darker of ink and paper: for silhouettes."""
        return min(self.ink, self.paper, key=measure_luminance)

    @property
    def pale(self) -> str:
        """The lighter of ink and paper: for highlights."""
        return max(self.ink, self.paper, key=measure_luminance)


def measure_luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1, of a colour like '#1b2a41'.

    Source: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    """
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class Dice:
    """Numbers that look random and are always the same for the same text."""

    def __init__(self, seed: str) -> None:
        digest = blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=48).digest()
        self._pool = int.from_bytes(digest, "big")

    def roll(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        self._pool, rest = divmod(self._pool, high - low + 1)
        return low + rest


def circle(x: float, y: float, radius: float, fill: str) -> str:
    """Return a disc."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{fill}"/>'


def ring(x: float, y: float, radius: float, stroke: str, width: float) -> str:
    """Return the outline of a disc."""
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="none" '
        f'stroke="{stroke}" stroke-width="{width:g}"/>'
    )


def box(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}"/>'


def shape(path: str, fill: str) -> str:
    """Return what a path encloses."""
    return f'<path d="{path}" fill="{fill}"/>'


def line(path: str, stroke: str, width: float) -> str:
    """Return a path as a line."""
    return f'<path d="{path}" fill="none" stroke="{stroke}" stroke-width="{width:g}"/>'


def star(x: float, y: float, radius: float, fill: str, points: int = 5) -> str:
    """Return a star with this many points."""

    def corners() -> Iterator[str]:
        for corner in range(points * 2):
            reach = radius if corner % 2 == 0 else radius * 0.42
            angle = math.pi * corner / points - math.pi / 2
            yield f"{x + reach * math.cos(angle):.1f} {y + reach * math.sin(angle):.1f}"

    return shape("M" + "L".join(corners()) + "Z", fill)


def field(fill: str) -> str:
    """Return the ground that a picture stands on."""
    return box(0, 0, 200, 200, fill)
