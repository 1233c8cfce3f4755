from typing import Any

import pytest
from django.test import Client

from movies import catalogue, edits
from movies.catalogue import MovieKey
from movies.errors import MovieNotFound
from movies.fields import MovieFields
from movies.movie import Movie

from .conftest import MATRIX
from .markup import read

ADD = "/movies/add/"
EDIT = "/movies/1999/The%20Matrix/edit/"
DELETE = "/movies/1999/The%20Matrix/delete/"


def make_form(seen: Movie | None = None, **changes: Any) -> dict[str, Any]:
    """Return what an editor's browser sends for The Matrix as it was seen, with changes."""
    return {
        "title": "The Matrix",
        "year": "1999",
        "plot": "A program wakes up.",
        "genres": ["Action", "Science Fiction"],
        "directors": "Lana Wachowski\r\nLilly Wachowski",
        "actors": "Keanu Reeves\r\nCarrie-Anne Moss",
        "runtime_minutes": "136",
        "release_date": "",
        "version": "" if seen is None else str(seen.version),
        **changes,
    }


def test_add_movie(editor: Client, aws: str) -> None:
    assert "Add a film" in read(editor.get(ADD)).text

    response = editor.post(ADD, make_form(release_date="1999-03-31", actors="Sammy Davis, Jr."))

    assert response.status_code == 302
    assert response["Location"] == "/movies/1999/The%20Matrix/"
    movie = catalogue.get_movie(MovieKey(1999, "The Matrix"))
    assert movie.actors == ("Sammy Davis, Jr.",)
    assert movie.directors == ("Lana Wachowski", "Lilly Wachowski")
    assert str(movie.release_date) == "1999-03-31"
    assert "The Matrix is in the catalogue." in read(editor.get(response["Location"])).text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"year": "99999999999"}, "Expected a year from 1888"),
        ({"year": "9" * 5000}, "Expected a year from 1888"),
        ({"title": "a\0b"}, "Null characters are not allowed."),
        ({"title": " "}, "This field is required."),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "a\x85b"}, "without control characters"),
        ({"plot": "x" * 6000}, "Expected at most 5000 characters."),
        ({"genres": ["Nonsense"]}, "Select a valid choice."),
        ({"actors": "\n".join(f"Actor {n}" for n in range(30))}, "Expected at most 20."),
        ({"runtime_minutes": "-1"}, "Expected a number of minutes"),
        ({"release_date": "1999-02-31"}, "Expected a day such as"),
        ({"release_date": "2001-01-01"}, "Expected a day in the film's year"),
    ],
)
def test_add_movie_refuses_and_keeps_what_was_typed(
    editor: Client, aws: str, change: dict[str, Any], reason: str
) -> None:
    response = editor.post(ADD, make_form(**change))

    page = read(response)
    assert response.status_code == 400
    assert page.text.count(reason) == 1
    assert "Keanu Reeves" in page.text or "actors" in change
    assert catalogue.list_movies().movies == ()


def test_add_movie_that_is_there(editor: Client, film: Movie) -> None:
    response = editor.post(ADD, make_form(plot="Mine."))

    assert response.status_code == 400
    assert "already" in read(response).text
    assert catalogue.get_movie(film.key).plot == film.plot


def test_edit_movie_shows_what_is_there(editor: Client, film: Movie) -> None:
    page = read(editor.get(EDIT))

    assert page.fields["title"] == "The Matrix"
    assert page.fields["runtime_minutes"] == "136"
    assert page.fields["version"] == str(film.version)
    assert "Keanu Reeves Carrie-Anne Moss" in page.text


def test_edit_movie(editor: Client, film: Movie) -> None:
    response = editor.post(EDIT, make_form(film, plot="He wakes up."))

    assert response["Location"] == "/movies/1999/The%20Matrix/"
    assert catalogue.get_movie(film.key).plot == "He wakes up."
    assert catalogue.get_movie(film.key).version == film.version + 1


def test_edit_movie_to_another_title(editor: Client, film: Movie) -> None:
    response = editor.post(EDIT, make_form(film, title="Matrix/2"))

    assert response["Location"] == "/movies/1999/Matrix~s2/"
    assert editor.get(response["Location"]).status_code == 200
    assert editor.get(EDIT)["Location"] == "/movies/1999/Matrix~s2/edit/"


def test_edit_movie_to_the_title_of_another(editor: Client, film: Movie) -> None:
    catalogue.add_movie(MovieFields(1999, "eXistenZ"))

    response = editor.post(EDIT, make_form(film, title="eXistenZ"))

    assert response.status_code == 400
    assert "There is a film 'eXistenZ' of 1999 already." in read(response).text


def test_edit_movie_refuses_and_keeps_what_was_typed(editor: Client, film: Movie) -> None:
    page = read(editor.post(EDIT, make_form(film, title="New title", year="12")))

    assert page.fields["title"] == "New title"
    assert page.fields["year"] == "12"
    assert "Expected a year from 1888" in page.text


def test_edit_movie_that_somebody_saved_first(editor: Client, film: Movie) -> None:
    theirs = MovieFields(1999, "The Matrix", plot="Theirs.", actors=("Keanu Reeves",))
    catalogue.change_movie(film.key, theirs, version=film.version)

    response = editor.post(EDIT, make_form(film, plot="Mine."))

    page = read(response)
    assert response.status_code == 409
    assert catalogue.get_movie(film.key).plot == "Theirs."
    assert "Plot differs Mine. Theirs." in page.text
    assert "Title The Matrix The Matrix" in page.text
    assert "Genres differs Action, Science Fiction nothing" in page.text
    assert page.fields["version"] == str(film.version + 1)
    assert "/movies/1999/The%20Matrix/" in page.links
    assert EDIT in page.links

    # What "Save mine over it" sends: the hidden fields of that page.
    saved = editor.post(EDIT, make_form(plot="Mine.", version=page.fields["version"]))

    assert saved.status_code == 302
    assert catalogue.get_movie(film.key).plot == "Mine."


def test_conflict_page_keeps_every_field(editor: Client, film: Movie) -> None:
    catalogue.change_movie(film.key, MovieFields(1999, "The Matrix"), version=film.version)

    html = editor.post(EDIT, make_form(film, plot='"Mine" & <b>')).content.decode()

    for hidden in (
        'name="plot" value="&quot;Mine&quot; &amp; &lt;b&gt;"',
        'name="genres" value="Action"',
        'name="genres" value="Science Fiction"',
        'name="directors" value="Lana Wachowski\nLilly Wachowski"',
        'name="runtime_minutes" value="136"',
    ):
        assert f'<input type="hidden" {hidden}' in html


def test_edit_movie_that_somebody_deleted(editor: Client, film: Movie) -> None:
    edits.delete_movie(film.key, version=film.version)

    response = editor.post(EDIT, make_form(film, plot="Mine."))

    page = read(response)
    assert response.status_code == 409
    assert "Somebody else deleted this film" in page.text
    assert "Mine." in page.text
    assert editor.post(ADD, make_form(plot="Mine.")).status_code == 302
    assert catalogue.get_movie(film.key).plot == "Mine."


def test_edit_movie_that_was_deleted_and_added_again(editor: Client, film: Movie) -> None:
    """What is there now is another film: it can be looked at, and not be saved over."""
    edits.delete_movie(film.key, version=film.version)
    stranger = catalogue.add_movie(MovieFields(1999, "The Matrix", plot="Another."))

    response = editor.post(EDIT, make_form(film, plot="Mine."))

    page = read(response)
    assert response.status_code == 409
    assert "Somebody else deleted this film" in page.text
    assert "Another film has its year and title by now." in page.text
    assert "/movies/1999/The%20Matrix/" in page.links
    assert f'<form method="post" action="{ADD}">' in response.content.decode()
    assert str(stranger.version) not in response.content.decode()
    assert editor.post(ADD, make_form(plot="Mine.")).status_code == 400
    assert catalogue.get_movie(film.key) == stranger


@pytest.mark.parametrize("has_stranger_moved", [False, True])
def test_edit_movie_that_made_way_for_another(
    editor: Client, film: Movie, has_stranger_moved: bool
) -> None:
    """The film that the editor saw is found, and the one in its place left alone."""
    moved = edits.change_movie(film.key, MovieFields(1999, "Matrix, The"), version=film.version)
    stranger = catalogue.add_movie(MovieFields(1999, "The Matrix", plot="Another."))
    if has_stranger_moved:
        fields = MovieFields(1999, "Stranger", plot="Another.")
        stranger = edits.change_movie(film.key, fields, version=stranger.version)

    response = editor.post(EDIT, make_form(film, plot="Mine."))

    page = read(response)
    assert response.status_code == 409
    assert page.fields["version"] == str(moved.version)
    new_url = "/movies/1999/Matrix,%20The/edit/"
    assert f'<form method="post" action="{new_url}">' in response.content.decode()

    form = make_form(title="Matrix, The", plot="Mine.", version=page.fields["version"])
    editor.post(new_url, form)

    assert catalogue.get_movie(moved.key).plot == "Mine."
    assert catalogue.get_movie(stranger.key) == stranger


def test_edit_movie_that_somebody_renamed(editor: Client, film: Movie) -> None:
    """Saving mine over it makes no second film."""
    theirs = MovieFields(1999, "Matrix, The", plot="Theirs.")
    edits.change_movie(film.key, theirs, version=film.version)

    response = editor.post(EDIT, make_form(film, plot="Mine."))

    page = read(response)
    assert response.status_code == 409
    assert "Somebody else saved this film first" in page.text
    assert "Title differs The Matrix Matrix, The" in page.text
    assert "Plot differs Mine. Theirs." in page.text
    new_url = "/movies/1999/Matrix,%20The/edit/"
    assert f'<form method="post" action="{new_url}">' in response.content.decode()
    assert new_url in page.links

    saved = editor.post(new_url, make_form(plot="Mine.", version=page.fields["version"]))

    assert saved["Location"] == "/movies/1999/The%20Matrix/"
    (movie,) = catalogue.list_movies().movies
    assert (movie.title, movie.plot) == ("The Matrix", "Mine.")


def test_edit_movie_that_was_renamed_and_then_deleted(editor: Client, film: Movie) -> None:
    moved = edits.change_movie(film.key, MovieFields(1999, "Other"), version=film.version)
    edits.delete_movie(moved.key, version=moved.version)
    # Another film altogether.
    catalogue.add_movie(MovieFields(1999, "Other"))

    response = editor.post(EDIT, make_form(film, plot="Mine."))

    assert response.status_code == 409
    assert "Somebody else deleted this film" in read(response).text


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 400])
def test_edit_movie_refuses_a_wrong_version(editor: Client, film: Movie, version: str) -> None:
    response = editor.post(EDIT, make_form(plot="Mine.", version=version))

    assert response.status_code == 400
    assert catalogue.get_movie(film.key).plot == film.plot


def test_edit_movie_the_sample(editor: Client, aws: str) -> None:
    response = editor.post(
        "/movies/2015/The%20Big%20New%20Movie/edit/",
        make_form(title="The Big New Movie", year="2015", version="0"),
    )

    assert response.status_code == 409
    assert "writes anew each time" in read(response).text


def test_delete_movie_asks_first(editor: Client, film: Movie) -> None:
    page = read(editor.get(DELETE))

    assert "Delete The Matrix (1999)?" in page.text
    assert page.fields["version"] == str(film.version)

    response = editor.post(DELETE, {"version": page.fields["version"]})

    assert response["Location"] == "/movies/"
    with pytest.raises(MovieNotFound, match="There is no film"):
        catalogue.get_movie(film.key)


def test_delete_movie_that_somebody_saved_first(editor: Client, film: Movie) -> None:
    catalogue.change_movie(film.key, MATRIX, version=film.version)

    response = editor.post(DELETE, {"version": str(film.version)})

    assert response.status_code == 409
    assert "Somebody has saved this film meanwhile" in read(response).text
    assert read(response).fields["version"] == str(film.version + 1)
    assert catalogue.get_movie(film.key)


def test_delete_movie_that_somebody_renamed(editor: Client, film: Movie) -> None:
    edits.change_movie(film.key, MovieFields(1999, "Other"), version=film.version)

    response = editor.post(DELETE, {"version": str(film.version)})

    assert response["Location"] == "/movies/1999/Other/"
    assert "it is not deleted" in read(editor.get(response["Location"])).text


def test_delete_movie_that_made_way_for_another(editor: Client, film: Movie) -> None:
    moved = edits.change_movie(film.key, MovieFields(1999, "Other"), version=film.version)
    stranger = catalogue.add_movie(MATRIX)

    response = editor.post(DELETE, {"version": str(film.version)})

    assert response["Location"] == "/movies/1999/Other/"

    edits.delete_movie(moved.key, version=moved.version)

    response = editor.post(DELETE, {"version": str(film.version)})

    assert response["Location"] == "/movies/1999/The%20Matrix/"
    assert "this is another one" in read(editor.get(response["Location"])).text
    assert catalogue.get_movie(film.key) == stranger


@pytest.mark.parametrize("version", ["", "one", "²", "١٢", "-1", "9" * 5000])
def test_delete_movie_refuses_a_wrong_version(editor: Client, film: Movie, version: str) -> None:
    response = editor.post(DELETE, {"version": version})

    assert response.status_code == 400
    assert "This form no longer says which version" in read(response).text
    assert read(response).fields["version"] == str(film.version)
    assert catalogue.get_movie(film.key)


def test_delete_movie_twice(editor: Client, film: Movie) -> None:
    editor.post(DELETE, {"version": str(film.version)})

    assert editor.post(DELETE, {"version": str(film.version)}).status_code == 404


@pytest.mark.parametrize(
    "version",
    [{}, {"version": ""}, {"version": "x"}, {"version": "-1"}, {"version": "١٢"}],
)
def test_edit_movie_without_its_version(
    editor: Client, film: Movie, version: dict[str, str]
) -> None:
    url = "/movies/1999/The%20Matrix/edit/"

    response = editor.post(url, {"title": "The Matrix", "year": "1999", **version})

    page = read(response)
    assert response.status_code == 400
    assert "This form no longer says which version" in page.text
    assert "Hidden field" not in page.text
