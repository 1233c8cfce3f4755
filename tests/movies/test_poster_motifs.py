from movies.movie import GENRES
from movies.poster_motifs import MOTIFS, choose_motif


def test_every_genre_has_a_motif() -> None:
    assert {genre.casefold() for genre in GENRES} == set(MOTIFS)


def test_choose_motif_of_the_rarer_genre() -> None:
    assert choose_motif(("Drama", "Western")) is MOTIFS["western"]
    assert choose_motif(("Western", "Drama")) is MOTIFS["western"]


def test_choose_motif_of_unknown_genres() -> None:
    assert choose_motif(("Mumblecore",)) is MOTIFS["drama"]
    assert choose_motif(()) is MOTIFS["drama"]
