"""The sample films: every line has the right keys, types and limits, and stands in its place."""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

FILMS_PATH = Path(__file__).parents[2] / "movies" / "data" / "films.json"
REQUIRED_KEYS = {"year", "title", "genres", "directors", "actors", "runtime_minutes"}
OPTIONAL_KEYS = {"release_date", "plot"}
GENRES = {
    *("Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary"),
    *("Drama", "Family", "Fantasy", "Film Noir", "History", "Horror", "Music", "Musical"),
    *("Mystery", "Romance", "Science Fiction", "Sport", "Thriller", "War", "Western"),
}


@pytest.fixture(scope="module")
def films() -> list[dict[str, Any]]:
    """Every film of the file, as it was parsed."""
    parsed = json.loads(FILMS_PATH.read_text(encoding="utf-8"))
    assert isinstance(parsed, list)
    return parsed


def name_of(film: dict[str, Any]) -> str:
    """Name a film in a list of wrong ones."""
    return f"{film['title']} ({film['year']})"


def is_clean_text(value: object) -> bool:
    """Tell whether value is text with something in it and no blanks around it."""
    return isinstance(value, str) and value != "" and value == value.strip()


def is_clean_list(value: object) -> bool:
    """Tell whether value is a list of clean texts, none of them twice."""
    return (
        isinstance(value, list)
        and all(is_clean_text(each) for each in value)
        and len(set(value)) == len(value)
    )


def test_films_are_enough(films: list[dict[str, Any]]) -> None:
    assert len(films) >= 300


def test_films_keys(films: list[dict[str, Any]]) -> None:
    wrong = [
        film
        for film in films
        if not film.keys() >= REQUIRED_KEYS or film.keys() - REQUIRED_KEYS - OPTIONAL_KEYS
    ]

    assert wrong == []


def test_films_types(films: list[dict[str, Any]]) -> None:
    wrong = [
        name_of(film)
        for film in films
        if type(film["year"]) is not int
        or type(film["runtime_minutes"]) is not int
        or not all(is_clean_text(film.get(key, "-")) for key in ("title", "plot", "release_date"))
        or not all(is_clean_list(film[key]) for key in ("genres", "directors", "actors"))
    ]

    assert wrong == []


def test_films_are_unique(films: list[dict[str, Any]]) -> None:
    counts = Counter((film["year"], film["title"]) for film in films)

    assert [key for key, count in counts.items() if count > 1] == []


def test_films_are_sorted(films: list[dict[str, Any]]) -> None:
    keys = [(film["year"], film["title"]) for film in films]

    assert keys == sorted(keys)


def test_films_genres(films: list[dict[str, Any]]) -> None:
    wrong = [
        name_of(film)
        for film in films
        if not 1 <= len(film["genres"]) <= 4 or set(film["genres"]) - GENRES
    ]

    assert wrong == []
    assert {genre for film in films for genre in film["genres"]} == GENRES


def test_films_years_and_runtimes(films: list[dict[str, Any]]) -> None:
    wrong = [
        name_of(film)
        for film in films
        if not 1888 <= film["year"] <= 2026 or not 1 <= film["runtime_minutes"] <= 500
    ]

    assert wrong == []


def test_films_release_date_is_in_the_year(films: list[dict[str, Any]]) -> None:
    dated = [film for film in films if "release_date" in film]

    wrong = [
        name_of(film)
        for film in dated
        if date.fromisoformat(film["release_date"]).year != film["year"]
        or len(film["release_date"]) != len("1927-01-10")
    ]

    assert dated != []
    assert wrong == []


def test_films_people(films: list[dict[str, Any]]) -> None:
    # A documentary and a silent cartoon need no actors.
    wrong = [
        name_of(film)
        for film in films
        if not film["directors"]
        or len(film["actors"]) > 4
        or (len(film["actors"]) < 2 and not {"Animation", "Documentary"} & set(film["genres"]))
    ]

    assert wrong == []


def test_films_plots_are_short(films: list[dict[str, Any]]) -> None:
    assert [name_of(film) for film in films if len(film.get("plot", "")) > 400] == []


def test_films_leave_the_sample_to_app(films: list[dict[str, Any]]) -> None:
    # "/app" writes this one itself.
    assert "The Big New Movie" not in {film["title"] for film in films}


def test_file_has_one_film_per_line(films: list[dict[str, Any]]) -> None:
    lines = FILMS_PATH.read_text(encoding="utf-8").splitlines()

    assert [lines[0], lines[-1]] == ["[", "]"]
    assert [json.loads(line.removesuffix(",")) for line in lines[1:-1]] == films
