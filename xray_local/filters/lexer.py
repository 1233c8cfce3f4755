"""From the text of a filter expression to its tokens."""

import json
import math
import re
from enum import Enum
from typing import NamedTuple

from xray_local.traces.documents import show

from .errors import BadFilter
from .keywords import ANNOTATION

MAX_CHARACTERS = 10_000


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    ANNOTATION = "annotation"  # annotation[key]
    STRING = "text"
    NUMBER = "number"
    SIGN = "sign"
    JSON = "JSON"
    END = "end"


class Token(NamedTuple):
    """A token, with its place.

    value: what a text, a number or JSON stands for; the field of an annotation; else what is
    written.
    position: counts characters from 1.
    """

    kind: Kind
    value: str | float
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of the words, which are given in capitals."""
        return self.kind is Kind.WORD and self.text.upper() in words

    def is_sign(self, sign: str) -> bool:
        """Whether it is the sign."""
        return self.kind is Kind.SIGN and self.text == sign

    def show(self) -> str:
        """Return what stands there, for a message."""
        return "the end" if self.kind is Kind.END else show(self.text)


# Keys of annotations may hold dots within the brackets; what SQLite's paths cannot hold may not.
TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?i:(?P<end>source\.|destination\.)?annotation)\[\s*(?P<key>[^\]"\\\x00-\x1f]{1,500}?)\s*\]
    | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    | (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | "(?P<string>(?:[^"\\]|\\.)*)"
    | (?P<sign>!=|<=|>=|[=<>!(){},:])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r'\\(["\\])')


def read_tokens(text: str) -> list[Token]:
    """Return the tokens, an END last. Raises BadFilter."""
    if len(text) > MAX_CHARACTERS:
        raise BadFilter(MAX_CHARACTERS, f"an end within {MAX_CHARACTERS} characters", "more")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadFilter(error.start + 1, "Unicode text", "half of a character") from None
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        if text[place] == "#":
            token, place = _read_json(text, place)
            tokens.append(token)
            continue
        match = TOKEN.match(text, place)
        if match is None:
            raise _refuse(text, place)
        if match["space"] is None:
            tokens.append(_make_token(match))
        place = match.end()
    return [*tokens, Token(Kind.END, "", "", len(text) + 1)]


def _make_token(match: re.Match[str]) -> Token:
    position = match.start() + 1
    if match["key"] is not None:
        prefix = (match["end"] or "").lower()
        return Token(Kind.ANNOTATION, f"{prefix}{ANNOTATION}{match['key']}", match[0], position)
    if match["string"] is not None:
        return Token(Kind.STRING, ESCAPE.sub(r"\1", match["string"]), match[0], position)
    if match["number"] is not None:
        number = float(match["number"])
        if not math.isfinite(number):
            raise BadFilter(position, "a number below 1.8e308", match[0][:80])
        return Token(Kind.NUMBER, number, match[0], position)
    kind = Kind.WORD if match["word"] is not None else Kind.SIGN
    return Token(kind, match[0], match[0], position)


def _read_json(text: str, place: int) -> tuple[Token, int]:
    """Read the JSON after a # sign; its value is kept as text, in one spelling."""
    start = place + 1 + len(text[place + 1 :]) - len(text[place + 1 :].lstrip())
    try:
        value, end = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(text, start)
        spelling = json.dumps(value, sort_keys=True, allow_nan=False)
    except json.JSONDecodeError as error:
        raise BadFilter(error.pos + 1, "JSON after '#'", error.msg) from None
    except (ValueError, RecursionError):
        raise BadFilter(start + 1, "JSON after '#' that can be read", "something else") from None
    return Token(Kind.JSON, spelling, text[place:end], place + 1), end


def _refuse_constant(constant: str) -> float:
    raise ValueError(constant)


def _refuse(text: str, place: int) -> BadFilter:
    if text[place] == '"':
        return BadFilter(len(text) + 1, "a quotation mark that ends the text", "the end")
    if text[place] == "[":
        return BadFilter(place + 1, "annotation[key] with a key and ']'", show(text[place:]))
    if text[place] in "'\u201c\u201d":
        return BadFilter(place + 1, 'a text in straight double quotation marks (")', text[place])
    expected = "a keyword, a value, an operator or a bracket"
    return BadFilter(place + 1, expected, show(text[place]))
