"""Whether an expression holds for a trace, found out in Python from its documents."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import msgspec

from xray_local.traces.causes import KINDS, Cause, find_causes
from xray_local.traces.elements import Element, Values, describe_trace, list_elements
from xray_local.traces.facts import Facts, load_facts
from xray_local.traces.services import Service
from xray_local.traces.summaries import find_owners
from xray_local.traces.trees import growing_tree

from .syntax import (
    And,
    CauseJson,
    CauseTest,
    Comparison,
    EdgeTest,
    Expression,
    Id,
    Not,
    Or,
    ServiceTest,
    Value,
)

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, other: value == other,
    "!=": lambda value, other: value != other,
    "<": lambda value, other: value < other,
    "<=": lambda value, other: value <= other,
    ">": lambda value, other: value > other,
    ">=": lambda value, other: value >= other,
    "CONTAINS": lambda value, other: other in value,
    "BEGINSWITH": lambda value, other: value.startswith(other),
    "ENDSWITH": lambda value, other: value.endswith(other),
}


class Trace:
    """The documents of one trace as they are stored, read as far as a filter asks."""

    def __init__(self, bodies: Iterable[bytes]) -> None:
        self._bodies = list(bodies)
        self._causes: dict[str, list[Cause]] = {}

    @cached_property
    def elements(self) -> list[Element]:
        """The nodes and edges."""
        return list_elements(self._facts, find_owners(self._facts))

    @cached_property
    def values(self) -> Values:
        """What is said of the trace as a whole."""
        values, annotations = describe_trace(self._facts, self.elements)
        return values | {f"annotation.{key}": each for key, each in annotations.items()}

    def list_causes(self, kinds: Sequence[str]) -> list[Cause]:
        """Return the root causes of these kinds."""
        unknown = [kind for kind in kinds if kind not in self._causes]
        if unknown:
            with growing_tree(map(msgspec.json.decode, self._bodies)) as roots:
                self._causes |= find_causes(roots, unknown)
        return [cause for kind in kinds for cause in self._causes[kind]]

    @cached_property
    def _facts(self) -> list[Facts]:
        return [load_facts(each) for each in self._bodies]


def holds(expression: Expression, trace: Trace) -> bool:
    """Whether the expression, whose groups have been expanded, holds for the trace."""
    match expression:
        case And(parts):
            return all(holds(part, trace) for part in parts)
        case Or(parts):
            return any(holds(part, trace) for part in parts)
        case Not(part):
            return not holds(part, trace)
        case ServiceTest(node, block):
            return any(
                is_node(node, each.service) and _fits(block, each.all_values())
                for each in trace.elements
                if each.is_node
            )
        case EdgeTest(source, target, block):
            return any(
                is_node(source, each.source)
                and is_node(target, each.service)
                and _fits(block, each.all_values())
                for each in trace.elements
                if each.source is not None
            )
        case CauseTest(kind, part, block):
            return any(_fits(block, each) for each in list_parts(trace.list_causes((kind,)), part))
        case CauseJson(text):
            return all(
                any(is_like(pattern, cause) for cause in trace.list_causes(KINDS))
                for pattern in json.loads(text)
            )
        case _:
            return _fits(expression, trace.values)


def _fits(expression: Expression | None, values: Values) -> bool:
    """Whether the expression holds for what has these values."""
    match expression:
        case None:
            return True
        case And(parts):
            return all(_fits(part, values) for part in parts)
        case Or(parts):
            return any(_fits(part, values) for part in parts)
        case Not(part):
            return not _fits(part, values)
        case Comparison(field, operator, value):
            return compare(values.get(field, ()), operator, value)
        case _:
            raise TypeError(f"{expression!r} does not stand here.")


def compare(values: Iterable[Value], operator: str | None, other: Value | None) -> bool:
    """Whether one of the values fits; without an operator, whether one is set and not false."""
    if operator is None:
        return any(value if isinstance(value, bool) else True for value in values)
    kind: type = bool if isinstance(other, bool) else str if isinstance(other, str) else float
    return any(COMPARISONS[operator](value, other) for value in values if _is_a(value, kind))


def _is_a(value: Value, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


def is_node(node: Id, service: Service | None) -> bool:
    """Whether the service is one that the id means."""
    if service is None:
        return False
    name, kind, account_id = node
    return (
        (name is None or name == service.name)
        and (kind is None or kind == service.type)
        and (account_id is None or account_id == service.account_id)
    )


def list_parts(causes: Iterable[Cause], part: str) -> Iterator[Values]:
    """Yield the services, entities or exceptions of root causes, as values by keyword."""
    for cause in causes:
        services = cause["Services"]
        if part == "service":
            yield from _number(services, _describe_service)
        for service in services:
            if part == "entity":
                yield from _number(service["EntityPath"], _describe_entity)
            for entity in service["EntityPath"] if part == "exception" else ():
                yield from _number(entity.get("Exceptions", ()), _describe_exception)


def _number(
    items: list[dict[str, Any]], describe: Callable[[dict[str, Any]], dict[str, Any]]
) -> Iterator[Values]:
    for index, item in enumerate(items):
        values = describe(item) | {
            "index": index,
            "first": index == 0,
            "last": index == len(items) - 1,
        }
        yield {key: (value,) for key, value in values.items() if value is not None}


def _describe_service(service: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": service["Name"],
        "type": service.get("Type"),
        "account.id": service.get("AccountId"),
        "inferred": service["Inferred"],
    }


def _describe_entity(entity: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": entity["Name"],
        "remote": entity["Remote"],
        "coverage": entity.get("Coverage"),
    }


def _describe_exception(exception: dict[str, Any]) -> dict[str, Any]:
    return {"name": exception.get("Name"), "message": exception.get("Message")}


def is_like(pattern: Any, value: Any) -> bool:
    """Whether the value has all that the pattern has; what the pattern leaves out may be anything.

    A list is like another of the same length, item by item.
    """
    if isinstance(pattern, dict) and isinstance(value, dict):
        return all(key in value and is_like(part, value[key]) for key, part in pattern.items())
    if isinstance(pattern, list) and isinstance(value, list):
        return len(pattern) == len(value) and all(map(is_like, pattern, value))
    if isinstance(pattern, bool) or isinstance(value, bool):
        return pattern is value
    return bool(pattern == value)
