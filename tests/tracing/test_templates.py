"""What the rendering of templates says in a trace."""

from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.template import TemplateSyntaxError
from django.template.backends.django import DjangoTemplates
from django.template.backends.jinja2 import Jinja2

from tests.conftest import Daemon
from tests.tracing.conftest import finish
from tracing.context import put_current
from tracing.entities import FunctionSegment
from tracing.header import TraceHeader


class Form(forms.Form):
    title = forms.CharField()


@pytest.fixture(params=[DjangoTemplates, Jinja2])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """An engine of Django with a page that is made of parts."""
    (tmp_path / "page.html").write_text("{% include 'part.html' %} {{ form }}")
    (tmp_path / "part.html").write_text("part")
    (tmp_path / "broken.html").write_text("{% include 'wrong.html' %}")
    (tmp_path / "wrong.html").write_text("{% for %}")
    return request.param({"NAME": "test", "DIRS": [tmp_path], "APP_DIRS": False, "OPTIONS": {}})


def test_a_page_is_one_subsegment(engine: Any, daemon: Daemon, segment: Any) -> None:
    page = engine.get_template("page.html").render({"form": Form()})

    assert "part" in page
    assert "title" in page
    (call,) = finish(daemon)
    assert call["name"] == "page.html"
    assert not {"namespace", "subsegments", "fault"} & call.keys()


def test_a_page_that_breaks(engine: Any, daemon: Daemon, segment: Any) -> None:
    page = engine.get_template("broken.html")

    with pytest.raises(TemplateSyntaxError):
        page.render({})

    (call,) = finish(daemon)
    assert (call["name"], call["fault"]) == ("broken.html", True)
    assert call["cause"]["exceptions"][0]["type"] == "TemplateSyntaxError"


def test_a_template_without_a_name(engine: Any, daemon: Daemon, segment: Any) -> None:
    engine.from_string("text").render()

    (call,) = finish(daemon)
    assert call["name"] == "template"


def test_outside_a_trace_nothing_is_told(engine: Any, daemon: Daemon) -> None:
    engine.get_template("page.html").render({"form": Form()})

    assert daemon.receive() == []


def test_a_page_of_an_invocation_without_a_request(engine: Any, daemon: Daemon) -> None:
    """The handler of a message, on Lambda, which has asked for the current segment."""
    header = TraceHeader("1-581cf771-a006649127e371903a2de979", "b" * 16, 1)
    before = put_current(FunctionSegment(header.root or "", header.parent or "", header, None))

    page = engine.get_template("page.html").render({"form": Form()})

    put_current(before)
    assert "part" in page
    (call,) = daemon.documents(1)
    assert (call["name"], call["parent_id"]) == ("page.html", "b" * 16)
