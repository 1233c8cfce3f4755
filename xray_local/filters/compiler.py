"""From the tree of an expression to a condition on the rows of the table `traces`.

Root causes are not in the database. Where an expression asks for them, the condition lets every
trace pass for which it may hold, and the evaluator decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xray_local.documents import show

from .errors import BadFilter
from .evaluator import Trace, holds
from .keywords import ANNOTATION
from .parser import parse
from .syntax import (
    And,
    CauseJson,
    CauseTest,
    Comparison,
    EdgeTest,
    Expression,
    GroupTest,
    Id,
    Not,
    Or,
    ServiceTest,
    Value,
)

# The group that every account has: all traces.
DEFAULT_GROUP = "Default"
ELEMENT_COLUMNS = {
    "ok": "is_ok",
    "error": "has_error",
    "fault": "has_fault",
    "throttle": "has_throttle",
    "partial": "is_partial",
    "inferred": "is_inferred",
    "root": "is_root",
    "responsetime": "response_time",
    "duration": "duration",
    "http.status": "http_status",
    "http.url": "http_url",
    "http.method": "http_method",
    "http.useragent": "user_agent",
    "http.clientip": "client_ip",
    "user": "user",
    "availabilityzone": "zone",
    "instance.id": "instance_id",
    "resource.arn": "resource_arn",
    "name": "name",
    "type": "type",
    "account.id": "account_id",
}
# What any segment of a trace may have: JSON lists.
TRACE_LISTS = {
    "user": "users",
    "availabilityzone": "zones",
    "instance.id": "instance_ids",
    "resource.arn": "resource_arns",
}
TRACE_COLUMNS = {
    **{
        keyword: column for keyword, column in ELEMENT_COLUMNS.items() if keyword not in TRACE_LISTS
    },
    "root": "1",
    "name": "root_name",
    "type": "root_type",
    "account.id": "root_account_id",
}
TEXT_CONDITIONS = {
    "CONTAINS": "instr({column}, {value}) > 0",
    "BEGINSWITH": "substr({column}, 1, length({value})) = {value}",
    "ENDSWITH": "substr({column}, max(1, length({column}) - length({value}) + 1)) = {value}",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter expression, ready to be asked.

    sql: a condition on `traces`, made of our own texts alone; values: what its names stand for.
    is_exact: whether the condition decides; else `matches` does, for the traces that it lets pass.
    """

    expression: Expression
    sql: str
    values: Mapping[str, Any]
    is_exact: bool

    def matches(self, documents: list[dict[str, Any]]) -> bool:
        """Whether the expression holds for the trace of these documents."""
        return holds(self.expression, Trace(documents))


def read_filter(text: str, groups: Mapping[str, str] | None = None) -> Filter:
    """Return the filter that the text says. Raises BadFilter.

    groups: the filter expressions of groups, by name and by ARN.
    """
    expression = expand_groups(parse(text), groups or {})
    compiler = _Compiler()
    sql = compiler.compile(expression)
    return Filter(expression, sql, compiler.values, compiler.is_exact)


def expand_groups(expression: Expression, groups: Mapping[str, str]) -> Expression:
    """Return the expression with each group's own in its place. Raises BadFilter."""
    match expression:
        case And(parts):
            return And(tuple(expand_groups(part, groups) for part in parts))
        case Or(parts):
            return Or(tuple(expand_groups(part, groups) for part in parts))
        case Not(part):
            return Not(expand_groups(part, groups))
        case GroupTest(name, value, position):
            if name == "group.name" and value == DEFAULT_GROUP:
                return And(())
            if value not in groups:
                known = ", ".join(map(show, groups)) or f"{DEFAULT_GROUP!r}, the only one here"
                raise BadFilter(position, f"a group that exists ({known})", show(value))
            # A group within a group is not X-Ray's: its names are then unknown.
            return expand_groups(parse(groups[value]), {})
        case _:
            return expression


@dataclass(slots=True)
class _Compiler:
    """Collects the values while it writes the condition."""

    values: dict[str, Any] = field(default_factory=dict)
    is_exact: bool = True

    def compile(self, expression: Expression, *, is_negated: bool = False) -> str:
        """Return the condition for the expression, or for its opposite.

        Negation goes down to the tests: then what is too wide in a part is too wide in the whole.
        """
        match expression:
            case Not(part):
                return self.compile(part, is_negated=not is_negated)
            case And(parts) | Or(parts):
                is_and = isinstance(expression, And) != is_negated
                inside = (self.compile(part, is_negated=is_negated) for part in parts)
                return _join(list(inside), is_and=is_and)
            case CauseTest(kind, _, _):
                self.is_exact = False
                # What has a root cause of a fault has an element with one, but not the reverse.
                return "1" if is_negated or kind == "responsetime" else f"any_{kind} = 1"
            case CauseJson():
                self.is_exact = False
                return "1"
            case ServiceTest(node, block):
                tests = ["e.is_node = 1", *self._name_node(node, "e.")]
                return self._exist(tests, block, is_negated=is_negated)
            case EdgeTest(source, target, block):
                tests = [
                    "e.source_name IS NOT NULL",
                    *self._name_node(source, "e.source_"),
                    *self._name_node(target, "e."),
                ]
                return self._exist(tests, block, is_negated=is_negated)
            case Comparison():
                return _negate(self._test(expression, "", TRACE_COLUMNS), is_negated)
        raise TypeError(f"{expression!r} has no condition.")

    def _exist(self, tests: list[str], block: Expression | None, *, is_negated: bool) -> str:
        if block is not None:
            tests = [*tests, self._compile_block(block)]
        return (
            f"{'NOT ' if is_negated else ''}EXISTS (SELECT 1 FROM elements AS e "  # noqa: S608
            f"WHERE e.trace_id = traces.id AND {' AND '.join(tests)})"
        )

    def _compile_block(self, block: Expression, *, is_negated: bool = False) -> str:
        match block:
            case Not(part):
                return self._compile_block(part, is_negated=not is_negated)
            case And(parts) | Or(parts):
                is_and = isinstance(block, And) != is_negated
                inside = (self._compile_block(part, is_negated=is_negated) for part in parts)
                return _join(list(inside), is_and=is_and)
            case Comparison():
                return _negate(self._test(block, "e.", ELEMENT_COLUMNS), is_negated)
        raise TypeError(f"{block!r} does not stand in braces.")

    def _name_node(self, node: Id, prefix: str) -> list[str]:
        return [
            f"{prefix}{column} = {self._keep(value)}"
            for column, value in node._asdict().items()
            if value is not None
        ]

    def _test(self, test: Comparison, prefix: str, columns: Mapping[str, str]) -> str:
        if test.field.startswith(ANNOTATION):
            path = self._keep(f'$."{test.field.removeprefix(ANNOTATION)}"')
            return _exist_in_json(f"{prefix}annotations, {path}", self._compare_json(test))
        if test.field not in columns:
            return _exist_in_json(TRACE_LISTS[test.field], self._compare("j.value", test))
        column = columns[test.field]
        return self._compare(column if column == "1" else f"{prefix}{column}", test)

    def _compare_json(self, test: Comparison) -> str:
        if test.operator is None:
            return "j.type != 'false'"
        if isinstance(test.value, bool):
            is_true = test.value == (test.operator == "=")
            return f"j.type = '{'true' if is_true else 'false'}'"
        types = "('text')" if isinstance(test.value, str) else "('integer', 'real')"
        return f"j.type IN {types} AND {self._compare('j.value', test)}"

    def _compare(self, column: str, test: Comparison) -> str:
        if test.operator is None:
            # A boolean is never NULL, and nothing else is a boolean here.
            is_flag = column == "1" or column.removeprefix("e.").startswith(("is_", "has_"))
            return f"{column} = 1" if is_flag else f"{column} IS NOT NULL"
        value = self._keep(int(test.value) if isinstance(test.value, bool) else test.value)
        if test.operator in TEXT_CONDITIONS:
            return TEXT_CONDITIONS[test.operator].format(column=column, value=value)
        return f"{column} {test.operator} {value}"

    def _keep(self, value: Value | None) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def _join(parts: list[str], *, is_and: bool) -> str:
    if not parts:
        return "1" if is_and else "0"
    return f"({(' AND ' if is_and else ' OR ').join(parts)})"


def _exist_in_json(source: str, condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM json_each({source}) AS j WHERE {condition})"  # noqa: S608


def _negate(condition: str, is_negated: bool) -> str:
    # What is not set compares as NULL, whose opposite would be NULL as well.
    return f"({condition}) IS NOT TRUE" if is_negated else condition
