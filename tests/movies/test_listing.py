"""Tests of movies.listing: no page repeats or loses a film, whatever happens between two pages."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from movies import aws as movies_aws
from movies import listing
from movies.catalogue import add_movie, delete_movie, list_movies
from movies.errors import AWSRefused, BadCursor, BadInput, Throttled
from movies.items import to_key
from movies.listing import Phase, get_movies, read_page
from movies.movie import MovieKey, Page
from movies.terms import fold
from tests.movies.films import listening, make_fields, refusing

FILMS = [make_fields(f"Film {number}", 1990 + number // 5) for number in range(23)]
NEWEST_FIRST = [film.key for film in sorted(FILMS, key=lambda film: (-film.year, fold(film.title)))]


@pytest.fixture
def films(aws: str) -> None:
    for film in FILMS:
        add_movie(film)


def read_all(limit: int, **way: Any) -> list[MovieKey]:
    """Return the keys of all pages, one after the other."""
    keys: list[MovieKey] = []
    page = list_movies(limit=limit, **way)
    keys += [movie.key for movie in page.movies]
    while page.next_cursor:
        assert len(page.movies) == limit
        page = list_movies(limit=limit, cursor=page.next_cursor, **way)
        keys += [movie.key for movie in page.movies]
    return keys


@pytest.mark.parametrize("limit", [1, 2, 5, 22, 23, 24, 100])
def test_pages_neither_repeat_nor_lose(films: None, limit: int) -> None:
    assert read_all(limit) == NEWEST_FIRST


@pytest.mark.parametrize("limit", [1, 5, 23, 50])
def test_page_costs_one_query_and_one_batch(films: None, limit: int) -> None:
    with listening() as asked:
        list_movies(limit=limit)

    assert [operation for operation, _ in asked] == ["Query", "BatchGetItem"]


def test_what_was_just_saved_is_listed(films: None) -> None:
    with listening() as asked:
        list_movies()

    (_, query), (_, batch) = asked
    assert query["ConsistentRead"] is True
    assert [table["ConsistentRead"] for table in batch["RequestItems"].values()] == [True]


def test_last_page_says_so(films: None) -> None:
    page = list_movies(limit=23)

    assert len(page.movies) == 23
    assert page.next_cursor is None


def test_nothing_to_list(aws: str) -> None:
    assert list_movies() == Page((), None)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_limit_out_of_range(aws: str, limit: int) -> None:
    with pytest.raises(BadInput, match="limit: Expected a number from 1 to 100"):
        list_movies(limit=limit)


def test_film_deleted_between_two_pages(films: None) -> None:
    first = list_movies(limit=5)
    for key in (first.movies[-1].key, NEWEST_FIRST[5]):
        delete_movie(key, version=get_movies([key])[key].version)

    second = list_movies(limit=5, cursor=first.next_cursor)

    assert [movie.key for movie in second.movies] == NEWEST_FIRST[6:11]


def test_film_added_before_the_cursor_moves_nothing(films: None) -> None:
    first = list_movies(limit=5)
    add_movie(make_fields("Newest", 2020))

    second = list_movies(limit=5, cursor=first.next_cursor)

    assert [movie.key for movie in second.movies] == NEWEST_FIRST[5:10]


def test_film_that_vanishes_while_a_page_is_read(films: None) -> None:
    # What another process would do between the Query and the BatchGetItem.
    for key in (*NEWEST_FIRST[2:4], NEWEST_FIRST[-1]):
        delete_item_only(key)
    left = [*NEWEST_FIRST[:2], *NEWEST_FIRST[4:-1]]

    for limit in (1, 3, 19, 20):
        assert read_all(limit) == left


def delete_item_only(key: MovieKey) -> None:
    from django.conf import settings

    movies_aws.get_client("dynamodb").delete_item(TableName=settings.MOVIES_TABLE, Key=to_key(key))


@given(st.text())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_as_cursor(aws: str, cursor: str) -> None:
    with pytest.raises(BadCursor, match="cursor"):
        list_movies(cursor=cursor)


def test_cursor_of_another_list(films: None) -> None:
    cursor = list_movies(limit=1, year=1990).next_cursor

    with pytest.raises(BadCursor, match="cursor"):
        list_movies(limit=1, year=1991, cursor=cursor)


def test_filters_that_leave_little(films: None) -> None:
    last_two = Phase("all", contains=(" film 2 ",)), Phase("all", contains=(" film 13 ",))

    page = read_page("some", last_two, None, 1)
    rest = read_page("some", last_two, page.next_cursor, 1)

    assert [movie.title for movie in page.movies] == ["Film 2"]
    assert [movie.title for movie in rest.movies] == ["Film 13"]
    assert rest.next_cursor is None


def test_filter_that_reads_too_much_goes_on_next_time(
    films: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FILTERED_ROWS", 1)
    monkeypatch.setattr(listing, "MAX_QUERIES", 2)
    phases = [Phase("all", contains=(" film 2 ",)), Phase("title", contains=(" film 1 ",))]
    titles: list[str] = []
    cursor: str | None = None
    pages = 0

    while cursor or not pages:
        page = read_page("some", phases, cursor, 1)
        titles += [movie.title for movie in page.movies]
        cursor = page.next_cursor
        pages += 1

    assert titles == ["Film 2", "Film 1"]
    assert pages > 3


def test_get_movies_more_than_one_batch(films: None) -> None:
    unknown = [MovieKey(1999, f"Unknown {number}") for number in range(200)]

    found = get_movies([*unknown, *NEWEST_FIRST, NEWEST_FIRST[0]])

    assert found.keys() == set(NEWEST_FIRST)


def test_unprocessed_keys_are_asked_for_again(films: None, settings: Any) -> None:
    unprocessed = {settings.MOVIES_TABLE: {"Keys": [to_key(key) for key in NEWEST_FIRST]}}
    body = json.dumps({"Responses": {}, "UnprocessedKeys": unprocessed})

    with refusing("BatchGetItem", body, times=2, status=200) as calls:
        found = get_movies(NEWEST_FIRST)

    assert found.keys() == set(NEWEST_FIRST)
    assert len(calls) == 3


def test_unprocessed_keys_for_ever(films: None, settings: Any) -> None:
    unprocessed = {settings.MOVIES_TABLE: {"Keys": [to_key(key) for key in NEWEST_FIRST]}}
    body = json.dumps({"Responses": {}, "UnprocessedKeys": unprocessed})

    with (
        refusing("BatchGetItem", body, times=99, status=200),
        pytest.raises(Throttled, match="UnprocessedKeys"),
    ):
        get_movies(NEWEST_FIRST)


def test_missing_table(aws: str, settings: Any) -> None:
    settings.MOVIES_TERMS_TABLE = "Nowhere"

    with pytest.raises(AWSRefused, match="Query on Nowhere with ResourceNotFoundException"):
        list_movies()
