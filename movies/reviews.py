"""Reviews and votes, in SQL: SQLite on a laptop, PostgreSQL where DATABASE_URL names one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category

from django.conf import settings
from django.db import IntegrityError, transaction

from . import catalogue, cursors, departures
from .errors import AlreadyVoted, AWSRefused, BadInput, MoviesError, VoteUncertain
from .fields import read_stars
from .models import Review, Vote
from .movie import Movie, MovieKey
from .transactions import may_be_done

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TEXT_MAX_CHARS = 5000


class ReviewPage(NamedTuple):
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
    found = Review.objects.filter(year=key.year, title=key.title).select_related("user")
    if cursor is not None:
        _, last = cursors.decode(_listing(key), cursor)
        found = found.filter(pk__lt=int(last or 0))
    reviews = tuple(found.order_by("-pk")[: limit + 1])
    if len(reviews) <= limit:
        return ReviewPage(reviews, None)
    reviews = reviews[:limit]
    return ReviewPage(reviews, cursors.encode(_listing(key), 0, str(reviews[-1].pk)))


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
    stars, text = read_stars(stars), _clean_text(text)
    departures.get_movie(key)
    return Review.objects.update_or_create(
        user=user, year=key.year, title=key.title, defaults={"stars": stars, "text": text}
    )


def delete_review(user: User, key: MovieKey) -> bool:
    """Delete this user's own review; return whether there was one."""
    deleted, _ = Review.objects.filter(user=user, year=key.year, title=key.title).delete()
    return bool(deleted)


def cast_vote(user: User, key: MovieKey, stars: int) -> Movie:
    """Count this user's vote on a film, once and for all; return the film with it.

    The row comes first, so that a second vote fails before it is counted; it goes again where AWS
    says that it counted nothing. Meanwhile no transaction is open: other writers would wait for
    AWS. Raises AlreadyVoted, MovieNotFound, BadInput, and VoteUncertain where AWS says nothing:
    then the row stays, so that nothing is counted twice.
    """
    stars = read_stars(stars)
    departures.get_movie(key)
    try:
        with transaction.atomic():
            vote = Vote.objects.create(user=user, year=key.year, title=key.title, stars=stars)
    except IntegrityError as exc:
        raise AlreadyVoted(key) from exc
    try:
        return catalogue.count_vote(key, stars)
    except MoviesError as exc:
        if isinstance(exc, AWSRefused) and may_be_done(exc):
            raise VoteUncertain(key, exc) from exc
        vote.delete()
        raise


def move_opinions(key: MovieKey, new_key: MovieKey) -> None:
    """Give a film's reviews and votes its new key; what was left at that key goes."""
    delete_opinions(new_key)
    for model in (Review, Vote):
        found = model._default_manager.filter(year=key.year, title=key.title)
        found.update(year=new_key.year, title=new_key.title)


def delete_opinions(key: MovieKey) -> None:
    """Delete every review of and every vote on a film."""
    for model in (Review, Vote):
        model._default_manager.filter(year=key.year, title=key.title).delete()


def _clean_text(text: str) -> str:
    """Return the text with one kind of line end and no blanks around it."""
    if not isinstance(text, str):
        raise BadInput("text", f"Expected a text, got {text!r}.")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise BadInput("text", "The review is empty; expected at least one character.")
    if len(text) > TEXT_MAX_CHARS:
        raise BadInput(
            "text", f"The review has {len(text)} characters; expected at most {TEXT_MAX_CHARS}."
        )
    if any(category(character) in ("Cc", "Cs") and character not in "\n\t" for character in text):
        raise BadInput("text", "The review has control characters; expected text and line ends.")
    return text


def _listing(key: MovieKey) -> str:
    """Return the name of a film's list, so that its cursors don't fit another's."""
    return f"reviews {key.year} {key.title}"
