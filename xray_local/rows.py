"""The rows of a trace that queries and filters read: one of the trace, one of each element."""

import json
from collections.abc import Collection, Iterable
from json.encoder import encode_basestring
from typing import Any

from .elements import Element, describe_trace, list_elements
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
    *("source_name", "source_type", "source_account_id", "is_node", "annotations"),
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

ELEMENT_KEYWORDS = (*COLUMNS.values(), *ELEMENT_COLUMNS.values())
NO_SOURCE = (None, None, None)
TRACE_KEYWORDS = ("name", "type", "account.id")
NOT_SET = (None,)
# SQLite compares the keys of JSON as they are written: é must be é, not an escape.
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Row = tuple[object, ...]


def make_rows(trace_id: str, documents: Collection[Facts], revision: int) -> tuple[Row, list[Row]]:
    """Return the row of the trace and those of its elements."""
    owners = find_owners(documents)
    summary = summarise(trace_id, documents, owners, revision)
    elements = list_elements(documents, owners)
    values, annotations = describe_trace(documents, elements)
    get: Any = values.get
    row = (
        trace_id,
        int(trace_id[2:10], 16),
        summary["StartTime"],
        summary["StartTime"] + summary["Duration"],
        encode(summary),
        encode(annotations),
        *[get(keyword, NOT_SET)[0] for keyword in TRACE_KEYWORDS],
        any(document.has_any_error for document in documents),
        any(document.has_any_fault for document in documents),
        *[get(keyword, NOT_SET)[0] for keyword in COLUMNS.values()],
        *[_encode_texts(values[each]) if each in values else None for each in TRACE_LISTS.values()],
    )
    return row, [_make_row(trace_id, *numbered) for numbered in enumerate(elements)]


def _encode_texts(texts: Iterable[Any]) -> str:
    # Several times as quick as an encoder, which looks at the type of everything.
    return f"[{','.join(map(encode_basestring, texts))}]"


def _make_row(trace_id: str, number: int, element: Element) -> Row:
    get: Any = element.values.get
    return (
        trace_id,
        number,
        *element.service,
        *(element.source or NO_SOURCE),
        element.is_node,
        encode(element.annotations) if element.annotations else None,
        *[get(keyword, NOT_SET)[0] for keyword in ELEMENT_KEYWORDS],
    )
