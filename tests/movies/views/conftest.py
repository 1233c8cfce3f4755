"""What tests of pages ask for: visitors of three kinds, a film, a site without SQL."""

import struct
from zlib import compress, crc32

import pytest
from django.contrib.auth.models import User
from django.test import Client

from movies import catalogue
from movies.fields import MovieFields
from movies.movie import Movie
from movies.views.accounts import grant_editing

MATRIX = MovieFields(
    1999,
    "The Matrix",
    plot="A program wakes up.",
    genres=("Action", "Science Fiction"),
    directors=("Lana Wachowski", "Lilly Wachowski"),
    actors=("Keanu Reeves", "Carrie-Anne Moss"),
    runtime_minutes=136,
)


@pytest.fixture
def film(aws: str) -> Movie:
    """A film of the catalogue."""
    return catalogue.add_movie(MATRIX)


@pytest.fixture
def user(db: None) -> User:
    """Somebody with an account who may not edit."""
    return User.objects.create_user("trinity", password="follow-the-rabbit-9")


@pytest.fixture
def member(user: User) -> Client:
    """A browser in which the user is signed in."""
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def editor(db: None) -> Client:
    """A browser in which an editor is signed in."""
    person = User.objects.create_user("morpheus")
    grant_editing(person)
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.fixture
def no_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site without a database, as DATABASES = {} becomes at Django's first look at it."""
    from django.conf import settings

    monkeypatch.setattr(settings, "DATABASES", {"default": {"ENGINE": "django.db.backends.dummy"}})


def make_png(width: int = 60, height: int = 90) -> bytes:
    """Return a picture of one grey, as a PNG file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * width) * height
    parts = ((b"IHDR", header), (b"IDAT", compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.fixture
def png() -> bytes:
    """A small picture that can be a poster."""
    return make_png()
