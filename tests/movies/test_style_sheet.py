"""That what is written can be read: https://www.w3.org/TR/WCAG22/#contrast-minimum"""

import re
from pathlib import Path

import pytest

from movies.poster_shapes import measure_luminance

PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "accent", "accent-strong", "gold", "bad")
      for ground in ("ground", "sheet")),
    *((ink, "tint") for ink in ("ink", "soft", "accent", "accent-strong")),
    ("ink", "mark"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-accent", "bad"),
    ("on-band", "band"),
    ("on-band-soft", "band"),
]  # fmt: skip


def read_colours(root: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the light and the dark colours of the style sheet, by name."""
    text = (root / "movies/static/movies/site.css").read_text()
    light, dark = text.split("prefers-color-scheme: dark", 1)
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in (light, dark)]
    return found[0], found[0] | found[1]


@pytest.mark.parametrize(("ink", "ground"), PAIRS)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(root: Path, scheme: int, ink: str, ground: str) -> None:
    colours = read_colours(root)[scheme]

    dark, light = sorted((measure_luminance(colours[ink]), measure_luminance(colours[ground])))

    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_dark_has_colours_of_its_own(root: Path) -> None:
    light, dark = read_colours(root)

    assert light["ground"] != dark["ground"]
    assert set(light) == set(dark)
