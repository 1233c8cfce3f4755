from typing import Any

import pytest
from django.test import Client

from movies import lab_server

from .markup import read


def test_show_home_says_who_answered(client: Client, settings: Any, embedded_aws: str) -> None:
    settings.REMOTE_URL = f"{embedded_aws}/?token=secret"

    response = client.get("/")

    page = read(response)
    assert response.status_code == 200
    assert f"Hello from here, and from {embedded_aws}/." in page.text
    assert "Status 200" in page.text
    assert " ms" in page.text
    assert "secret" not in response.content.decode()


def test_show_home_when_the_remote_refuses(client: Client, settings: Any) -> None:
    settings.REMOTE_URL = "http://127.0.0.1:9/"

    response = client.get("/")

    page = read(response)
    assert response.status_code == 200
    assert "http://127.0.0.1:9/ did not answer." in page.text
    assert "Status none" in page.text


def test_show_home_when_the_remote_answers_badly(client: Client, settings: Any) -> None:
    settings.REMOTE_URL = f"{lab_server.get_url()}/missing"

    page = read(client.get("/"))

    assert "answered, but not well" in page.text
    assert "Status 404" in page.text


def test_show_home_when_the_remote_hangs(client: Client, settings: Any) -> None:
    settings.REMOTE_URL = f"{lab_server.get_url()}/hang"
    settings.REMOTE_TIMEOUT_SECONDS = 0.2

    response = client.get("/")

    assert response.status_code == 200
    assert "did not answer." in read(response).text


def test_show_home_leads_everywhere(client: Client) -> None:
    links = read(client.get("/")).links

    for link in (
        "/movies/",
        "/app",
        "/lab/",
        "/api/",
        "/api/openapi.json",
        "/accounts/sign-up/",
        "/accounts/sign-in/",
        "/admin/",
        "/readyz",
        "/healthz",
        "/movies/?genre=Science%20Fiction",
        "/movies/?decade=1990",
    ):
        assert link in links


def test_show_home_with_the_lab_off(client: Client, settings: Any) -> None:
    settings.LAB_ENABLED = False

    assert "/lab/" not in read(client.get("/")).links


@pytest.mark.usefixtures("no_sql")
def test_show_home_without_sql(client: Client) -> None:
    page = read(client.get("/"))

    assert "Read-only." in page.text
    assert not [link for link in page.links if link.startswith(("/accounts", "/admin"))]


@pytest.mark.django_db
def test_show_home_to_a_member(member: Client) -> None:
    page = read(member.get("/"))

    assert "trinity" in page.text
    assert "/accounts/" in page.links
    assert "/accounts/sign-in/" not in page.links
