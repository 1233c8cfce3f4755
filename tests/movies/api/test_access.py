"""Who may do what under /api/."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from movies import catalogue
from movies.movie import Movie

from .client import APIClient, check_problem, film_path, make_editor, make_png

MATRIX = film_path(1999, "The Matrix")
FIELDS = {"year": 1999, "title": "The Matrix"}
READS = ["/api/", "/api/movies/", "/api/genres/", "/api/openapi.json", MATRIX]
OWN = [
    ("GET", MATRIX + "reviews/mine/", None),
    ("PUT", MATRIX + "reviews/mine/", {"stars": 5, "text": "x"}),
    ("DELETE", MATRIX + "reviews/mine/", None),
    ("POST", MATRIX + "votes/", {"stars": 5}),
]
EDITS = [
    ("POST", "/api/movies/", {"year": 2000, "title": "New"}),
    ("PUT", MATRIX, FIELDS),
    ("DELETE", MATRIX, None),
    ("PUT", MATRIX + "poster/", make_png()),
    ("DELETE", MATRIX + "poster/", None),
]

pytestmark = pytest.mark.django_db


def send(client: APIClient, method: str, path: str, body: Any) -> Any:
    """Send a request that nothing but its sender speaks against."""
    content_type = "image/png" if isinstance(body, bytes) else "application/json"
    return client.send(method, path, body, content_type=content_type, if_match='"1"')


@pytest.mark.parametrize("path", [*READS, MATRIX + "reviews/"])
def test_anybody_reads(anonymous: APIClient, film: Movie, path: str) -> None:
    assert anonymous.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), OWN + EDITS)
def test_anonymous_is_told_to_sign_in(
    anonymous: APIClient, film: Movie, method: str, path: str, body: Any
) -> None:
    response = send(anonymous, method, path, body)

    assert response.status_code == 401
    assert response.json()["code"] == "not_signed_in"
    assert response["WWW-Authenticate"] == 'Session realm="movies"'
    assert catalogue.get_movie(film.key) == film


@pytest.mark.parametrize(("method", "path", "body"), EDITS)
def test_a_person_may_not_edit(
    person: APIClient, film: Movie, method: str, path: str, body: Any
) -> None:
    response = send(person, method, path, body)

    assert response.status_code == 403
    assert response.json()["code"] == "not_an_editor"
    assert catalogue.get_movie(film.key) == film


@pytest.mark.parametrize(("method", "path", "body"), OWN[1:] + EDITS)
@pytest.mark.parametrize("token", [None, "", "x" * 32])
def test_writes_need_the_token(
    aws: str, film: Movie, token: str | None, method: str, path: str, body: Any
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_editor())
    client.get("/api/")
    headers = {"If-Match": '"1"'} | ({} if token is None else {"X-CSRFToken": token})

    response = client.generic(method, path, b"{}", "application/json", headers=headers)

    assert response.status_code == 403
    assert check_problem(response)["code"] == "csrf_failed"
    assert catalogue.get_movie(film.key) == film


@pytest.mark.parametrize(
    ("origin", "status"), [("https://testserver", 201), ("https://evil.example", 403)]
)
def test_writes_over_https_come_from_this_site(aws: str, origin: str, status: int) -> None:
    client = APIClient(make_editor())
    headers = {"X-CSRFToken": client.token, "Origin": origin}

    response = client.client.post(
        "/api/movies/", FIELDS, "application/json", secure=True, headers=headers
    )

    assert response.status_code == status


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "text/plain"])
def test_forms_of_other_sites_do_nothing(film: Movie, content_type: str) -> None:
    """What a page elsewhere can make a browser send: a form, with our cookies, no token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_editor())

    response = client.generic("POST", "/api/movies/", b"year=2000&title=x", content_type)

    assert response.status_code in (400, 403)
    check_problem(response)


def test_a_session_of_nobody(aws: str) -> None:
    client = APIClient(User.objects.create_user("gone"))
    User.objects.all().delete()

    assert client.post("/api/movies/", FIELDS).status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), OWN + EDITS)
def test_without_sql_nothing_can_be_written(
    no_sql: None, film: Movie, method: str, path: str, body: Any
) -> None:
    response = send(APIClient(), method, path, body)

    assert response.status_code == 503
    assert response.json()["code"] == "read_only"
    assert response["Retry-After"]
    assert catalogue.get_movie(film.key) == film


def test_without_sql_reviews_are_not_there(no_sql: None, film: Movie) -> None:
    assert APIClient().get(MATRIX + "reviews/").json()["code"] == "read_only"


@pytest.mark.django_db(databases=[])
@pytest.mark.parametrize("path", READS)
def test_without_sql_the_catalogue_reads(no_sql: None, film: Movie, path: str) -> None:
    """And a cookie of better days makes nothing ask the database."""
    client = APIClient()
    client.client.cookies["sessionid"] = "abc"

    assert client.get(path).status_code == 200


def test_who_is_looked_up_only_for_writes(
    person: APIClient, film: Movie, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        person.get(MATRIX)


def test_token_in_the_body_is_not_taken(aws: str) -> None:
    """The header alone counts: other sites can make forms, and no headers."""
    client = APIClient(make_editor())
    body = f"csrfmiddlewaretoken={client.token}".encode()

    response = client.client.generic(
        "POST", "/api/movies/", body, "application/x-www-form-urlencoded"
    )

    assert response.status_code in (403, 415)


def test_without_sql_for_real(root: Path) -> None:
    """With the deployed settings and no DATABASE_URL, in a process of its own."""
    program = """
import django; django.setup()
from django.test import Client
client = Client()
for method, path in (("GET", "genres/"), ("GET", "movies/1999/x/reviews/"), ("POST", "movies/")):
    print(client.generic(method, "/api/" + path, secure=True).status_code)
"""
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environ |= {
        "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        "DJANGO_SECRET_KEY": "x" * 50,
        "DJANGO_ALLOWED_HOSTS": "testserver",
    }

    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=environ, capture_output=True, text=True
    )

    assert finished.stdout.split() == ["200", "503", "503"], finished.stderr
