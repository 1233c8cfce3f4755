"""Where a filter expression is wrong, and what would be right there."""

import re
from dataclasses import dataclass

from xray_local.filters import BadFilter

WORD = re.compile(r'"(?:[^"\\]|\\.)*"?|[\w.]+|\S')


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong filter, in three parts of which the middle one is wrong, and what would be right."""

    before: str
    wrong: str
    after: str
    reason: str


def find_mistake(expression: str, error: BadFilter) -> Mistake:
    """Return where the filter is wrong; what is missing at the end is wrong there."""
    start = min(error.position - 1, len(expression))
    match = WORD.match(expression, start)
    end = match.end() if match else len(expression)
    return Mistake(expression[:start], expression[start:end], expression[end:], str(error))
