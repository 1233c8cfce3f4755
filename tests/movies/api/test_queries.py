"""Query parameters: known, once, and what they say."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory

from movies.api.queries import check_query, read_choice, read_number, read_text
from movies.errors import BadInput


def make_request(**parameters: Any) -> Any:
    """Return a request with these query parameters."""
    return RequestFactory().get("/api/", QUERY_STRING=urlencode(parameters, doseq=True))


def test_check_query_names_everything_wrong() -> None:
    request = make_request(year=["1", "2"], colour="x", genre="Drama")

    with pytest.raises(BadInput) as refusal:
        check_query(request, ("genre", "year"))

    assert refusal.value.fields == {
        "year": "Expected this parameter once, got it 2 times.",
        "colour": "This parameter isn't known; expected genre, year.",
    }


def test_check_query_cuts_what_it_repeats() -> None:
    with pytest.raises(BadInput, match="expected none here") as refusal:
        check_query(make_request(**{"x" * 1000: 1}), ())

    assert list(refusal.value.fields) == ["x" * 50]


@pytest.mark.parametrize(("text", "number"), [("5", 5), ("0", 0), ("-3", -3), ("10", 10)])
def test_read_number(text: str, number: int) -> None:
    assert read_number(make_request(limit=text), "limit", -5, 10) == number


@pytest.mark.parametrize(
    "text",
    ["", "-6", "11", "x", "1.0", "1e1", "05", "+5", " 5", "5 ", "5\n", "\u0665", "1_0", "9" * 5000],
)
def test_read_number_refuses(text: str) -> None:
    with pytest.raises(BadInput, match="from -5 to 10") as refusal:
        read_number(make_request(limit=text), "limit", -5, 10)

    assert len(str(refusal.value)) < 200


def test_absent_parameters() -> None:
    request = make_request()

    assert read_number(request, "limit", 1, 2) is None
    assert read_text(request, "q", 5) is None
    assert read_choice(request, "genre", ["Drama"]) is None


@pytest.mark.parametrize("text", ["", "x" * 6])
def test_read_text_refuses(text: str) -> None:
    with pytest.raises(BadInput, match="1 to 5 characters"):
        read_text(make_request(q=text), "q", 5)


@pytest.mark.parametrize("text", ["", "drama", "Drama "])
def test_read_choice_refuses(text: str) -> None:
    with pytest.raises(BadInput, match="one of Drama, War"):
        read_choice(make_request(genre=text), "genre", ["Drama", "War"])
