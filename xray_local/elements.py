"""What a filter can ask of a trace: values by keyword, of the trace and of what it consists of.

Nodes and edges are those of the service map: a service's own segment where there is one, else the
call as its caller saw it; an edge is always seen by the caller.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from .facts import Call, Facts
from .services import Service
from .summaries import Owners, find_root

Value = str | float | bool
# By keyword: every value there is. What is not set is left out.
Values = dict[str, tuple[Value, ...]]

# Of a larger trace, more would slow down the storing of all others.
ELEMENTS_MAX = 2000
HTTP_KEYWORDS = {
    "HttpURL": "http.url",
    "HttpStatus": "http.status",
    "HttpMethod": "http.method",
    "UserAgent": "http.useragent",
    "ClientIp": "http.clientip",
}


class Element(NamedTuple):
    """A node of the service map, or an edge of it, or both.

    A call that no segment answered is both: it is all that is known of the node that it called.
    """

    service: Service  # an edge's: the one that was called
    source: Service | None  # an edge's: the one that called
    is_node: bool
    values: Values
    annotations: Values  # by key

    def all_values(self) -> Values:
        """Return the values with those of the annotations."""
        return self.values | {f"annotation.{key}": each for key, each in self.annotations.items()}


def describe_trace(
    documents: Collection[Facts], elements: Collection[Element]
) -> tuple[Values, Values]:
    """Return the values of the trace as a whole, and those of its annotations by key."""
    root = find_root(documents)
    start = min(document.start for document in documents)
    values = _describe_part(root, root.is_throttled, root.end - root.start)
    is_inferred = any(each.is_node and each.values["inferred"][0] for each in elements)
    values["throttle"] = (any(document.has_throttle for document in documents),)
    values["partial"] = (any(document.is_open for document in documents),)
    values["inferred"] = (is_inferred,)
    values["root"] = (True,)
    values["duration"] = (round(max(document.end for document in documents) - start, 6),)
    for document in documents:
        _add_holders(values, document)
    return values, _describe_annotations(each for d in documents for each in d.annotations)


def list_elements(documents: Collection[Facts], owners: Owners) -> list[Element]:
    """Return the nodes and edges of the trace."""
    root = find_root(documents)
    answers: dict[str, list[Facts]] = {}
    late: dict[str, list[Facts]] = {}
    for document in documents:
        owner = owners[document.id]
        if document.is_segment:
            if document.parent_id:
                answers.setdefault(document.parent_id, []).append(document)
        elif owner is not None:
            late.setdefault(owner.id, []).append(document)
    elements = [
        _make_node(document, late, is_root=document is root)
        for document in documents
        if document.is_segment
    ]
    called: set[str] = set()
    for document in documents:
        owner = owners[document.id]
        source = owner.service if owner is not None else None
        for call in document.calls:
            callees = answers.get(call.id)
            called.add(call.id)
            if callees is None:
                elements.append(_make_edge(call, source, call.service, is_node=True))
            elif source is not None:
                elements += (_make_edge(call, source, each.service) for each in callees)
    # A segment right below another, without a subsegment between that says how the call went.
    for document in documents if answers else ():
        owner = owners[document.id]
        for known_id in document.ids:
            for segment in answers.get(known_id, ()) if known_id not in called else ():
                if owner is not None and segment is not document:
                    node = _make_node(segment, late, is_root=False)
                    elements.append(node._replace(source=owner.service, is_node=False))
    return elements[:ELEMENTS_MAX]


def _make_node(segment: Facts, late: dict[str, list[Facts]], *, is_root: bool) -> Element:
    values = _describe_part(segment, segment.is_throttled, segment.end - segment.start)
    values["root"] = (is_root,)
    _add_holders(values, segment)
    inside = late.get(segment.id)
    annotations = segment.annotations
    if inside:
        annotations += tuple(each for document in inside for each in document.annotations)
    return Element(segment.service, None, True, values, _describe_annotations(annotations))


def _make_edge(
    call: Call, source: Service | None, target: Service, *, is_node: bool = False
) -> Element:
    values = _describe_part(call, call.has_throttle, call.seconds)
    values["inferred"] = (is_node,)
    if not is_node:
        for keyword in ("name", "type", "account.id"):
            values.pop(keyword, None)
        _add_service(values, target)
    return Element(target, source, is_node, values, _describe_annotations(call.annotations))


def _describe_part(part: Facts | Call, is_throttled: bool, seconds: float) -> Values:
    http = part.http
    is_success = 200 <= http.get("HttpStatus", 200) < 300
    is_failure = part.has_error or part.has_fault or is_throttled or part.is_open
    took = (round(seconds, 6),)
    values: Values = {
        "ok": (is_success and not is_failure,),
        "error": (part.has_error,),
        "fault": (part.has_fault,),
        "throttle": (is_throttled,),
        "partial": (part.is_open,),
        "inferred": (False,),
        "root": (False,),
        "responsetime": took,
        "duration": took,
    }
    _add_service(values, part.service)
    for name, value in http.items():
        _add(values, HTTP_KEYWORDS[name], value)
    return values


def _add_service(values: Values, service: Service) -> None:
    _add(values, "name", service.name)
    if service.type is not None:
        _add(values, "type", service.type)
    if service.account_id is not None:
        _add(values, "account.id", service.account_id)


def _add_holders(values: Values, document: Facts) -> None:
    if document.user is not None:
        _add(values, "user", document.user)
    for zone in document.zones:
        _add(values, "availabilityzone", zone)
    for instance_id in document.instance_ids:
        _add(values, "instance.id", instance_id)
    for arn in document.resource_arns:
        _add(values, "resource.arn", arn)


def _add(values: Values, keyword: str, value: Value) -> None:
    value = _clean(value)
    found = values.get(keyword, ())
    if value not in found:
        values[keyword] = (*found, value)


def _describe_annotations(annotations: Iterable[tuple[str, Value]]) -> Values:
    values: Values = {}
    for key, raw in annotations:
        value = _clean(raw)
        found = values.get(key, ())
        # True equals 1.0 in Python, but not in a filter.
        if not any(value == other and type(value) is type(other) for other in found):
            values[key] = (*found, value)
    return values


def _clean(value: Value) -> Value:
    """Return the value without what ends a text early in SQLite's functions."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
