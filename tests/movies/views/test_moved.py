"""Tests of movies.views.moved: every page of a film is found from the address it had before."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from movies import catalogue, edits, reviews
from movies.fields import MovieFields
from movies.models import Review
from movies.movie import Movie

from .markup import read

OLD, NEW = "/movies/1999/The%20Matrix/", "/movies/2000/Matrix/"
REVIEW = {"stars": "9", "text": "Long thought about."}


@pytest.fixture
def moved(film: Movie, editor: Client) -> Movie:
    return edits.change_movie(film.key, MovieFields(2000, "Matrix"), version=film.version)


@pytest.mark.parametrize("page", ["", "edit/", "delete/", "poster/", "review/"])
def test_pages_lead_to_where_the_film_is(editor: Client, moved: Movie, page: str) -> None:
    response = editor.get(OLD + page)

    assert (response.status_code, response["Location"]) == (302, NEW + page)

    edits.delete_movie(moved.key, version=moved.version)

    assert editor.get(OLD + page).status_code == 404


def test_review_is_not_lost(editor: Client, moved: Movie) -> None:
    response = editor.post(f"{OLD}review/", REVIEW)

    page = read(response)
    assert response.status_code == 409
    assert "Your review of Matrix (2000)" in page.text
    assert "your review is not saved yet" in page.text
    assert "Long thought about." in page.text
    assert f'action="{NEW}review/"' in response.content.decode()

    editor.post(f"{NEW}review/", REVIEW)

    assert Review.objects.get().title == "Matrix"


def test_review_of_a_film_that_moves_meanwhile(
    editor: Client, film: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_review = reviews.save_review

    def move_and_save(*args: Any) -> tuple[Review, bool]:
        edits.change_movie(film.key, MovieFields(2000, "Matrix"), version=film.version)
        return save_review(*args)

    monkeypatch.setattr(reviews, "save_review", move_and_save)

    response = editor.post(f"{OLD}review/", REVIEW)

    assert response.status_code == 409
    assert "Long thought about." in read(response).text


@pytest.mark.parametrize("stars", ["8", "80"])
def test_vote_is_not_counted_yet(editor: Client, moved: Movie, stars: str) -> None:
    response = editor.post(f"{OLD}vote/", {"stars": stars})

    assert response["Location"] == NEW
    assert "your vote is not counted yet" in read(editor.get(NEW)).text
    assert catalogue.get_movie(moved.key).votes == 0


def test_review_is_not_deleted(editor: Client, moved: Movie) -> None:
    reviews.save_review(User.objects.get(), moved.key, 9, "Good.")

    response = editor.post(f"{OLD}review/delete/")

    assert response["Location"] == NEW
    assert "your review is still there" in read(editor.get(NEW)).text
    assert Review.objects.exists()


def test_what_is_sent_to_a_film_that_is_gone(editor: Client, moved: Movie) -> None:
    edits.delete_movie(moved.key, version=moved.version)

    for page, form in (("review/", REVIEW), ("vote/", {"stars": "8"}), ("review/delete/", {})):
        assert editor.post(OLD + page, form).status_code == 404
