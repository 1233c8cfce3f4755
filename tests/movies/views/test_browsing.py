import pytest
from django.test import RequestFactory

from movies.api.limits import decades
from movies.errors import BadInput
from movies.movie import last_year
from movies.views.browsing import Choice, list_years, read_choice


def read(query: str) -> Choice:
    return read_choice(RequestFactory().get(f"/movies/?{query}"))


def test_read_choice_of_nothing() -> None:
    assert read("") == read("q=&year=&genre=") == Choice(None, "", None)
    assert read("").heading == "All films"


def test_read_choice_of_two_things() -> None:
    with pytest.raises(BadInput, match="Choose one of q, year, decade, genre; got year and genre"):
        read("year=1999&genre=Drama")


@pytest.mark.parametrize(
    ("query", "decade", "year", "genre"),
    [
        ("year=1999", 1990, 1999, None),
        ("decade=1990", 1990, None, None),
        ("genre=drama", None, None, "Drama"),
        ("genre=nonsense", None, None, None),
        ("q=1999", None, None, None),
        ("year=19999", None, None, None),
        ("decade=abcd", None, None, None),
    ],
)
def test_choice_marks_what_was_chosen(
    query: str, decade: int | None, year: int | None, genre: str | None
) -> None:
    choice = read(query)

    assert (choice.decade, choice.year, choice.genre) == (decade, year, genre)


def test_make_url_keeps_the_choice() -> None:
    assert read("").make_url() == "/movies/"
    assert read("genre=Film+Noir").make_url("a=b") == "/movies/?genre=Film+Noir&cursor=a%3Db"
    assert read("q=a%26b&cursor=x").make_url() == "/movies/?q=a%26b"


def test_list_years_of_a_decade() -> None:
    assert list(list_years(1880)) == [1888, 1889]
    assert list(list_years(1990)) == list(range(1990, 2000))
    assert list_years(decades()[-1])[-1] == last_year()
    assert list(list_years(None)) == list(list_years(1885)) == list(list_years(3000)) == []
