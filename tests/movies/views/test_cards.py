from movies.catalogue import MovieKey
from movies.movie import Movie
from movies.views.cards import make_card, movie_url

KEY = MovieKey(1999, "AC/DC & Co.")


def test_make_card_of_a_film_without_a_poster() -> None:
    card = make_card(Movie(KEY, genres=("Music",), votes=2, stars=15))

    assert card.url == "/movies/1999/AC~sDC%20&%20Co./"
    assert card.poster_url is None
    assert card.rating == 7.5


def test_make_card_presigns_the_poster(aws: str) -> None:
    card = make_card(Movie(KEY, poster="posters/1999/x.png"))

    assert card.poster_url is not None
    assert card.poster_url.startswith(f"{aws}/")
    assert "posters/1999/x.png?" in card.poster_url
    assert "X-Amz-Expires=3600" in card.poster_url


def test_movie_url() -> None:
    assert movie_url(MovieKey(1999, "The Matrix")) == "/movies/1999/The%20Matrix/"
