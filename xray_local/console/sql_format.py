"""SQL made ready for people: laid out in lines, and without what differs from call to call.

It is read token by token, never understood: whatever a document calls a query passes, in a time
that grows with its length alone.
"""

import functools
import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"""
      (?P<space>(?:\s++|--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)++)
    | (?P<value>'(?:[^']|'')*+'?            # a text
        | (?<![\w$])\d[\w.]*+               # a number
        | %s | %\(\w++\)s | \?\d*+ | \$\d++ | (?<![:\w])[:@]\w++)  # a parameter
    | (?P<quoted>"[^"]*+"? | `[^`]*+`?)
    | (?P<word>\w++)
    | (?P<mark>:: | <> | [<>!|]?= | \|\| | .)
    """,
    re.VERBOSE | re.DOTALL,
)
LIST = re.compile(r"\(\?(?: ?, ?\?)+\)")
ROWS = re.compile(r"\(\?\)(?: ?, ?\(\?\))+")
# What a program makes up anew each time, and the sign of a number.
SAVEPOINT = re.compile(r"(?i)\b(SAVEPOINT) (?:\"[^\"]*\"|`[^`]*`|\w+)")
SIGNED = re.compile(r"(?i)((?:[=<>(,]|\b(?:AND|BETWEEN|LIMIT|OFFSET|SELECT|THEN|ELSE)) ?)-\?")
# Each begins a line.
CLAUSES = {
    *("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "WINDOW"),
    *("UNION", "INTERSECT", "EXCEPT", "INSERT", "VALUES", "UPDATE", "SET", "DELETE", "RETURNING"),
    *("JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "NATURAL", "WITH"),
}
JOINS = {"LEFT", "RIGHT", "INNER", "CROSS", "NATURAL", "OUTER", "FULL"}
# Each begins a line that belongs to the clause above it.
CONDITIONS = {"AND", "OR", "ON"}
INDENT = "  "
DEEPEST = 10
# A statement that is longer is shown as it came.
FORMATTED_CHARACTERS = 20_000


@functools.lru_cache(5_000)  # a statement comes again and again
def normalise(query: str) -> str:
    """Return the query on one line, with `?` for each value and each list of values."""
    text = "".join(_replace(match) for match in TOKEN.finditer(query)).strip().rstrip("; ")
    text = SIGNED.sub(r"\1?", SAVEPOINT.sub(r"\1 ?", text))
    return ROWS.sub("(?)", LIST.sub("(?)", text))


def _replace(match: re.Match[str]) -> str:
    if match.lastgroup == "space":
        return " "
    return "?" if match.lastgroup == "value" else match[0]


def lay_out(query: str) -> str:
    """Return the query with a line for each of its clauses and conditions."""
    if len(query) > FORMATTED_CHARACTERS:
        return query
    return "\n".join(line for line in _lay_out(query) if line.strip())


def _lay_out(query: str) -> Iterator[str]:
    line = ""
    is_nested = [True]  # for each bracket that is open, whether a query stands in it
    depth = 0  # of these
    is_between = False
    before = ""
    for match in TOKEN.finditer(query):
        text = match[0]
        if match.lastgroup == "space":
            comment = text.strip()
            if "--" in comment:
                yield f"{line.rstrip()} {comment}"
                line = INDENT * min(depth, DEEPEST)
            else:
                line += f" {comment} " if comment else " "
            continue
        word = text.upper() if match.lastgroup == "word" else ""
        if word == "SELECT" and before == "(":
            is_nested[-1] = True
            depth += 1
        # What brackets group is left together; only a query in them has lines of its own.
        if is_nested[-1] and not (word == "AND" and is_between):
            is_clause = word in CLAUSES and not (word == "JOIN" and before in JOINS)
            if is_clause or word in CONDITIONS:
                yield line.rstrip()
                line = INDENT * (min(depth, DEEPEST) + (not is_clause))
        if word == "BETWEEN" or (word == "AND" and is_between):
            is_between = word == "BETWEEN"
        if text == "(":
            is_nested.append(False)
        if text == ")" and len(is_nested) > 1 and is_nested.pop():
            depth -= 1
            yield line.rstrip()
            line = INDENT * min(depth, DEEPEST)
        line += text
        before = word or text
    yield line.rstrip()
