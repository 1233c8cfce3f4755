"""What an element did: its kind, what it called, and what makes two of them the same work."""

from msgspec import Struct

from xray_local.traces.documents import as_list, as_mapping, as_text
from xray_local.traces.trees import Element

from .sql_format import normalise

NAME_CHARACTERS = 500
QUERY_CHARACTERS = 20_000
NOTE_CHARACTERS = 300
# What of `aws` says which thing an operation was about, the widest first.
RESOURCES = ("table_name", "bucket_name", "key", "queue_url", "topic_arn", "function_name")
# Kinds of work that another service does.
CALLS = ("sql", "aws", "remote")


class Operation(Struct, frozen=True, gc=False, cache_hash=True):
    """What is the same of elements that do the same.

    kind: segment, aws, remote, sql or local. note: the operation and its resource, the query
    without its values, or the method.
    """

    name: str
    kind: str
    note: str


def name_operation(element: Element) -> Operation:
    """Return what the element did."""
    kind = name_kind(element)
    note = ""
    if kind == "sql":
        note = normalise(read_query(element) or "")
    elif kind == "aws":
        note = _name_aws(element)
    elif kind == "remote":
        note = _read_request(element, "method", 20)
    return Operation(read_name(element), kind, note)


def name_call(element: Element, operation: Operation | None = None) -> Operation | None:
    """Return what makes a call the same as another of the trace; None if it is no call.

    operation: the element's, if it is known. A call is the same as that, but by HTTP, which names
    the URL too.
    """
    operation = operation or name_operation(element)
    if operation.kind not in CALLS:
        return None
    if operation.kind == "remote":
        operation = Operation(operation.name, operation.kind, describe_briefly(element))
    return operation if operation.note else None


def read_name(element: Element) -> str:
    """Return the name of the element."""
    name = element.content.get("name")
    # As nearly always, without a call: a trace may have 10,000.
    if type(name) is str and 0 < len(name) <= NAME_CHARACTERS:
        return name
    return as_text(name, NAME_CHARACTERS) or "unnamed"


def name_kind(element: Element) -> str:
    """Return what sort of work the element is."""
    if element.is_document and element.is_segment:
        return "segment"
    content = element.content
    if type(content.get("sql")) is dict:
        return "sql"
    namespace = content.get("namespace")
    return namespace if namespace == "aws" or namespace == "remote" else "local"


def read_query(element: Element) -> str | None:
    """Return the SQL of the element, if it has any; SDKs have taken the values out of it."""
    return as_text(as_mapping(element.content.get("sql")).get("sanitized_query"), QUERY_CHARACTERS)


def describe_briefly(element: Element) -> str:
    """Return the method and URL, or the operation and its resource, or the query: one line."""
    content = element.content
    brief = _name_aws(element) if "aws" in content else ""
    if not brief and "http" in content:
        method = _read_request(element, "method", 20)
        url = _read_request(element, "url", NOTE_CHARACTERS)
        brief = f"{method} {url}" if method and url else method or url
    if not brief and "sql" in content:
        query = (read_query(element) or "")[: 2 * NOTE_CHARACTERS]
        brief = " ".join(query.split())[:NOTE_CHARACTERS]
    return brief


def _name_aws(element: Element) -> str:
    aws = as_mapping(element.content.get("aws"))
    words = [as_text(aws[key], 200) for key in RESOURCES if key in aws]
    if not any(words) and "resource_names" in aws:
        words += [as_text(each, 200) for each in as_list(aws["resource_names"])[:1]]
    return " ".join([word for word in (as_text(aws.get("operation"), 100), *words) if word])


def _read_request(element: Element, key: str, limit: int) -> str:
    http = as_mapping(element.content.get("http"))
    return as_text(as_mapping(http.get("request")).get(key), limit) or ""
