"""What some traces have in common: how many have each URL, status, user, service and annotation."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from xray_local.traces.elements import Value

from .shapes import OTHER, read_shapes

_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Facets:
    """How many traces have each value; annotations by their keys.

    A boolean annotation is told apart from the number that it equals: by whether it is one.
    """

    urls: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    services: Counter[str] = field(default_factory=Counter)
    annotations: dict[str, Counter[tuple[bool, Value]]] = field(default_factory=dict)


def count_facets(connection: sqlite3.Connection, numbers: Sequence[int]) -> Facets:
    """Return how many of the traces of these numbers have each value."""
    chosen = json.dumps(list(numbers))
    rows = connection.execute(
        "SELECT http_url, http_method, http_status, users, annotations FROM json_each(?) AS chosen "
        "CROSS JOIN traces ON traces.no = chosen.value",
        (chosen,),
    ).fetchall()
    urls, methods, statuses, users, annotations = zip(*rows, strict=True) if rows else ((),) * 5
    facets = Facets(
        urls=Counter(each for each in urls if each is not None),
        methods=Counter(each for each in methods if each is not None),
        statuses=Counter(each for each in statuses if each is not None),
        users=Counter(chain.from_iterable(_decode(each) for each in users if each is not None)),
    )
    found: defaultdict[str, list[Value]] = defaultdict(list)
    for each in annotations:
        if each is not None:
            for key, values in _decode(each).items():
                found[key] += values
    for key, values in found.items():
        facets.annotations[key] = Counter([(type(value) is bool, value) for value in values])
    _count_services(connection, chosen, facets.services)
    return facets


def _count_services(connection: sqlite3.Connection, chosen: str, services: Counter[str]) -> None:
    """Count each service once for a trace, however many of its shapes the trace has."""
    names = {number: shape.service.name for number, shape in read_shapes(connection).items()}
    rows = connection.execute(
        "SELECT group_concat(shape_no) FROM json_each(?) AS chosen "
        "CROSS JOIN trace_shapes ON trace_no = chosen.value GROUP BY chosen.id",
        (chosen,),
    )
    # Most traces are like others: their shapes are read once.
    for numbers, count in Counter(row[0] for row in rows).items():
        shapes = {int(number) for number in numbers.split(",")} - {OTHER}
        for name in {names[shape] for shape in shapes}:
            services[name] += count
