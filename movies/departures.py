"""Films that leave their key, for another or for good: so that reviews and votes do as they do.

Reviews and votes are moved or deleted while DynamoDB is asked, and put back where it doesn't answer
in time. It may do so all the same, later: for that the departure is noted in SQL beforehand, and
whoever next looks at what people say of the film asks DynamoDB what became of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from . import catalogue
from .errors import AWSRefused, MoviesError
from .models import Departure, Review, Vote
from .movie import Movie, MovieKey
from .transactions import may_be_done

# Longer than any request to AWS is on its way: what isn't done by then never will be.
LIFETIME = timedelta(hours=1)


def get_movie(key: MovieKey) -> Movie:
    """Return the film, once its reviews and votes are where it is. Raises MovieNotFound."""
    # In this order: what DynamoDB does between the two is not overlooked. Besides, a key that no
    # film has may be one that a column can't hold.
    movie = catalogue.get_movie(key)
    settle(key)
    return movie


@contextmanager
def noted(key: MovieKey, new_key: MovieKey | None, *, version: int) -> Iterator[None]:
    """Keep a note that the film at this version leaves its key, until it is known what happened.

    new_key: None where it is deleted.
    """
    note = Departure.objects.create(
        year=key.year,
        title=key.title,
        version=version,
        new_year=new_key.year if new_key else None,
        new_title=new_key.title if new_key else "",
    )
    try:
        yield
    except MoviesError as error:
        # After any other error, such as SQL's, DynamoDB may have written what SQL has not.
        if not (isinstance(error, AWSRefused) and may_be_done(error)):
            note.delete()
        raise
    note.delete()


def settle(key: MovieKey) -> None:
    """Do to reviews and votes what has happened to films that left this key, or came to it.

    Costs one query, and where there is a note, a look into DynamoDB.
    """
    is_left = Q(year=key.year, title=key.title)
    is_reached = Q(new_year=key.year, new_title=key.title)
    for note in Departure.objects.filter(is_left | is_reached):
        if _is_done(note):
            _follow(note)
        elif note.created_at < timezone.now() - LIFETIME:
            note.delete()


def _is_done(note: Departure) -> bool:
    if note.new_key is None:
        return catalogue.was_deleted(note.key, version=note.version)
    return catalogue.has_moved(note.key, note.new_key, version=note.version)


@transaction.atomic
def _follow(note: Departure) -> None:
    # Where two come at once, the other waits here, and then has nothing left to do.
    if not Departure.objects.filter(pk=note.pk).delete()[0]:
        return
    key, new_key = note.key, note.new_key
    for model in (Review, Vote):
        found = model._default_manager.filter(year=key.year, title=key.title)
        if new_key is None:
            found.delete()
            continue
        there = model._default_manager.filter(year=new_key.year, title=new_key.title)
        there.filter(user__in=list(found.values_list("user", flat=True))).delete()
        found.update(year=new_key.year, title=new_key.title)
