"""What a filter can ask of a trace: values by keyword, of the trace and of what it consists of.

Nodes and edges are those of the service map: a service's own segment where there is one, else the
call as its caller saw it; an edge is always seen by the caller.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from .facts import Annotations, Call, Facts
from .services import Service
from .summaries import Owners, find_root

Value = str | float | bool
# By keyword, or `annotation.` and a key: every value there is. What is not set is left out.
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
    """A node of the service map, or an edge of it."""

    service: Service  # an edge's: the one that was called
    source: Service | None  # an edge's: the one that called; a node has none
    values: Values


def describe_trace(documents: Collection[Facts], elements: Collection[Element]) -> Values:
    """Return the values of the trace as a whole."""
    root = find_root(documents)
    start = min(document.start for document in documents)
    values = _describe_service(root.service) | _describe_http(root.http)
    values |= {
        "ok": (_is_ok(root.has_error, root.has_fault, root.is_throttled, root.is_open, root.http),),
        "error": (root.has_error,),
        "fault": (root.has_fault,),
        "throttle": (any(document.has_throttle for document in documents),),
        "partial": (any(document.is_open for document in documents),),
        "inferred": (any(True in each.values["inferred"] for each in elements if not each.source),),
        "root": (True,),
        "responsetime": (round(root.end - root.start, 6),),
        "duration": (round(max(document.end for document in documents) - start, 6),),
    }
    values |= _describe_holders(documents)
    values |= _describe_annotations(each for d in documents for each in d.annotations)
    return values


def list_elements(documents: Collection[Facts], owners: Owners) -> list[Element]:
    """Return the nodes and edges of the trace."""
    segments = [document for document in documents if document.is_segment]
    root = find_root(documents)
    answers: dict[str, list[Facts]] = {}
    for segment in segments:
        if segment.parent_id:
            answers.setdefault(segment.parent_id, []).append(segment)
    late: dict[str, list[Facts]] = {}
    for document in documents:
        owner = owners[document.id]
        if owner is not None and owner is not document:
            late.setdefault(owner.id, []).append(document)
    elements = [
        Element(segment.service, None, _describe_segment(segment, late, is_root=segment is root))
        for segment in segments
    ]
    called: set[str] = set()
    for document in documents:
        owner = owners[document.id]
        for call in document.calls:
            callees = [segment.service for segment in answers.get(call.id, ())]
            values = _describe_call(call, is_inferred=not callees)
            if not callees:
                elements.append(Element(call.service, None, values))
            if owner is not None:
                for callee in callees or [call.service]:
                    seen = values | _describe_service(callee)
                    elements.append(Element(callee, owner.service, seen))
            called.add(call.id)
    # A segment right below another, without a subsegment between that says how the call went.
    for document in documents if answers else ():
        owner = owners[document.id]
        for known_id in document.ids:
            for segment in answers.get(known_id, ()) if known_id not in called else ():
                if owner is not None and segment is not document:
                    values = _describe_segment(segment, late, is_root=False)
                    elements.append(Element(segment.service, owner.service, values))
    return elements[:ELEMENTS_MAX]


def _describe_segment(segment: Facts, late: dict[str, list[Facts]], *, is_root: bool) -> Values:
    inside = [segment, *late.get(segment.id, ())]
    return (
        _describe_part(segment, segment.is_throttled, segment.end - segment.start)
        | {"root": (is_root,), "inferred": (False,)}
        | _describe_holders([segment])
        | _describe_annotations(each for document in inside for each in document.annotations)
    )


def _describe_call(call: Call, *, is_inferred: bool) -> Values:
    return (
        _describe_part(call, call.has_throttle, call.seconds)
        | {"root": (False,), "inferred": (is_inferred,)}
        | _describe_annotations(call.annotations)
    )


def _describe_part(part: Facts | Call, is_throttled: bool, seconds: float) -> Values:
    values: Values = {
        "ok": (_is_ok(part.has_error, part.has_fault, is_throttled, part.is_open, part.http),),
        "error": (part.has_error,),
        "fault": (part.has_fault,),
        "throttle": (is_throttled,),
        "partial": (part.is_open,),
        "responsetime": (round(seconds, 6),),
        "duration": (round(seconds, 6),),
    }
    return values | _describe_service(part.service) | _describe_http(part.http)


def _is_ok(
    has_error: bool, has_fault: bool, is_throttled: bool, is_open: bool, http: dict[str, Any]
) -> bool:
    is_success = 200 <= http.get("HttpStatus", 200) < 300
    return is_success and not (has_error or has_fault or is_throttled or is_open)


def _describe_service(service: Service) -> Values:
    return _pack(
        ("name", (service.name,)), ("type", (service.type,)), ("account.id", (service.account_id,))
    )


def _describe_http(http: dict[str, Any]) -> Values:
    return _pack(*((HTTP_KEYWORDS[name], (value,)) for name, value in http.items()))


def _describe_holders(documents: Collection[Facts]) -> Values:
    return _pack(
        ("user", (document.user for document in documents)),
        ("availabilityzone", (zone for document in documents for zone in document.zones)),
        ("instance.id", (each for document in documents for each in document.instance_ids)),
        ("resource.arn", (arn for document in documents for arn in document.resource_arns)),
    )


def _describe_annotations(annotations: Iterable[tuple[str, Value]] | Annotations) -> Values:
    found: dict[str, dict[tuple[bool, Value], None]] = {}
    for key, value in annotations:
        # True and 1.0 are one key to Python, but not to a filter.
        found.setdefault(f"annotation.{key}", {})[isinstance(value, bool), _clean(value)] = None
    return {key: tuple(value for _, value in values) for key, values in found.items()}


def _pack(*fields: tuple[str, Iterable[Value | None]]) -> Values:
    packed = (
        (keyword, tuple(dict.fromkeys(_clean(value) for value in values if value is not None)))
        for keyword, values in fields
    )
    return {keyword: values for keyword, values in packed if values}


def _clean(value: Value) -> Value:
    """Return the value without what ends a text early in SQLite's functions."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def read_annotations(values: Values) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Yield the keys of the annotations, with their values."""
    for field, each in values.items():
        if field.startswith("annotation."):
            yield field.removeprefix("annotation."), each
