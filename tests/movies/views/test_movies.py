import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from movies import catalogue, posters, reviews
from movies.catalogue import MovieKey
from movies.fields import MovieFields
from movies.movie import Movie

from .markup import read


def test_list_movies_newest_first(client: Client, film: Movie) -> None:
    catalogue.add_movie(MovieFields(1942, "Casablanca"))
    catalogue.add_movie(MovieFields(2001, "Amélie"))

    response = client.get("/movies/")

    text = read(response).text
    assert response.status_code == 200
    titles = re.findall(r"<h3 dir=\"auto\">(.*?)</h3>", response.content.decode())
    assert titles == ["Amélie", "The Matrix", "Casablanca"]
    assert "1999 · 2 h 16 min" in text


def test_list_movies_draws_posters(client: Client, film: Movie) -> None:
    assert b"MATRIX</tspan>" in client.get("/movies/").content


def test_list_movies_shows_uploaded_posters(client: Client, film: Movie, png: bytes) -> None:
    poster = posters.upload_poster(film.key, png)
    catalogue.set_poster(film.key, poster, version=film.version)

    html = client.get("/movies/").content.decode()

    assert poster in html
    assert "X-Amz-Signature" in html
    assert "</tspan>" not in html


@pytest.mark.parametrize(
    ("query", "heading"),
    [
        ("year=1999", "Films of 1999"),
        ("decade=1990", "Films of the 1990s"),
        ("genre=science+fiction", "Science Fiction films"),
        ("q=matrix", "Titles like “matrix”"),
        ("q=&year=1999", "Films of 1999"),
    ],
)
def test_list_movies_of_a_choice(client: Client, film: Movie, query: str, heading: str) -> None:
    catalogue.add_movie(MovieFields(1942, "Casablanca", genres=("Drama",)))

    page = read(client.get(f"/movies/?{query}"))

    assert heading in page.text
    assert "/movies/1999/The%20Matrix/" in page.links
    assert "/movies/1942/Casablanca/" not in page.links


def test_list_movies_leads_to_the_years_of_a_decade(client: Client, film: Movie) -> None:
    assert "/movies/?year=1994" in read(client.get("/movies/?decade=1990")).links
    assert "/movies/?year=1887" not in read(client.get("/movies/?decade=1880")).links


def test_list_movies_in_pages(client: Client, aws: str) -> None:
    names = [f"Film {number:02}" for number in range(30)]
    for name in names:
        catalogue.add_movie(MovieFields(1999, name))

    first = client.get("/movies/?year=1999").content.decode()
    (next_url,) = re.findall(r'rel="next" href="([^"]*)"', first)
    second = client.get(unescape(next_url)).content.decode()

    assert re.findall('<h3 dir="auto">(.*?)</h3>', first + second) == names
    assert 'rel="next"' not in second
    assert "Back to the first page" in second


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("year=99999999999", "Expected a year from 1888"),
        ("year=" + "9" * 5000, "Expected a year from 1888"),
        ("year=x%00", "Expected a year from 1888"),
        ("year=²", "Expected a year from 1888"),
        ("decade=1995", "Expected the first year of a decade"),
        ("genre=%F0%9F%98%80", "Expected one of Action"),
        ("cursor=garbage", "This isn't a cursor of this list"),
        ("q=%E2%80%8B", "Expected at least one letter, digit"),
        ("q=" + "x" * 5000, "Expected at most 200 characters"),
        ("year=1999&genre=Drama", "Choose one of"),
    ],
)
def test_list_movies_refuses_with_a_reason(
    client: Client, aws: str, query: str, reason: str
) -> None:
    response = client.get(f"/movies/?{query}")

    page = read(response)
    assert response.status_code == 400
    assert reason in page.text
    assert "/movies/?decade=1990" in page.links


@pytest.mark.parametrize("query", ["q=a%00b", "q=%ED%A0%80a", "q=a%FF"])
def test_list_movies_searches_any_bytes(client: Client, aws: str, query: str) -> None:
    assert client.get(f"/movies/?{query}").status_code in (200, 400)


def test_list_movies_of_nothing_says_what_to_do(client: Client, aws: str) -> None:
    assert "python manage.py seed_movies" in read(client.get("/movies/")).text
    assert "Try fewer words" in read(client.get("/movies/?q=zzz")).text
    assert "has none of these yet" in read(client.get("/movies/?genre=War")).text


def test_list_movies_never_asks_sql_for_an_anonymous_visitor(client: Client, film: Movie) -> None:
    # No database is allowed here: pytest-django fails the test at the first query.
    assert client.get("/movies/").status_code == 200


@pytest.mark.usefixtures("no_sql")
def test_pages_without_sql(client: Client, film: Movie) -> None:
    client.cookies["sessionid"] = "left-over"

    for url in ("/movies/", "/movies/1999/The%20Matrix/", "/movies/?q=matrix"):
        response = client.get(url)

        assert response.status_code == 200
        assert "Read-only." in read(response).text


@pytest.mark.django_db
def test_show_movie(client: Client, film: Movie) -> None:
    page = read(client.get("/movies/1999/The%20Matrix/"))

    for text in (
        "The Matrix",
        "2 h 16 min",
        "A program wakes up.",
        "Lana Wachowski, Lilly Wachowski",
        "Keanu Reeves, Carrie-Anne Moss",
        "Nobody has voted yet.",
        "Sign in to vote.",
        "No reviews yet.",
    ):
        assert text in page.text
    assert "/movies/?genre=Science%20Fiction" in page.links
    assert "/movies/1999/The%20Matrix/edit/" not in page.links


@pytest.mark.django_db
def test_show_movie_escapes_all_that_people_wrote(client: Client, aws: str, user: User) -> None:
    evil = '<script>alert("1")</script>'
    movie = catalogue.add_movie(
        MovieFields(1999, evil, plot=evil, directors=(evil,), actors=(evil,))
    )
    reviews.save_review(user, movie.key, 3, evil)

    for url in ("/movies/", reverse("movie", args=[1999, evil])):
        response = client.get(url)

        assert response.status_code == 200
        assert read(response)
        assert b"alert(&quot;1&quot;)" in response.content


@pytest.mark.django_db
@pytest.mark.parametrize("title", ["AC/DC", "..", "~s", "100% & more?", "a#b", "ΩΩ 映画"])
def test_show_movie_with_any_title(client: Client, aws: str, title: str) -> None:
    catalogue.add_movie(MovieFields(1999, title))
    (link,) = [each for each in read(client.get("/movies/")).links if each.startswith("/movies/19")]

    assert title in read(client.get(link)).text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["1999/Nothing", "99999999999/The%20Matrix", "1999/a%00b", f"1999/{'x' * 3000}"]
)
def test_show_movie_unknown(client: Client, film: Movie, path: str) -> None:
    response = client.get(f"/movies/{path}/")

    assert response.status_code == 404
    assert "There is no film" in read(response).text


@pytest.mark.django_db
def test_show_movie_that_moved(client: Client, film: Movie) -> None:
    catalogue.change_movie(film.key, MovieFields(2000, "Matrix/2"), version=film.version)

    response = client.get("/movies/1999/The%20Matrix/")

    # Not for ever: another film may come to this address.
    assert response.status_code == 302
    assert response["Location"] == "/movies/2000/Matrix~s2/"
    catalogue.add_movie(MovieFields(1999, "The Matrix"))
    assert client.get("/movies/1999/The%20Matrix/").status_code == 200


@pytest.mark.django_db
def test_show_movie_with_a_rating(client: Client, film: Movie) -> None:
    catalogue.count_vote(film.key, 8)
    catalogue.count_vote(film.key, 9)

    assert "8.5 of 10, from 2 votes" in read(client.get("/movies/1999/The%20Matrix/")).text


@pytest.mark.django_db
def test_show_movie_with_pages_of_reviews(client: Client, film: Movie) -> None:
    for number in range(21):
        author = User.objects.create_user(f"author{number}")
        reviews.save_review(author, film.key, 5, f"Thought {number}.")

    first = read(client.get("/movies/1999/The%20Matrix/"))
    (older,) = [link for link in first.links if "reviews=" in link]
    second = read(client.get(older.partition("#")[0]))

    assert "Thought 20." in first.text
    assert "Thought 0." not in first.text
    assert "Thought 0." in second.text


@pytest.mark.django_db
def test_show_movie_refuses_a_wrong_cursor_of_reviews(client: Client, film: Movie) -> None:
    assert client.get("/movies/1999/The%20Matrix/?reviews=x").status_code == 400


def test_show_movie_to_an_editor(editor: Client, film: Movie) -> None:
    links = read(editor.get("/movies/1999/The%20Matrix/")).links

    for action in ("edit", "delete", "poster", "review"):
        assert f"/movies/1999/The%20Matrix/{action}/" in links


def test_show_movie_the_sample_can_not_be_changed(editor: Client, aws: str) -> None:
    from movies import seeding

    seeding.seed_movie(seeding.SAMPLE)

    page = read(editor.get("/movies/2015/The%20Big%20New%20Movie/"))

    assert "writes anew each time" in page.text
    assert not [link for link in page.links if link.endswith(("edit/", "delete/", "poster/"))]


def test_show_movie_links_its_trace(client: Client, film: Movie, settings: Any) -> None:
    settings.TRACE_URL = "https://traces.example/{trace_id}"

    (link,) = [
        each for each in read(client.get("/movies/")).links if each.startswith("https://traces")
    ]

    assert re.fullmatch(r"https://traces\.example/1-[0-9a-f]{8}-[0-9a-f]{24}", link)


def test_movie_key_of_a_listed_film(film: Movie) -> None:
    assert reverse("movie", args=[film.year, film.title]) == "/movies/1999/The%20Matrix/"
    assert film.key == MovieKey(1999, "The Matrix")


def test_nobody_elses_cache_keeps_what_a_member_is_shown(
    member: Client, client: Client, film: Movie
) -> None:
    for url in ("/movies/", "/movies/1999/The%20Matrix/", "/movies/1999/Nothing/"):
        response = member.get(url)
        assert {"private", "no-cache"} <= set(response["Cache-Control"].split(", ")), url
        assert "Cookie" in response["Vary"], url
    assert "Cache-Control" not in client.get("/movies/")
    assert "Cookie" in client.get("/movies/")["Vary"]
    assert "Vary" not in client.get("/healthz")


def test_words_of_visitors_run_in_their_own_direction(member: Client, user: User, aws: str) -> None:
    hebrew = "ואלס עם באשיר"
    fields = MovieFields(2008, hebrew, plot=f"{hebrew}\n\n<b>x", actors=(hebrew,))
    film = catalogue.add_movie(fields)
    reviews.save_review(user, film.key, 9, hebrew)

    page = member.get(f"/movies/2008/{hebrew}/").content.decode()
    listed = member.get("/movies/").content.decode()

    assert f'<h1 dir="auto">{hebrew}</h1>' in page
    assert page.count(f'<p dir="auto">{hebrew}</p>') == 2  # the plot and the review
    assert '<p dir="auto">&lt;b&gt;x</p>' in page
    assert f"<dd><bdi>{hebrew}</bdi></dd>" in page
    assert "<bdi>trinity</bdi>" in page
    assert f'<h3 dir="auto">{hebrew}</h3>' in listed


def test_search_says_in_which_order_it_lists(client: Client, film: Movie) -> None:
    assert "word by word, newest first" in read(client.get("/movies/?q=mat")).text
    assert "word by word" not in read(client.get("/movies/")).text
