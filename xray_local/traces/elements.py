"""What a trace consists of: nodes and edges, and what a filter can ask of them and of the trace.

Nodes and edges are those of the service map: a service's own segment where there is one, else the
call as its caller saw it; an edge is always seen by the caller.
"""

from collections.abc import Collection, Iterable

from msgspec import Struct

from .facts import Facts, Work
from .flags import INFERRED, NODE, ROOT
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


# Of an element the service, the source, the flags, the part, and the segments at an edge's ends.
Outline = tuple[Service, Service | None, int, Work, Facts | None, Facts | None]


class Element(Struct, frozen=True, gc=False):
    """A node of the service map, or an edge of it, or both.

    A call that no segment answered is both: it is all that is known of the node that it called.
    """

    service: Service  # an edge's: the one that was called
    source: Service | None  # an edge's: the one that called
    flags: int  # those of the part, and what it is on the map
    part: Work  # what says how it went
    late: tuple[Facts, ...] = ()  # subsegments of the part that came on their own
    caller: tuple[Facts, ...] = ()  # an edge's: the segment that called, with those of its own
    callee: tuple[Facts, ...] = ()  # likewise the segment that answered

    @property
    def is_node(self) -> bool:
        """Whether it is a node."""
        return bool(self.flags & NODE)

    @property
    def is_inferred(self) -> bool:
        """Whether it is a node that only its caller tells of."""
        return bool(self.flags & INFERRED)

    @property
    def is_root(self) -> bool:
        """Whether the trace began with it."""
        return bool(self.flags & ROOT)

    @property
    def seconds(self) -> float:
        """How long it took, to the microsecond; 0 while it is in progress."""
        return self.microseconds / 1_000_000

    @property
    def microseconds(self) -> int:
        """How long it took."""
        part = self.part
        return round((part.end - part.start) * 1_000_000)

    @property
    def values(self) -> Values:
        """The values by keyword, but for the annotations."""
        values = _describe_part(self.part, self.service)
        values["inferred"] = (self.is_inferred,)
        values["root"] = (self.is_root,)
        values["responsetime"] = values["duration"] = (self.seconds,)
        if isinstance(self.part, Facts):
            _add_holders(values, self.part)
        return values

    @property
    def annotations(self) -> Values:
        """The values of the annotations by key."""
        return _describe_annotations(_list_annotations((self.part, *self.late)))

    def all_values(self) -> Values:
        """Return the values with those of the annotations, and of those of an edge's ends."""
        values = self.values
        ends = {"": (self.part, *self.late)}
        if self.source is not None:
            # Of what nobody answered for, the caller's call is all that is known.
            ends |= {"source.": self.caller, "destination.": self.callee or (self.part,)}
        for prefix, parts in ends.items():
            for key, each in _describe_annotations(_list_annotations(parts)).items():
                values[f"{prefix}annotation.{key}"] = each
        return values


def describe_trace(
    documents: Collection[Facts], elements: Collection[Element]
) -> tuple[Values, Values]:
    """Return the values of the trace as a whole, and those of its annotations by key."""
    root = find_root(documents)
    start = min(document.start for document in documents)
    values = _describe_part(root, root.service)
    values["throttle"] = (any(document.has_throttle for document in documents),)
    values["partial"] = (any(document.is_open for document in documents),)
    values["inferred"] = (any(each.is_node and each.is_inferred for each in elements),)
    values["root"] = (True,)
    values["responsetime"] = (round(root.end - root.start, 6),)
    values["duration"] = (round(max(document.end for document in documents) - start, 6),)
    for document in documents:
        _add_holders(values, document)
    return values, _describe_annotations(_list_annotations(documents))


def list_elements(documents: Collection[Facts], owners: Owners) -> list[Element]:
    """Return the nodes and edges of the trace."""
    late: dict[str, list[Facts]] = {}
    for document in documents:
        owner = None if document.is_segment else owners[document.id]
        if owner is not None:
            late.setdefault(owner.id, []).append(document)
    # Once for each segment: one that sends all its subsegments alone may have thousands.
    wholes: dict[str, tuple[Facts, ...]] = {
        each: (owner, *late[each]) for each in late if (owner := owners[each])
    }

    def make_whole(segment: Facts | None) -> tuple[Facts, ...]:
        """Return the segment with its subsegments that came on their own."""
        if segment is None:
            return ()
        return wholes.get(segment.id) or (segment,)

    return [
        Element(
            *(service, source, flags, part),
            tuple(late.get(part.id, ())) if isinstance(part, Facts) else (),
            make_whole(caller),
            make_whole(callee),
        )
        for service, source, flags, part, caller, callee in list_outlines(documents, owners)
    ]


def list_outlines(documents: Collection[Facts], owners: Owners) -> list[Outline]:
    """Return the nodes and edges of the trace, without what filters alone ask of them."""
    root = find_root(documents)
    answers: dict[str, list[Facts]] = {}
    outlines: list[Outline] = []
    for document in documents:
        if document.is_segment:
            flags = document.flags | (NODE | ROOT if document is root else NODE)
            outlines.append((document.service, None, flags, document, None, None))
            if document.parent_id:
                answers.setdefault(document.parent_id, []).append(document)
    called: set[str] = set()
    # Only what came on its own can be embedded somewhere as well.
    copies = _find_copies(documents) if len(outlines) < len(documents) else set()
    for document in documents:
        calls = document.calls
        if not calls:
            continue
        owner = owners[document.id]
        source = None if owner is None else owner.service
        for call in calls:
            if copies and id(call) in copies:
                continue
            callees = answers.get(call.id)
            if callees is None:
                flags = call.flags | NODE | INFERRED
                outlines.append((call.service, source, flags, call, owner, None))
                continue
            called.add(call.id)
            if source is not None:
                outlines += [
                    (each.service, source, call.flags, call, owner, each) for each in callees
                ]
    # A segment right below another, without a subsegment between that says how the call went.
    direct = answers.keys() - called
    for document in documents if direct else ():
        owner = owners[document.id]
        if owner is None:
            continue
        # In their order: of a trace that is too large, always the same are left out.
        for known_id in filter(direct.__contains__, dict.fromkeys(document.ids)):
            outlines += [
                (each.service, owner.service, each.flags, each, owner, each)
                for each in answers[known_id]
                if each is not document
            ]
    return outlines[:ELEMENTS_MAX]


def _find_copies(documents: Iterable[Facts]) -> set[int]:
    """Return the `id`s of the calls of which another copy counts.

    That is, as in the tree of a trace, a complete one, else one that is embedded.
    """
    chosen: dict[str, tuple[bool, bool, int]] = {}
    calls: list[tuple[bool, bool, int]] = []
    for document in documents:
        for call in document.calls:
            ranked = (call.is_open, call.id == document.id, id(call))
            calls.append(ranked)
            other = chosen.setdefault(call.id, ranked)
            if ranked[:2] < other[:2]:
                chosen[call.id] = ranked
    counted = {number for _, _, number in chosen.values()}
    return {number for _, _, number in calls} - counted


def _describe_part(part: Work, service: Service) -> Values:
    values: Values = {
        "ok": (part.is_ok,),
        "error": (part.has_error,),
        "fault": (part.has_fault,),
        "throttle": (part.is_throttled,),
        "partial": (part.is_open,),
    }
    _add(values, "name", service.name)
    if service.type is not None:
        _add(values, "type", service.type)
    if service.account_id is not None:
        _add(values, "account.id", service.account_id)
    for name, value in part.http.items():
        _add(values, HTTP_KEYWORDS[name], value)
    return values


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
    value = clean(value)
    found = values.get(keyword, ())
    if value not in found:
        values[keyword] = (*found, value)


def _list_annotations(parts: Iterable[Work]) -> Iterable[tuple[str, Value]]:
    return (each for part in parts for each in part.annotations)


def _describe_annotations(annotations: Iterable[tuple[str, Value]]) -> Values:
    values: Values = {}
    for key, raw in annotations:
        value = clean(raw)
        found = values.get(key)
        if found is None:
            values[key] = (value,)
        # True equals 1.0 in Python, but not in a filter.
        elif not any(value == other and type(value) is type(other) for other in found):
            values[key] = (*found, value)
    return values


def clean(value: Value) -> Value:
    """Return the value without what ends a text early in SQLite's functions."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
