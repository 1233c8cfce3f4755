"""Reviews and votes in SQL; test_postgresql runs this file on PostgreSQL too."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from movies import catalogue, reviews
from movies.aws import ONCE, forget_clients, get_client
from movies.errors import (
    AlreadyVoted,
    AWSRefused,
    AWSUnreachable,
    BadCursor,
    BadInput,
    MovieNotFound,
    SampleIsReadOnly,
    VoteUncertain,
)
from movies.fields import MovieFields
from movies.items import to_key
from movies.models import Review, Vote
from movies.movie import SAMPLE_KEY, MovieKey
from tests.movies.films import losing_answers, refusing

KEY = MovieKey(1999, "The Matrix")
OTHER_KEY = MovieKey(1979, "Alien")

pytestmark = pytest.mark.django_db


@pytest.fixture
def film(aws: str) -> MovieKey:
    """A film of the catalogue."""
    return catalogue.add_movie(MovieFields(KEY.year, KEY.title)).key


@pytest.fixture
def user(db: None) -> User:
    """Somebody with an account."""
    return User.objects.create_user("trinity")


def make_reviews(count: int, key: MovieKey = KEY) -> list[Review]:
    """Return reviews of a film by as many people, the oldest first."""
    return [
        Review.objects.create(
            user=User.objects.create_user(f"user-{key.year}-{number}"),
            year=key.year,
            title=key.title,
            stars=5,
            text=f"Review {number}",
        )
        for number in range(count)
    ]


def read_all(key: MovieKey, limit: int) -> list[list[Review]]:
    """Return a film's reviews, page by page."""
    pages, cursor = [], None
    while True:
        page = reviews.list_reviews(key, cursor=cursor, limit=limit)
        pages.append(list(page.reviews))
        cursor = page.next_cursor
        if cursor is None:
            return pages


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7])
def test_list_reviews_pages_hold_every_review_once(count: int) -> None:
    written = make_reviews(count)
    make_reviews(2, OTHER_KEY)

    pages = read_all(KEY, limit=3)

    assert [review for page in pages for review in page] == written[::-1]
    assert [len(page) for page in pages[:-1]] == [3] * (len(pages) - 1)


def test_list_reviews_change_between_pages() -> None:
    written = make_reviews(4)
    first = reviews.list_reviews(KEY, limit=2)
    Review.objects.filter(pk=written[0].pk).update(updated_at=timezone.now() + timedelta(days=1))
    newest = Review.objects.create(
        user=User.objects.create_user("late"), year=1999, title=KEY.title, stars=1, text="Late"
    )

    second = reviews.list_reviews(KEY, cursor=first.next_cursor, limit=2)

    assert newest not in second.reviews
    assert [*first.reviews, *second.reviews] == written[::-1]


def test_list_reviews_asks_once(django_assert_num_queries: Any) -> None:
    make_reviews(3)

    with django_assert_num_queries(1):
        authors = [review.user.username for review in reviews.list_reviews(KEY).reviews]

    assert len(authors) == 3


@pytest.mark.parametrize("cursor", ["", "1", "'", "é", "\0", "a" * 10_000, "1:x"])
def test_list_reviews_bad_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor, match="cursor"):
        reviews.list_reviews(KEY, cursor=cursor)


def test_list_reviews_cursor_of_another_film() -> None:
    make_reviews(2)
    cursor = reviews.list_reviews(KEY, limit=1).next_cursor

    with pytest.raises(BadCursor, match="cursor"):
        reviews.list_reviews(OTHER_KEY, cursor=cursor)


def test_save_review_creates_then_changes(film: MovieKey, user: User) -> None:
    first, was_new = reviews.save_review(user, film, 7, " Good.\r\nVery. ")
    second, is_new = reviews.save_review(user, film, 9, "Better.")

    assert (was_new, is_new) == (True, False)
    assert first.text == "Good.\nVery."
    assert second.pk == first.pk
    saved = reviews.get_review(user, film)
    assert saved is not None
    assert (saved.stars, saved.text) == (9, "Better.")
    assert saved.created_at == first.created_at
    assert saved.updated_at > first.updated_at


@pytest.mark.parametrize(
    ("stars", "text", "field"),
    [
        (0, "x", "stars"),
        (11, "x", "stars"),
        (True, "x", "stars"),
        (5.5, "x", "stars"),
        (None, "x", "stars"),
        (10**30, "x", "stars"),
        (5, "", "text"),
        (5, " \n ", "text"),
        (5, "x" * 5001, "text"),
        (5, "a\0b", "text"),
        (5, "a\ud800b", "text"),
        (5, None, "text"),
    ],
)
def test_save_review_refuses(film: MovieKey, user: User, stars: Any, text: Any, field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        reviews.save_review(user, film, stars, text)

    assert list(refusal.value.fields) == [field]
    assert not Review.objects.exists()


def test_save_review_keeps_every_script(film: MovieKey, user: User) -> None:
    text = "Très bien 👩‍👩‍👧 — 很好\n\tありがとう"

    reviews.save_review(user, film, 5, text)

    saved = reviews.get_review(user, film)
    assert saved is not None
    assert saved.text == text


@pytest.mark.parametrize(
    "key",
    [
        OTHER_KEY,
        MovieKey(10**30, "x"),
        MovieKey(-1, "x"),
        MovieKey(1999, "x" * 5000),
        MovieKey(1999, "\0"),
    ],
)
def test_save_and_vote_need_a_film(aws: str, user: User, key: MovieKey) -> None:
    with pytest.raises(MovieNotFound):
        reviews.save_review(user, key, 5, "x")
    with pytest.raises(MovieNotFound):
        reviews.cast_vote(user, key, 5)

    assert not Review.objects.exists()
    assert not Vote.objects.exists()


def test_get_and_delete_review_only_ones_own(user: User) -> None:
    make_reviews(1)

    assert reviews.get_review(user, KEY) is None
    assert not reviews.delete_review(user, KEY)
    assert Review.objects.count() == 1
    assert reviews.delete_review(Review.objects.get().user, KEY)
    assert not Review.objects.exists()


def test_cast_vote_counts_once(film: MovieKey, user: User) -> None:
    movie = reviews.cast_vote(user, film, 8)

    assert (movie.votes, movie.stars) == (1, 8)
    with pytest.raises(AlreadyVoted, match="voted"):
        reviews.cast_vote(user, film, 8)
    assert catalogue.get_movie(film).votes == 1


def test_cast_vote_count_fails(film: MovieKey, user: User, settings: Any) -> None:
    """A vote that DynamoDB didn't count is not kept, so that it can be cast again."""
    before = catalogue.get_movie(film)
    table, settings.MOVIES_TABLE = settings.MOVIES_TABLE, "NoSuchTable"
    with pytest.raises(AWSRefused):
        reviews.cast_vote(user, film, 8)
    settings.MOVIES_TABLE = table

    assert not Vote.objects.exists()
    assert catalogue.get_movie(film) == before
    assert reviews.cast_vote(user, film, 8).votes == 1


def test_cast_vote_whose_answer_is_lost(film: MovieKey, user: User) -> None:
    """It may be counted, so it is never counted again."""
    with losing_answers("UpdateItem", ONCE), pytest.raises(VoteUncertain, match="not be counted"):
        reviews.cast_vote(user, film, 8)

    with pytest.raises(AlreadyVoted):
        reviews.cast_vote(user, film, 8)
    assert catalogue.get_movie(film).votes == Vote.objects.count() == 1


def test_cast_vote_on_a_server_that_breaks(film: MovieKey, user: User) -> None:
    body = '{"__type": "InternalServerError", "message": "Perhaps."}'

    with (
        refusing("UpdateItem", body, status=500, patience=ONCE),
        pytest.raises(VoteUncertain) as caught,
    ):
        reviews.cast_vote(user, film, 8)

    assert "InternalServerError" in caught.value.details
    assert Vote.objects.exists()


def test_cast_vote_that_never_reached_aws(
    film: MovieKey, user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = catalogue.get_movie(film)
    monkeypatch.setattr(catalogue, "get_movie", lambda key: movie)
    url, settings.AWS_ENDPOINT_URL = settings.AWS_ENDPOINT_URL, "http://127.0.0.1:9"
    forget_clients()
    with pytest.raises(AWSUnreachable):
        reviews.cast_vote(user, film, 8)
    settings.AWS_ENDPOINT_URL = url
    forget_clients()

    assert reviews.cast_vote(user, film, 8).votes == 1


@pytest.mark.django_db(transaction=True)
def test_cast_vote_holds_no_transaction_while_aws_counts(film: MovieKey) -> None:
    user = User.objects.create_user("trinity")
    were_open: list[bool] = []
    events = get_client("dynamodb", patience=ONCE).meta.events

    def look(**_: Any) -> None:
        were_open.append(connection.in_atomic_block)

    events.register("before-send.dynamodb.UpdateItem", look)
    reviews.cast_vote(user, film, 8)
    events.unregister("before-send.dynamodb.UpdateItem", look)

    assert were_open == [False]


@pytest.mark.parametrize("stars", [0, 11, None, True, 1.5, "many"])
def test_cast_vote_refuses(film: MovieKey, user: User, stars: Any) -> None:
    with pytest.raises(BadInput, match="stars"):
        reviews.cast_vote(user, film, stars)

    assert not Vote.objects.exists()


def test_cast_vote_on_the_sample_keeps_no_row(aws: str, user: User, settings: Any) -> None:
    get_client("dynamodb").put_item(TableName=settings.MOVIES_TABLE, Item=to_key(SAMPLE_KEY))

    with pytest.raises(SampleIsReadOnly):
        reviews.cast_vote(user, SAMPLE_KEY, 5)

    assert not Vote.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_cast_vote_at_the_same_time(film: MovieKey) -> None:
    """Each of four people votes twice at once: four votes count, four are refused."""
    users = [User.objects.create_user(f"user-{number}") for number in range(4)]
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def vote(user: User) -> None:
        start.wait()
        while True:
            try:
                reviews.cast_vote(user, film, 5)
                outcomes.append("counted")
            except AlreadyVoted:
                outcomes.append("refused")
            except OperationalError:
                # In memory, SQLite's writers don't wait for each other as they do in a file.
                continue
            finally:
                connection.close()
            return

    threads = [threading.Thread(target=vote, args=(user,)) for user in users * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["counted"] * 4 + ["refused"] * 4
    assert catalogue.get_movie(film).votes == Vote.objects.count() == 4


def test_move_opinions_takes_the_place_of_leftovers(user: User) -> None:
    for key in (KEY, OTHER_KEY):
        Review.objects.create(user=user, year=key.year, title=key.title, stars=5, text=key.title)
        Vote.objects.create(user=user, year=key.year, title=key.title, stars=5)

    reviews.move_opinions(KEY, OTHER_KEY)

    assert Review.objects.get().text == KEY.title
    assert Review.objects.get().title == Vote.objects.get().title == OTHER_KEY.title


@pytest.mark.parametrize(
    ("databases", "has_sql"),
    [
        ({}, False),
        ({"default": {}}, False),
        ({"default": {"ENGINE": "django.db.backends.dummy"}}, False),
        ({"default": {"ENGINE": "django.db.backends.postgresql"}}, True),
    ],
)
def test_has_sql(monkeypatch: pytest.MonkeyPatch, databases: Any, has_sql: bool) -> None:
    # Not by the fixture `settings`: Django warns, as connections don't follow.
    monkeypatch.setattr(django_settings, "DATABASES", databases)

    assert reviews.has_sql() is has_sql
