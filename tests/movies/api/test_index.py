"""The way in; and that every page of the catalogue has its twin."""

import pytest
from django.urls import reverse, set_script_prefix

from movies import urls as page_urls
from movies.api import urls

from .client import APIClient

# Each page of the catalogue, and the address and method of the API that do the same.
TWINS = {
    "movies": ("api-movies", "GET"),
    "movie": ("api-movie", "GET"),
    "movie-add": ("api-movies", "POST"),
    "movie-edit": ("api-movie", "PUT"),
    "movie-delete": ("api-movie", "DELETE"),
    "movie-poster": ("api-poster", "PUT"),
    "movie-vote": ("api-votes", "POST"),
    "review": ("api-review", "PUT"),
    "review-delete": ("api-review", "DELETE"),
}
# What isn't of the catalogue, and a drawing that stands for what the API says with null.
ONLY_PAGES = {
    *("home", "app", "account", "sign-up", "sign-in", "sign-out", "lab", "lab-run"),
    *("healthz", "readyz"),
}


def names(patterns: list[object]) -> set[str]:
    """Return the names of URL patterns."""
    return {name for pattern in patterns if (name := getattr(pattern, "name", None))}


def test_index_links(anonymous: APIClient) -> None:
    links = anonymous.get("/api/").json()

    assert set(links) == {"movies", "genres", "openapi"}
    for link in links.values():
        assert anonymous.get(link).status_code == 200


def test_index_under_a_stage(anonymous: APIClient) -> None:
    set_script_prefix("/prod/")
    try:
        links = anonymous.get("/api/").json()
    finally:
        set_script_prefix("/")

    assert links["movies"] == "/prod/api/movies/"


def test_every_page_has_its_twin() -> None:
    assert names([*page_urls.urlpatterns]) == TWINS.keys() | ONLY_PAGES
    assert {name for name, _ in TWINS.values()} <= names([*urls.urlpatterns])


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "method"), TWINS.values())
def test_twins_take_the_method(anonymous: APIClient, name: str, method: str) -> None:
    kwargs = {} if name == "api-movies" else {"year": 1999, "title": "x"}

    assert method in anonymous.send("OPTIONS", reverse(name, kwargs=kwargs))["Allow"].split(", ")
