"""The keywords: what type each has, and where it may stand."""

from enum import Enum, Flag, auto
from typing import NamedTuple


class Type(Enum):
    """What a keyword can be compared with; the values say so to a person."""

    BOOLEAN = "true or false"
    NUMBER = "a number"
    STRING = "a text in quotation marks"
    ANY = "a text in quotation marks, a number, true or false"


class Scope(Flag):
    """What an expression is about: the trace, or an element of it in braces."""

    TRACE = auto()
    SERVICE = auto()
    EDGE = auto()
    CAUSE_SERVICE = auto()
    CAUSE_ENTITY = auto()
    CAUSE_EXCEPTION = auto()
    CAUSE_COVERAGE = auto()  # entities of response times, beside CAUSE_ENTITY


class Keyword(NamedTuple):
    """A keyword, in the spelling that every other spelling of it becomes."""

    name: str
    type: Type
    scopes: Scope


PLAIN = Scope.TRACE | Scope.SERVICE | Scope.EDGE
CAUSE = Scope.CAUSE_SERVICE | Scope.CAUSE_ENTITY | Scope.CAUSE_EXCEPTION
_BOOLEANS = ("ok", "error", "throttle", "fault", "partial", "root")
_NUMBERS = ("responsetime", "duration", "http.status")
_STRINGS = (
    *("http.url", "http.method", "http.useragent", "http.clientip"),
    *("user", "availabilityzone", "instance.id", "resource.arn"),
)
_KEYWORDS = (
    *(Keyword(name, Type.BOOLEAN, PLAIN) for name in _BOOLEANS),
    Keyword("inferred", Type.BOOLEAN, PLAIN | Scope.CAUSE_SERVICE),
    Keyword("first", Type.BOOLEAN, CAUSE),
    Keyword("last", Type.BOOLEAN, CAUSE),
    Keyword("remote", Type.BOOLEAN, Scope.CAUSE_ENTITY),
    *(Keyword(name, Type.NUMBER, PLAIN) for name in _NUMBERS),
    Keyword("index", Type.NUMBER, CAUSE),
    Keyword("coverage", Type.NUMBER, Scope.CAUSE_COVERAGE),
    *(Keyword(name, Type.STRING, PLAIN) for name in _STRINGS),
    Keyword("name", Type.STRING, PLAIN | CAUSE),
    Keyword("type", Type.STRING, PLAIN | Scope.CAUSE_SERVICE),
    Keyword("account.id", Type.STRING, PLAIN | Scope.CAUSE_SERVICE),
    Keyword("message", Type.STRING, Scope.CAUSE_EXCEPTION),
)
KEYWORDS = {keyword.name: keyword for keyword in _KEYWORDS}
ALIASES = {"availability.zone": "availabilityzone"}
ANNOTATION = "annotation."
# Before it, in the braces of an edge: annotations of the segment that called, or that was called.
ENDS = ("source.", "destination.")

OPERATORS = {
    Type.BOOLEAN: ("=", "!="),
    Type.NUMBER: ("=", "!=", "<", "<=", ">", ">="),
    Type.STRING: ("=", "!=", "CONTAINS", "BEGINSWITH", "ENDSWITH"),
    Type.ANY: ("=", "!=", "<", "<=", ">", ">=", "CONTAINS", "BEGINSWITH", "ENDSWITH"),
}


def find_keyword(word: str) -> Keyword | None:
    """Return the keyword that a word is, in whatever case; None if it is none."""
    name = word.lower()
    return KEYWORDS.get(ALIASES.get(name, name))


def list_keywords(scope: Scope) -> list[str]:
    """Return what may stand in a scope, for a person to choose from."""
    return [keyword.name for keyword in KEYWORDS.values() if keyword.scopes & scope]
