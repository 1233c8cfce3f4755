"""Tests of movies.lines: what a title or name may hold, and that nothing invisible slips in."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movies.lines import LINE, collapse_blanks, find_fault

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
        "❤\ufe0f",
        "7\ufe0f\u20e3 days",
        "🏳\ufe0f\u200d🌈",
        "🕵🏽\u200d♂\ufe0f",
        "👁\ufe0f\u200d🗨\ufe0f",
        "👩\u200d❤\ufe0f\u200d💋\u200d👨",
        "Amélie",
        "Ame\u0301lie",
        "The  \u3000Matrix",
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
        ("Matrix\ufe0f", "invisible"),
        ("Matrix\ufe00", "invisible"),
        ("7\ufe0f", "invisible"),
        ("❤\ufe0f\ufe0f", "invisible"),
        ("😀\ufe0f", "invisible"),
        ("❤\ufe0e", "invisible"),
        ("❤\u200d\ufe0f", "invisible"),
        ("Ma\u034ftrix", "invisible"),
        ("Ma\u180btrix", "invisible"),
        ("Ma\u17b4trix", "invisible"),
        ("Matrix\U000e0100", "invisible"),
        ("葛\U000e0100", "invisible"),
        ("The\u2800Matrix", "invisible"),
        ("The\u3164Matrix", "invisible"),
        ("Matrix\u115f", "invisible"),
        ("Matrix\uffa0", "invisible"),
        ("Matrix\U0001d159", "invisible"),
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


def test_every_ignorable_character_is_refused() -> None:
    """Those of Unicode's Default_Ignorable_Code_Point, which are shown as nothing at all."""
    ranges = (
        "00ad 034f 061c 115f-1160 17b4-17b5 180b-180f 200b-200f 202a-202e 2060-206f 3164 fe00-fe0f "
        "feff ffa0 fff0-fff8 1bca0-1bca3 1d173-1d17a e0000-e0fff"
    )
    ends = [[int(end, 16) for end in each.split("-")] for each in ranges.split()]
    ignorable = [
        chr(code) for first, *last in ends for code in range(first, (last or [first])[0] + 1)
    ]

    taken = [each for each in ignorable if not find_fault(f"a{each}b")]

    assert taken == list(JOINERS)


@pytest.mark.parametrize("blank", ["  ", "\u2003", "\u00a0", "\u3000 ", " \u200a\u2009"])
def test_collapse_blanks(blank: str) -> None:
    assert collapse_blanks(f"{blank}The{blank}Matrix{blank}") == "The Matrix"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_pattern_says_the_same(line: str) -> None:
    # The "$" of JSON Schema's validator in Python goes before a line's end too.
    assert bool(re.search(LINE, line.rstrip("\n"))) == (find_fault(line.rstrip("\n")) is None)
