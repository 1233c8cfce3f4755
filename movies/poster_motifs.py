"""Which picture a drawn poster has: one motif for each genre, on a field of 200 x 200.

A motif takes a palette and dice, and returns SVG shapes made of our own numbers and colours only:
no text of a film ever comes there.
"""

from collections.abc import Callable

from . import poster_figures as figures
from . import poster_scenes as scenes
from .poster_shapes import Dice, Palette

Motif = Callable[[Palette, Dice], str]

# The rarer a genre, the more it says: a film's motif is that of its first genre in this order.
MOTIFS: dict[str, Motif] = {
    "western": scenes.draw_western,
    "science fiction": scenes.draw_science_fiction,
    "animation": figures.draw_animation,
    "horror": figures.draw_horror,
    "documentary": figures.draw_documentary,
    "sport": figures.draw_sport,
    "film noir": figures.draw_film_noir,
    "musical": scenes.draw_musical,
    "music": figures.draw_music,
    "war": scenes.draw_war,
    "fantasy": scenes.draw_fantasy,
    "mystery": figures.draw_mystery,
    "adventure": scenes.draw_adventure,
    "crime": scenes.draw_crime,
    "biography": figures.draw_biography,
    "history": scenes.draw_history,
    "thriller": figures.draw_thriller,
    "action": figures.draw_action,
    "family": scenes.draw_family,
    "comedy": figures.draw_comedy,
    "romance": figures.draw_romance,
    "short": figures.draw_short,
    "drama": scenes.draw_drama,
}


def choose_motif(genres: tuple[str, ...]) -> Motif:
    """Return the motif that says most about these genres; drama's where none is known."""
    known = {genre.casefold() for genre in genres}
    return next((MOTIFS[name] for name in MOTIFS if name in known), scenes.draw_drama)
