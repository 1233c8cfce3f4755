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
# What can't be seen: the rest of category Cf (zero-width blanks, marks and overrides of direction,
# tags), variants of letters, and letters that are blank. Two titles that look the same would be
# two, or read otherwise than they are stored.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
_HIDDEN = (
    r"\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff0-\ufffb"
    # As they are, since Python and ECMAScript escape them differently.
    "\U000110bd\U000110cd\U00013430-\U0001343f\U00013441\U00013442\U00016fe4"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Shows nothing by itself: accents.
_NOTHING = r"\u0300-\u036f"
# What isn't a letter, a mark or an emoji, in ASCII, Latin-1, and the blocks of punctuation; and
# what NFC makes into it.
_NO_LETTER = (
    r"\u0000-@\[-`{-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u037e\u0387\u1fef"
    r"\u1ffd\u2000-\u206f\u2329\u232a\u3000-\u303f"
)
# Symbols that U+FE0F makes into emoji: those of \p{Emoji} that aren't \p{Emoji_Presentation}.
# Behind anything else it shows nothing.
# https://www.unicode.org/Public/16.0.0/ucd/emoji/emoji-variation-sequences.txt
_SYMBOLS = (
    r"\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef"
    r"\u23f1\u23f2\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc\u2600-\u2604\u260e"
    r"\u2611\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u265f"
    r"\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u2692\u2694-\u2697\u2699\u269b\u269c\u26a0\u26a7"
    r"\u26b0\u26b1\u26c8\u26cf\u26d1\u26d3\u26e9\u26f0\u26f1\u26f4\u26f7-\u26f9\u2702\u2708\u2709"
    r"\u270c\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2733\u2734\u2744\u2747\u2763\u2764\u27a1"
    r"\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299"
    "\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f202\U0001f237\U0001f321\U0001f324-\U0001f32c"
    "\U0001f336\U0001f37d\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e\U0001f39f"
    "\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df\U0001f3f3\U0001f3f5\U0001f3f7\U0001f43f\U0001f441"
    "\U0001f4fd\U0001f549\U0001f54a\U0001f56f\U0001f570\U0001f573-\U0001f579\U0001f587"
    "\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc"
    "\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8"
    "\U0001f5ef\U0001f5f3\U0001f5fa\U0001f6cb\U0001f6cd-\U0001f6cf\U0001f6e0-\U0001f6e5\U0001f6e9"
    "\U0001f6f0\U0001f6f3"
)
_REFUSED = CONTROL + _HIDDEN + _JOINERS
_EMOJI = rf"[{_SYMBOLS}]\ufe0f|[#*0-9]\ufe0f\u20e3"
_JOINABLE = f"(?:{_EMOJI}|[^{_REFUSED}{BLANK}{_NO_LETTER}])"
_JOINED = f"{_JOINABLE}(?:[{_JOINERS}](?:{_EMOJI}|[^{_REFUSED}{BLANK}{_NO_LETTER}{_NOTHING}]))+"
_PART = f"(?:{_JOINED}|{_EMOJI}|[^{_REFUSED}])"
LINE = f"^{_PART}*(?:{_JOINED}|{_EMOJI}|[^{_REFUSED}{BLANK}{_NOTHING}]){_PART}*$"

# Compiled at their first use, and kept by `re`: 5 ms that a start can do without.
_BLANKS = f"[{BLANK}]+"
_CONTROLS = rf"[{CONTROL}\ud800-\udfff]"
_SOMETHING = f"[^{_REFUSED}{BLANK}{_NOTHING}]"


def collapse_blanks(line: str) -> str:
    """Return the line with one space for each run of blanks, of whatever width, and none around."""
    return re.sub(_BLANKS, " ", line).strip()


def find_fault(line: str) -> str | None:
    """Return what would be right instead of this text, None where it is one line already."""
    if re.search(_CONTROLS, line):
        return "Expected one line of text, without control characters."
    if not re.search(_SOMETHING, line):
        return "Expected at least one character that can be seen."
    if not re.search(LINE, line):
        return (
            "Expected no invisible characters, such as zero-width spaces, fillers, marks of "
            "direction, and variation selectors but behind an emoji that needs one."
        )
    return None
