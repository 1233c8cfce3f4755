"""The rows of a trace that queries and filters read: one of the trace, one of each element."""

import json
from collections.abc import Collection
from typing import Any

from .elements import Element, Values, describe_trace, list_elements, read_annotations
from .facts import Facts
from .summaries import find_owners, summarise

# The columns of both tables, with the keyword whose first value each has.
COLUMNS = {
    "is_ok": "ok",
    "has_error": "error",
    "has_fault": "fault",
    "has_throttle": "throttle",
    "is_partial": "partial",
    "is_inferred": "inferred",
    "response_time": "responsetime",
    "duration": "duration",
    "http_status": "http.status",
    "http_url": "http.url",
    "http_method": "http.method",
    "user_agent": "http.useragent",
    "client_ip": "http.clientip",
}
TRACE_LISTS = {
    "users": "user",
    "zones": "availabilityzone",
    "instance_ids": "instance.id",
    "resource_arns": "resource.arn",
}
ELEMENT_COLUMNS = {
    "is_root": "root",
    "user": "user",
    "zone": "availabilityzone",
    "instance_id": "instance.id",
    "resource_arn": "resource.arn",
}
TRACE_NAMES = (
    *("id", "id_time", "start_time", "end_time", "summary", "annotations"),
    *("root_name", "root_type", "root_account_id", "any_error", "any_fault"),
    *COLUMNS,
    *TRACE_LISTS,
)
ELEMENT_NAMES = (
    *("trace_id", "number", "name", "type", "account_id"),
    *("source_name", "source_type", "source_account_id", "annotations"),
    *COLUMNS,
    *ELEMENT_COLUMNS,
)


def _insert(table: str, names: tuple[str, ...]) -> str:
    marks = ", ".join("?" for _ in names)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our names


UPSERT_TRACE = (
    f"{_insert('traces', TRACE_NAMES)} ON CONFLICT (id) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in TRACE_NAMES[2:])}"
)
INSERT_ELEMENT = _insert("elements", ELEMENT_NAMES)
DELETE_ELEMENTS = "DELETE FROM elements WHERE trace_id = ?"

Row = tuple[object, ...]


def make_rows(trace_id: str, documents: Collection[Facts], revision: int) -> tuple[Row, list[Row]]:
    """Return the row of the trace and those of its elements."""
    owners = find_owners(documents)
    summary = summarise(trace_id, documents, owners, revision)
    elements = list_elements(documents, owners)
    values = describe_trace(documents, elements)
    row = (
        trace_id,
        int(trace_id[2:10], 16),
        summary["StartTime"],
        summary["StartTime"] + summary["Duration"],
        _dump(summary),
        _dump(dict(read_annotations(values))),
        *(_first(values, name) for name in ("name", "type", "account.id")),
        any(document.has_any_error for document in documents),
        any(document.has_any_fault for document in documents),
        *(_first(values, keyword) for keyword in COLUMNS.values()),
        *(
            _dump(values[keyword]) if keyword in values else None
            for keyword in TRACE_LISTS.values()
        ),
    )
    return row, [_make_row(trace_id, *numbered) for numbered in enumerate(elements)]


def _make_row(trace_id: str, number: int, element: Element) -> Row:
    values = element.values
    annotations = dict(read_annotations(values))
    return (
        trace_id,
        number,
        *element.service,
        *(element.source or (None, None, None)),
        _dump(annotations) if annotations else None,
        *(_first(values, keyword) for keyword in COLUMNS.values()),
        *(_first(values, keyword) for keyword in ELEMENT_COLUMNS.values()),
    )


def _first(values: Values, keyword: str) -> Any:
    found = values.get(keyword)
    return found[0] if found else None


def _dump(value: object) -> str:
    # SQLite compares the keys of JSON as they are written: é must be é, not an escape.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
