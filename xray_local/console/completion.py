"""What may come next in a filter expression, for the word at the caret."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xray_local.filters import BadFilter
from xray_local.filters.keywords import ANNOTATION, KEYWORDS, OPERATORS, Scope, Type, find_keyword
from xray_local.filters.lexer import Kind, Token, read_tokens

OPTIONS_MAX = 12
# What is being written: a text that does not end, a word, half of a sign; maybe nothing.
LAST = re.compile(r'"(?:[^"\\]|\\.)*$|annotation\[[^\]]*$|[A-Za-z0-9_.]+$|(?<![<>!])[<>!]$|$')
STARTS = ("service(", "edge(", "group.name")
GROUP_FIELDS = ("group.name",)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of what is stored.

    values: by the field as a filter writes it, the most frequent first, as a filter writes them;
    services and groups: names in quotation marks.
    """

    values: Mapping[str, Sequence[str]]
    services: Sequence[str]
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class Completion:
    """What replaces the end of the text before the caret: the options, as many as are helpful."""

    replaced: str
    options: tuple[tuple[str, str], ...]  # the text, and what kind of thing it is


def complete(before: str, vocabulary: Vocabulary) -> Completion:
    """Return what the text before the caret may go on with."""
    match = _find_last(before)
    written = match.group()
    try:
        *tokens, _ = read_tokens(before[: match.start()])
    except BadFilter:
        return Completion("", ())
    options = list(_list_options(tokens, written, vocabulary))
    wanted = written.lower().removeprefix('"')
    fitting = [each for each in options if _begins(each[0], wanted)]
    # In the middle as well, but not of a single letter.
    if len(wanted) > 1:
        fitting += [each for each in options if wanted in each[0].lower() and each not in fitting]
    return Completion(written, tuple(each for each in fitting if each[0] != written)[:OPTIONS_MAX])


def _find_last(before: str) -> re.Match[str]:
    """Return what is being written; a quotation mark within a text begins none."""
    place = 0
    for text in re.finditer(r'"(?:[^"\\]|\\.)*"', before):
        place = text.end()
    found = LAST.search(before, place)
    assert found is not None  # noqa: S101 - the pattern fits nothing at the end too
    return found


def _begins(option: str, wanted: str) -> bool:
    return option.lower().removeprefix('"').startswith(wanted)


def _list_options(
    tokens: Sequence[Token], written: str, vocabulary: Vocabulary
) -> Iterable[tuple[str, str]]:
    last = tokens[-1] if tokens else None
    if last is None or last.is_word("AND", "OR") or last.text in ("(", "{", "!", ","):
        if _is_named(tokens):
            return [(name, "service") for name in vocabulary.services]
        return _list_fields(vocabulary)
    if last.kind is Kind.SIGN and last.text in ("=", "!=", "<", "<=", ">", ">="):
        return _list_values(tokens[-2] if len(tokens) > 1 else None, vocabulary)
    if last.is_word("CONTAINS", "BEGINSWITH", "ENDSWITH"):
        return _list_values(tokens[-2] if len(tokens) > 1 else None, vocabulary)
    if last.kind in (Kind.WORD, Kind.ANNOTATION):
        return [*((each, "operator") for each in _list_operators(last)), *_list_joins()]
    if last.text in (")", "}") or last.kind in (Kind.STRING, Kind.NUMBER):
        return [] if _is_named(tokens[:-1]) and last.text != ")" else _list_joins()
    return []


def _is_named(tokens: Sequence[Token]) -> bool:
    """Whether the name of a service comes next: after `service(`, `edge(` or a comma in that."""
    depth = 0
    for number, token in enumerate(tokens):
        if token.is_sign("("):
            is_name = number > 0 and tokens[number - 1].is_word("SERVICE", "EDGE")
            depth = 1 if is_name else 0
        elif token.is_sign(")"):
            depth = 0
    return bool(depth)


def _list_fields(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    keywords = [keyword.name for keyword in KEYWORDS.values() if keyword.scopes & Scope.TRACE]
    annotations = [field for field in vocabulary.values if field.startswith("annotation")]
    return [
        *((name, "keyword") for name in keywords),
        *((field, "annotation") for field in annotations),
        *((start, "keyword") for start in STARTS),
    ]


def _list_values(field: Token | None, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    if field is None:
        return []
    if field.text.lower() in GROUP_FIELDS:
        return [(name, "group") for name in vocabulary.groups]
    keyword = find_keyword(field.text)
    if keyword and keyword.type is Type.BOOLEAN:
        return [("true", "value"), ("false", "value")]
    if keyword and keyword.name == "name":
        return [(name, "service") for name in vocabulary.services]
    name = keyword.name if keyword else field.text
    return [(value, "value") for value in vocabulary.values.get(name, ())]


def _list_operators(field: Token) -> Iterable[str]:
    keyword = find_keyword(field.text)
    if keyword:
        return OPERATORS[keyword.type]
    if field.text.lower() in GROUP_FIELDS:
        return ("=",)
    is_annotation = field.kind is Kind.ANNOTATION or field.text.lower().startswith(ANNOTATION)
    return OPERATORS[Type.ANY] if is_annotation else ()


def _list_joins() -> list[tuple[str, str]]:
    return [("AND", "and"), ("OR", "or")]
