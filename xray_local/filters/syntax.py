"""What an expression means, as a tree; and the tree as text again."""

import json
import re
from dataclasses import dataclass
from typing import NamedTuple

from .keywords import ANNOTATION

Value = str | float | bool

# Whole numbers up to here are exact.
WHOLE_MAX = 2**53
PLAIN_KEY = re.compile(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Some part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Expression"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A keyword, or `annotation.` and a key, is set (and not false), or compares with a value."""

    field: str
    operator: str | None = None
    value: Value | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparison) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        # True equals 1 in Python, but not in a filter.
        return self.field, self.operator, self.value, isinstance(self.value, bool)


def join_all(*expressions: str) -> str:
    """Return an expression that holds where all of these do; "" stands for every trace."""
    given = [each for each in expressions if each]
    return given[0] if len(given) == 1 else " AND ".join(f"({each})" for each in given)


class Id(NamedTuple):
    """A node of the service map, by as much as is said of it."""

    name: str | None = None
    type: str | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceTest:
    """The trace has a segment of the service; with a block, one for which the block holds."""

    id: Id
    block: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class EdgeTest:
    """In the trace the source called the target; with a block, by a call that the block fits."""

    source: Id
    target: Id
    block: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class GroupTest:
    """The filter expression of a group holds.

    field: group.name or group.arn. position: where the value stands, for a message.
    """

    field: str
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class CauseTest:
    """The block holds for a service, entity or exception of a root cause.

    kind: fault, error or responsetime. part: service, entity or exception.
    """

    kind: str
    part: str
    block: "Expression"


@dataclass(frozen=True, slots=True)
class CauseJson:
    """Every object of the JSON list is like one of the trace's root causes."""

    text: str


Expression = (
    And | Or | Not | Comparison | ServiceTest | EdgeTest | GroupTest | CauseTest | CauseJson
)


def write(expression: Expression) -> str:
    """Return a text that the parser reads as the same expression."""
    match expression:
        case And(parts):
            return " AND ".join(_write_inside(part) for part in parts)
        case Or(parts):
            return " OR ".join(
                write(part) if isinstance(part, And) else _write_inside(part) for part in parts
            )
        case Not(part):
            return f"!{_write_inside(part)}"
        case Comparison(field, operator, value):
            name = _write_field(field)
            return name if operator is None else f"{name} {operator} {_write_value(value)}"
        case ServiceTest(node, block):
            return f"service({_write_id(node)}){_write_block(block)}"
        case EdgeTest(source, target, block):
            ends = "" if source == target == Id() else f"{_write_id(source)}, {_write_id(target)}"
            return f"edge({ends}){_write_block(block)}"
        case GroupTest(field, value, _):
            return f"{field} = {_write_value(value)}"
        case CauseTest(kind, part, block):
            return f"rootcause.{kind}.{part}{_write_block(block)}"
        case CauseJson(text):
            return f"rootcause.json = #{text}"


def _write_inside(part: Expression) -> str:
    return f"({write(part)})" if isinstance(part, And | Or) else write(part)


def _write_field(field: str) -> str:
    prefix, annotation, key = field.partition(ANNOTATION)
    if not annotation or PLAIN_KEY.fullmatch(key):
        return field
    return f"{prefix}annotation[{key}]"


def _write_value(value: Value | None) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_MAX:
        value = int(value)  # as a person writes it
    return json.dumps(value)


def _write_id(node: Id) -> str:
    if node.type is None and node.account_id is None:
        return "" if node.name is None else _write_value(node.name)
    named = {"name": node.name, "type": node.type, "account.id": node.account_id}
    said = (f"{key}: {_write_value(value)}" for key, value in named.items() if value is not None)
    return f"id({', '.join(said)})"


def _write_block(block: Expression | None) -> str:
    return "" if block is None else f" {{ {write(block)} }}"
