"""Tests of movies.fields: what forms and JSON may hold, and what not."""

import json
from datetime import date
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from movies.errors import BadInput
from movies.fields import MovieFields, read_decade, read_genre, read_stars, read_year
from movies.items import to_item
from movies.movie import GENRES, Movie, MovieKey, last_year

GOOD: dict[str, Any] = {"year": 1999, "title": "The Matrix"}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FULL = MovieFields(
    year=1999,
    title="The Matrix",
    plot="A clerk learns what the world is.\nThen he flies.",
    genres=("Action", "Science Fiction"),
    directors=("Lana Wachowski", "Lilly Wachowski"),
    actors=("Keanu Reeves", "Robert Downey, Jr."),
    runtime_minutes=136,
    release_date=date(1999, 3, 31),
)


def read(**changed: Any) -> MovieFields:
    return MovieFields.from_untrusted(GOOD | changed)


def test_json_with_everything() -> None:
    fields = read(
        plot="A clerk learns what the world is.\r\nThen he flies. ",
        genres=["action", "Science Fiction", "Action"],
        directors=["Lana Wachowski", "Lilly Wachowski"],
        actors=["Keanu Reeves", "Robert Downey, Jr.", " Keanu Reeves"],
        runtime_minutes=136,
        release_date="1999-03-31",
        votes=1_000_000,
    )

    assert fields == FULL


def test_form_with_everything() -> None:
    form = QueryDict(mutable=True)
    form.update({"year": " 1999 ", "title": " The Matrix ", "runtime_minutes": "136"})
    form.update({"plot": "A clerk learns what the world is.\r\nThen he flies."})
    form.update({"release_date": "1999-03-31", "directors": "Lana Wachowski, Lilly Wachowski,"})
    form.update({"actors": "Keanu Reeves\r\nRobert Downey, Jr.\r\n\r\n"})
    form.setlist("genres", ["Action", "Science Fiction"])

    assert MovieFields.from_untrusted(form) == FULL


def test_blanks_are_one_space_each() -> None:
    """Of whatever width and number: titles that look the same are the same."""
    fields = read(title="The\u2003 Matrix\u00a0", actors=["Keanu  Reeves", "Keanu\u3000Reeves"])

    assert fields.title == "The Matrix"
    assert fields.actors == ("Keanu Reeves",)


def test_form_with_one_genre_and_empty_fields() -> None:
    form = QueryDict("year=1999&title=x&genres=Drama&actors=&plot=&runtime_minutes=&release_date=")

    assert MovieFields.from_untrusted(form) == MovieFields(1999, "x", genres=("Drama",))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("year", value)
        for value in (
            1887,
            last_year() + 1,
            "",
            None,
            "x",
            True,
            1999.5,
            float("nan"),
            float("inf"),
        )
    ]
    + [("year", value) for value in (10**30, "1" * 5000, "\u0661\u0669\u0669\u0669", [1999], -1999)]
    + [("title", value) for value in ("", " ", "x" * 201, None, 5, ["x"], "a\nb", "\ud800", "a\0")]
    + [("title", value) for value in ("a\u200b", "\u202ex", "a\u200d", "\u200ca", "a \u200d b")]
    + [("title", value) for value in ("\u3164", "\u2800", "\ufe0f", "\U000e0041x", "1\u200d2")]
    + [("title", " ".join(f"w{number}" for number in range(37)))]
    + [("plot", value) for value in ("x" * 5001, 5, ["x"], "a\0b", "\udfff")]
    + [("genres", value) for value in (["Noir"], "Noir", [5], [None], 5, {}, list(GENRES))]
    + [("directors", value) for value in (["x" * 101], [""], [None], ["x"] * 21, 5, {"a": 1}, [[]])]
    + [("actors", ["a\nb"]), ("actors", ["\ud800"]), ("actors", ["Keanu\u200b Reeves"])]
    + [("runtime_minutes", value) for value in (0, 1001, -1, "x", True, 1.5, [1], "1e2")]
    + [("release_date", value) for value in ("x", "1999-02-30", "19990331", "1999-W13-3", 5, [])]
    + [("release_date", "2000-01-01")],
)
def test_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=f"{field}: Expected") as caught:
        read(**{field: value})

    assert list(caught.value.fields) == [field]


def test_every_bad_field_is_named() -> None:
    with pytest.raises(BadInput, match="year") as caught:
        read(year=0, title="", plot=1, genres=1, directors=1, actors=1, runtime_minutes=0)

    wanted = {"year", "title", "plot", "genres", "directors", "actors", "runtime_minutes"}
    assert set(caught.value.fields) == wanted


@pytest.mark.parametrize("value", [None, [], "x", 5, True])
def test_no_mapping_at_all(value: object) -> None:
    with pytest.raises(BadInput, match="body: Expected an object"):
        MovieFields.from_untrusted(value)


@given(st.dictionaries(st.sampled_from(FULL._fields), JUNK))
def test_junk_is_bad_input_or_storable(junk: dict[str, Any]) -> None:
    wrong: set[str] = set()
    try:
        fields = MovieFields.from_untrusted(GOOD | junk)
    except BadInput as error:
        wrong = set(error.fields)
    else:
        item = to_item(fields.apply_to(Movie(fields.key)))
        assert len(json.dumps(item, ensure_ascii=False).encode()) < 400_000
    assert wrong <= set(junk)


@given(st.text(max_size=210))
def test_titles_fit_into_keys(title: str) -> None:
    try:
        fields = read(title=title)
    except BadInput:
        return
    assert 1 <= len(fields.title.encode()) <= 1024
    assert fields.title == fields.title.strip()
    assert read(title=fields.title) == fields


def test_title_is_composed() -> None:
    assert read(title="Ame\u0301lie").title == "Am\u00e9lie"


def test_apply_to_keeps_votes_and_poster() -> None:
    before = Movie(MovieKey(1998, "Old"), poster="posters/1.png", version=4, votes=2, stars=9)

    after = FULL.apply_to(before)

    assert (after.key, after.plot) == (FULL.key, FULL.plot)
    assert (after.poster, after.version, after.votes, after.stars) == ("posters/1.png", 5, 2, 9)
    assert MovieFields.from_movie(after) == FULL


@pytest.mark.parametrize(("value", "year"), [(1999, 1999), ("1999", 1999), (1999.0, 1999)])
def test_read_year(value: object, year: int) -> None:
    assert read_year(value) == year


def test_read_year_out_of_range() -> None:
    with pytest.raises(BadInput, match="year: Expected a year from 1888"):
        read_year("1776")


@pytest.mark.parametrize(("value", "decade"), [(1990, 1990), ("1880", 1880)])
def test_read_decade(value: object, decade: int) -> None:
    assert read_decade(value) == decade


@pytest.mark.parametrize("value", [1995, 1870, 2990, "x", None, True])
def test_read_decade_refused(value: object) -> None:
    with pytest.raises(BadInput, match="decade: Expected the first year of a decade"):
        read_decade(value)


def test_read_genre() -> None:
    assert read_genre(" film noir") == "Film Noir"


@pytest.mark.parametrize("value", ["", "noir", None, 5])
def test_read_genre_refused(value: object) -> None:
    with pytest.raises(BadInput, match="genre: Expected one of Action, "):
        read_genre(value)


@pytest.mark.parametrize(("value", "stars"), [(1, 1), ("10", 10)])
def test_read_stars(value: object, stars: int) -> None:
    assert read_stars(value) == stars


@pytest.mark.parametrize("value", [0, 11, True, 5.5, "", None])
def test_read_stars_refused(value: object) -> None:
    with pytest.raises(BadInput, match="stars: Expected a whole number from 1 to 10"):
        read_stars(value)
