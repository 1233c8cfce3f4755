"""Edit films together with what else belongs to them: reviews and votes in SQL, posters in S3."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from . import catalogue, departures, posters, reviews
from .errors import AWSRefused, MovieChanged, MovieNotFound, SampleIsReadOnly
from .fields import MovieFields
from .movie import SAMPLE_KEY, Movie, MovieKey
from .transactions import may_be_done

logger = logging.getLogger(__name__)


def change_movie(key: MovieKey, fields: MovieFields, *, version: int) -> Movie:
    """Save a film; its reviews and votes follow it to a new year or title.

    Raises what catalogue.change_movie raises, and then nothing has moved; where AWS didn't answer,
    and moves the film later, reviews and votes follow at the next look at them.
    """
    if fields.key == key:
        return catalogue.change_movie(key, fields, version=version)

    @contextmanager
    def moving_opinions() -> Iterator[None]:
        with transaction.atomic():
            reviews.move_opinions(key, fields.key)
            yield

    _check_version(key, version)
    with departures.noted(key, fields.key, version=version):
        return catalogue.change_movie(key, fields, version=version, beside=moving_opinions)


def delete_movie(key: MovieKey, *, version: int) -> None:
    """Delete a film with its reviews, votes and poster.

    Raises what catalogue.delete_movie raises, and then nothing is gone; where AWS didn't answer,
    and deletes the film later, reviews and votes go at the next look at them.
    """

    @contextmanager
    def deleting_opinions() -> Iterator[None]:
        with transaction.atomic():
            reviews.delete_opinions(key)
            yield

    _check_version(key, version)
    with departures.noted(key, None, version=version):
        movie = catalogue.delete_movie(key, version=version, beside=deleting_opinions)
    _drop_poster(movie.poster)


def _check_version(key: MovieKey, version: int) -> None:
    """Raise what the catalogue would where the film isn't at this version: nothing is noted."""
    if key == SAMPLE_KEY:
        raise SampleIsReadOnly(key)
    movie = departures.get_movie(key)
    if movie.version != version:
        raise MovieChanged(movie, version)


def find_seen(key: MovieKey, version: int, error: MovieChanged | MovieNotFound) -> Movie | None:
    """Return the film that an editor saw at a key and a version, as it is now, wherever it is.

    error: why the editor's change was refused. None if the film is gone: what has its key by now,
    if anything, is another.
    """
    if isinstance(error, MovieChanged) and error.current.has_been_at(version):
        return error.current
    return catalogue.find_moved(key, version=version)


def replace_poster(key: MovieKey, content: bytes, *, version: int) -> Movie:
    """Upload an image and make it the film's poster; the poster before it is deleted.

    Raises PosterRefused, PosterTooLarge, and what catalogue.set_poster raises: then the film
    keeps the poster it had.
    """
    before = catalogue.get_movie(key).poster
    uploaded = posters.upload_poster(key, content)
    try:
        movie = catalogue.set_poster(key, uploaded, version=version)
    except Exception as exc:
        # Where AWS may have done it, the film may name the new image: better one too many in S3.
        if not (isinstance(exc, AWSRefused) and may_be_done(exc)):
            _drop_poster(uploaded)
        raise
    _drop_poster(before)
    return movie


def remove_poster(key: MovieKey, *, version: int) -> Movie:
    """Take the film's poster away; return the film without it."""
    before = catalogue.get_movie(key).poster
    movie = catalogue.set_poster(key, None, version=version)
    _drop_poster(before)
    return movie


def _drop_poster(poster: str | None) -> None:
    """Delete an image that no film names; where S3 refuses, an image without a film stays."""
    if poster is None:
        return
    try:
        posters.delete_poster(poster)
    except AWSRefused as exc:
        logger.warning("The poster %r stays in S3 without a film: %s", poster, exc.details)
