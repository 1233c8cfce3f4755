from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from movies.context_processors import describe_site, site
from movies.views.accounts import grant_editing
from tracing import xray_recorder


def make_request(user: Any = None) -> Any:
    request = RequestFactory().get("/")
    if user is not None:
        request.user = user
    return request


def test_site_outside_a_trace() -> None:
    context = site(make_request(AnonymousUser()))

    assert context["trace_id"] is None
    assert context["trace_url"] is None
    assert context["viewer"] is None
    assert context["can_edit"] is False
    assert context["read_only"] is False


@pytest.mark.parametrize(("is_sampled", "url"), [(True, "https://x.example/{}"), (False, None)])
def test_site_in_a_trace(settings: Any, is_sampled: bool, url: str | None) -> None:
    settings.TRACE_URL = "https://x.example/{trace_id}"
    segment = xray_recorder.begin_segment("test", sampling=1 if is_sampled else 0)
    try:
        context = describe_site()
    finally:
        xray_recorder.end_segment()

    assert context["trace_id"] == segment.trace_id
    assert context["is_sampled"] is is_sampled
    assert context["trace_url"] == (url and url.format(segment.trace_id))


def test_site_before_anybody_knows_the_visitor() -> None:
    assert site(make_request())["viewer"] is None


@pytest.mark.django_db
def test_site_for_an_editor() -> None:
    person = User.objects.create_user("morpheus")
    assert site(make_request(person))["can_edit"] is False

    grant_editing(person)
    person = User.objects.get(pk=person.pk)

    context = site(make_request(person))
    assert context["viewer"] == person
    assert context["can_edit"] is True


def test_site_without_sql_does_not_look_at_the_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "DATABASES", {"default": {"ENGINE": "django.db.backends.dummy"}})

    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    context = site(make_request(Untouchable()))

    assert context["read_only"] is True
    assert context["viewer"] is None
