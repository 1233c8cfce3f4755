import pytest

from movies.templatetags import movies
from movies.views.cards import Card


@pytest.mark.parametrize(
    ("minutes", "text"), [(45, "45 min"), (60, "1 h"), (136, "2 h 16 min"), (1000, "16 h 40 min")]
)
def test_runtime(minutes: int, text: str) -> None:
    assert movies.runtime(minutes) == text


@pytest.mark.parametrize(
    ("duration_ms", "text"), [(0.2, "0 ms"), (12.6, "13 ms"), (999.4, "999 ms"), (1234.5, "1.23 s")]
)
def test_milliseconds(duration_ms: float, text: str) -> None:
    assert movies.milliseconds(duration_ms) == text


def test_one_decimal() -> None:
    assert movies.one_decimal(25 / 3) == "8.3"


def make_card(poster_url: str | None) -> Card:
    return Card("A & B", 1999, ("Drama",), None, None, "/movies/1999/A%20&%20B/", poster_url)


def test_poster_drawn() -> None:
    assert movies.poster(make_card(None)).startswith("<svg")


def test_poster_uploaded() -> None:
    html = movies.poster(make_card('https://s3.example/?a=1&b="2"'))

    assert 'src="https://s3.example/?a=1&amp;b=&quot;2&quot;"' in html
    assert 'alt=""' in html


def test_emblem() -> None:
    assert movies.emblem("Horror").startswith("<svg")
    assert movies.emblem("Horror") != movies.emblem("Comedy")
