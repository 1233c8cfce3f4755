"""Tests of movies.catalogue: lists, and writes that never overwrite each other's."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from movies import catalogue, transactions
from movies.aws import ONCE, get_client
from movies.catalogue import (
    add_movie,
    change_movie,
    count_vote,
    delete_movie,
    find_moved,
    get_movie,
    list_movies,
    search_movies,
    set_poster,
)
from movies.errors import (
    AWSRefused,
    AWSUnreachable,
    BadInput,
    MovieChanged,
    MovieExists,
    MovieNotFound,
    SampleIsReadOnly,
    Throttled,
)
from movies.movie import SAMPLE_KEY, VERSION_MAX_DIGITS, Movie, MovieKey
from tests.movies.films import make_fields, refusing

KEY = MovieKey(1999, "The Matrix")


@pytest.fixture
def matrix(aws: str) -> Movie:
    return add_movie(
        make_fields(
            plot="A clerk learns what the world is.",
            genres=("Action", "Science Fiction"),
            directors=("Lana Wachowski", "Lilly Wachowski"),
            actors=("Keanu Reeves",),
            runtime_minutes=136,
            release_date=date(1999, 3, 31),
        )
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MAX_PAUSE_SECONDS", 0.01)


def titles(**way: Any) -> list[str]:
    return [movie.title for movie in list_movies(**way).movies]


def count_rows() -> int:
    from django.conf import settings

    answer = get_client("dynamodb").scan(TableName=settings.MOVIES_TERMS_TABLE, Select="COUNT")
    return answer["Count"]


def test_get_movie(matrix: Movie) -> None:
    assert get_movie(KEY) == matrix
    assert (matrix.votes, matrix.rating) == (0, None)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        MovieKey(0, "The Matrix"),
        MovieKey(10**50, "The Matrix"),
        MovieKey(1999, ""),
        MovieKey(1999, "x" * 3000),
        MovieKey(1999, "\ud800"),
    ],
)
def test_unknown_film(aws: str, key: MovieKey) -> None:
    for act in (
        lambda: get_movie(key),
        lambda: change_movie(key, make_fields(), version=1),
        lambda: delete_movie(key, version=1),
        lambda: set_poster(key, None, version=1),
        lambda: count_vote(key, 5),
    ):
        with pytest.raises(MovieNotFound, match="There is no film"):
            act()


def test_lists(matrix: Movie) -> None:
    add_movie(make_fields("Amélie", 2001, genres=("Romance",)))
    add_movie(make_fields("Fight Club", 1999))

    assert titles() == ["Amélie", "Fight Club", "The Matrix"]
    assert titles(year=1999) == titles(year="1999") == ["Fight Club", "The Matrix"]
    assert titles(decade=1990) == titles(decade="1990") == ["Fight Club", "The Matrix"]
    assert titles(decade=2000) == ["Amélie"]
    assert titles(genre="science fiction") == ["The Matrix"]
    assert titles(genre="War") == titles(year=1950) == []


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ({"year": 1800}, "year: Expected a year from 1888"),
        ({"year": "x"}, "year: Expected a year from 1888"),
        ({"decade": 1995}, "decade: Expected the first year"),
        ({"genre": "Noir"}, "genre: Expected one of Action"),
        ({"year": 1999, "genre": "War"}, "genre: Expected only one of year and genre"),
    ],
)
def test_ways_that_are_none(aws: str, way: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        list_movies(**way)


def test_add_movie_twice(matrix: Movie) -> None:
    with pytest.raises(MovieExists, match="There is a film 'The Matrix' of 1999 already"):
        add_movie(make_fields(plot="Another."))

    assert get_movie(KEY) == matrix


def test_change_movie(matrix: Movie) -> None:
    fields = make_fields(plot="Rewritten.", genres=("Drama",))

    changed = change_movie(KEY, fields, version=matrix.version)

    version = matrix.version + 1
    assert changed == get_movie(KEY) == Movie(KEY, "Rewritten.", ("Drama",), version=version)
    assert titles(genre="Drama") == ["The Matrix"]
    assert titles(genre="Action") == []


def test_change_movie_moves_all_of_it(matrix: Movie) -> None:
    count_vote(KEY, 8)
    version = set_poster(KEY, "posters/1999/x.png", version=matrix.version).version
    rows = count_rows()

    changed = change_movie(
        KEY, make_fields("Matrix, The", 2000, genres=("War", "Drama")), version=version
    )

    assert changed == get_movie(MovieKey(2000, "Matrix, The"))
    assert (changed.poster, changed.version) == ("posters/1999/x.png", version + 1)
    assert (changed.votes, changed.stars) == (1, 8)
    assert titles() == titles(year=2000) == titles(genre="War") == ["Matrix, The"]
    assert titles(year=1999) == titles(genre="Action") == []
    assert [movie.title for movie in search_movies("the").movies] == ["Matrix, The"]
    # Two more lead from the old key to the new.
    assert count_rows() == rows + 2
    with pytest.raises(MovieNotFound, match="There is no film 'The Matrix' of 1999"):
        get_movie(KEY)


def test_largest_film_can_be_moved(aws: str) -> None:
    long = {"genres": catalogue.GENRES[:6], "plot": "x" * 5000, "actors": ("ü" * 100,) * 20}
    words = [" ".join(f"{letter}{number:02}" for number in range(36)) for letter in "ab"]
    movie = add_movie(make_fields(words[0], **long))

    change_movie(movie.key, make_fields(words[1], 2000, **long), version=movie.version)

    assert titles() == [words[1]]
    assert count_rows() == 4 + 6 + 36 + 2


def move(movie: Movie, title: str) -> Movie:
    return change_movie(movie.key, make_fields(title), version=movie.version)


def test_find_moved(matrix: Movie) -> None:
    assert find_moved(KEY) is None

    third = move(move(matrix, "Second"), "Third")

    assert find_moved(KEY) == find_moved(KEY, version=matrix.version) == third
    assert find_moved(MovieKey(1999, "Second")) == third
    assert find_moved(third.key) is None


def test_find_moved_that_was_deleted_then(matrix: Movie) -> None:
    second = move(matrix, "Second")
    delete_movie(second.key, version=second.version)

    assert find_moved(KEY) is None


def test_find_moved_passes_over_other_films(matrix: Movie) -> None:
    """Another film has come to a key on the way, and still another to the last of them."""
    third = move(move(matrix, "Second"), "Third")
    other = add_movie(make_fields("Second"))

    assert find_moved(KEY, version=matrix.version) == find_moved(KEY) == third

    move(other, "Fourth")

    assert find_moved(KEY) == third

    delete_movie(third.key, version=third.version)
    add_movie(make_fields("Third"))

    assert find_moved(KEY, version=matrix.version) is None


def test_find_moved_of_two_that_left_the_same_key(matrix: Movie) -> None:
    """Each is found by its versions; without one, it is the last that leads on."""
    second = move(matrix, "Second")
    stranger = add_movie(make_fields())
    third = move(stranger, "Third")

    assert find_moved(KEY, version=matrix.version) == second
    assert find_moved(KEY, version=stranger.version) == third
    assert find_moved(KEY) == third


def test_find_moved_of_one_that_left_twice(matrix: Movie) -> None:
    back = move(move(matrix, "Second"), KEY.title)
    saved = change_movie(KEY, make_fields(plot="Another."), version=back.version)
    there = move(saved, "Third")

    for version in range(matrix.version, there.version):
        assert find_moved(KEY, version=version) == there
    assert find_moved(KEY, version=there.version) is None
    assert find_moved(KEY, version=10**VERSION_MAX_DIGITS - 1) is None


def test_find_moved_too_often(matrix: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MAX_MOVES", 2)
    third = move(move(matrix, "Second"), "Third")
    assert find_moved(KEY) == third

    move(third, "Fourth")

    assert find_moved(KEY) is None


def test_find_moved_after_another_film_was_deleted_here(matrix: Movie) -> None:
    move(matrix, "Second")
    other = add_movie(make_fields())
    delete_movie(KEY, version=other.version)

    assert find_moved(KEY) is None


def test_find_moved_that_came_back(matrix: Movie) -> None:
    back = move(move(matrix, "Second"), KEY.title)

    assert find_moved(MovieKey(1999, "Second")) == back
    delete_movie(KEY, version=back.version)
    assert find_moved(MovieKey(1999, "Second")) is None


@pytest.mark.parametrize("key", [MovieKey(0, "x"), MovieKey(1999, "\ud800"), MovieKey(1999, "")])
def test_find_moved_that_no_film_can_be(aws: str, key: MovieKey) -> None:
    assert find_moved(key) is None


def test_move_onto_another_film(matrix: Movie) -> None:
    other = add_movie(make_fields("Fight Club"))

    with pytest.raises(MovieExists, match="There is a film 'The Matrix'"):
        change_movie(other.key, make_fields(), version=other.version)

    assert titles() == ["Fight Club", "The Matrix"]
    assert get_movie(KEY) == matrix


@pytest.mark.parametrize(
    "act",
    [
        lambda version: change_movie(KEY, make_fields(plot="Mine."), version=version),
        lambda version: change_movie(KEY, make_fields("Mine"), version=version),
        lambda version: delete_movie(KEY, version=version),
        lambda version: set_poster(KEY, "mine", version=version),
    ],
)
def test_change_of_an_old_version(matrix: Movie, act: Callable[[int], object]) -> None:
    theirs = change_movie(KEY, make_fields(plot="Theirs."), version=matrix.version)

    with pytest.raises(MovieChanged, match=f"it is at version {theirs.version}") as caught:
        act(matrix.version)

    assert caught.value.current == theirs == get_movie(KEY)


@pytest.mark.parametrize(
    "act",
    [
        lambda version: change_movie(KEY, make_fields(plot="Stale."), version=version),
        lambda version: change_movie(KEY, make_fields("Stale"), version=version),
        lambda version: delete_movie(KEY, version=version),
        lambda version: set_poster(KEY, "stale", version=version),
    ],
)
@pytest.mark.parametrize("is_deleted", [True, False])
def test_stale_change_of_the_film_that_was_there_before(
    matrix: Movie, act: Callable[[int], object], is_deleted: bool
) -> None:
    if is_deleted:
        delete_movie(KEY, version=matrix.version)
    else:
        change_movie(KEY, make_fields("Elsewhere"), version=matrix.version)
    another = add_movie(make_fields(plot="Another."))

    with pytest.raises(MovieChanged, match="this change was made to version"):
        act(matrix.version)

    assert get_movie(KEY) == another


def test_versions_keep_to_15_digits(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda below: below - 1)

    movie = add_movie(make_fields())

    # Room for more saves than any film will see.
    assert len(str(movie.version + 10**12)) == VERSION_MAX_DIGITS


def test_delete_movie(matrix: Movie) -> None:
    count_vote(KEY, 3)

    delete_movie(KEY, version=matrix.version)

    assert titles() == []
    assert count_rows() == 0


def test_set_poster(matrix: Movie) -> None:
    with_poster = set_poster(KEY, "posters/1999/x.png", version=matrix.version)
    without = set_poster(KEY, None, version=with_poster.version)

    assert (with_poster.poster, with_poster.version) == ("posters/1999/x.png", matrix.version + 1)
    assert (without.poster, without.version) == (None, matrix.version + 2)
    assert get_movie(KEY) == without


def test_count_vote(matrix: Movie) -> None:
    count_vote(KEY, 7)

    voted = count_vote(KEY, 10)

    assert (voted.votes, voted.stars, voted.rating) == (2, 17, 8.5)
    assert voted.version == matrix.version
    assert voted == get_movie(KEY)


@pytest.mark.parametrize("stars", [0, 11, True, None])
def test_count_vote_of_other_stars(matrix: Movie, stars: Any) -> None:
    with pytest.raises(BadInput, match="stars: Expected a whole number"):
        count_vote(KEY, stars)


@pytest.mark.parametrize(
    "act",
    [
        lambda: add_movie(make_fields(SAMPLE_KEY.title, SAMPLE_KEY.year)),
        lambda: change_movie(SAMPLE_KEY, make_fields(), version=1),
        lambda: change_movie(KEY, make_fields(SAMPLE_KEY.title, SAMPLE_KEY.year), version=1),
        lambda: delete_movie(SAMPLE_KEY, version=1),
        lambda: set_poster(SAMPLE_KEY, None, version=1),
        lambda: count_vote(SAMPLE_KEY, 5),
    ],
)
def test_sample_is_read_only(matrix: Movie, act: Callable[[], object]) -> None:
    with pytest.raises(SampleIsReadOnly, match="the sample that /app writes"):
        act()


def together(*acts: Callable[[], object]) -> list[object]:
    """Do all at once, each in a thread; return what each returned or raised."""
    barrier = threading.Barrier(len(acts))

    def do(act: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return act()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def test_votes_of_many_at_once_are_all_counted(matrix: Movie) -> None:
    results = together(*[lambda: [count_vote(KEY, 3) for _ in range(10)]] * 16)

    assert not [result for result in results if isinstance(result, Exception)]
    assert (get_movie(KEY).votes, get_movie(KEY).stars) == (160, 480)


def test_of_two_editors_one_wins(matrix: Movie) -> None:
    for version in range(matrix.version, matrix.version + 10):
        results = together(
            *(
                lambda editor=editor, version=version: change_movie(
                    KEY, make_fields(plot=f"{editor} {version}"), version=version
                )
                for editor in "abcd"
            )
        )

        saved = [result for result in results if isinstance(result, Movie)]
        lost = [result for result in results if isinstance(result, MovieChanged)]
        assert (len(saved), len(lost)) == (1, 3)
        assert get_movie(KEY) == saved[0]
        assert {error.current for error in lost} == {saved[0]}


def test_of_two_that_add_the_same_film_one_wins(aws: str) -> None:
    results = together(*(lambda plot=plot: add_movie(make_fields(plot=plot)) for plot in "abcd"))

    assert sum(isinstance(result, Movie) for result in results) == 1
    assert sum(isinstance(result, MovieExists) for result in results) == 3


def test_votes_during_moves_are_not_lost(matrix: Movie) -> None:
    keys = [KEY, MovieKey(2000, "Matrix, The")]
    voted: list[int] = []
    done = threading.Event()

    def vote() -> None:
        while not done.is_set():
            for key in keys:
                try:
                    count_vote(key, 1)
                except MovieNotFound:
                    continue
                voted.append(1)
                # Without a pause they would hinder every move; people do pause.
                time.sleep(0.02)

    def move() -> None:
        try:
            for count in range(12):
                here, there = keys[::-1] if count % 2 else keys
                fields = make_fields(there.title, there.year)
                change_movie(here, fields, version=matrix.version + count)
        finally:
            done.set()

    results = together(vote, vote, move)

    assert results == [None, None, None]
    assert get_movie(KEY).votes == len(voted) > 0
    assert titles() == [KEY.title]


def test_vote_between_read_and_delete(
    matrix: Movie, monkeypatch: pytest.MonkeyPatch, impatient: None
) -> None:
    once = iter([True])

    def read_and_be_overtaken(key: MovieKey) -> Movie:
        movie = get_movie(key)
        if next(once, False):
            count_vote(key, 5)
        return movie

    monkeypatch.setattr(catalogue, "get_movie", read_and_be_overtaken)

    delete_movie(KEY, version=matrix.version)

    assert titles() == []


@pytest.mark.parametrize(
    "act",
    [
        lambda version: change_movie(KEY, make_fields(plot="New."), version=version),
        lambda version: change_movie(KEY, make_fields("New"), version=version),
        lambda version: delete_movie(KEY, version=version),
        lambda version: set_poster(KEY, "new", version=version),
    ],
)
@pytest.mark.parametrize("code", ["TransactionConflict", "ConditionalCheckFailed"])
def test_all_attempts_of_a_write_come_from_one_budget(
    matrix: Movie, impatient: None, act: Callable[[int], object], code: str
) -> None:
    # The second reason: of a move, that is the version of the film itself.
    reasons = [{"Code": "None"}, {"Code": code}]
    body = json.dumps(
        {"__type": "TransactionCanceledException", "message": "-", "CancellationReasons": reasons}
    )

    with (
        refusing("TransactWriteItems", body, times=999) as calls,
        pytest.raises(Throttled, match="a write of 'The Matrix'"),
    ):
        act(matrix.version)

    assert len(calls) == transactions.WRITE_ATTEMPTS
    assert get_movie(KEY) == matrix


def test_votes_between_every_read_and_delete(
    matrix: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_and_be_overtaken(key: MovieKey) -> Movie:
        movie = get_movie(key)
        count_vote(key, 5)
        return movie

    monkeypatch.setattr(catalogue, "get_movie", read_and_be_overtaken)

    with pytest.raises(Throttled, match="TransactionConflict"):
        delete_movie(KEY, version=matrix.version)


@pytest.mark.parametrize("code", ["TransactionConflictException", "ThrottlingException"])
def test_vote_that_was_not_written_is_tried_again(
    matrix: Movie, impatient: None, code: str
) -> None:
    body = json.dumps({"__type": code, "message": "Not now."})

    with refusing("UpdateItem", body, times=3, patience=ONCE) as calls:
        assert count_vote(KEY, 5).votes == 1

    assert len(calls) == 4


def test_vote_that_others_always_hinder(matrix: Movie, impatient: None) -> None:
    body = json.dumps({"__type": "TransactionConflictException", "message": "Not now."})

    with (
        refusing("UpdateItem", body, times=99, patience=ONCE),
        pytest.raises(Throttled, match="TransactionConflict"),
    ):
        count_vote(KEY, 5)


def test_vote_of_unknown_fate_is_not_tried_again(matrix: Movie) -> None:
    body = json.dumps({"__type": "InternalServerError", "message": "Perhaps."})

    with (
        refusing("UpdateItem", body, status=500, patience=ONCE) as calls,
        pytest.raises(AWSRefused, match="InternalServerError"),
    ):
        count_vote(KEY, 5)

    assert len(calls) == 1


def test_no_network_at_all(settings: Any) -> None:
    from movies.aws import forget_clients

    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    forget_clients()

    for act in (list_movies, lambda: search_movies("x"), lambda: get_movie(KEY)):
        with pytest.raises(AWSUnreachable, match="AWS did not answer"):
            act()

    forget_clients()
