"""Tests of movies.seeding: put in once, and never over what editors did since."""

from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from movies.catalogue import (
    add_movie,
    change_movie,
    delete_movie,
    get_movie,
    list_movies,
    search_movies,
)
from movies.chain import SAMPLE_INFO, put_sample
from movies.movie import SAMPLE_KEY, MovieKey
from movies.seeding import SAMPLE, find_seeded, make_mark, seed_movie
from movies.transactions import put_mark, write
from tests.movies.films import make_fields

KEY = MovieKey(1999, "The Matrix")


def test_seed_movie(aws: str) -> None:
    assert seed_movie(make_fields(genres=("Action",)))

    assert find_seeded() == {KEY}
    assert [movie.key for movie in list_movies(genre="Action").movies] == [KEY]


def test_film_that_somebody_added_stays_theirs(aws: str) -> None:
    theirs = add_movie(make_fields(plot="Theirs."))

    assert not seed_movie(make_fields(plot="Ours."))

    assert get_movie(KEY) == theirs
    assert find_seeded() == {KEY}


def test_film_that_was_moved_or_deleted_stays_known(aws: str) -> None:
    other = MovieKey(2001, "Amélie")
    seed_movie(make_fields())
    seed_movie(make_fields(other.title, other.year))

    change_movie(KEY, make_fields("Matrix, The"), version=get_movie(KEY).version)
    delete_movie(other, version=get_movie(other).version)

    assert find_seeded() == {KEY, other}


def test_sample_is_found(aws: str) -> None:
    assert seed_movie(SAMPLE)

    assert [movie.key for movie in search_movies("big new").movies] == [SAMPLE_KEY]
    assert [movie.key for movie in list_movies(decade=2010).movies] == [SAMPLE_KEY]


def test_sample_that_app_has_put_is_found_too(aws: str) -> None:
    put_sample(settings.MOVIES_TABLE)

    assert not seed_movie(SAMPLE)

    assert [movie.key for movie in search_movies("movie").movies] == [SAMPLE_KEY]
    assert get_movie(SAMPLE_KEY).plot == SAMPLE_INFO["plot"]


def test_more_films_than_one_page_of_a_query(aws: str) -> None:
    # A page of a Query ends at 1 MB; these marks have some 600 bytes each.
    keys = {MovieKey(1999, f"{number:04} {'千' * 190}") for number in range(2000)}

    def put_marks(batch: list[MovieKey]) -> None:
        write(KEY, [put_mark(make_mark(key)) for key in batch])

    ordered = sorted(keys)
    batches = [ordered[place : place + 100] for place in range(0, len(ordered), 100)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put_marks, batches))

    assert find_seeded() == keys
