"""Tests of movies.lines: what a title or name may hold, and that nothing invisible slips in."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movies.lines import LINE, find_fault

JOINERS = "\u200c\u200d"


@pytest.mark.parametrize(
    "line",
    [
        "The Matrix",
        "$",
        "✨",
        "می\u200cخواهم",  # noqa: RUF001 - Persian, as it is written
        "क्\u200dष",
        "Auf\u200clage",
        "👩\u200d🚀",
        "👩🏽\u200d🚀",
        "❤\ufe0f\u200d🔥",
        "👨\u200d👩\u200d👧\u200d👦 and dog",
    ],
)
def test_taken(line: str) -> None:
    assert find_fault(line) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a\nb", "one line"),
        ("a\u2028b", "one line"),
        ("\ud800", "one line"),
        ("\u3164", "can be seen"),
        ("\u2800 \u0301\ufe0f", "can be seen"),
        ("\u200b", "can be seen"),
        ("Matrix\u200b", "invisible"),
        ("\u202eMatrix", "invisible"),
        ("a\u2066b\u2069", "invisible"),
        ("\u200dMatrix", "invisible"),
        ("Matrix\u200d", "invisible"),
        ("The \u200d Matrix", "invisible"),
        ("8\u200d9", "invisible"),
        ("a\u200d\u200db", "invisible"),
        ("🏴\U000e0067\U000e007f", "invisible"),
    ],
)
def test_refused(line: str, reason: str) -> None:
    assert reason in str(find_fault(line))


def test_every_format_character_is_refused() -> None:
    everything = map(chr, range(sys.maxunicode + 1))
    formats = [each for each in everything if unicodedata.category(each) == "Cf"]

    assert len(formats) > 150
    taken = [each for each in formats if not find_fault(f"a{each}b")]
    assert taken == list(JOINERS)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_pattern_says_the_same(line: str) -> None:
    # The "$" of JSON Schema's validator in Python goes before a line's end too.
    assert bool(re.search(LINE, line.rstrip("\n"))) == (find_fault(line.rstrip("\n")) is None)
