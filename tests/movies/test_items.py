"""Tests of movies.items: films and rows survive the way through DynamoDB's spelling."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movies.items import (
    from_attribute,
    to_attribute,
    to_item,
    to_movie,
    to_row,
    to_row_item,
    to_row_key,
)
from movies.movie import Movie, MovieKey
from movies.terms import TermRow

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    TEXTS | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
MOVIES = st.builds(
    Movie,
    key=st.builds(MovieKey, st.integers(1888, 2100), TEXTS),
    plot=TEXTS,
    genres=st.lists(TEXTS, max_size=3).map(tuple),
    directors=st.lists(TEXTS, max_size=3).map(tuple),
    actors=st.lists(TEXTS, max_size=3).map(tuple),
    runtime_minutes=st.none() | st.integers(1, 1000),
    release_date=st.none() | st.dates(date(1888, 1, 1)),
    poster=st.none() | TEXTS,
    version=st.integers(1),
    votes=st.integers(0),
    stars=st.integers(0),
)


@given(VALUES)
def test_values_round_trip(value: object) -> None:
    assert from_attribute(to_attribute(value)) == value


@given(MOVIES)
def test_movies_round_trip(movie: Movie) -> None:
    assert to_movie(to_item(movie)) == movie


def test_item_has_the_documented_shape() -> None:
    movie = Movie(MovieKey(1999, "The Matrix"), genres=("Action",), runtime_minutes=136, version=1)

    assert to_item(movie) == {
        "year": {"N": "1999"},
        "title": {"S": "The Matrix"},
        "info": {
            "M": {
                "plot": {"S": ""},
                "genres": {"L": [{"S": "Action"}]},
                "directors": {"L": []},
                "actors": {"L": []},
                "runtime_minutes": {"N": "136"},
            }
        },
        "version": {"N": "1"},
        "votes": {"N": "0"},
        "stars": {"N": "0"},
    }


def test_item_of_somebody_else() -> None:
    item = {
        "year": {"N": "2015"},
        "title": {"S": "The Big New Movie"},
        "info": {"M": {"plot": {"S": "Much."}, "rating": {"N": "7.5"}, "seen": {"BOOL": True}}},
    }

    assert to_movie(item) == Movie(MovieKey(2015, "The Big New Movie"), plot="Much.")
    assert to_movie({"year": {"N": "2015"}, "title": {"S": "x"}}) == Movie(MovieKey(2015, "x"))


@pytest.mark.parametrize(
    ("attribute", "value"), [({"N": "7.5"}, 7.5), ({"N": "-3"}, -3), ({"NULL": True}, None)]
)
def test_attributes_that_we_never_write(attribute: dict[str, object], value: object) -> None:
    assert from_attribute(attribute) == value


def test_rows_round_trip() -> None:
    row = TermRow("all", "8000\tthe matrix\t0", MovieKey(1999, "The Matrix"), " the matrix ")

    assert to_row(to_row_item(row)) == row
    assert to_row_key(row) == {"term": {"S": "all"}, "position": {"S": "8000\tthe matrix\t0"}}
