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
    if kind == "remote":
        note = _read_request(element)[0]
    elif kind in CALLS:
        note = _name_target(element, kind)
    return Operation(read_name(element), kind, note)


def name_call(element: Element) -> Operation | None:
    """Return what makes a call the same as another of the trace; None if it is no call.

    That is what it did; by HTTP the URL, too.
    """
    kind = name_kind(element)
    if kind not in CALLS:
        return None
    note = describe_briefly(element) if kind == "remote" else _name_target(element, kind)
    return Operation(read_name(element), kind, note) if note else None


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
        method, url = _read_request(element)
        brief = f"{method} {url}" if method and url else method or url
    if not brief and "sql" in content:
        query = (read_query(element) or "")[: 2 * NOTE_CHARACTERS]
        brief = " ".join(query.split())[:NOTE_CHARACTERS]
    return brief


def _name_target(element: Element, kind: str) -> str:
    return normalise(read_query(element) or "") if kind == "sql" else _name_aws(element)


def _name_aws(element: Element) -> str:
    aws = as_mapping(element.content.get("aws"))
    words = [as_text(aws[key], 200) for key in RESOURCES if key in aws]
    if not any(words) and "resource_names" in aws:
        words += [as_text(each, 200) for each in as_list(aws["resource_names"])[:1]]
    return " ".join([word for word in (as_text(aws.get("operation"), 100), *words) if word])


def _read_request(element: Element) -> tuple[str, str]:
    """Return the method and the URL; empty where it has none."""
    request = as_mapping(as_mapping(element.content.get("http")).get("request"))
    method, url = request.get("method"), request.get("url")
    return as_text(method, 20) or "", as_text(url, NOTE_CHARACTERS) or ""
