"""One line of text, as a title or a name is: what it may hold.

As regular expressions that Python and ECMAScript (with its flag u) read alike, so that the API's
description says the same.
"""

import re

# Control characters, and separators of lines and paragraphs.
CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
BLANK = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
# What is kept between two letters or emoji, to write many scripts, and nowhere else.
_JOINERS = r"\u200c\u200d"
# All else of category Cf, which can't be seen: zero-width blanks, marks and overrides of direction,
# tags. Two titles that look the same would be two, or read otherwise than they are stored.
_HIDDEN = (
    r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    # As they are, since Python and ECMAScript escape them differently.
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
# Shows nothing by itself: accents and variants of a letter, fillers.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
_NOTHING = (
    r"\u0300-\u036f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef"
)
# What isn't a letter, a mark or an emoji, in ASCII, Latin-1, and the blocks of punctuation.
_NO_LETTER = (
    r"\u0000-@\[-`{-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2000-\u206f"
    r"\u3000-\u303f"
)
_REFUSED = CONTROL + _HIDDEN + _JOINERS
_JOINABLE = f"[^{_REFUSED}{BLANK}{_NO_LETTER}]"
_JOINED = f"{_JOINABLE}(?:[{_JOINERS}][^{_REFUSED}{BLANK}{_NO_LETTER}{_NOTHING}])+"
_PART = f"(?:{_JOINED}|[^{_REFUSED}])"
LINE = f"^{_PART}*(?:{_JOINED}|[^{_REFUSED}{BLANK}{_NOTHING}]){_PART}*$"

_CONTROLS = re.compile(rf"[{CONTROL}\ud800-\udfff]")
_SOMETHING = re.compile(f"[^{_REFUSED}{BLANK}{_NOTHING}]")
_LINE = re.compile(LINE)


def find_fault(line: str) -> str | None:
    """Return what would be right instead of this text, None where it is one line already."""
    if _CONTROLS.search(line):
        return "Expected one line of text, without control characters."
    if not _SOMETHING.search(line):
        return "Expected at least one character that can be seen."
    if not _LINE.search(line):
        return "Expected no invisible characters, such as zero-width spaces and marks of direction."
    return None
