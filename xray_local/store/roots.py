"""What the rows of traces say of the requests that they began with."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Root(NamedTuple):
    """The request that a trace began with.

    id: the trace's. start_time: seconds since 1970; response_time: in seconds. route: the
    annotation of that name.
    """

    id: str
    start_time: float
    response_time: float
    service: str
    method: str
    url: str
    route: str | None
    has_error: bool
    has_fault: bool
    has_throttle: bool
    is_partial: bool


def read_roots(connection: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[Root]:
    """Yield the root of each of the traces of these numbers."""
    rows = connection.execute(
        "SELECT traces.id, start_time, response_time, root_name, http_method, http_url, "
        "json_extract(annotations, '$.route[0]'), has_error, has_fault, has_throttle, is_partial "
        "FROM json_each(?) AS chosen CROSS JOIN traces ON traces.no = chosen.value",
        (json.dumps(list(numbers)),),
    )
    for trace_id, start, seconds, service, method, url, route, *flags in rows:
        yield Root(
            trace_id,
            start,
            seconds,
            service,
            method or "",
            url or "",
            route if isinstance(route, str) else None,
            *map(bool, flags),
        )
