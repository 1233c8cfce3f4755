"""What the summary of a trace needs to know of each of its documents."""

import functools
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from xray_local.intake.schema import Element, Http

from .services import Service, name_callee, name_resource, name_service

Annotations = tuple[tuple[str, str | float | bool], ...]


class Call(Struct, frozen=True, gc=False):
    """A subsegment that called a service, as its caller saw it."""

    id: str
    service: Service
    is_open: bool
    seconds: float  # 0 while it is in progress
    has_fault: bool
    has_error: bool
    has_throttle: bool
    http: dict[str, Any]  # the shape Http of the X-Ray API
    annotations: Annotations  # its own


class Facts(Struct, frozen=True, gc=False):
    """One document, its embedded subsegments included. Times are seconds since 1970."""

    id: str
    parent_id: str | None
    is_segment: bool  # else a subsegment that came on its own
    is_open: bool
    start: float
    end: float  # the start, while it is in progress
    service: Service
    has_fault: bool
    has_error: bool
    is_throttled: bool
    has_any_fault: bool  # here or in a subsegment, as the next two
    has_any_error: bool
    has_throttle: bool
    http: dict[str, Any]  # the shape Http of the X-Ray API
    user: str | None
    ids: tuple[str, ...]  # its own and those of its subsegments
    calls: tuple[Call, ...]
    annotations: Annotations  # its own and those of its subsegments
    resource_arns: tuple[str, ...]
    instance_ids: tuple[str, ...]
    zones: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # trace id and segment id of what it was caused by


_decode = msgspec.json.Decoder(Element).decode


def load_facts(body: bytes) -> Facts:
    """Return the facts of a stored document."""
    return gather(_decode(body))


def gather_facts(content: dict[str, Any]) -> Facts:
    """Return the facts of a document that complies with the schema and is parsed already."""
    return gather(msgspec.convert(content, Element))


def gather(document: Element) -> Facts:
    """Return the facts of a document."""
    start, end = document.start_time, document.end_time
    aws = document.aws
    ec2 = aws.get("ec2") if aws else None
    elements = document.walk()
    has_any_fault = has_any_error = has_throttle = False
    ids: list[str] = []
    calls: list[Call] = []
    annotations: list[tuple[str, str | float | bool]] = []
    links: list[tuple[str, str]] = []
    for element in elements:
        ids.append(element.id)
        if element.fault:
            has_any_fault = True
        if element.error:
            has_any_error = True
        if element.throttle:
            has_throttle = True
        if element.annotations:
            annotations += element.annotations.items()
        if element.namespace:
            service = _find_callee(element)
            if service is not None:
                calls.append(_read_call(element, service))
        if element.links:
            links += [(link.trace_id, link.id) for link in element.links]
    return Facts(
        id=document.id,
        parent_id=document.parent_id or None,
        is_segment=document.is_segment,
        is_open=document.is_open,
        start=start,
        end=max(start, end) if end is not UNSET else start,
        service=_find_service(
            document.name, document.origin, aws.get("account_id") if aws else None
        ),
        has_fault=document.fault,
        has_error=document.error,
        is_throttled=document.throttle,
        has_any_fault=has_any_fault,
        has_any_error=has_any_error,
        has_throttle=has_throttle,
        http=_read_http(document.http) if document.http else {},
        user=document.user or None,
        ids=tuple(ids),
        calls=tuple(calls),
        annotations=tuple(annotations),
        resource_arns=_wrap(document.resource_arn),
        instance_ids=_wrap(ec2.get("instance_id")) if ec2 else (),
        zones=_wrap(ec2.get("availability_zone")) if ec2 else (),
        links=tuple(links),
    )


@functools.lru_cache(200)  # services are few, but names may be long
def _find_service(name: str, origin: str, account_id: str | None) -> Service:
    return name_service({"name": name, "origin": origin, "aws": {"account_id": account_id}})


def _find_callee(element: Element) -> Service | None:
    if element.namespace == "remote":
        return _find_remote(element.name, bool(element.sql))
    if element.namespace == "aws":
        return name_resource(element.name, element.aws or {})
    return None


@functools.lru_cache(200)
def _find_remote(name: str, has_sql: bool) -> Service | None:
    return name_callee({"namespace": "remote", "name": name, "sql": has_sql})


def _read_http(http: Http) -> dict[str, Any]:
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


def _read_call(element: Element, service: Service) -> Call:
    end = element.end_time
    is_open = element.in_progress or end is UNSET
    return Call(
        element.id,
        service,
        is_open,
        0.0 if is_open or end is UNSET else max(0.0, end - element.start_time),
        element.fault,
        element.error,
        element.throttle,
        _read_http(element.http) if element.http else {},
        tuple(element.annotations.items()) if element.annotations else (),
    )


def _wrap(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()
