import pytest
from django.test import Client

from movies.movie import Movie

from .markup import read

FILM = "/movies/1999/The%20Matrix/"
FOR_EDITORS = ("/movies/add/", f"{FILM}edit/", f"{FILM}delete/", f"{FILM}poster/")
FOR_MEMBERS = (f"{FILM}vote/", f"{FILM}review/", "/accounts/")
OF_ACCOUNTS = ("/accounts/sign-in/", "/accounts/sign-up/", "/accounts/sign-out/")


@pytest.mark.django_db
@pytest.mark.parametrize("url", [*FOR_EDITORS, *FOR_MEMBERS])
def test_anonymous_visitors_sign_in_first(client: Client, film: Movie, url: str) -> None:
    response = client.get(url)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/sign-in/?next=/")
    assert client.post(url).status_code in (302, 405)


@pytest.mark.parametrize("url", FOR_EDITORS)
def test_members_may_not_edit(member: Client, film: Movie, url: str) -> None:
    for response in (member.get(url), member.post(url)):
        page = read(response)
        assert response.status_code == 403
        assert "Only editors may change the catalogue" in page.text
        assert "trinity" in page.text


@pytest.mark.usefixtures("no_sql")
@pytest.mark.parametrize("url", [*FOR_EDITORS, *FOR_MEMBERS, *OF_ACCOUNTS])
def test_without_sql_accounts_are_out_of_reach(client: Client, aws: str, url: str) -> None:
    # No database is allowed here: pytest-django fails the test at the first query.
    for response in (client.get(url), client.post(url, {"username": "a", "password": "b"})):
        if response.status_code == 405:
            continue
        assert response.status_code == 503
        assert response["Retry-After"]
        assert "runs without an SQL database" in read(response).text
