"""What tests of the API ask for: clients, people, and a film or two."""

import pytest
from django.contrib.auth.models import User

from movies import catalogue
from movies.fields import MovieFields
from movies.movie import Movie

from .client import APIClient, make_editor


@pytest.fixture
def film(aws: str) -> Movie:
    """A film of the catalogue."""
    return catalogue.add_movie(
        MovieFields(
            1999,
            "The Matrix",
            plot="A program.",
            genres=("Action", "Science Fiction"),
            directors=("Lana Wachowski", "Lilly Wachowski"),
            runtime_minutes=136,
        )
    )


@pytest.fixture
def anonymous(aws: str) -> APIClient:
    """A client that isn't signed in."""
    return APIClient()


@pytest.fixture
def person(aws: str, db: None) -> APIClient:
    """A client that is signed in, and may not edit."""
    return APIClient(User.objects.create_user("trinity"))


@pytest.fixture
def editor(aws: str, db: None) -> APIClient:
    """A client that is signed in as an editor."""
    return APIClient(make_editor())


@pytest.fixture
def no_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site without a database, as DATABASES = {} becomes at Django's first look at it."""
    from django.conf import settings

    monkeypatch.setattr(settings, "DATABASES", {"default": {"ENGINE": "django.db.backends.dummy"}})
