import urllib.request
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from movies import aws as movies_aws
from movies import catalogue, edits
from movies.catalogue import MovieKey
from movies.fields import MovieFields
from movies.movie import Movie

from .conftest import MATRIX, make_png
from .markup import read

FILM = "/movies/1999/The%20Matrix/"
KEY = MovieKey(1999, "The Matrix")


def make_form(seen: Movie | None, content: bytes) -> dict[str, object]:
    """Return what a browser sends for the film as it was seen."""
    version = "1" if seen is None else str(seen.version)
    return {"image": SimpleUploadedFile("poster.txt", content), "version": version}


def test_upload_shows_the_poster(
    editor: Client, film: Movie, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one key that the emulation takes in a presigned URL.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    movies_aws.forget_clients()
    assert "Poster of The Matrix (1999)" in read(editor.get(f"{FILM}poster/")).text

    response = editor.post(f"{FILM}poster/", make_form(film, png))

    assert response["Location"] == FILM
    html = editor.get(FILM).content.decode()
    url = html.partition('<img class="poster" src="')[2].partition('"')[0].replace("&amp;", "&")
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == png
        assert answer.headers["Content-Type"] == "image/png"


def test_remove_shows_the_drawn_one(editor: Client, film: Movie, png: bytes) -> None:
    editor.post(f"{FILM}poster/", make_form(film, png))
    page = read(editor.get(f"{FILM}poster/"))
    assert "Remove the poster" in page.text

    editor.post(f"{FILM}poster/", {"remove": "yes", "version": page.fields["version"]})

    assert catalogue.get_movie(KEY).poster is None
    assert "<img" not in editor.get(FILM).content.decode()


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"GIF89a", 415, "Expected a PNG, JPEG or WebP picture."),
        (b"<svg onload='alert(1)'/>", 415, "Expected a PNG, JPEG or WebP picture."),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, 400, "can't be read"),
        (make_png(10, 10), 400, "got 10 x 10"),
        (b"", 400, "The submitted file is empty."),
    ],
)
def test_upload_refuses(
    editor: Client, film: Movie, content: bytes, status: int, reason: str
) -> None:
    response = editor.post(f"{FILM}poster/", make_form(film, content))

    assert response.status_code == status
    assert reason in read(response).text
    assert catalogue.get_movie(KEY).poster is None


def test_upload_without_a_file(editor: Client, film: Movie) -> None:
    response = editor.post(f"{FILM}poster/", {"version": str(film.version)})

    assert response.status_code == 400
    assert "This field is required." in read(response).text


def test_upload_that_is_too_large(editor: Client, film: Movie) -> None:
    response = editor.post(
        f"{FILM}poster/", make_form(film, b"\x89PNG\r\n\x1a\n" + b"x" * 2_100_000)
    )

    assert response.status_code == 413
    assert "2,097,152" in read(response).text


def test_upload_that_s3_refuses(editor: Client, film: Movie, png: bytes, settings: Any) -> None:
    """The page names what was tried, and not the key that nothing has."""
    settings.POSTERS_BUCKET = "no-such-bucket"

    response = editor.post(f"{FILM}poster/", make_form(film, png))

    assert response.status_code == 503
    assert "AWS refused PutObject of the poster with NoSuchBucket." in read(response).text
    assert "posters/1999/" not in response.content.decode()


def test_upload_over_what_somebody_saved(editor: Client, film: Movie, png: bytes) -> None:
    catalogue.change_movie(film.key, MATRIX, version=film.version)

    response = editor.post(f"{FILM}poster/", make_form(film, png))

    page = read(response)
    assert response.status_code == 409
    assert "Somebody changed" in page.text
    assert page.fields["version"] == str(film.version + 1)
    assert catalogue.get_movie(KEY).poster is None


def test_remove_over_what_somebody_saved(editor: Client, film: Movie, png: bytes) -> None:
    editor.post(f"{FILM}poster/", make_form(film, png))

    response = editor.post(f"{FILM}poster/", {"remove": "yes", "version": str(film.version)})

    assert response.status_code == 409
    assert catalogue.get_movie(KEY).poster is not None


@pytest.mark.parametrize("has_stranger", [False, True])
def test_upload_for_what_somebody_renamed(
    editor: Client, film: Movie, png: bytes, has_stranger: bool
) -> None:
    """It leads to the form of the same film; a stranger at the old key keeps its poster."""
    moved = edits.change_movie(film.key, MovieFields(1999, "Other"), version=film.version)
    stranger = catalogue.add_movie(MATRIX) if has_stranger else None

    response = editor.post(f"{FILM}poster/", make_form(film, png))

    assert response["Location"] == "/movies/1999/Other/poster/"
    assert "Somebody has moved this film" in read(editor.get(response["Location"])).text
    edits.delete_movie(moved.key, version=moved.version)

    response = editor.post(f"{FILM}poster/", make_form(film, png))

    if stranger is None:
        assert response.status_code == 404
    else:
        assert response["Location"] == FILM
        assert "this is another one" in read(editor.get(FILM)).text
        assert catalogue.get_movie(KEY) == stranger


@pytest.mark.parametrize("version", [{}, {"version": "x"}, {"version": "١٢"}])
@pytest.mark.parametrize("is_removal", [True, False])
def test_poster_form_without_its_version(
    editor: Client, film: Movie, png: bytes, version: dict[str, str], is_removal: bool
) -> None:
    form = {"remove": "yes"} if is_removal else {"image": make_form(film, png)["image"]}

    response = editor.post(f"{FILM}poster/", {**form, **version})

    page = read(response)
    assert response.status_code == 400
    assert "This form no longer says which version" in page.text
    assert "Somebody" not in page.text
    assert page.fields["version"] == str(film.version)
    assert catalogue.get_movie(KEY) == film


def test_poster_of_nothing(editor: Client, aws: str, png: bytes) -> None:
    assert editor.get(f"{FILM}poster/").status_code == 404
    assert editor.post(f"{FILM}poster/", make_form(None, png)).status_code == 404
