import pytest
from django.contrib.auth.models import User
from django.test import Client

from movies.models import Review, Vote


@pytest.fixture
def admin(db: None) -> Client:
    """A browser in which a superuser is signed in."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("oracle"))
    return browser


@pytest.fixture
def review(admin: Client) -> Review:
    author = User.objects.get()
    return Review.objects.create(user=author, year=1999, title="X", stars=5, text="Fine.")


def test_reviews_can_be_found_and_changed(admin: Client, review: Review) -> None:
    assert b"Fine." not in admin.get("/admin/movies/review/?q=fine").content
    assert b"oracle" in admin.get("/admin/movies/review/?q=fine").content

    url = f"/admin/movies/review/{review.pk}/change/"
    assert b"Fine." in admin.get(url).content
    form = {"user": review.user_id, "year": 1999, "title": "X", "stars": 6, "text": "Better."}
    assert admin.post(url, form).status_code == 302
    assert Review.objects.get().text == "Better."


def test_votes_can_be_looked_at_only(admin: Client) -> None:
    vote = Vote.objects.create(user=User.objects.get(), year=1999, title="X", stars=5)

    assert b"oracle" in admin.get("/admin/movies/vote/").content
    assert admin.get(f"/admin/movies/vote/{vote.pk}/change/").status_code == 200
    assert admin.get("/admin/movies/vote/add/").status_code == 403
    assert admin.post(f"/admin/movies/vote/{vote.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"/admin/movies/vote/{vote.pk}/change/", {}).status_code == 403


def test_a_user_who_has_voted_can_be_deleted(admin: Client) -> None:
    voter = User.objects.create_user("cypher")
    Vote.objects.create(user=voter, year=1999, title="X", stars=5)

    url = f"/admin/auth/user/{voter.pk}/delete/"

    assert admin.post(url, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="cypher").exists()
    assert not Vote.objects.exists()


def test_visitors_are_kept_out(client: Client) -> None:
    assert client.get("/admin/movies/review/").status_code == 302


@pytest.mark.parametrize("url", ["/admin/", "/admin/movies/review/", "/admin/password_change/"])
def test_pages_have_their_trace_at_the_foot(admin: Client, url: str) -> None:
    response = admin.get(url)

    trace_id = response["X-Amzn-Trace-Id"].partition("Root=")[2].partition(";")[0]
    foot = response.content.decode().partition('<footer id="footer">')[2]
    assert f"/traces/{trace_id}" in foot
