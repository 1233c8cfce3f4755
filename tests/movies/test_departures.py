"""Tests of movies.departures: what DynamoDB does late; test_postgresql runs this file too."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from movies import catalogue, departures, edits, reviews
from movies.errors import AlreadyVoted, AWSRefused, AWSUnreachable, MovieExists, MovieNotFound
from movies.fields import MovieFields
from movies.models import Departure, Review, Vote
from movies.movie import Movie, MovieKey
from movies.transactions import BESIDE_SQL
from tests.movies.films import holding_back, refusing

pytestmark = pytest.mark.django_db

KEY = MovieKey(1999, "The Matrix")
NEW_KEY = MovieKey(2000, "The Matrix")
NEW_FIELDS = MovieFields(2000, "The Matrix")


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("trinity")


@pytest.fixture
def film(aws: str, user: User) -> Movie:
    """A film with a review and a vote."""
    movie = catalogue.add_movie(MovieFields(1999, "The Matrix"))
    reviews.save_review(user, movie.key, 9, "Good.")
    return reviews.cast_vote(user, movie.key, 9)


def opinions() -> list[tuple[int, str]]:
    """Return the films that SQL speaks of."""
    return [(row.year, row.title) for model in (Review, Vote) for row in model.objects.all()]


def move_late(film: Movie) -> None:
    """Rename the film; DynamoDB does it after everybody has gone."""
    with holding_back("TransactWriteItems", BESIDE_SQL) as release:
        with pytest.raises(AWSUnreachable):
            edits.change_movie(film.key, NEW_FIELDS, version=film.version)
        assert opinions() == [(1999, "The Matrix")] * 2
        release()


def delete_late(film: Movie) -> None:
    with holding_back("TransactWriteItems", BESIDE_SQL) as release:
        with pytest.raises(AWSUnreachable):
            edits.delete_movie(film.key, version=film.version)
        release()


def test_late_move_takes_the_vote_along(film: Movie, user: User) -> None:
    move_late(film)

    with pytest.raises(AlreadyVoted):
        reviews.cast_vote(user, NEW_KEY, 9)

    assert catalogue.get_movie(NEW_KEY).votes == 1
    assert opinions() == [(2000, "The Matrix")] * 2
    assert not Departure.objects.exists()


def test_late_move_takes_the_review_along(film: Movie, user: User, client: Client) -> None:
    """Whoever looks first at the film's page sees it."""
    move_late(film)

    assert "Good." in client.get("/movies/2000/The%20Matrix/").content.decode()

    reviews.save_review(user, NEW_KEY, 8, "Still good.")
    assert Review.objects.get().text == "Still good."


def test_late_move_in_the_api(film: Movie, client: Client) -> None:
    move_late(film)

    answer = client.get("/api/movies/2000/The%20Matrix/reviews/")

    assert [review["text"] for review in answer.json()["reviews"]] == ["Good."]


def test_late_move_before_the_next_one(film: Movie) -> None:
    move_late(film)

    moved = edits.change_movie(NEW_KEY, MovieFields(2001, "Matrix"), version=film.version + 1)

    assert opinions() == [(2001, "Matrix")] * 2
    assert moved.key == MovieKey(2001, "Matrix")


def test_late_move_after_somebody_saved_there(film: Movie, user: User) -> None:
    """What has happened since to the film and its old key doesn't matter."""
    move_late(film)
    fields = MovieFields(2000, "The Matrix", plot="Another.")
    catalogue.change_movie(NEW_KEY, fields, version=film.version + 1)
    stranger = catalogue.add_movie(MovieFields(1999, "The Matrix"))

    reviews.save_review(user, stranger.key, 1, "Another film.")

    assert sorted(opinions()) == [(1999, "The Matrix"), *[(2000, "The Matrix")] * 2]


def test_late_move_followed_once(film: Movie, user: User) -> None:
    """A second note of the same, from a second try, takes nothing from the film."""
    move_late(film)
    (note,) = Departure.objects.all()
    departures.settle(NEW_KEY)
    note.pk = None
    note.save()

    departures.settle(KEY)

    assert opinions() == [(2000, "The Matrix")] * 2


def test_late_move_followed_by_two_at_once(film: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second has nothing left to do, and takes nothing of what came since."""
    move_late(film)
    has_moved = catalogue.has_moved

    def ask_and_be_overtaken(key: MovieKey, new_key: MovieKey, *, version: int) -> bool:
        monkeypatch.undo()
        departures.settle(key)
        Review.objects.create(
            user_id=Vote.objects.get().user_id, year=1999, title=KEY.title, stars=5
        )
        return has_moved(key, new_key, version=version)

    monkeypatch.setattr(catalogue, "has_moved", ask_and_be_overtaken)

    departures.settle(KEY)

    assert sorted(opinions()) == [(1999, "The Matrix"), *[(2000, "The Matrix")] * 2]


def test_late_move_takes_the_place_of_leftovers(film: Movie, user: User) -> None:
    move_late(film)
    Review.objects.create(user=user, year=2000, title="The Matrix", stars=1, text="Left over.")

    departures.settle(NEW_KEY)

    assert Review.objects.get().text == "Good."


def test_late_deletion(film: Movie) -> None:
    """A film that is added in its place begins with nothing."""
    delete_late(film)
    catalogue.add_movie(MovieFields(1999, "The Matrix"))

    departures.settle(KEY)

    assert opinions() == []
    assert not Departure.objects.exists()


def test_deletion_that_was_a_move(film: Movie) -> None:
    """One editor's deletion was lost, another has moved the film since."""
    with (
        holding_back("TransactWriteItems", BESIDE_SQL),
        pytest.raises(AWSUnreachable),
    ):
        edits.delete_movie(film.key, version=film.version)
    edits.change_movie(film.key, NEW_FIELDS, version=film.version)

    departures.settle(KEY)

    assert opinions() == [(2000, "The Matrix")] * 2


@pytest.mark.parametrize("new_key", [NEW_KEY, None])
def test_what_never_happens_is_forgotten(film: Movie, new_key: MovieKey | None) -> None:
    with pytest.raises(AWSUnreachable), departures.noted(KEY, new_key, version=film.version):
        raise AWSUnreachable("TransactWriteItems", "ReadTimeoutError", "")

    departures.settle(KEY)
    assert Departure.objects.count() == 1

    Departure.objects.update(created_at=timezone.now() - departures.LIFETIME - timedelta(seconds=1))
    departures.settle(KEY)

    assert not Departure.objects.exists()
    assert opinions() == [(1999, "The Matrix")] * 2


def test_nothing_is_left_of_what_is_known(film: Movie) -> None:
    """No note stays of what was done, and none of what was refused."""
    catalogue.add_movie(NEW_FIELDS)
    with pytest.raises(MovieExists):
        edits.change_movie(KEY, NEW_FIELDS, version=film.version)
    denial = '{"__type": "AccessDeniedException"}'
    with (
        refusing("TransactWriteItems", denial, patience=BESIDE_SQL),
        pytest.raises(AWSRefused, match="AccessDenied"),
    ):
        edits.delete_movie(KEY, version=film.version)
    assert not Departure.objects.exists()

    moved = edits.change_movie(KEY, MovieFields(2001, "Matrix"), version=film.version)
    edits.delete_movie(moved.key, version=moved.version)

    assert not Departure.objects.exists()


def test_note_outlives_sql(film: Movie) -> None:
    """Where SQL fails after DynamoDB has written, the note says what is still to be done."""

    def move_and_fail() -> None:
        with departures.noted(KEY, NEW_KEY, version=film.version):
            catalogue.change_movie(KEY, NEW_FIELDS, version=film.version)
            raise OperationalError("The commit is lost.")

    with pytest.raises(OperationalError, match="commit"):
        move_and_fail()

    departures.settle(NEW_KEY)

    assert opinions() == [(2000, "The Matrix")] * 2


def test_get_movie_unknown(aws: str) -> None:
    with pytest.raises(MovieNotFound):
        departures.get_movie(MovieKey(1999, "a\0b"))


def test_departure_says_where_it_leads() -> None:
    departure = Departure(year=1999, title="The Matrix", new_year=2000, new_title="Matrix")

    assert "The Matrix" in str(departure)
    assert "2000" in str(departure)
