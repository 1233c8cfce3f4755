import pytest
from django.contrib.auth.models import User
from django.test import Client

from movies import catalogue, reviews
from movies.aws import ONCE
from movies.models import Review
from movies.movie import Movie
from tests.movies.films import losing_answers

from .markup import read

FILM = "/movies/1999/The%20Matrix/"


def test_vote(member: Client, film: Movie) -> None:
    assert "Stars, 1 to 10" in read(member.get(FILM)).text

    response = member.post(f"{FILM}vote/", {"stars": "8"})

    page = read(member.get(response["Location"]))
    assert "Your vote is counted." in page.text
    assert "8.0 of 10, from 1 vote" in page.text
    assert "You gave it 8 of 10." in page.text


def test_vote_twice(member: Client, film: Movie) -> None:
    member.post(f"{FILM}vote/", {"stars": "8"})

    response = member.post(f"{FILM}vote/", {"stars": "1"})

    assert "You have voted" in read(member.get(response["Location"])).text
    assert catalogue.get_movie(film.key).stars == 8


def test_vote_whose_answer_is_lost(
    member: Client, film: Movie, caplog: pytest.LogCaptureFixture
) -> None:
    with losing_answers("UpdateItem", ONCE):
        response = member.post(f"{FILM}vote/", {"stars": "8"})

    assert response["Location"] == FILM
    text = read(member.get(FILM)).text
    assert "It may have, and so it will not be counted again." in text
    assert "You gave it 8 of 10." in text
    (message,) = (record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    assert f"Service Unavailable: {FILM[:13]}The Matrix/vote/: vote_uncertain: " in message
    assert "ReadTimeoutError" in message


@pytest.mark.parametrize("stars", ["", "0", "11", "x", "9" * 5000, "1.5", "\0"])
def test_vote_with_wrong_stars(member: Client, film: Movie, stars: str) -> None:
    response = member.post(f"{FILM}vote/", {"stars": stars})

    assert response.status_code == 400
    assert "The Matrix" in read(response).text
    assert "errorlist" in response.content.decode()
    assert catalogue.get_movie(film.key).votes == 0


def test_vote_after_signing_in_leads_to_the_film(member: Client, film: Movie) -> None:
    assert member.get(f"{FILM}vote/")["Location"] == FILM


def test_vote_on_nothing(member: Client, aws: str) -> None:
    assert member.post(f"{FILM}vote/", {"stars": "8"}).status_code == 404
    assert member.post(f"{FILM}vote/", {"stars": "80"}).status_code == 404


def test_write_review(member: Client, film: Movie) -> None:
    assert "Your review of The Matrix (1999)" in read(member.get(f"{FILM}review/")).text

    response = member.post(f"{FILM}review/", {"stars": "9", "text": "One.\r\n\r\nTwo <b>."})

    assert response["Location"] == f"{FILM}#reviews"
    html = member.get(FILM).content.decode()
    assert '<p dir="auto">One.</p>' in html
    assert '<p dir="auto">Two &lt;b&gt;.</p>' in html
    assert "Change your review" in html


def test_write_review_again_changes_it(member: Client, user: User, film: Movie) -> None:
    reviews.save_review(user, film.key, 3, "Meh.")
    assert "Meh." in read(member.get(f"{FILM}review/")).text

    member.post(f"{FILM}review/", {"stars": "9", "text": "Whoa."})

    assert Review.objects.get().text == "Whoa."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stars": "11"}, "Select a valid choice."),
        ({"text": " "}, "This field is required."),
        ({"text": "a\0b"}, "Null characters are not allowed."),
        ({"text": "a\x07b"}, "The review has control characters"),
        ({"text": "x" * 5001}, "at most 5000 characters"),
    ],
)
def test_write_review_refuses_and_keeps_what_was_typed(
    member: Client, film: Movie, change: dict[str, str], reason: str
) -> None:
    response = member.post(f"{FILM}review/", {"stars": "9", "text": "Typed.", **change})

    page = read(response)
    assert response.status_code == 400
    assert reason in page.text
    assert "Typed." in page.text or "text" in change
    assert not Review.objects.exists()


def test_write_review_of_nothing(member: Client, aws: str) -> None:
    assert member.get(f"{FILM}review/").status_code == 404


def test_delete_review(member: Client, user: User, film: Movie) -> None:
    reviews.save_review(user, film.key, 3, "Meh.")
    assert "Delete your review" in read(member.get(f"{FILM}review/")).text

    response = member.post(f"{FILM}review/delete/")

    assert "Your review is deleted." in read(member.get(response["Location"])).text
    assert not Review.objects.exists()


def test_delete_review_that_is_not_there(member: Client, film: Movie) -> None:
    response = member.post(f"{FILM}review/delete/")

    assert "There was no review of yours" in read(member.get(response["Location"])).text


def test_delete_review_leaves_those_of_others(member: Client, film: Movie) -> None:
    reviews.save_review(User.objects.create_user("cypher"), film.key, 3, "Steak.")

    member.post(f"{FILM}review/delete/")

    assert Review.objects.count() == 1


def test_delete_review_of_no_film(member: Client, film: Movie) -> None:
    assert member.post("/movies/2003/a%00b/review/delete/").status_code == 404
