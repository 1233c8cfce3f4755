from datetime import date

import pytest
from django.utils.datastructures import MultiValueDict

from movies.fields import MovieFields
from movies.forms import MovieEditForm, MovieForm, VoteForm, describe_fields

FIELDS = MovieFields(
    1999,
    "The Matrix",
    plot="One.\nTwo.",
    genres=("Action", "Science Fiction"),
    directors=("Lana Wachowski", "Lilly Wachowski"),
    actors=("Sammy Davis, Jr.",),
    runtime_minutes=136,
    release_date=date(1999, 3, 31),
)


def to_post(form: MovieForm) -> MultiValueDict[str, str]:
    """Return what a browser would send of an unchanged form."""
    sent: MultiValueDict[str, str] = MultiValueDict()
    for field in form:
        value = field.value()
        sent.setlist(
            field.html_name,
            [str(each) for each in value]
            if isinstance(value, list)
            else ["" if value is None else str(value).replace("\n", "\r\n")],
        )
    return sent


@pytest.mark.parametrize("fields", [FIELDS, MovieFields(1999, "X")])
def test_movie_form_gives_back_what_it_was_given(fields: MovieFields) -> None:
    form = MovieForm(to_post(MovieForm(initial=describe_fields(fields))))

    assert form.is_valid(), form.errors
    assert form.movie_fields == fields


def test_movie_form_tells_all_that_is_wrong() -> None:
    form = MovieForm({"title": "a\0", "year": "12", "runtime_minutes": "x", "release_date": "y"})

    assert not form.is_valid()
    assert {name: len(reasons) for name, reasons in form.errors.items()} == {
        "title": 1,
        "year": 1,
        "runtime_minutes": 1,
        "release_date": 1,
    }


def test_movie_form_passes_over_empty_lines() -> None:
    form = MovieForm({"title": "X", "year": "1999", "actors": " A \r\n\r\n B\r\n"})

    assert form.is_valid(), form.errors
    assert form.movie_fields.actors == ("A", "B")


def test_movie_edit_form_wants_a_version() -> None:
    form = MovieEditForm({"title": "X", "year": "1999"})

    assert list(form.errors) == ["__all__"]
    assert "no longer says which version" in form.errors["__all__"][0]


def test_vote_form_counts_in_whole_stars() -> None:
    form = VoteForm({"stars": "10"})

    assert form.is_valid()
    assert form.cleaned_data["stars"] == 10
