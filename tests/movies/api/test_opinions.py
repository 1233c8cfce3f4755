"""Votes and reviews through the API."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from movies import catalogue
from movies.aws import ONCE
from movies.models import Review, Vote
from movies.movie import Movie
from tests.movies.films import losing_answers

from .client import APIClient, film_path

MATRIX = film_path(1999, "The Matrix")
MINE = MATRIX + "reviews/mine/"
NOWHERE = film_path(1999, "Nothing")

pytestmark = pytest.mark.django_db


def test_cast_vote(person: APIClient, film: Movie) -> None:
    response = person.post(MATRIX + "votes/", {"stars": 8})

    assert response.status_code == 200
    assert (response.json()["rating"], response.json()["votes"]) == (8.0, 1)
    assert response.json()["version"] == film.version

    again = person.post(MATRIX + "votes/", {"stars": 10})
    assert again.status_code == 409
    assert again.json()["code"] == "already_voted"
    assert person.get(MATRIX).json()["rating"] == 8.0


def test_cast_vote_whose_answer_is_lost(person: APIClient, film: Movie) -> None:
    with losing_answers("UpdateItem", ONCE):
        response = person.post(MATRIX + "votes/", {"stars": 8})

    assert (response.status_code, response.json()["code"]) == (503, "vote_uncertain")
    assert "Retry-After" not in response
    assert person.post(MATRIX + "votes/", {"stars": 8}).json()["code"] == "already_voted"


def test_rating_is_rounded(film: Movie) -> None:
    for number, stars in enumerate((9, 9, 8)):
        voter = APIClient(User.objects.create_user(f"voter-{number}"))
        response = voter.post(MATRIX + "votes/", {"stars": stars})

    assert response.json()["rating"] == 8.67


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"stars": 0},
        {"stars": 11},
        {"stars": "5"},
        {"stars": True},
        {"stars": None},
        {"stars": 5.5},
        {"stars": [5]},
        {"stars": 5, "title": "x"},
    ],
)
def test_cast_vote_refuses(person: APIClient, film: Movie, body: Any) -> None:
    response = person.post(MATRIX + "votes/", body)

    assert response.status_code == 400
    assert response.json()["code"] == "bad_input"
    assert not Vote.objects.exists()
    assert catalogue.get_movie(film.key).votes == 0


def test_own_review(person: APIClient, film: Movie) -> None:
    assert person.get(MINE).json()["code"] == "review_not_found"

    written = person.put(MINE, {"stars": 7, "text": "Good."})
    changed = person.put(MINE, {"stars": 9, "text": "Better."})

    assert (written.status_code, changed.status_code) == (201, 200)
    assert written["Location"] == MINE
    assert "Location" not in changed
    assert person.get(MINE).json() == changed.json()
    assert changed.json() == {
        "author": "trinity",
        "stars": 9,
        "text": "Better.",
        "created_at": written.json()["created_at"],
        "updated_at": changed.json()["updated_at"],
    }
    assert person.delete(MINE).status_code == 204
    assert person.get(MINE).status_code == person.delete(MINE).status_code == 404


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"stars": 5}, ["text"]),
        ({"text": "x"}, ["stars"]),
        ({"stars": 5, "text": ""}, ["text"]),
        ({"stars": 5, "text": "x" * 5001}, ["text"]),
        ({"stars": 5, "text": "\0"}, ["text"]),
        ({"stars": 5, "text": ["x"]}, ["text"]),
        ({"stars": "5", "text": "x"}, ["stars"]),
        ({"stars": 10**30, "text": "x"}, ["stars"]),
        ({"stars": 5, "text": "x", "user": 1}, ["user"]),
    ],
)
def test_save_own_review_refuses(
    person: APIClient, film: Movie, body: Any, fields: list[str]
) -> None:
    response = person.put(MINE, body)

    assert response.status_code == 400
    assert list(response.json()["fields"]) == fields
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "reviews/", None),
        ("GET", "reviews/mine/", None),
        ("PUT", "reviews/mine/", {"stars": 5, "text": "x"}),
        ("DELETE", "reviews/mine/", None),
        ("POST", "votes/", {"stars": 5}),
    ],
)
@pytest.mark.parametrize("film_url", [NOWHERE, film_path(10**30, "x"), film_path(1999, "x" * 999)])
def test_opinions_of_no_film(
    person: APIClient, film_url: str, method: str, path: str, body: Any
) -> None:
    response = person.send(method, film_url + path, body)

    assert response.status_code == 404
    assert response.json()["code"] == "movie_not_found"


def test_list_reviews_pages(anonymous: APIClient, film: Movie) -> None:
    for number in range(5):
        author = User.objects.create_user(f"author-{number}")
        Review.objects.create(user=author, year=1999, title=film.title, stars=5, text="x")
    authors, sizes, path = [], [], MATRIX + "reviews/?limit=2"

    while path:
        page = anonymous.get(path).json()
        authors += [review["author"] for review in page["reviews"]]
        sizes.append(len(page["reviews"]))
        path = page["next"]

    assert authors == [f"author-{number}" for number in (4, 3, 2, 1, 0)]
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=", "limit=0", "limit=x", "stars=5"])
def test_list_reviews_refuses(anonymous: APIClient, film: Movie, query: str) -> None:
    response = anonymous.get(f"{MATRIX}reviews/?{query}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [query.partition("=")[0]]


def test_nobody_changes_anothers_review(person: APIClient, film: Movie) -> None:
    other = APIClient(User.objects.create_user("neo"))
    person.put(MINE, {"stars": 9, "text": "Trinity's."})

    other.put(MINE, {"stars": 1, "text": "Neo's."})
    other.delete(MINE)

    assert person.get(MINE).json()["text"] == "Trinity's."
