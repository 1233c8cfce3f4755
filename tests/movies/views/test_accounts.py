from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import set_script_prefix

from movies import reviews
from movies.catalogue import MovieKey
from movies.context_processors import EDIT_PERMISSION
from movies.forms import SignUpForm
from movies.models import Review
from movies.movie import Movie

from .markup import read

SIGN_UP = "/accounts/sign-up/"
SIGN_IN = "/accounts/sign-in/"
PERSON = {
    "username": "neo",
    "password1": "follow-the-rabbit-9",
    "password2": "follow-the-rabbit-9",
}
PASSWORD = {"username": "trinity", "password": "follow-the-rabbit-9"}

pytestmark = pytest.mark.django_db


def test_sign_up_signs_in(client: Client, settings: Any) -> None:
    settings.NEW_ACCOUNTS_ARE_EDITORS = False

    response = client.post(SIGN_UP, PERSON)

    assert response["Location"] == "/movies/"
    assert not User.objects.get(username="neo").has_perm(EDIT_PERMISSION)
    assert "Welcome, neo." in read(client.get("/accounts/")).text


def test_sign_up_as_an_editor(client: Client, settings: Any) -> None:
    settings.NEW_ACCOUNTS_ARE_EDITORS = True

    client.post(SIGN_UP, PERSON)

    assert User.objects.get(username="neo").has_perm(EDIT_PERMISSION)
    assert "you may edit the catalogue" in read(client.get("/accounts/")).text


def test_sign_up_says_what_is_wrong(client: Client, user: User) -> None:
    response = client.post(SIGN_UP, PERSON | {"username": "trinity", "password2": "other"})

    page = read(response)
    assert "A user with that username already exists." in page.text
    assert "password fields" in page.text
    assert page.fields["username"] == "trinity"
    assert "follow-the-rabbit" not in response.content.decode()


def test_sign_up_when_the_name_is_taken_meanwhile(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form finds the name free, and the database does not."""
    monkeypatch.setattr(SignUpForm, "clean_username", lambda self: self.cleaned_data["username"])
    monkeypatch.setattr(SignUpForm, "validate_unique", lambda self: None)

    response = client.post(SIGN_UP, PERSON | {"username": "trinity"})

    assert response.status_code == 400
    assert "A user with that username already exists." in read(response).text
    assert User.objects.filter(username="trinity").count() == 1


@pytest.mark.parametrize("url", [SIGN_UP, SIGN_IN])
@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/movies/1999/The%20Matrix/", "/movies/1999/The%20Matrix/"),
        ("https://evil.example/", "/movies/"),
        ("//evil.example/", "/movies/"),
        ("javascript:alert(1)", "/movies/"),
        ("", "/movies/"),
    ],
)
def test_next_stays_on_this_site(
    client: Client, user: User, url: str, target: str, location: str
) -> None:
    form = PERSON if url == SIGN_UP else PASSWORD

    assert "evil" not in client.get(url, {"next": target}).content.decode()
    assert client.post(url, {**form, "next": target})["Location"] == location


def test_sign_in_and_out(client: Client, user: User) -> None:
    client.post(SIGN_IN, PASSWORD)
    assert "trinity" in read(client.get("/accounts/")).text

    page = read(client.get("/accounts/sign-out/"))
    assert "Sign out?" in page.text

    assert client.post("/accounts/sign-out/")["Location"] == "/"
    assert client.get("/accounts/").status_code == 302


@pytest.mark.parametrize("wrong", [{"password": "x"}, {"username": "a\0b"}, {"username": ""}])
def test_sign_in_says_what_is_wrong(client: Client, user: User, wrong: dict[str, str]) -> None:
    response = client.post(SIGN_IN, PASSWORD | wrong)

    page = read(response)
    assert "see what is wrong below" in page.text
    assert "trinity" not in page.text


def test_show_account_with_reviews(member: Client, user: User, film: Movie) -> None:
    reviews.save_review(user, film.key, 9, "Whoa & <wow>.")

    response = member.get("/accounts/")

    page = read(response)
    assert "The Matrix (1999)" in page.text
    assert "Whoa & <wow>." in page.text
    assert "/movies/1999/The%20Matrix/review/" in page.links


def test_show_account_with_nothing(member: Client) -> None:
    assert "You have reviewed nothing yet." in read(member.get("/accounts/")).text


def test_show_account_in_pages(member: Client, user: User) -> None:
    for number in range(21):
        key = MovieKey(1999, f"Film {number}")
        Review.objects.create(user=user, year=key.year, title=key.title, stars=5, text="Fine.")

    assert "?page=2" in read(member.get("/accounts/")).links
    assert "Film 0 (1999)" in read(member.get("/accounts/?page=2")).text


@pytest.mark.parametrize("page", ["0", "2", "x", "9" * 5000])
def test_show_account_refuses_a_wrong_page(member: Client, page: str) -> None:
    assert member.get("/accounts/", {"page": page}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("url", [SIGN_UP, "/accounts/sign-in/"])
def test_what_is_refused_is_a_400(client: Client, url: str) -> None:
    response = client.post(url, {"username": "nobody", "password": "x"})

    assert response.status_code == 400
    assert "Nothing is saved yet" in read(response).text


@pytest.mark.django_db
def test_sign_out_leads_back_behind_a_stage(client: Client) -> None:
    set_script_prefix("/dev/")

    response = client.get("/accounts/sign-out/")

    assert "/dev/" in read(response).links
    assert "/" not in read(response).links


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["sign-up", "sign-in", "sign-out"])
def test_methods(client: Client, page: str) -> None:
    url = f"/accounts/{page}/"

    response = client.put(url)

    assert response.status_code == 405
    assert response["Allow"] == client.options(url)["Allow"] == "GET, HEAD, POST, OPTIONS"
