"""Visitors' secrets on the whole site: every byte that the daemon gets is read."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from movies import catalogue
from movies.catalogue import MovieFields
from tests.conftest import Daemon, walk

FILM = "/movies/1999/The%20Matrix/"


@pytest.fixture
def film(aws: str) -> Any:
    """A film to talk about."""
    return catalogue.add_movie(
        MovieFields.from_untrusted({"year": 1999, "title": "The Matrix", "genres": ["Action"]})
    )


@pytest.mark.django_db
def test_no_secret_of_a_visitor_leaves(
    film: Any, daemon: Daemon, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.raise_request_exception = False
    password = "Xq7-sesame-password"
    form = {"username": "alice", "password1": password, "password2": password}
    assert client.post("/accounts/sign-up/", form).status_code == 302
    session = client.cookies["sessionid"].value
    client.post("/accounts/sign-out/")
    wrong = {"username": "alice", "password": "sesame-wrong-password"}
    client.post("/accounts/sign-in/", wrong)
    client.post("/accounts/sign-in/", {"username": "alice", "password": password})
    client.post(FILM + "review/", {"stars": "7", "text": "sesame-private-thought"})
    client.get("/movies/?q=matrix&token=sesame-query")
    client.get("/movies/?cursor=sesame-cursor")
    client.get("/api/movies/?api_key=sesame-api-key", headers={"Authorization": "sesame-bearer"})
    client.get(
        "/app?password=sesame-app", headers={"Referer": "http://localhost/?t=sesame-referer"}
    )
    client.post("/api/movies/", '{"password": "sesame-json"', content_type="application/json")
    client.get("/lab/exception/?secret=sesame-lab")
    hashed = User.objects.get(username="alice").password

    documents = daemon.documents(11)
    sent = b"".join(daemon.datagrams)
    assert b"SELECT" in sent
    assert b"INSERT INTO" in sent
    for secret in ("sesame", session, session.partition(":")[0], hashed, "csrftoken"):
        assert secret.encode() not in sent, secret
    assert "sesame" not in caplog.text.replace("sesame-cursor", "")
    statements = [entity for document in documents for entity in walk(document) if "sql" in entity]
    assert all("alice" not in entity["sql"]["sanitized_query"] for entity in statements)


@pytest.mark.django_db
def test_the_signed_in_user_is_the_segments_user(film: Any, daemon: Daemon, client: Client) -> None:
    user = User.objects.create_user("bob", password="x")
    client.get("/movies/")
    client.force_login(user)
    client.get("/movies/")
    client.get("/api/movies/")

    anonymous, page, api = daemon.documents(3)
    assert "user" not in anonymous
    assert page["user"] == str(user.pk)
    assert api["user"] == str(user.pk)
