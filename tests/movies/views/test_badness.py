"""Whatever is sent, the answer is a page that says what was wrong: never a 500."""

from typing import Any
from urllib.parse import quote_from_bytes

from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movies.movie import Movie

from .markup import read

# Each example leaves nothing behind that another would meet.
many = settings(
    max_examples=75,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NASTY = st.one_of(
    st.sampled_from(
        [
            b"\0",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"..",
            b"~",
            b"~x",
            b"9" * 5000,
            b"-1",
            b"1e999",
            "²".encode(),
            b"%00",
            b"<script>",
            b"' OR 1=1 --",
            b"x" * 4000,
        ]
    ),
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.integers().map(lambda number: str(number).encode()),
)
FIELDS = (
    "title",
    "year",
    "plot",
    "genres",
    "directors",
    "actors",
    "runtime_minutes",
    "release_date",
    "version",
    "stars",
    "text",
    "image",
    "remove",
    "username",
    "password1",
    "password2",
    "next",
)


def see(response: Any) -> None:
    """Fail where the answer is not a page, or a page is not right."""
    assert response.status_code < 500
    if response.status_code not in (301, 302, 405):
        read(response)


@many
@given(
    name=st.sampled_from(["q", "year", "decade", "genre", "cursor", "page", "reviews"]),
    value=NASTY,
    path=st.sampled_from(["/movies/", "/movies/1999/The%20Matrix/", "/accounts/"]),
)
def test_any_query(editor: Client, film: Movie, name: str, value: bytes, path: str) -> None:
    see(editor.get(f"{path}?{name}={quote_from_bytes(value)}"))


@many
@given(
    year=NASTY,
    title=NASTY,
    action=st.sampled_from(
        ["", "edit/", "delete/", "poster/", "vote/", "review/", "review/delete/"]
    ),
    method=st.sampled_from(["get", "post"]),
)
def test_any_address(
    editor: Client, film: Movie, year: bytes, title: bytes, action: str, method: str
) -> None:
    for path in (
        f"/movies/1999/{quote_from_bytes(title, safe='')}/{action}",
        f"/movies/{quote_from_bytes(year, safe='')}/The%20Matrix/{action}",
    ):
        response = getattr(editor, method)(path)
        if response["Content-Type"] != "image/svg+xml":
            see(response)


@many
@given(
    form=st.dictionaries(st.sampled_from(FIELDS), NASTY, max_size=8),
    path=st.sampled_from(
        [
            "/movies/add/",
            "/movies/1999/The%20Matrix/edit/",
            "/movies/1999/The%20Matrix/delete/",
            "/movies/1999/The%20Matrix/poster/",
            "/movies/1999/The%20Matrix/vote/",
            "/movies/1999/The%20Matrix/review/",
            "/accounts/sign-up/",
            "/accounts/sign-in/",
        ]
    ),
)
def test_any_form(editor: Client, film: Movie, form: dict[str, bytes], path: str) -> None:
    body = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in form.items())

    see(editor.post(path, body, content_type="application/x-www-form-urlencoded"))


@many
@given(body=st.binary(max_size=300), boundary=st.sampled_from(["x", "x" * 71, '"', ""]))
def test_any_upload(editor: Client, film: Movie, body: bytes, boundary: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'

    for content in (body, part + body + b"\r\n--x--\r\n"):
        see(
            editor.post(
                "/movies/1999/The%20Matrix/poster/",
                content,
                content_type=f"multipart/form-data; boundary={boundary}",
            )
        )
