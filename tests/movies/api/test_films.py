"""Films through the API, against real tables: lists, one film, changes, posters."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from django.conf import settings

from movies import catalogue
from movies.aws import get_client
from movies.fields import MovieFields
from movies.items import to_key
from movies.movie import GENRES, SAMPLE_KEY, Movie

from .client import APIClient, film_path, make_png

MATRIX = film_path(1999, "The Matrix")
FIELDS = {"year": 1999, "title": "The Matrix", "plot": "Another plot."}

pytestmark = pytest.mark.django_db


def add_films(*films: tuple[int, str]) -> None:
    """Add films; those of an even year are dramas."""
    for year, title in films:
        catalogue.add_movie(MovieFields(year, title, genres=() if year % 2 else ("Drama",)))


def etag(film: Movie, saves: int = 0) -> str:
    """Return the entity tag that the film has after so many more saves."""
    return f'"{film.version + saves}"'


def titles(response: Any) -> list[str]:
    """Return the titles of a page."""
    return [movie["title"] for movie in response.json()["movies"]]


def read_all(client: APIClient, path: str) -> list[list[str]]:
    """Return the titles of every page, following the links."""
    pages = []
    while path:
        page = client.get(path)
        assert page.status_code == 200
        pages.append(titles(page))
        path = page.json()["next"]
    return pages


def test_get_movie(anonymous: APIClient, film: Movie) -> None:
    response = anonymous.get(MATRIX)

    assert response.status_code == 200
    assert response["ETag"] == etag(film)
    assert response.json() == {
        "year": 1999,
        "title": "The Matrix",
        "plot": "A program.",
        "genres": ["Action", "Science Fiction"],
        "directors": ["Lana Wachowski", "Lilly Wachowski"],
        "actors": [],
        "runtime_minutes": 136,
        "release_date": None,
        "rating": None,
        "votes": 0,
        "version": film.version,
        "poster_url": None,
        "url": MATRIX,
        "reviews_url": MATRIX + "reviews/",
    }


def test_etag_does_not_stand_for_what_is_answered(anonymous: APIClient, film: Movie) -> None:
    """Votes change the film and not its version: nobody may be told that nothing has changed."""
    before = anonymous.get(MATRIX)
    catalogue.count_vote(film.key, 8)

    after = anonymous.get(MATRIX, if_none_match=before["ETag"])

    assert before["Cache-Control"] == after["Cache-Control"] == "no-store"
    assert (after.status_code, after["ETag"]) == (200, before["ETag"])
    assert (before.json()["votes"], after.json()["votes"]) == (0, 1)


def test_list_movies_newest_first(anonymous: APIClient) -> None:
    add_films((1979, "Alien"), (1999, "Magnolia"), (1999, "Election"), (2010, "Inception"))

    response = anonymous.get("/api/movies/")

    assert titles(response) == ["Inception", "Election", "Magnolia", "Alien"]
    assert response.json()["next_cursor"] is response.json()["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("year=1999", ["Election", "Magnolia"]),
        ("decade=1990", ["Election", "Magnolia", "Fargo"]),
        ("genre=Drama", ["Inception", "Fargo"]),
        ("q=ma", ["Magnolia"]),
        ("q=INCEPTION", ["Inception"]),
        ("q=nothing+like+it", []),
    ],
)
def test_list_movies_filters(anonymous: APIClient, query: str, expected: list[str]) -> None:
    add_films((1979, "Alien"), (1999, "Magnolia"), (1999, "Election"), (1996, "Fargo"))
    add_films((2010, "Inception"))

    assert titles(anonymous.get(f"/api/movies/?{query}")) == expected


@pytest.mark.parametrize("query", ["", "year=1999&", "genre=Drama&", "q=film&"])
def test_list_movies_pages_hold_every_film_once(anonymous: APIClient, query: str) -> None:
    add_films(*((year, f"Film {number}") for year in (1998, 1999) for number in range(5)))

    pages = read_all(anonymous, f"/api/movies/?{query}limit=2")

    everything = titles(anonymous.get(f"/api/movies/?{query}"))
    assert [title for page in pages for title in page] == everything
    assert {len(page) for page in pages[:-1]} == {2}


def test_list_movies_next_keeps_the_filters(anonymous: APIClient) -> None:
    add_films(*((1998, f"Film {number}") for number in range(3)))

    page = anonymous.get("/api/movies/?genre=Drama&limit=2").json()

    assert parse_qs(urlsplit(page["next"]).query) == {
        "genre": ["Drama"],
        "limit": ["2"],
        "cursor": [page["next_cursor"]],
    }


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("year=1999&genre=Drama", ["year", "genre"]),
        ("year=0", ["year"]),
        ("year=" + "9" * 31, ["year"]),
        ("year=1999.0", ["year"]),
        ("year=%D9%A1%D9%A9%D9%A9%D9%A9", ["year"]),
        ("year=", ["year"]),
        ("decade=1995", ["decade"]),
        ("decade=1870", ["decade"]),
        ("genre=drama", ["genre"]),
        ("genre=", ["genre"]),
        ("q=", ["q"]),
        ("q=%E2%80%8B", ["q"]),
        ("q=" + "a" * 201, ["q"]),
        ("limit=0", ["limit"]),
        ("limit=101", ["limit"]),
        ("limit=5&limit=5", ["limit"]),
        ("page=2", ["page"]),
        ("%00=1", ["\0"]),
        ("cursor=", ["cursor"]),
        ("cursor=abc", ["cursor"]),
        ("cursor=%FF", ["cursor"]),
    ],
)
def test_list_movies_refuses(anonymous: APIClient, query: str, fields: list[str]) -> None:
    response = anonymous.get(f"/api/movies/?{query}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == fields


def test_list_movies_cursor_of_another_list(anonymous: APIClient) -> None:
    add_films((1998, "A"), (1998, "B"))
    cursor = anonymous.get("/api/movies/?year=1998&limit=1").json()["next_cursor"]

    response = anonymous.get(f"/api/movies/?genre=Drama&cursor={cursor}")

    assert response.status_code == 400
    assert response.json()["code"] == "bad_cursor"


def test_add_movie(editor: APIClient) -> None:
    body = {
        "year": 2010,
        "title": "  Inception ",
        "genres": ["Science Fiction"],
        "runtime_minutes": 148.0,
        "release_date": "2010-07-16",
    }

    response = editor.post("/api/movies/", body)

    assert response.status_code == 201, response.content
    assert response["Location"] == film_path(2010, "Inception")
    assert response["ETag"] == f'"{response.json()["version"]}"'
    assert response.json() == editor.get(response["Location"]).json()
    assert response.json()["runtime_minutes"] == 148


def test_add_movie_twice(editor: APIClient, film: Movie) -> None:
    response = editor.post("/api/movies/", FIELDS)

    assert response.status_code == 409
    assert response.json()["code"] == "movie_exists"
    assert catalogue.get_movie(film.key) == film


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"year": "1999"}, "year"),
        ({"year": True}, "year"),
        ({"year": 1999.5}, "year"),
        ({"year": 0}, "year"),
        ({"year": 10**30}, "year"),
        ({"year": None}, "year"),
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"title": 5}, "title"),
        ({"title": ["x"]}, "title"),
        ({"title": " ".join(map(str, range(60)))}, "title"),
        ({"plot": None}, "plot"),
        ({"plot": "x" * 5001}, "plot"),
        ({"plot": "a\0"}, "plot"),
        ({"genres": "Drama"}, "genres"),
        ({"genres": ["drama"]}, "genres"),
        ({"genres": ["Drama"] * 7}, "genres"),
        ({"genres": [["Drama"]]}, "genres"),
        ({"genres": {"Drama": 1}}, "genres"),
        ({"directors": ["x"] * 21}, "directors"),
        ({"directors": [""]}, "directors"),
        ({"directors": [None]}, "directors"),
        ({"actors": "Somebody, Another"}, "actors"),
        ({"actors": ["x" * 101]}, "actors"),
        ({"runtime_minutes": "136"}, "runtime_minutes"),
        ({"runtime_minutes": 0}, "runtime_minutes"),
        ({"runtime_minutes": 1001}, "runtime_minutes"),
        ({"release_date": "1999"}, "release_date"),
        ({"release_date": "1999-02-30"}, "release_date"),
        ({"release_date": "2000-01-01"}, "release_date"),
        ({"release_date": " 1999-03-31"}, "release_date"),
        ({"release_date": ""}, "release_date"),
        ({"rating": 10}, "rating"),
        ({"version": 1}, "version"),
        ({"": 1}, ""),
    ],
)
def test_add_movie_refuses(editor: APIClient, change: dict[str, Any], field: str) -> None:
    response = editor.post("/api/movies/", {**FIELDS, **change})

    assert response.status_code == 400
    assert response.json()["code"] == "bad_input"
    assert list(response.json()["fields"]) == [field]
    assert catalogue.list_movies().movies == ()


def test_add_movie_names_all_that_is_wrong(editor: APIClient) -> None:
    response = editor.post("/api/movies/", {"genres": 1, "colour": 2})

    assert set(response.json()["fields"]) == {"year", "title", "genres", "colour"}


@pytest.mark.parametrize(
    "title",
    ["a/b", "~", "..", ".", "/", '100 % "odd" ?#&;', "Amélie", "千と千尋の神隠し", "~s", "a//b"],
)
def test_every_title_has_an_address(editor: APIClient, title: str) -> None:
    added = editor.post("/api/movies/", {"year": 2001, "title": title})
    url = added["Location"]

    assert editor.get(url).json()["title"] == title
    assert editor.get(added.json()["reviews_url"]).status_code == 200
    assert editor.delete(url, if_match=added["ETag"]).status_code == 204
    assert editor.get(url).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        film_path(1999, "Unknown"),
        film_path(0, "The Matrix"),
        film_path(10**30, "The Matrix"),
        "/api/movies/-1/x/",
        f"/api/movies/{'9' * 5000}/x/",
        "/api/movies/1999/~x/",
        "/api/movies/1999/../",
        "/api/movies/1999/a%00b/",
        "/api/movies/1999/%ED%A0%80/",
        "/api/movies/1999/" + "x" * 2000 + "/",
        "/api/movies/1999/",
        "/api/movies",
        "/api/nothing/",
    ],
)
def test_get_movie_unknown(anonymous: APIClient, film: Movie, path: str) -> None:
    response = anonymous.get(path)

    assert response.status_code == 404
    assert response.json()["code"] in ("movie_not_found", "not_found")


@pytest.mark.parametrize("if_match", ["{}", "*", '"7", {}', " {} "])
def test_change_movie(editor: APIClient, film: Movie, if_match: str) -> None:
    response = editor.put(MATRIX, FIELDS, if_match=if_match.format(etag(film)))

    assert response.status_code == 200
    assert response["ETag"] == etag(film, saves=1)
    assert response["Content-Location"] == MATRIX
    changed = editor.get(MATRIX).json()
    assert changed == response.json()
    assert (changed["plot"], changed["genres"]) == ("Another plot.", [])


def test_change_movie_moves_it(editor: APIClient, film: Movie) -> None:
    response = editor.put(MATRIX, {"year": 2000, "title": "Matrix"}, if_match=etag(film))

    assert response["Content-Location"] == film_path(2000, "Matrix")
    assert editor.get(MATRIX).status_code == 404
    assert editor.get(film_path(2000, "Matrix")).json() == response.json()


def test_change_movie_onto_another(editor: APIClient, film: Movie) -> None:
    add_films((1979, "Alien"))

    response = editor.put(MATRIX, {"year": 1979, "title": "Alien"}, if_match=etag(film))

    assert response.status_code == 409
    assert response.json()["code"] == "movie_exists"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("if_match", ['"0"', '"2"', '"abc"', "W/{}", '"7", "8"'])
def test_stale_changes_show_the_film_as_it_is(
    editor: APIClient, film: Movie, method: str, if_match: str
) -> None:
    body = FIELDS if method == "PUT" else None

    response = editor.send(method, MATRIX, body, if_match=if_match.format(etag(film)))

    assert response.status_code == 412
    assert response.json()["code"] == "movie_changed"
    assert response.json()["current"] == editor.get(MATRIX).json()
    assert catalogue.get_movie(film.key) == film


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", MATRIX, FIELDS),
        ("DELETE", MATRIX, None),
        ("PUT", MATRIX + "poster/", make_png()),
        ("DELETE", MATRIX + "poster/", None),
    ],
)
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 428, "if_match_required"),
        ({"if_match": ""}, 400, "bad_if_match"),
        ({"if_match": "1"}, 400, "bad_if_match"),
        ({"if_match": '"1'}, 400, "bad_if_match"),
        ({"if_match": "é"}, 400, "bad_if_match"),
    ],
)
def test_changes_need_if_match(
    editor: APIClient,
    film: Movie,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    content_type = "image/png" if isinstance(body, bytes) else "application/json"

    response = editor.send(method, path, body, content_type=content_type, **headers)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert catalogue.get_movie(film.key) == film


def test_two_editors_save_the_same_film(editor: APIClient, film: Movie) -> None:
    """The second is shown what the first saved, and can save over it knowingly."""
    seen = editor.get(MATRIX)["ETag"]
    editor.put(MATRIX, {**FIELDS, "plot": "The first's."}, if_match=seen)

    refused = editor.put(MATRIX, {**FIELDS, "plot": "The second's."}, if_match=seen)
    current = refused.json()["current"]
    retried = editor.put(
        MATRIX, {**FIELDS, "plot": "The second's."}, if_match=f'"{current["version"]}"'
    )

    assert current["plot"] == "The first's."
    assert retried.json()["plot"] == "The second's."


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_stale_change_of_the_film_that_was_there_before(
    editor: APIClient, film: Movie, method: str
) -> None:
    editor.delete(MATRIX, if_match=etag(film))
    another = editor.post("/api/movies/", FIELDS).json()

    response = editor.send(method, MATRIX, FIELDS if method == "PUT" else None, if_match=etag(film))

    assert (response.status_code, response.json()["code"]) == (412, "movie_changed")
    assert response.json()["current"] == another == editor.get(MATRIX).json()


def test_delete_movie(editor: APIClient, film: Movie) -> None:
    response = editor.delete(MATRIX, if_match=etag(film))

    assert response.status_code == 204
    assert response.content == b""
    assert editor.delete(MATRIX, if_match=etag(film)).status_code == 404


def test_the_sample_is_read_only(editor: APIClient) -> None:
    get_client("dynamodb").put_item(TableName=settings.MOVIES_TABLE, Item=to_key(SAMPLE_KEY))
    path = film_path(SAMPLE_KEY.year, SAMPLE_KEY.title)

    answers = [
        editor.put(path, FIELDS, if_match='"0"'),
        editor.delete(path, if_match='"0"'),
        editor.post(path + "votes/", {"stars": 5}),
        editor.send("PUT", path + "poster/", make_png(), content_type="image/png", if_match='"0"'),
    ]

    assert [answer.json()["code"] for answer in answers] == ["sample_is_read_only"] * 4
    assert editor.get(path).status_code == 200


def test_poster_of_a_film(editor: APIClient, film: Movie) -> None:
    picture = make_png()

    put = editor.send(
        "PUT", MATRIX + "poster/", picture, content_type="image/png", if_match=etag(film)
    )
    with urlopen(put.json()["poster_url"]) as shown:
        assert shown.read() == picture
    deleted = editor.delete(MATRIX + "poster/", if_match=put["ETag"])

    assert put["ETag"] == etag(film, saves=1)
    assert deleted.json()["poster_url"] is None
    assert deleted["ETag"] == etag(film, saves=2)


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"\0", "image/png", 415, "poster_type_refused"),
        (b"<svg/>", "image/png", 415, "poster_type_refused"),
        (make_png(), "image/svg+xml", 415, "unsupported_media_type"),
        (make_png(), "application/json", 415, "unsupported_media_type"),
        (make_png(), "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
        (make_png(), "", 415, "unsupported_media_type"),
        (make_png(10, 10), "image/png", 400, "poster_refused"),
        (make_png()[:20], "image/png", 400, "poster_refused"),
        (make_png() + b"\0" * 2 * 1024 * 1024, "image/png", 413, "poster_too_large"),
    ],
)
def test_replace_poster_refuses(
    editor: APIClient, film: Movie, content: bytes, content_type: str, status: int, code: str
) -> None:
    response = editor.send(
        "PUT", MATRIX + "poster/", content, content_type=content_type, if_match=etag(film)
    )

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert catalogue.get_movie(film.key) == film


def test_replace_poster_looks_at_the_bytes(editor: APIClient, film: Movie) -> None:
    response = editor.send(
        "PUT", MATRIX + "poster/", make_png(), content_type="image/jpeg", if_match=etag(film)
    )

    assert urlsplit(response.json()["poster_url"]).path.endswith(".png")


def test_list_genres(anonymous: APIClient) -> None:
    assert anonymous.get("/api/genres/").json() == {"genres": list(GENRES)}
