"""Tests of the command seed_movies."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from movies.aws import forget_clients, get_client
from movies.catalogue import (
    add_movie,
    change_movie,
    delete_movie,
    get_movie,
    list_movies,
    search_movies,
)
from movies.chain import put_sample
from movies.management.commands import seed_movies
from movies.movie import SAMPLE_KEY, MovieKey
from movies.tables import create_tables
from tests.movies.films import listening, make_fields, refusing

FILMS = [
    {"year": 1999, "title": "The Matrix", "genres": ["Action"], "runtime_minutes": 136},
    {"year": 2001, "title": "Amélie", "release_date": "2001-04-25", "plot": "Paris."},
]
KEY = MovieKey(1999, "The Matrix")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "films.json"
    path.write_text(json.dumps(FILMS), encoding="utf-8")
    return path


def lose(table: str) -> None:
    """Lose a table with all that is in it, and make it anew."""
    client = get_client("dynamodb")
    client.delete_table(TableName=table)
    client.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    create_tables()


def seed(**options: Any) -> str:
    output = io.StringIO()
    call_command("seed_movies", stdout=output, **options)
    return output.getvalue()


def test_our_own_films_are_loaded_once(aws: str) -> None:
    films = json.loads(seed_movies.FILMS.read_text(encoding="utf-8"))

    first = seed()
    with listening() as asked:
        second = seed()

    assert first.startswith(f"Films: {len(films) + 1} added, 0 left as they were (")
    assert second.startswith(f"Films: 0 added, {len(films) + 1} left as they were (")
    # What makes a repeated run quick, on a busy machine too.
    assert [operation for operation, _ in asked] == ["GetItem", "Query"]
    assert get_movie(SAMPLE_KEY).is_sample


def test_films_of_a_file(aws: str, file: Path) -> None:
    assert seed(file=file).startswith("Films: 2 added, 0 left")

    assert [movie.title for movie in list_movies().movies] == ["Amélie", "The Matrix"]
    assert get_movie(KEY).runtime_minutes == 136


def test_what_editors_did_stays(aws: str, file: Path) -> None:
    seed(file=file)
    amelie = get_movie(MovieKey(2001, "Amélie"))
    fields = make_fields("Matrix, The", plot="Theirs.")
    change_movie(KEY, fields, version=get_movie(KEY).version)
    delete_movie(amelie.key, version=amelie.version)

    assert seed(file=file).startswith("Films: 0 added, 2 left")

    (movie,) = list_movies().movies
    assert (movie.title, movie.plot) == ("Matrix, The", "Theirs.")


def test_lost_films_are_loaded_again(aws: str, file: Path) -> None:
    """They are lost with their marks, and /app may have made the table anew since."""
    seed(file=file)
    change_movie(KEY, make_fields(genres=("Drama",)), version=get_movie(KEY).version)
    lose(settings.MOVIES_TABLE)
    assert list_movies().movies == ()
    put_sample(settings.MOVIES_TABLE)

    assert seed(file=file).startswith("Films: 2 added, 0 left")

    assert [movie.title for movie in list_movies().movies] == ["Amélie", "The Matrix"]
    assert [movie.title for movie in list_movies(genre="Action").movies] == ["The Matrix"]
    # What the lost film had as a genre, and this one has not.
    assert list_movies(genre="Drama").movies == ()


def test_lost_index_is_made_again(aws: str, file: Path) -> None:
    seed(file=file)
    amelie = get_movie(MovieKey(2001, "Amélie"))
    delete_movie(amelie.key, version=amelie.version)
    add_movie(make_fields("Fight Club", genres=("Drama",)))
    put_sample(settings.MOVIES_TABLE)
    lose(settings.MOVIES_TERMS_TABLE)
    assert list_movies().movies == ()

    said = seed(file=file)

    assert said.startswith("Films: 3 indexed again.\nFilms: 0 added, 2 left")
    listed = ["The Big New Movie", "Fight Club", "The Matrix"]
    assert [movie.title for movie in list_movies().movies] == listed
    assert [movie.title for movie in search_movies("club").movies] == ["Fight Club"]
    assert seed(file=file).startswith("Films: 0 added, 2 left")


def test_index_is_not_called_complete_before_it_is(aws: str, file: Path) -> None:
    seed(file=file)
    lose(settings.MOVIES_TERMS_TABLE)
    body = json.dumps({"__type": "AccessDeniedException", "message": "You may not."})

    with refusing("TransactWriteItems", body), pytest.raises(CommandError, match="refused"):
        seed(file=file)

    assert seed(file=file).startswith("Films: 2 indexed again.")


def test_new_films_of_a_longer_list(aws: str, file: Path) -> None:
    seed(file=file)
    file.write_text(json.dumps([*FILMS, {"year": 2003, "title": "Oldboy"}]), encoding="utf-8")

    assert seed(file=file).startswith("Films: 1 added, 2 left")


def test_film_that_stands_twice_in_a_list(aws: str, file: Path) -> None:
    file.write_text(json.dumps([*FILMS, *FILMS]), encoding="utf-8")

    assert seed(file=file).startswith("Films: 2 added, 0 left")


def test_wrong_films_are_all_named_and_nothing_is_loaded(aws: str, file: Path) -> None:
    file.write_text(json.dumps([*FILMS, {"year": 1}, "film"]), encoding="utf-8")

    with pytest.raises(CommandError, match="Nothing was loaded") as caught:
        seed(file=file)

    assert "Film 2 is wrong: year: Expected a year" in str(caught.value)
    assert "Film 3 is wrong: body: Expected an object" in str(caught.value)
    assert list_movies().movies == ()


@pytest.mark.parametrize(
    ("text", "message"), [("{", "Could not read films"), ("{}", "Expected a JSON list of films")]
)
def test_file_that_is_no_list(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")

    with pytest.raises(CommandError, match=message):
        seed(file=file)


def test_file_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="Could not read films from /nowhere"):
        seed(file=Path("/nowhere"))


def test_aws_that_does_not_answer(settings: Any, file: Path) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    forget_clients()

    with pytest.raises(CommandError, match="AWS did not answer GetItem on MovieTerms"):
        seed(file=file)

    forget_clients()


def test_refusal_half_way_ends_the_loading(aws: str) -> None:
    body = json.dumps({"__type": "AccessDeniedException", "message": "You may not."})

    with (
        refusing("TransactWriteItems", body, times=999) as calls,
        pytest.raises(CommandError, match="You may not"),
    ):
        seed()

    assert len(calls) < 50


@pytest.fixture
def throttled() -> str:
    return json.dumps({"__type": "ThrottlingException", "message": "Slow down."})


def test_table_without_capacity_is_waited_for(
    aws: str, file: Path, throttled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed_movies, "THROTTLED_PAUSE_SECONDS", 0.01)

    with refusing("TransactWriteItems", throttled, times=20):
        assert seed(file=file).startswith("Films: 2 added, 0 left")


def test_table_that_never_has_capacity(
    aws: str, file: Path, throttled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed_movies, "THROTTLED_ATTEMPTS", 2)
    monkeypatch.setattr(seed_movies, "THROTTLED_PAUSE_SECONDS", 0.01)

    with (
        refusing("TransactWriteItems", throttled, times=999),
        pytest.raises(CommandError, match="Slow down"),
    ):
        seed(file=file)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal() -> None:
    stream = Terminal()

    assert list(seed_movies.show_progress(iter([True, False]), 2, "Loading", stream)) == [
        True,
        False,
    ]

    half, full = "#" * 20 + "." * 20, "#" * 40
    assert stream.getvalue() == f"\rLoading films [{half}] 1/2\rLoading films [{full}] 2/2\n"


def test_no_progress_elsewhere() -> None:
    stream = io.StringIO()

    assert list(seed_movies.show_progress(iter([True]), 1, "Loading", stream)) == [True]

    assert stream.getvalue() == ""
