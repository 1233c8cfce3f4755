"""The route of a trace."""

import json
from typing import Any

import pytest

from tests.xray_local.made import make_facts, make_request, make_segment
from xray_local.console.routes import generalise, name_route
from xray_local.filters import read_filter

URLS = {
    "https://site.local/movies/": ("/movies/", "https://site.local/movies/"),
    "https://site.local/movies/?page=2#top": ("/movies/", "https://site.local/movies/"),
    "https://site.local": ("/", "https://site.local"),
    "https://site.local/movies/1999/42": ("/movies/{id}/{id}", "https://site.local/movies/"),
    "http://a/users/9f86d081884c7d65/posts": ("/users/{id}/posts", "http://a/users/"),
    "http://a/7d444840-9dc0-11d1-b245-5ffdce74fad2": ("/{id}", "http://a/"),
    "http://a/defaced/facade": ("/defaced/facade", "http://a/defaced/facade"),
    "http://a/a-film-of-no-number-at-all": (
        "/a-film-of-no-number-at-all",
        "http://a/a-film-of-no-number-at-all",
    ),
    "http://a/k3j4h5k6j7h8g9f0d1": ("/{id}", "http://a/"),
    "/only/a/path/7": ("/only/a/path/{id}", "/only/a/path/"),
    "http://[broken": ("http://[broken", "http://[broken"),
    "": ("", ""),
}


@pytest.mark.parametrize(("url", "expected"), URLS.items())
def test_ids_are_taken_out_of_a_path(url: str, expected: tuple[str, str]) -> None:
    assert generalise(url) == expected


def make_root(**fields: Any) -> dict[str, Any]:
    return make_segment(name="site", **fields)


def test_the_annotation_says_it() -> None:
    facts = make_facts(
        make_root(
            http=make_request("http://site/movies/7", 200), annotations={"route": "movies:detail"}
        )
    )

    route = name_route(facts, [facts])

    assert route.label == "GET movies:detail"
    assert route.expression == (
        'service("site") AND http.method = "GET" AND annotation.route = "movies:detail"'
    )


def test_an_annotation_that_is_no_text_says_nothing() -> None:
    facts = make_facts(
        make_root(http=make_request("http://site/movies/7", 200), annotations={"route": 7})
    )

    assert name_route(facts, [facts]).label == "GET /movies/{id}"


@pytest.mark.parametrize(
    ("url", "other", "is_alike"),
    [
        ("http://site/movies/7", "http://site/movies/8", True),
        ("http://site/movies/7", "http://site/posters/8", False),
        ("http://site/movies/", "http://site/movies/", True),
        ("http://site/movies/?page=1", "http://site/movies/?page=2", True),
        ("http://site/movies", "http://site/movies-of-today", False),
        ("http://site/movies/", "http://site/movies/8", False),
    ],
)
def test_the_expression_chooses_requests_of_the_route(url: str, other: str, is_alike: bool) -> None:
    facts = make_facts(make_root(http=make_request(url, 200)))
    expression = name_route(facts, [facts]).expression

    body = json.dumps(make_root(http=make_request(other, 200))).encode()
    found = read_filter(expression, {}).matches([body])

    assert found is is_alike


def test_what_is_no_request() -> None:
    facts = make_facts(make_root())

    route = name_route(facts, [facts])

    assert (route.label, route.expression) == ("site", 'service("site")')
