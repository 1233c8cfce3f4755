"""Whatever is sent gets an answer with a reason, and never a 500: properties over any input.

check_problem, in APIClient.send, sees to the reason.
"""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movies.movie import GENRES, Movie

from .client import APIClient, film_path, make_png

MATRIX = film_path(1999, "The Matrix")
# The tables stay the same during a test; what its examples leave behind doesn't matter to them.
properties = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=1880, max_value=2050)
    | st.floats(allow_nan=True)
    | st.text(max_size=300)
    | st.sampled_from(["", "\0", "1999-03-31", "x" * 6000, "\ud800", *GENRES]),
    lambda children: (
        st.lists(children, max_size=25) | st.dictionaries(st.text(max_size=20), children)
    ),
    max_leaves=25,
)
almost_films = st.fixed_dictionaries(
    {"year": st.integers(1888, 2030) | json_values, "title": st.text(max_size=210) | json_values},
    optional={
        "plot": st.text() | json_values,
        "genres": st.lists(st.sampled_from(GENRES), max_size=8) | json_values,
        "directors": st.lists(st.text(max_size=110), max_size=22) | json_values,
        "actors": json_values,
        "runtime_minutes": st.integers(-5, 1100) | json_values,
        "release_date": st.dates().map(str) | json_values,
        "version": json_values,
    },
)
# What a header may hold, to WSGI: Latin-1, and no line ends.
header_values = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=50)

pytestmark = pytest.mark.django_db


@properties
@given(body=almost_films | json_values)
def test_any_json_as_a_film(editor: APIClient, body: Any) -> None:
    response = editor.send("POST", "/api/movies/", json.dumps(body).encode())

    assert response.status_code in (201, 400, 409)
    if response.status_code == 201:
        assert editor.get(response["Location"]).json() == response.json()


@properties
@given(body=almost_films, if_match=header_values | st.sampled_from(["{}", "*", "W/{}", '"9"']))
def test_any_change_of_a_film(editor: APIClient, film: Movie, body: Any, if_match: str) -> None:
    etag = f'"{film.version}"'

    response = editor.put(MATRIX, body, if_match=if_match.replace("{}", etag))

    assert response.status_code in (200, 400, 404, 409, 412)


@properties
@given(body=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/movies/"), ("POST", MATRIX + "votes/"), ("PUT", MATRIX + "reviews/mine/")],
)
def test_any_bytes(editor: APIClient, film: Movie, method: str, path: str, body: bytes) -> None:
    response = editor.send(method, path, body)

    # An empty body comes without a media type.
    assert response.status_code == 400 if body else 415


@properties
@given(text=st.text() | st.text().map(lambda text: f"a{text}"), stars=st.integers(0, 11))
def test_any_text_as_a_review(editor: APIClient, film: Movie, text: str, stars: int) -> None:
    path = MATRIX + "reviews/mine/"

    response = editor.put(path, {"stars": stars, "text": text})

    assert response.status_code in (200, 201, 400)
    if response.status_code != 400:
        assert editor.get(path).json() == response.json()


@properties
@given(
    year=st.integers().map(str) | st.text(),
    title=st.text(max_size=300) | st.text("~sd./", max_size=9),
    rest=st.sampled_from(["", "reviews/", "reviews/mine/", "votes/", "poster/", "x/"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
)
def test_any_address(
    editor: APIClient, film: Movie, year: str, title: str, rest: str, method: str
) -> None:
    path = f"/api/movies/{quote(year, safe='')}/{quote(title, safe='')}/{rest}"

    assert editor.send(method, path).status_code in (200, 400, 404, 405, 415, 428)


@properties
@given(address=st.binary(max_size=60))
def test_any_bytes_as_an_address(anonymous: APIClient, address: bytes) -> None:
    assert anonymous.get("/api/movies/1999/" + quote(address)).status_code in (200, 404)


@properties
@given(
    parameters=st.lists(
        st.tuples(
            st.sampled_from(["year", "decade", "genre", "q", "cursor", "limit"]) | st.text(),
            st.text() | st.integers().map(str) | st.sampled_from(["1999", "1990", "Drama", "5"]),
        ),
        max_size=4,
    )
)
def test_any_query(anonymous: APIClient, film: Movie, parameters: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters)

    assert anonymous.get(f"/api/movies/?{query}").status_code in (200, 400)


@properties
@given(query=st.binary(max_size=80).map(lambda query: query.replace(b"#", b"")))
def test_any_bytes_as_a_query(anonymous: APIClient, film: Movie, query: bytes) -> None:
    response = anonymous.client.get("/api/movies/", QUERY_STRING=query.decode("latin-1"))

    assert response.status_code in (200, 400)


@properties
@given(cursor=st.text() | st.binary().map(lambda cursor: cursor.hex()), data=st.data())
def test_any_cursor(anonymous: APIClient, film: Movie, cursor: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(["/api/movies/", MATRIX + "reviews/"]))

    response = anonymous.get(f"{path}?cursor={quote(cursor)}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["cursor"]


@properties
@given(position=st.integers(0, 200), letter=st.characters(codec="ascii", categories=["L", "Nd"]))
def test_a_cursor_with_a_wrong_letter(
    editor: APIClient, film: Movie, position: int, letter: str
) -> None:
    """One letter of a real cursor is another: refused, unless it says the same."""
    editor.post("/api/movies/", {"year": 1979, "title": "Alien"})
    cursor = editor.get("/api/movies/?limit=1").json()["next_cursor"]
    position %= len(cursor)
    changed = cursor[:position] + letter + cursor[position + 1 :]

    response = editor.get(f"/api/movies/?limit=1&cursor={changed}")

    expected = [200] if changed == cursor else [400, 200][: 1 + (position == len(cursor) - 1)]
    assert response.status_code in expected


@properties
@given(
    content=st.binary(max_size=100)
    | st.tuples(
        st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"GIF89a"]),
        st.binary(max_size=100),
    ).map(b"".join)
    | st.integers(0, 100).map(lambda size: make_png()[:size])
)
def test_any_bytes_as_a_poster(editor: APIClient, film: Movie, content: bytes) -> None:
    response = editor.send(
        "PUT", MATRIX + "poster/", content, content_type="image/png", if_match="*"
    )

    assert response.status_code in (200, 400, 415)


@properties
@given(
    content_type=header_values,
    token=header_values,
    path=st.sampled_from(["/api/movies/", MATRIX + "votes/"]),
)
def test_any_headers(
    editor: APIClient, film: Movie, content_type: str, token: str, path: str
) -> None:
    response = editor.send("POST", path, b"{}", content_type=content_type)
    forged = editor.send("POST", path, b"{}", **{"X-CSRFToken": token})

    assert response.status_code in (400, 415)
    assert forged.status_code == 403
