"""Tests of movies.search: what is found, in which order, and on which page."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from movies.catalogue import add_movie, search_movies
from movies.errors import BadCursor, BadInput
from movies.terms import fold
from tests.movies.films import make_fields

TITLES = [
    ("The Matrix", 1999),
    ("The Matrix Reloaded", 2003),
    ("A Matrix of Matrices", 2010),
    ("Amélie", 2001),
    ("Alien", 1979),
    ("Alien 3", 1992),
    ("Aliens", 1986),
    ("My Alien Aliens", 2020),
    ("X", 1986),
    ("Malcolm X", 1992),
    ("千と千尋の神隠し", 2001),
    ("Spider-Man: No Way Home", 2021),
    ("Straße", 1990),
    ("No No No", 2000),
    ("$", 1971),
    ("$ $$", 1972),
    ("✨", 2020),
]


@pytest.fixture
def films(aws: str) -> None:
    for title, year in TITLES:
        add_movie(make_fields(title, year))


def search(query: str, limit: int = 24) -> list[str]:
    """Return the titles of all pages, one after the other."""
    page = search_movies(query, limit=limit)
    titles = [movie.title for movie in page.movies]
    while page.next_cursor:
        page = search_movies(query, limit=limit, cursor=page.next_cursor)
        titles += [movie.title for movie in page.movies]
    return titles


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("the matrix", ["The Matrix", "The Matrix Reloaded"]),
        ("THE  MATR", ["The Matrix", "The Matrix Reloaded"]),
        ("alien", ["Alien", "Alien 3", "Aliens", "My Alien Aliens"]),
        ("aliens", ["Aliens", "My Alien Aliens"]),
        ("matri", ["A Matrix of Matrices", "The Matrix Reloaded", "The Matrix"]),
        ("matrix", ["A Matrix of Matrices", "The Matrix Reloaded", "The Matrix"]),
        ("matrix the", ["The Matrix Reloaded", "The Matrix"]),
        ("reloaded the mat", ["The Matrix Reloaded"]),
        ("reloaded matr", ["The Matrix Reloaded"]),
        ("matri reloaded", []),
        ("amelie", ["Amélie"]),
        ("x", ["X", "Malcolm X"]),
        ("m", ["Malcolm X", "My Alien Aliens"]),
        ("man spider", ["Spider-Man: No Way Home"]),
        ("home way", ["Spider-Man: No Way Home"]),
        ("千", ["千と千尋の神隠し"]),
        ("strasse", ["Straße"]),
        ("no", ["No No No", "Spider-Man: No Way Home"]),
        ("no no n", ["No No No", "Spider-Man: No Way Home"]),
        ("zebra", []),
        ("$", ["$", "$ $$"]),
        ("$$", ["$ $$"]),
        ("$$ $", ["$ $$"]),
        ("✨", ["✨"]),
        ("✨\ufe0f", ["✨"]),
        ("?", []),
    ],
)
def test_search(films: None, query: str, found: list[str]) -> None:
    for limit in (1, 2, 3, 24):
        assert search(query, limit) == found


@pytest.mark.parametrize("query", ["", " ", "\u200b", "\t", "\ud800", "\u0301"])
def test_nothing_to_search_for(aws: str, query: str) -> None:
    with pytest.raises(BadInput, match="q: Expected at least one letter, digit"):
        search_movies(query)


def test_query_too_long(aws: str) -> None:
    with pytest.raises(BadInput, match="q: Expected at most 200 characters"):
        search_movies("x" * 201)


def test_cursor_of_another_query(films: None) -> None:
    cursor = search_movies("alien", limit=1).next_cursor

    with pytest.raises(BadCursor, match="cursor"):
        search_movies("matrix", limit=1, cursor=cursor)


@given(query=st.text(max_size=200), limit=st.integers(1, 100))
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
def test_any_query_is_answered(aws: str, query: str, limit: int) -> None:
    if fold(query):
        assert search_movies(query, limit=limit).movies == ()
    else:
        with pytest.raises(BadInput, match="q: "):
            search_movies(query, limit=limit)


def test_longest_query_fits_into_a_filter(films: None) -> None:
    assert search(" ".join("abcdefghij"[number % 10] for number in range(100))) == []


WORDS = st.lists(st.sampled_from(["alien", "aliens", "al", "a", "matrix", "the"]), min_size=1)


def test_every_title_is_found_by_each_way(aws: str) -> None:
    @given(st.lists(WORDS.map(" ".join), max_size=12, unique=True), WORDS.map(" ".join))
    @hypothesis_settings(deadline=None, max_examples=15, database=None)
    def check(titles: list[str], query: str) -> None:
        for title in titles:
            add_anyway(title)
        everything = ADDED
        *whole, last = query.split()
        begin = sorted(title for title in everything if title.startswith(query))
        wanted = {
            title
            for title in everything
            if all(word in title.split() for word in whole)
            and any(
                word.startswith(last) if len(last) > 1 or whole else word == last
                for word in title.split()
            )
        }

        found = search(query, 3)

        assert found[: len(begin)] == begin
        assert len(found) == len(set(found))
        assert set(found) == wanted | set(begin)

    ADDED: set[str] = set()

    def add_anyway(title: str) -> None:
        if title not in ADDED:
            ADDED.add(title)
            add_movie(make_fields(title, 2000))

    check()
