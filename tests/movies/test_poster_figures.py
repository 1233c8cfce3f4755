from xml.etree import ElementTree

import pytest

from movies import poster_figures
from movies.drawn_poster import PALETTES
from movies.poster_motifs import MOTIFS
from movies.poster_shapes import Dice

OURS = [motif for motif in MOTIFS.values() if motif.__module__ == poster_figures.__name__]


@pytest.mark.parametrize("motif", OURS)
def test_motif_stands_on_its_field(motif: object) -> None:
    assert callable(motif)
    for seed in range(30):
        palette = PALETTES[seed % len(PALETTES)]

        svg = motif(palette, Dice(str(seed)))

        _, ground, *shapes = ElementTree.fromstring(f"<g>{svg}</g>").iter()  # noqa: S314
        assert (ground.get("width"), ground.get("height")) == ("200", "200")
        assert len(shapes) >= 3


@pytest.mark.parametrize("motif", OURS)
def test_motif_differs_from_film_to_film(motif: object) -> None:
    assert callable(motif)
    drawings = {motif(PALETTES[0], Dice(str(seed))) for seed in range(30)}

    assert len(drawings) > 1
