"""Links: which steps lead on from a page, and which of them are of one kind."""

import json

import pytest

from scripts.links import Step, find_steps

PAGE = "http://127.0.0.1:8000/movies/"


def test_find_steps_in_a_page() -> None:
    body = """
        <a href="1999/The%20Matrix/">film</a> <a href="?genre=drama&amp;cursor=x#top">drama</a>
        <a href="/app">app</a> <a href="/app#again">again</a> <a>nowhere</a>
        <form action="/movies/"><input name="q"></form>
        <form method="POST" action="/lab/slow"><input type="hidden" name="token" value="t">
          <button name="seconds" value="2">Slow</button></form>
        <input name="outside" value="of any form">
    """

    steps = find_steps(PAGE, "text/html; charset=utf-8", body)

    assert steps == {
        Step("http://127.0.0.1:8000/movies/1999/The%20Matrix/"),
        Step("http://127.0.0.1:8000/movies/?genre=drama&cursor=x"),
        Step("http://127.0.0.1:8000/app"),
        Step("http://127.0.0.1:8000/lab/slow", (("token", "t"), ("seconds", "2"))),
    }


def test_find_steps_stays_on_the_site() -> None:
    links = [
        "https://aws.amazon.com/",
        "http://127.0.0.1:2000/traces/1-2",
        "//example.com/",
        "https://127.0.0.1:8000/",
        "mailto:a@example.com",
        "javascript:alert(1)",
        "/static/site.css",
        "/admin/",
        "/sign-out/",
    ]
    body = "".join(f'<a href="{link}">' for link in links)

    assert find_steps(PAGE, "text/html", body) == set()


def test_find_steps_posts_only_to_the_lab() -> None:
    """Traffic looks around; it signs nobody up and deletes nothing."""
    body = '<form method="post" action="/movies/1999/M/delete/"><button name="yes"></form>'

    assert find_steps(PAGE, "text/html", body) == set()


def test_find_steps_in_json() -> None:
    body = json.dumps(
        {
            "movies": [{"title": "A/B", "url": "/api/movies/1999/A/"}],
            "next": "http://127.0.0.1:8000/api/movies/?cursor=x",
            "count": 3,
            "elsewhere": "https://example.com/",
        }
    )

    steps = find_steps("http://127.0.0.1:8000/api/movies/", "application/json", body)

    assert steps == {
        Step("http://127.0.0.1:8000/api/movies/1999/A/"),
        Step("http://127.0.0.1:8000/api/movies/?cursor=x"),
    }


def test_find_steps_in_something_else() -> None:
    assert find_steps(PAGE, "image/svg+xml", '<a href="/app">') == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/movies/1999/Magnolia/", "/movies/1941/Citizen%20Kane/"),
        ("/movies/1999/10/edit/", "/movies/1941/Heat/edit/"),
        ("/movies/?genre=drama", "/movies/?genre=war"),
    ],
)
def test_kind_same(one: str, other: str) -> None:
    assert Step(PAGE + one).kind == Step(PAGE + other).kind


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
    assert Step("http://site" + one).kind != Step("http://site" + other).kind
