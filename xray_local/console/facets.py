"""What the traces in sight have in common, as links that narrow the filter to it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xray_local.filters import BadFilter
from xray_local.filters.keywords import ANNOTATION
from xray_local.filters.parser import parse
from xray_local.filters.syntax import And, Comparison, Expression, Id, ServiceTest, write
from xray_local.store.facets import Facets
from xray_local.traces.elements import Value

from .lines import split_url
from .scope import Scope

Test = Comparison | ServiceTest

URL = "URL"
VALUES_SHOWN = 6
KEYS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """A value, how many traces have it, and the link that asks for it, or no longer does.

    link: "" where no filter can say the value.
    """

    label: str
    count: int
    link: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of one kind; left_out: how many others there are."""

    title: str
    choices: tuple[Choice, ...]
    left_out: int


def make_facets(facets: Facets, scope: Scope) -> list[Facet]:
    """Return the facets that have any value. Raises BadFilter."""
    asked = list_parts(scope.filter)
    is_cut = len({split_url(url)[0] for url in facets.urls}) == 1
    made = [
        _make(title, tests, asked, scope, is_cut=is_cut and title == URL)
        for title, tests in list_tests(facets)
    ]
    return [each for each in made if each.choices]


def list_tests(facets: Facets) -> Iterator[tuple[str, dict[Test, int]]]:
    """Yield the title of each kind of value, and how many traces pass the test for each value."""
    built_in: dict[str, dict[Test, int]] = {
        "Status": _compare("http.status", facets.statuses),
        URL: _compare("http.url", facets.urls),
        "Method": _compare("http.method", facets.methods),
        "Service": {ServiceTest(Id(name)): n for name, n in facets.services.items()},
        "User": _compare("user", facets.users),
    }
    yield from built_in.items()
    keys = sorted(facets.annotations.items(), key=lambda each: (-each[1].total(), each[0]))
    for key, values in keys[:KEYS_SHOWN]:
        plain = ((value, count) for (_, value), count in values.items())
        title = f"Annotation {key}" if key in built_in else key
        yield title, _compare(f"{ANNOTATION}{key}", plain)


def list_parts(expression: str) -> tuple[Expression, ...]:
    """Return what the filter asks for, all of which has to hold."""
    if not expression:
        return ()
    parsed = parse(expression)
    return parsed.parts if isinstance(parsed, And) else (parsed,)


def _compare(
    field: str, values: Counter[str] | Counter[int] | Iterable[tuple[Value, int]]
) -> dict[Test, int]:
    pairs = values.items() if isinstance(values, Counter) else values
    return {Comparison(field, "=", value): count for value, count in pairs}


def _make(
    title: str,
    tests: dict[Test, int],
    asked: tuple[Expression, ...],
    scope: Scope,
    *,
    is_cut: bool = False,
) -> Facet:
    """Return the facet; is_cut: what comes before the path of a URL is the same in all."""
    # Of many values, few are said.
    counts = sorted(tests.values(), reverse=True)[:VALUES_SHOWN]
    # What is asked for is always there, to be taken back.
    likely = [each for each in tests.items() if each[1] >= counts[-1] or each[0] in asked]
    likely.sort(key=lambda each: (-each[1], say(each[0])))
    shown = likely[:VALUES_SHOWN] + [each for each in likely[VALUES_SHOWN:] if each[0] in asked]
    choices = tuple(
        Choice(
            split_url(say(test))[1] if is_cut else say(test),
            count,
            _link(test, asked, scope),
            test in asked,
        )
        for test, count in shown
    )
    return Facet(title, choices, len(tests) - len(shown))


def say(test: Test) -> str:
    """Return the value of a test, as a person reads it."""
    if isinstance(test, ServiceTest):
        return test.id.name or ""
    value = test.value
    if isinstance(value, float):
        return f"{value:.15g}"
    return value if isinstance(value, str) else json.dumps(value)


def _link(test: Test, asked: tuple[Expression, ...], scope: Scope) -> str:
    if not can_say(test):
        return ""
    rest = tuple(each for each in asked if each != test)
    parts = rest if len(rest) < len(asked) else (*asked, test)
    if not parts:
        return scope.here(filter=None)
    return scope.here(filter=write(parts[0] if len(parts) == 1 else And(parts)))


def can_say(test: Test) -> bool:
    """Whether the filter's language has a way to write it: not for every key of an annotation."""
    try:
        return parse(write(test)) == test
    except BadFilter:
        return False


def list_words(facets: Facets) -> Iterator[tuple[str, list[str]]]:
    """Yield the fields of the filter's language and their values, as it writes them."""
    for field, values in (
        ("http.status", facets.statuses),
        ("http.url", facets.urls),
        ("http.method", facets.methods),
        ("user", facets.users),
    ):
        yield field, [_write_value(value) for value, _ in values.most_common()]
    for key, counts in facets.annotations.items():
        test = Comparison(f"{ANNOTATION}{key}", "=", True)
        if can_say(test):
            field = write(Comparison(f"{ANNOTATION}{key}"))
            yield field, [_write_value(value) for (_, value), _ in counts.most_common()]


def _write_value(value: Value) -> str:
    return write(Comparison("user", "=", value)).partition("= ")[2]
