"""Tests of movies.converters: every title survives the way through a URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movies.converters import TitleConverter

CONVERTER = TitleConverter()


@given(st.text(min_size=1))
def test_round_trip(title: str) -> None:
    segment = CONVERTER.to_url(title)

    assert "/" not in segment
    assert segment.strip(".")
    assert CONVERTER.to_python(segment) == title


@pytest.mark.parametrize(
    ("title", "segment"),
    [
        ("The Matrix", "The Matrix"),
        ("Face/Off", "Face~sOff"),
        ("~", "~~"),
        (".", "~d"),
        ("..", "~d~d"),
        ("Mr. Nobody", "Mr. Nobody"),
    ],
)
def test_escapes(title: str, segment: str) -> None:
    assert CONVERTER.to_url(title) == segment


@pytest.mark.parametrize("segment", ["~", "a~", "~x", ".", "..", "a~d", "~\0", "~~~"])
def test_what_we_never_make_is_refused(segment: str) -> None:
    with pytest.raises(ValueError, match="Expected an escaped title"):
        CONVERTER.to_python(segment)
