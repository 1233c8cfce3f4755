"""From the tree of an expression to a condition on the rows of the table `traces`.

What is said of the trace as a whole is in its row. Of its nodes and edges the database has the
shapes, which tell names and flags, and the least and greatest times; the row tells more of the
root, and what all together have of annotations, users and the like. Whatever else an expression
asks for, root causes above all, is not there: the condition lets every trace pass for which it may
hold, and the evaluator decides.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from xray_local.store.shapes import OTHER, SHAPES_MAX
from xray_local.store.terms import range_term_of, term_of
from xray_local.traces.documents import show
from xray_local.traces.elements import Values, clean
from xray_local.traces.tallies import Shape

from .errors import BadFilter
from .evaluator import Trace, compare, holds, is_node
from .keywords import ANNOTATION, ENDS
from .parser import parse
from .syntax import (
    And,
    CauseJson,
    CauseTest,
    Comparison,
    EdgeTest,
    Expression,
    GroupTest,
    Not,
    Or,
    ServiceTest,
    Value,
)

# What is left of a block for a shape: nothing, or comparisons of times, or of what a root has.
_Rest = And | Or | Not | Comparison | bool

# The group that every account has: all traces.
DEFAULT_GROUP = "Default"
# What any segment of a trace may have: JSON lists.
TRACE_LISTS = {
    "user": "users",
    "availabilityzone": "zones",
    "instance.id": "instance_ids",
    "resource.arn": "resource_arns",
}
TRACE_COLUMNS = {
    "ok": "is_ok",
    "error": "has_error",
    "fault": "has_fault",
    "throttle": "has_throttle",
    "partial": "is_partial",
    "inferred": "is_inferred",
    "root": "1",
    "responsetime": "response_time",
    "duration": "duration",
    "http.status": "http_status",
    "http.url": "http_url",
    "http.method": "http_method",
    "http.useragent": "user_agent",
    "http.clientip": "client_ip",
    "name": "root_name",
    "type": "root_type",
    "account.id": "root_account_id",
}
TERM_KEYWORDS = {
    *("http.url", "http.method", "http.useragent", "http.clientip", "name", "type", "account.id"),
    *TRACE_LISTS,
}
# In braces: what a shape decides, and the times, which are the same thing there.
NAME_KEYWORDS = {"name", "type", "account.id"}
SHAPE_KEYWORDS = {
    *("ok", "error", "fault", "throttle", "partial", "inferred", "root"),
    *NAME_KEYWORDS,
}
TIMES = {"responsetime", "duration"}
# The row of a trace has the root's, to the microsecond too, but rounded in another way.
ROUNDING_SECONDS = 0.000002
# What the row of a trace has of its root, and of no other element.
ROOT_KEYWORDS = {"http.url", "http.method", "http.useragent", "http.clientip", "http.status"}
OPPOSITES = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
# Whether some element has such a time; "same" is what is sure of "=".
EXISTING = {
    "=": "(t.low <= {value} AND t.high >= {value})",
    "same": "(t.low = {value} OR t.high = {value})",
    "!=": "(t.low != {value} OR t.high != {value})",
    "<": "t.low < {value}",
    "<=": "t.low <= {value}",
    ">": "t.high > {value}",
    ">=": "t.high >= {value}",
}
# Whether all elements have such a time.
ALL = {
    "=": "(t.low = {value} AND t.high = {value})",
    "!=": "(t.low > {value} OR t.high < {value})",
    "<": "t.high < {value}",
    "<=": "t.high <= {value}",
    ">": "t.low > {value}",
    ">=": "t.low >= {value}",
}
# One of these has what is ok, or none.
OK_STATUSES = range(200, 300)
ORDERS = frozenset({"<", "<=", ">", ">="})
# Up to as many shapes are looked up one by one.
SOUGHT_MAX = 4
# What a text that fits has of the value's own JSON: with the quotation marks or without.
TEXT_PARTS = {
    "=": slice(None),
    "BEGINSWITH": slice(-1),
    "ENDSWITH": slice(1, None),
    "CONTAINS": slice(1, -1),
}
# SQLite takes patterns of 50,000 bytes; what is longer is found by its beginning.
PATTERN_MAX = 2000
GLOB_SPECIAL = re.compile(r"[*?[]")
TEXT_CONDITIONS = {
    "CONTAINS": "instr({column}, {value}) > 0",
    "BEGINSWITH": "substr({column}, 1, length({value})) = {value}",
    "ENDSWITH": "substr({column}, max(1, length({column}) - length({value}) + 1)) = {value}",
}


class Condition(NamedTuple):
    """An expression in SQL, for rows of the table `traces`; made of our own texts alone.

    may: whether it may hold. must: whether it does for sure; where that is false and `may` is true,
    the documents decide. values: what the names in both stand for.
    terms: conditions on the table `terms` as t, for each of which some term of the trace's block
    has to hold. parts: what all has to hold where `may` does.
    """

    may: str
    must: str
    values: Mapping[str, Any]
    terms: tuple[str, ...]
    parts: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether no document has to be asked."""
        return self.may == self.must

    @property
    def sure(self) -> str:
        """Whether a row for which it may hold is one for which it does."""
        return "1" if self.is_exact else self.must


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter expression, ready to be asked."""

    expression: Expression

    def compile(self, read_shapes: Callable[[], Mapping[int, Shape]] = dict) -> Condition:
        """Return the expression in SQL.

        read_shapes: returns those of all elements that there are, by number; it is only called
        where they are asked for.
        """
        compiler = _Compiler(read_shapes)
        wanted = self.expression
        parts = tuple(compiler.split(wanted, is_upper=True))
        must = _join(list(compiler.split(wanted, is_upper=False)), is_and=True)
        terms = tuple(compiler.list_terms(wanted))
        return Condition(_join(list(parts), is_and=True), must, compiler.values, terms, parts)

    def matches(self, bodies: Iterable[bytes]) -> bool:
        """Whether the expression holds for the trace of these documents, as they are stored."""
        return holds(self.expression, Trace(bodies))


def read_filter(text: str, groups: Mapping[str, str] | None = None) -> Filter:
    """Return the filter that the text says. Raises BadFilter.

    groups: the filter expressions of groups, by name and by ARN.
    """
    return Filter(expand_groups(parse(text), groups or {}))


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
            return expand_groups(parse(groups[value]), {}) if groups[value] else And(())
        case _:
            return expression


class _Compiler:
    """Writes conditions, and collects their values.

    Each is written so that it is true wherever the expression may hold (is_upper), or so that it is
    only true where the expression holds for sure. Negation goes down to the tests.
    """

    def __init__(self, read_shapes: Callable[[], Mapping[int, Shape]]) -> None:
        self._read_shapes = read_shapes
        self.values: dict[str, Any] = {}
        self._names: dict[tuple[type, Any], str] = {}
        self._groups: dict[tuple[ServiceTest | EdgeTest, bool, bool], dict[str, list[int]]] = {}

    @cached_property
    def _shapes(self) -> Mapping[int, Shape]:
        return self._read_shapes()

    def split(self, expression: Expression, *, is_upper: bool) -> Iterator[str]:
        """Yield conditions, all of which hold where the expression does."""
        match expression:
            case And(parts):
                for part in parts:
                    yield from self.split(part, is_upper=is_upper)
            case ServiceTest() | EdgeTest():
                yield from self._test_elements(expression, is_upper=is_upper)
            case _:
                yield self._compile(expression, is_upper=is_upper)

    def _compile(self, expression: Expression, *, is_upper: bool, is_negated: bool = False) -> str:
        """Return the condition for the expression, or for its opposite."""
        match expression:
            case Not(part):
                return self._compile(part, is_negated=not is_negated, is_upper=is_upper)
            case And(parts) | Or(parts):
                is_and = isinstance(expression, And) != is_negated
                inside = (
                    self._compile(part, is_negated=is_negated, is_upper=is_upper) for part in parts
                )
                return _join(list(inside), is_and=is_and)
            case CauseTest(kind, _, _):
                # What has a root cause of a fault has an element with one, but not the reverse.
                if kind != "responsetime" and is_negated != is_upper:
                    return f"any_{kind} = {int(is_upper)}"
                return str(int(is_upper))
            case CauseJson():
                return str(int(is_upper))
            case ServiceTest() | EdgeTest():
                tests = self._test_elements(expression, is_upper=is_upper != is_negated)
                return _negate(_join(tests, is_and=True), is_negated)
            case Comparison():
                return _negate(self._test(expression), is_negated)
        raise TypeError(f"{expression!r} has no condition.")

    def _test_elements(self, test: ServiceTest | EdgeTest, *, is_upper: bool) -> list[str]:
        """Return conditions, all of which hold where an element passes the test."""
        groups = self._find_groups(test, is_upper=is_upper)
        exists = [
            "EXISTS (SELECT 1 FROM trace_shapes AS t "  # noqa: S608 - our own texts
            f"WHERE t.trace_no = traces.no AND {each})"
            for each in _write_elements(groups, "shape_no")
        ]
        return [
            *self._list_flags(groups),
            *map(self._test, self._list_implied(test)),
            _join(exists, is_and=False),
        ]

    def list_terms(self, expression: Expression) -> Iterator[str]:
        """Yield conditions that some term of a trace's block fulfils if the expression may hold."""
        match expression:
            case And(parts):
                for part in parts:
                    yield from self.list_terms(part)
            case ServiceTest() | EdgeTest():
                groups = self._find_groups(expression, is_upper=True, has_row=False)
                yield _join(_write_elements(groups, "term"), is_and=False)
                for each in self._list_implied(expression):
                    yield from self.list_terms(each)
            case Comparison(field, operator, value):
                is_same = operator == "="
                if field.startswith(ANNOTATION):
                    if operator in ORDERS and type(value) in (int, float):
                        written = EXISTING[operator].format(value=self._keep(value))
                        yield f"t.term = {self._keep(range_term_of(field))} AND {written}"
                        return
                    term = term_of(field, value) if is_same else term_of(field)
                elif is_same and field in TERM_KEYWORDS:
                    term = term_of(field, value)
                else:
                    return
                yield f"t.term = {self._keep(term)}"

    def _find_groups(
        self, test: ServiceTest | EdgeTest, *, is_upper: bool, has_row: bool = True
    ) -> dict[str, list[int]]:
        """Return the shapes that are meant, by what is left to ask of their elements.

        has_row: whether the row of the trace can be asked, too.
        """
        # There may be thousands of shapes to look at.
        key = (test, is_upper, has_row or not _has_keywords(test.block, ROOT_KEYWORDS))
        if key not in self._groups:
            self._groups[key] = self._group_shapes(*key)
        return self._groups[key]

    def _list_implied(self, test: ServiceTest | EdgeTest) -> Iterator[Comparison]:
        """Yield what holds of a trace wherever the test does: it has all values of its elements."""
        numbers = chain.from_iterable(self._find_groups(test, is_upper=True).values())
        is_root = all(number != OTHER and self._shapes[number].is_root for number in numbers)
        for each in _list_parts(test.block):
            field = each.field
            for end in ENDS:
                field = field.removeprefix(end)
            is_of_root = is_root and field in ROOT_KEYWORDS
            if is_of_root or field in TRACE_LISTS or field.startswith(ANNOTATION):
                yield Comparison(field, each.operator, each.value)
            elif is_root and field in TIMES and isinstance(each.value, float):
                margin = max(ROUNDING_SECONDS, 2 * math.ulp(each.value))
                if each.operator in (">", ">=", "="):
                    yield Comparison("responsetime", ">", each.value - margin)
                if each.operator in ("<", "<=", "="):
                    yield Comparison("responsetime", "<", each.value + margin)

    def _list_flags(self, groups: Mapping[str, Sequence[int]]) -> list[str]:
        """Return what else the row says of a trace that has one of these shapes."""
        numbers = [number for found in groups.values() for number in found]
        if not numbers or OTHER in numbers:
            return []
        shapes = [self._shapes[number] for number in numbers]
        return [
            f"any_{flag} = 1"
            for flag in ("fault", "error")
            if all(getattr(shape, f"has_{flag}") for shape in shapes)
        ]

    def _group_shapes(
        self, test: ServiceTest | EdgeTest, is_upper: bool, has_row: bool
    ) -> dict[str, list[int]]:
        has_names = _has_keywords(test.block, NAME_KEYWORDS)
        rests: dict[object, str | None] = {}
        groups: dict[str, list[int]] = {}
        for number, shape in self._shapes.items():
            if not _is_meant(test, shape):
                continue
            # There may be thousands of services; but not of what else a shape says.
            key = shape[1:] if has_names else shape[2:]
            if key not in rests:
                values = _describe(shape)
                has_root = has_row and shape.is_root
                rest = self._reduce(test.block, values, is_upper=is_upper, has_root=has_root)
                rests[key] = None if rest is False else self._write_rest(rest, is_upper=is_upper)
            written = rests[key]
            if written is not None:
                groups.setdefault(written, []).append(number)
        if is_upper and len(self._shapes) >= SHAPES_MAX:
            groups.setdefault("1", []).append(OTHER)
        return groups

    def _reduce(
        self,
        block: Expression | None,
        values: Values,
        *,
        is_upper: bool,
        has_root: bool,
        is_negated: bool = False,
    ) -> "_Rest":
        """Return what is left of the block for elements of which these values are known.

        has_root: whether the element is the one that the row of the trace tells of.
        """
        reduce = partial(self._reduce, values=values, is_upper=is_upper, has_root=has_root)
        match block:
            case None:
                return True
            case Not(part):
                return reduce(part, is_negated=not is_negated)
            case And(parts) | Or(parts):
                is_and = isinstance(block, And) != is_negated
                rests = [reduce(part, is_negated=is_negated) for part in parts]
                # False decides an AND, True an OR; the other one says nothing.
                if any(rest is not is_and for rest in rests if isinstance(rest, bool)):
                    return not is_and
                left = tuple(rest for rest in rests if not isinstance(rest, bool))
                return (And if is_and else Or)(left) if left else is_and
            case Comparison(field, operator, value):
                if field in TIMES:
                    if operator is None:
                        return not is_negated
                    return Comparison(field, OPPOSITES[operator] if is_negated else operator, value)
                if field in SHAPE_KEYWORDS:
                    return compare(values.get(field, ()), operator, value) != is_negated
                if field in ROOT_KEYWORDS and has_root:
                    return Not(block) if is_negated else block
                if field == "http.status" and not is_negated and values["ok"] == (True,):
                    return is_upper and _is_ok_status(operator, value)
                return is_upper
        raise TypeError(f"{block!r} does not stand in braces.")

    def _write_rest(self, rest: "_Rest", *, is_upper: bool) -> str:
        """Return the condition on t.low and t.high, the times of the elements of a shape, and on
        the row of the trace.

        Where two times are compared, what holds for the least and the greatest need not hold for
        one element. Then only what holds for all of them is sure.
        """
        conditions = EXISTING if is_upper or not _has_and(rest) else ALL

        def write(part: Expression | bool) -> str:
            match part:
                case And(parts) | Or(parts):
                    return _join(list(map(write, parts)), is_and=isinstance(part, And))
                case Not(part):
                    return _negate(write(part), is_negated=True)
                case Comparison(field, operator, value) if field in TIMES:
                    key = "same" if operator == "=" and not is_upper else operator
                    layout = conditions.get(key or "") or conditions[operator or ""]
                    return layout.format(value=self._keep(value))
                case Comparison():
                    return self._test(part)
            return str(int(bool(part)))

        return write(rest)

    def _test(self, test: Comparison) -> str:
        if test.field.startswith(ANNOTATION):
            key = test.field.removeprefix(ANNOTATION)
            path = self._keep(f'$."{key}"')
            exists = _exist_in_json(f"annotations, {path}", self._compare_json(test))
            return self._look_first("annotations", test, self._look_at_one(key, test, exists))
        if test.field in TRACE_LISTS:
            column = TRACE_LISTS[test.field]
            exists = _exist_in_json(column, self._compare("j.value", test))
            return self._look_first(column, test, exists)
        return self._compare(TRACE_COLUMNS[test.field], test)

    def _look_first(self, column: str, test: Comparison, exists: str) -> str:
        """Return the condition on a column of JSON, for only those rows that have the text.

        Looking for a text is several times as quick as reading JSON.
        """
        part = TEXT_PARTS.get(test.operator or "")
        if part is None or not isinstance(test.value, str):
            return exists
        text = encode_basestring(test.value)[part][:PATTERN_MAX]
        pattern = GLOB_SPECIAL.sub(r"[\g<0>]", text)
        return f"({column} GLOB {self._keep(f'*{pattern}*')} AND {exists})"

    def _look_at_one(self, key: str, test: Comparison, exists: str) -> str:
        """Return the condition on a text, decided without reading JSON where the key has it alone.

        A key has nothing in it that JSON would write in another way.
        """
        if test.operator not in ("=", "!=") or not isinstance(test.value, str):
            return exists
        alone = self._keep(f'"{key}":[{encode_basestring(test.value)}]')
        if test.operator == "=":
            return f"(instr(annotations, {alone}) > 0 OR {exists})"
        return f"(instr(annotations, {alone}) = 0 AND {exists})"

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
            is_flag = column == "1" or column.startswith(("is_", "has_"))
            return f"{column} = 1" if is_flag else f"{column} IS NOT NULL"
        value = self._keep(int(test.value) if isinstance(test.value, bool) else test.value)
        if test.operator in TEXT_CONDITIONS:
            return TEXT_CONDITIONS[test.operator].format(column=column, value=value)
        return f"{column} {test.operator} {value}"

    def _keep(self, value: Value | None) -> str:
        key = (type(value), value)
        name = self._names.setdefault(key, f"f{len(self._names)}")
        self.values[name] = value
        return f":{name}"


def _is_meant(test: ServiceTest | EdgeTest, shape: Shape) -> bool:
    if isinstance(test, ServiceTest):
        return shape.is_node and is_node(test.id, shape.service)
    return (
        shape.source is not None
        and is_node(test.source, shape.source)
        and is_node(test.target, shape.service)
    )


def _write_elements(groups: Mapping[str, Sequence[int]], column: str) -> list[str]:
    """Return conditions on the column of shapes and on what is left, one of which has to hold."""
    # Of many shapes, it is quicker to look at all that the trace has.
    return [
        f"{'+' if column == 'shape_no' and len(numbers) > SOUGHT_MAX else ''}t.{column} IN "
        f"({', '.join(map(str, numbers))})" + ("" if rest == "1" else f" AND {rest}")
        for rest, numbers in groups.items()
    ]


def _list_parts(block: Expression | None) -> Iterator[Comparison]:
    """Yield the comparisons that all have to hold where the block does."""
    match block:
        case And(parts):
            for part in parts:
                yield from _list_parts(part)
        case Comparison():
            yield block


def _has_keywords(block: Expression | None, keywords: Collection[str]) -> bool:
    match block:
        case Not(part):
            return _has_keywords(part, keywords)
        case And(parts) | Or(parts):
            return any(_has_keywords(part, keywords) for part in parts)
        case Comparison(field, _, _):
            return field in keywords
    return False


@lru_cache(100)
def _is_ok_status(operator: str | None, value: Value | None) -> bool:
    """Whether some status of what is ok compares like that."""
    return compare(OK_STATUSES, operator, value)


def _describe(shape: Shape) -> Values:
    """Return what a shape says of its elements, by keyword."""
    name, kind, account_id = shape.service
    values: dict[str, Value | None] = {
        "ok": shape.is_ok,
        "error": shape.has_error,
        "fault": shape.has_fault,
        "throttle": shape.has_throttle,
        "partial": shape.is_partial,
        "inferred": shape.is_inferred,
        "root": shape.is_root,
        "name": clean(name),
        "type": None if kind is None else clean(kind),
        "account.id": None if account_id is None else clean(account_id),
    }
    return {key: (value,) for key, value in values.items() if value is not None}


def _has_and(rest: Expression | bool) -> bool:
    match rest:
        case And(parts) | Or(parts):
            is_and = isinstance(rest, And) and len(parts) > 1
            return is_and or any(map(_has_and, parts))
    return False


def _join(parts: list[str], *, is_and: bool) -> str:
    nothing = "1" if is_and else "0"
    # What is always so needs no test, and what never is decides.
    if ("0" if is_and else "1") in parts:
        return "0" if is_and else "1"
    kept = list(dict.fromkeys(part for part in parts if part != nothing))
    return f"({(' AND ' if is_and else ' OR ').join(kept)})" if kept else nothing


def _exist_in_json(source: str, condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM json_each({source}) AS j WHERE {condition})"  # noqa: S608


def _negate(condition: str, is_negated: bool) -> str:
    # What is not set compares as NULL, whose opposite would be NULL as well.
    return f"({condition}) IS NOT TRUE" if is_negated else condition
