"""Tests of movies.terms: how titles are folded, and the rows that find a film."""

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movies.fields import MAX_GENRES
from movies.movie import GENRES, MovieKey
from movies.terms import (
    MAX_WORDS,
    finds,
    fold,
    rows_of,
    split_words,
    whole_word_prefix,
    word_of,
    word_prefix,
    word_term,
)

TITLES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200).filter(
    lambda title: len(set(split_words(fold(title)))) <= MAX_WORDS
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("The Matrix", "the matrix"),
        ("Amélie", "amelie"),
        ("Ame\u0301lie", "amelie"),
        ("Spider-Man: No Way Home", "spider man no way home"),
        ("  WALL·E ", "wall e"),
        ("Straße", "strasse"),
        ("8½", "8½".replace("½", "1 2")),
        ("千と千尋の神隠し", "千と千尋の神隠し"),
        ("आनंद", "आनंद"),
        ("ВОЙНА и мир", "воина и мир"),
        ("$", "$"),
        ("✨ ", "✨"),
        ("!?", "!?"),
        ("¡ … !", "¡ ... !"),
        ("$9.99", "9 99"),
        ("❤\ufe0f", "❤"),
        ("I ❤\ufe0f Huckabees", "i huckabees"),
        ("\u200b\u202e", ""),
        ("\u0301", ""),
        ("\t\n\0", ""),
        ("İstanbul", "istanbul"),
        ("K\u0131ş", "kis"),
        ("KIŞ", "kis"),
        ("می\u200cخواهم", "میخواهم"),  # noqa: RUF001 - Persian, as it is written
        ("👩\u200d🚀 👨", "👩🚀 👨"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=300))
@example("\ufdfa" * 200)
def test_fold_is_stable_and_bounded(text: str) -> None:
    folded = fold(text)

    assert len(folded) <= 200
    assert fold(folded) == folded
    assert fold(text.upper().lower()) == fold(text.lower())
    assert " ".join(split_words(folded)) == folded


def test_fold_of_each_letter_is_that_of_its_capital() -> None:
    letters = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).upper() != chr(code)]

    assert len(letters) > 1000
    for letter in letters:
        assert fold(letter.upper()) == fold(letter), ascii(letter)


def test_rows_of_film() -> None:
    rows = rows_of(MovieKey(1999, "The Matrix"), ("Action", "Science Fiction"))

    assert sorted(term for term, _ in rows) == [
        "all",
        "decade#1990",
        "genre#action",
        "genre#science fiction",
        "title",
        "word#ma",
        "word#th",
        "year#1999",
    ]
    assert {row.text for row in rows.values()} == {" the matrix "}
    assert {row.key for row in rows.values()} == {MovieKey(1999, "The Matrix")}


@given(
    year=st.integers(1888, 2100),
    title=TITLES,
    genres=st.lists(st.sampled_from(GENRES), max_size=MAX_GENRES, unique=True),
)
@example(year=1999, title="\U00010428" * 200, genres=[])
@example(year=1999, title="\ufdfa" * 200, genres=[])
def test_rows_fit_into_keys_and_transaction(year: int, title: str, genres: list[str]) -> None:
    rows = rows_of(MovieKey(year, title), tuple(genres))

    assert 2 + 2 * len(rows) <= 100
    for term, position in rows:
        assert 1 <= len(term.encode()) <= 2048
        assert 1 <= len(position.encode()) <= 1024


@given(TITLES, TITLES)
def test_two_films_share_no_row(one: str, other: str) -> None:
    rows = rows_of(MovieKey(1999, one), ()).keys() & rows_of(MovieKey(1999, other), ()).keys()

    assert bool(rows) == (one == other)


def test_titles_that_fold_alike_have_their_own_rows() -> None:
    one, other = MovieKey(2001, "Amélie"), MovieKey(2001, "Amelie")

    assert not rows_of(one, ()).keys() & rows_of(other, ()).keys()


@given(TITLES)
def test_words_are_found_by_their_beginnings(title: str) -> None:
    rows = rows_of(MovieKey(1999, title), ())

    for word in split_words(fold(title)):
        positions = [position for term, position in rows if term == word_term(word)]
        assert any(position.startswith(whole_word_prefix(word)) for position in positions)
        assert any(word_of(position) == word_prefix(word) for position in positions)


def test_newest_first_then_by_title() -> None:
    keys = [
        MovieKey(2001, "B"),
        MovieKey(1999, "Alien 3"),
        MovieKey(2001, "A"),
        MovieKey(1999, "Alien"),
    ]

    keys.sort(key=lambda key: next(place for term, place in rows_of(key, ()) if term == "all"))

    assert [(key.year, key.title) for key in keys] == [
        (2001, "A"),
        (2001, "B"),
        (1999, "Alien"),
        (1999, "Alien 3"),
    ]


def test_rows_that_were_left_over_by_other_genres() -> None:
    rows = rows_of(MovieKey(1999, "The Matrix"), ("Action", "Science Fiction")).values()

    assert all(finds(row, ("Action", "Science Fiction")) for row in rows)
    assert [row.term for row in rows if not finds(row, ("Action",))] == ["genre#science fiction"]
