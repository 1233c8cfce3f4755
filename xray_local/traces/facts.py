"""What the summary of a trace needs to know of each of its documents."""

import functools
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from xray_local.intake.schema import Aws, Element, Http

from .flags import ERROR, FAULT, OK, OPEN, THROTTLE
from .services import Service, find_kind, name_callee, name_resource, name_service

Annotations = tuple[tuple[str, str | float | bool], ...]


class Work(Struct, frozen=True, gc=False):
    """What took its time and went well or not. Times are seconds since 1970."""

    id: str
    service: Service  # who did it
    flags: int  # OK, or those of ERROR, FAULT, THROTTLE and OPEN that hold
    start: float
    end: float  # not before the start
    block: Http | UnsetType  # as the document has it
    annotations: Annotations

    @property
    def is_ok(self) -> bool:
        """Whether it has ended, without error, fault or throttle, and any status is a 2xx."""
        return bool(self.flags & OK)

    @property
    def has_error(self) -> bool:
        """Whether the client was wrong."""
        return bool(self.flags & ERROR)

    @property
    def has_fault(self) -> bool:
        """Whether the server was wrong."""
        return bool(self.flags & FAULT)

    @property
    def is_throttled(self) -> bool:
        """Whether it itself was throttled."""
        return bool(self.flags & THROTTLE)

    @property
    def is_open(self) -> bool:
        """Whether it is in progress."""
        return bool(self.flags & OPEN)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    @property
    def http(self) -> dict[str, Any]:
        """The shape Http of the X-Ray API."""
        return _describe_http(self.block) if self.block else {}


class Call(Work, frozen=True, gc=False):
    """A subsegment that called a service, as its caller saw it.

    It ends when it starts while it is in progress. The annotations are its own.
    """


class Facts(Work, frozen=True, gc=False):
    """One document, its embedded subsegments included, whose annotations are among its own."""

    parent_id: str | None
    is_segment: bool  # else a subsegment that came on its own
    any_flags: int  # those of its own and of its subsegments
    user: str | None
    ids: tuple[str, ...]  # its own and those of its subsegments
    calls: tuple[Call, ...]
    resource_arns: tuple[str, ...]
    instance_ids: tuple[str, ...]
    zones: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # trace id and segment id of what it was caused by

    @property
    def has_throttle(self) -> bool:
        """Whether it or a subsegment was throttled."""
        return bool(self.any_flags & THROTTLE)


NO_AWS = Aws()

_decode = msgspec.json.Decoder(Element).decode


def load_facts(body: bytes) -> Facts:
    """Return the facts of a stored document."""
    return gather(_decode(body))


def gather(document: Element) -> Facts:
    """Return the facts of a document."""
    any_flags = own_flags = 0
    ids: list[str] = []
    calls: list[Call] = []
    annotations: list[tuple[str, str | float | bool]] = []
    links: list[tuple[str, str]] = []
    elements = [document]
    for element in elements:
        element_id, end, http = element.id, element.end_time, element.http
        ids.append(element_id)
        if (
            element.fault
            or element.error
            or element.throttle
            or element.in_progress
            or end is UNSET
            or (http and (response := http.response) and not 200 <= response.status < 300)
        ):
            flags = _read_flags(element)
        else:
            flags = OK  # as nearly always
        any_flags |= flags
        if element is document:
            own_flags = flags
        if own := element.annotations:
            annotations += own.items()
        if element.namespace:
            service = _find_callee(element)
            if service is not None:
                start = element.start_time
                if end is UNSET or end < start or flags & OPEN:
                    end = start
                pairs = tuple(own.items()) if own else ()
                calls.append(Call(element_id, service, flags, start, end, http, pairs))
        if below := element.subsegments:
            elements += below
        if element.links:
            links += [(link.trace_id, link.id) for link in element.links]
    start, end, aws = document.start_time, document.end_time, document.aws
    ec2 = aws.ec2 if aws else None
    return Facts(
        document.id,
        _find_service(document.name, document.origin, aws.account_id if aws else ""),
        own_flags,
        start,
        start if end is UNSET or end < start else end,
        document.http,
        tuple(annotations),
        document.parent_id or None,
        document.type != "subsegment",
        any_flags,
        document.user or None,
        tuple(ids),
        tuple(calls),
        (document.resource_arn,) if document.resource_arn else (),
        (ec2.instance_id,) if ec2 and ec2.instance_id else (),
        (ec2.availability_zone,) if ec2 and ec2.availability_zone else (),
        tuple(links),
    )


def _read_flags(element: Element) -> int:
    """Return what holds of an element of which something may not be usual."""
    flags = (
        (element.error and ERROR)
        | (element.fault and FAULT)
        | (element.throttle and THROTTLE)
        | (element.is_open and OPEN)
    )
    status = element.http.response.status if element.http and element.http.response else 0.0
    # A status that is none says nothing.
    return flags if flags or 100 <= status < 1000 else OK


@functools.lru_cache(200)  # services are few, but names may be long
def _find_service(name: str, origin: str, account_id: str) -> Service:
    return name_service({"name": name, "origin": origin, "aws": {"account_id": account_id}})


def _find_callee(element: Element) -> Service | None:
    namespace = element.namespace
    if namespace == "remote":
        return _find_remote(element.name, bool(element.sql))
    if namespace == "aws":
        aws = element.aws or NO_AWS
        kind = find_kind(element.name)
        if kind is not None and kind.keys:
            key = kind.keys[0]
            resource = getattr(aws, key)
            if resource and type(resource) is str:
                return _find_resource(element.name, key, resource, aws.account_id)
        return name_resource(element.name, functools.partial(getattr, aws))
    return None


@functools.lru_cache(200)
def _find_resource(name: str, key: str, resource: str, account_id: str) -> Service:
    return name_resource(name, {key: resource, "account_id": account_id}.get)


@functools.lru_cache(200)
def _find_remote(name: str, has_sql: bool) -> Service | None:
    return name_callee({"namespace": "remote", "name": name, "sql": has_sql})


def _describe_http(http: Http) -> dict[str, Any]:
    """Return what is set of the request and the response."""
    fields: dict[str, Any] = {}
    request, response = http.request, http.response
    if request:
        if request.url:
            fields["HttpURL"] = request.url
        if request.method:
            fields["HttpMethod"] = request.method
        if request.user_agent:
            fields["UserAgent"] = request.user_agent
        if request.client_ip:
            fields["ClientIp"] = request.client_ip
    if response:
        status = as_status(response.status)
        if status is not None:
            fields["HttpStatus"] = status
    return fields


def as_status(value: float | None) -> int | None:
    """Return the number if it can be an HTTP status, else None."""
    return int(value) if value is not None and 100 <= value < 1000 else None
