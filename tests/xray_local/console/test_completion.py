"""What may come next in a filter expression."""

import pytest

from xray_local.console.completion import OPTIONS_MAX, Vocabulary, complete
from xray_local.filters import BadFilter, read_filter

VOCABULARY = Vocabulary(
    values={
        "http.status": ["200", "500"],
        "http.url": ['"http://a/films/"', '"http://a/people/"'],
        "http.method": ['"GET"'],
        "user": ['"ada"', '"say \\"hi\\""'],
        "annotation.route": ['"film"', '"person"'],
        "annotation[a b]": ["true", "7"],
    },
    services=['"site"', '"site api"', '"stock"'],
    groups=['"Default"', '"broken"'],
)


@pytest.mark.parametrize(
    ("before", "replaced", "first"),
    [
        ("", "", "ok"),
        ("fau", "fau", "fault"),
        ("FAU", "FAU", "fault"),
        ("ok AND thr", "thr", "throttle"),
        ("!(ok) OR http.st", "http.st", "http.status"),
        ("fault ", "", "="),
        ("fault = ", "", "true"),
        ("fault = tr", "tr", "true"),
        ("http.status >", ">", ">="),
        ("http.status = ", "", "200"),
        ("HTTP.STATUS = 5", "5", "500"),
        ("http.url CONTAINS ", "", '"http://a/films/"'),
        ('http.url = "http://a/p', '"http://a/p', '"http://a/people/"'),
        ('http.url = "people', '"people', '"http://a/people/"'),
        ("user =", "", '"ada"'),
        ("http.status >=", "", "200"),
        ('user = "say', '"say', '"say \\"hi\\""'),
        ('user = "ada" ', "", "AND"),
        ('user = "ada" o', "o", "OR"),
        ("annotation.r", "annotation.r", "annotation.route"),
        ("rout", "rout", "annotation.route"),
        ("annotation.route ", "", "="),
        ("annotation.route = ", "", '"film"'),
        ("annotation[", "annotation[", "annotation[a b]"),
        ("annotation[a b] = ", "", "true"),
        ("serv", "serv", "service("),
        ("service(", "", '"site"'),
        ('service("st', '"st', '"stock"'),
        ('edge("site", ', "", '"site"'),
        ('edge("site", "st', '"st', '"stock"'),
        ('service("site") ', "", "AND"),
        ("group.name = ", "", '"Default"'),
        ('group.name = "b', '"b', '"broken"'),
        ("name = ", "", '"site"'),
    ],
)
def test_completion(before: str, replaced: str, first: str) -> None:
    found = complete(before, VOCABULARY)

    assert found.replaced == replaced
    assert found.options[0][0] == first
    assert len(found.options) <= OPTIONS_MAX


@pytest.mark.parametrize(
    "before", ["'", "nothing like it", "unknown = ", 'service("site", "x', "]"]
)
def test_nothing_to_offer(before: str) -> None:
    assert all(text not in ("", before) for text, _ in complete(before, VOCABULARY).options)


def test_a_quotation_mark_within_a_text_begins_none() -> None:
    found = complete('user = "say \\"hi\\"" AND user = "a', VOCABULARY)

    assert (found.replaced, found.options[0][0]) == ('"a', '"ada"')


def test_what_is_written_is_not_offered() -> None:
    assert "fault" not in [text for text, _ in complete("fault", VOCABULARY).options]


@pytest.mark.parametrize("before", ["http.url = ", "user = ", "annotation.route = ", "ok = "])
def test_every_value_makes_a_filter(before: str) -> None:
    for text, _ in complete(before, VOCABULARY).options:
        assert read_filter(before + text)


def test_a_mistake_before_is_not_completed() -> None:
    with pytest.raises(BadFilter):
        read_filter("\u201cx\u201d ")

    assert complete("\u201cx\u201d f", VOCABULARY).options == ()
