"""Reviews and votes, in SQL: SQLite on a laptop, PostgreSQL where DATABASE_URL names one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction

from movies import catalogue
from movies.catalogue import Movie, MovieKey
from movies.errors import AlreadyVoted, BadCursor, BadInput
from movies.models import Review, Vote

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FEWEST_STARS = 1
MOST_STARS = 10
TEXT_MAX_LENGTH = 5000
PAGE_MAX_LENGTH = 100
CURSOR_MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some reviews of one film, newest first; next_cursor is None on the last page."""

    reviews: tuple[Review, ...]
    next_cursor: str | None


def has_sql() -> bool:
    """Say whether there is a database: without one the site is read-only.

    Django fills an empty DATABASES with its dummy engine at the first look at it.
    """
    default = settings.DATABASES.get("default") or {}
    return not default.get("ENGINE", "django.db.backends.dummy").endswith(".dummy")


def list_reviews(key: MovieKey, *, cursor: str | None = None, limit: int = 20) -> ReviewPage:
    """Return a page of a film's reviews, the newest first.

    The order is that of writing, which a later change doesn't move: pages repeat and lose none.
    Raises BadCursor for a cursor that this function has not made for this film.
    """
    if not 1 <= limit <= PAGE_MAX_LENGTH:
        raise BadInput("limit", f"Expected 1 to {PAGE_MAX_LENGTH} reviews in a page, got {limit}.")
    found = Review.objects.filter(year=key.year, title=key.title).select_related("user")
    if cursor is not None:
        found = found.filter(pk__lt=_read_cursor(key, cursor))
    reviews = tuple(found.order_by("-pk")[: limit + 1])
    if len(reviews) <= limit:
        return ReviewPage(reviews, None)
    reviews = reviews[:limit]
    return ReviewPage(reviews, _cursors(key).sign_object(reviews[-1].pk))


def get_review(user: User, key: MovieKey) -> Review | None:
    """Return what this user wrote about the film, None where nothing."""
    return (
        Review.objects.filter(user=user, year=key.year, title=key.title)
        .select_related("user")
        .first()
    )


def save_review(user: User, key: MovieKey, stars: int, text: str) -> tuple[Review, bool]:
    """Create or change this user's own review; return it and whether it is new.

    Raises MovieNotFound for a film that the catalogue doesn't have, BadInput for the rest.
    """
    _check_stars(stars)
    text = _clean_text(text)
    catalogue.get_movie(key)
    return Review.objects.update_or_create(
        user=user, year=key.year, title=key.title, defaults={"stars": stars, "text": text}
    )


def delete_review(user: User, key: MovieKey) -> bool:
    """Delete this user's own review; return whether there was one."""
    deleted, _ = Review.objects.filter(user=user, year=key.year, title=key.title).delete()
    return bool(deleted)


def cast_vote(user: User, key: MovieKey, stars: int) -> Movie:
    """Count this user's vote on a film, once and for all; return the film with it.

    The row comes first, so that a second vote fails before it is counted, and a count that
    fails takes the row back. Raises AlreadyVoted, MovieNotFound, BadInput.
    """
    _check_stars(stars)
    with transaction.atomic():
        try:
            with transaction.atomic():
                Vote.objects.create(user=user, year=key.year, title=key.title, stars=stars)
        except IntegrityError as exc:
            raise AlreadyVoted(key) from exc
        return catalogue.count_vote(key, stars)


def _check_stars(stars: int) -> None:
    is_whole = isinstance(stars, int) and not isinstance(stars, bool)
    if not is_whole or not FEWEST_STARS <= stars <= MOST_STARS:
        raise BadInput(
            "stars", f"Expected {FEWEST_STARS} to {MOST_STARS} whole stars, got {stars!r}."
        )


def _clean_text(text: str) -> str:
    """Return the text with one kind of line end and no blanks around it."""
    if not isinstance(text, str):
        raise BadInput("text", f"Expected a text, got {text!r}.")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise BadInput("text", "The review is empty; expected at least one character.")
    if len(text) > TEXT_MAX_LENGTH:
        raise BadInput(
            "text", f"The review has {len(text)} characters; expected at most {TEXT_MAX_LENGTH}."
        )
    if any(not (character.isprintable() or character.isspace()) for character in text):
        raise BadInput("text", "The review has control characters; expected text and line ends.")
    return text


def _cursors(key: MovieKey) -> signing.Signer:
    """Return what signs cursors: one film's don't fit another's."""
    return signing.Signer(salt=f"movies.reviews:{key.year}:{key.title}")


def _read_cursor(key: MovieKey, cursor: str) -> int:
    if len(cursor) <= CURSOR_MAX_LENGTH:
        try:
            return int(_cursors(key).unsign_object(cursor))
        except signing.BadSignature:
            pass
    raise BadCursor(cursor)
