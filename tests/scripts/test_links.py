"""Links: which lead on from a page, and which of them are of one kind."""

import json

import pytest

from scripts.links import find_links, name_kind

ROOT = "http://127.0.0.1:8000/"
PAGE = ROOT + "movies/"


def test_find_links_in_a_page() -> None:
    body = """
        <a href="1999/The%20Matrix/">film</a> <a href="?genre=drama&amp;cursor=x#top">drama</a>
        <a href="/app">app</a> <a href="/app#again">again</a> <a>nowhere</a>
        <form action="/movies/"><input name="q"></form>
        <form action="/lab/slow/"><button>Slow</button></form>
        <form method="post" action="/sign-out/"><button>Sign out</button></form>
        <input name="outside" value="of any form">
    """

    links = find_links(PAGE, "text/html; charset=utf-8", body, ROOT)

    assert links == {
        "http://127.0.0.1:8000/movies/1999/The%20Matrix/",
        "http://127.0.0.1:8000/movies/?genre=drama&cursor=x",
        "http://127.0.0.1:8000/app",
        "http://127.0.0.1:8000/lab/slow/",
    }


def test_find_links_stays_on_the_site() -> None:
    outside = [
        "https://aws.amazon.com/",
        "http://127.0.0.1:2000/traces/1-2",
        "//example.com/",
        "https://127.0.0.1:8000/",
        "mailto:a@example.com",
        "javascript:alert(1)",
        "/static/site.css",
        "/admin/",
    ]
    body = "".join(f'<a href="{link}">' for link in outside)

    assert find_links(PAGE, "text/html", body, ROOT) == set()


def test_find_links_behind_a_stage() -> None:
    links = ("/dev/app", "movies/", "/app", "/", "/dev", "/dev/admin/", "/dev/static/site.css")
    body = "".join(f'<a href="{link}">' for link in links)

    found = find_links(f"{ROOT}dev/", "text/html", body, f"{ROOT}dev/")

    assert found == {f"{ROOT}dev/app", f"{ROOT}dev/movies/"}


def test_find_links_posts_nothing() -> None:
    """Traffic looks around; it signs nobody up and deletes nothing."""
    body = '<form method="post" action="/movies/1999/M/delete/"><button>Yes</button></form>'

    assert find_links(PAGE, "text/html", body, ROOT) == set()


def test_find_links_in_json() -> None:
    body = json.dumps(
        {
            "movies": [{"title": "A/B", "url": "/api/movies/1999/A/"}],
            "next": "http://127.0.0.1:8000/api/movies/?cursor=x",
            "count": 3,
            "elsewhere": "https://example.com/",
        }
    )

    links = find_links("http://127.0.0.1:8000/api/movies/", "application/json", body, ROOT)

    assert links == {
        "http://127.0.0.1:8000/api/movies/1999/A/",
        "http://127.0.0.1:8000/api/movies/?cursor=x",
    }


def test_find_links_in_something_else() -> None:
    assert find_links(PAGE, "image/svg+xml", '<a href="/app">', ROOT) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/movies/1999/Magnolia/", "/movies/1941/Citizen%20Kane/"),
        ("/movies/1999/10/edit/", "/movies/1941/Heat/edit/"),
        ("/movies/?genre=drama", "/movies/?genre=war"),
        ("/reviews/3/", "/reviews/1999/"),
    ],
)
def test_kind_same(one: str, other: str) -> None:
    assert name_kind(one) == name_kind(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/movies/", "/movies/?genre=war"),
        ("/movies/1999/Magnolia/", "/movies/1999/Magnolia/edit/"),
        ("/movies/1999/Magnolia/", "/api/movies/1999/Magnolia/"),
        ("/lab/slow", "/lab/queries"),
        ("/lab/remote-404", "/lab/s3-404"),
    ],
)
def test_kind_different(one: str, other: str) -> None:
    assert name_kind(one) != name_kind(other)
