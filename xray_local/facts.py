"""What the summary of a trace needs to know of each of its documents."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .documents import (
    ID_CHARACTERS,
    TRACE_ID,
    as_list,
    as_mapping,
    as_number,
    as_text,
    as_time,
    is_in_progress,
)
from .services import Service, name_callee, name_service

ANNOTATION_KEY_CHARACTERS = 500
ANNOTATION_CHARACTERS = 1000


Annotations = tuple[tuple[str, str | float | bool], ...]


@dataclass(frozen=True, slots=True)
class Call:
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


@dataclass(frozen=True, slots=True)
class Facts:
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


def load_facts(body: bytes | str) -> Facts:
    """Return the facts of a stored document."""
    content = json.loads(body)
    return gather_facts(content["id"], content, is_open=is_in_progress(content))


def gather_facts(document_id: str, content: dict[str, Any], *, is_open: bool) -> Facts:
    """Return the facts of a document that `read_document` let pass."""
    elements = list(walk(content))
    start = as_time(content.get("start_time")) or 0.0
    end = as_time(content.get("end_time"))
    aws = as_mapping(content.get("aws"))
    ec2 = as_mapping(aws.get("ec2"))
    return Facts(
        id=document_id,
        parent_id=as_text(content.get("parent_id")),
        is_segment=content.get("type") != "subsegment",
        is_open=is_open,
        start=start,
        end=start if end is None else max(start, end),
        service=name_service(content),
        has_fault=content.get("fault") is True,
        has_error=content.get("error") is True,
        is_throttled=content.get("throttle") is True,
        has_any_fault=any(element.get("fault") is True for element in elements),
        has_any_error=any(element.get("error") is True for element in elements),
        has_throttle=any(element.get("throttle") is True for element in elements),
        http=_read_http(as_mapping(content.get("http"))),
        user=as_text(content.get("user"), 250),
        ids=tuple(_texts(element.get("id") for element in elements)),
        calls=tuple(_read_calls(elements)),
        annotations=tuple(_read_annotations(elements)),
        resource_arns=tuple(_texts([content.get("resource_arn")])),
        instance_ids=tuple(_texts([ec2.get("instance_id")])),
        zones=tuple(_texts([ec2.get("availability_zone")])),
        links=tuple(_read_links(elements)),
    )


def walk(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the document and every subsegment embedded in it, in no particular order."""
    pending = [content]
    while pending:
        element = pending.pop()
        yield element
        pending.extend(
            child for child in as_list(element.get("subsegments")) if isinstance(child, dict)
        )


def _read_http(http: dict[str, Any]) -> dict[str, Any]:
    request = as_mapping(http.get("request"))
    fields = {
        "HttpURL": as_text(request.get("url")),
        "HttpMethod": as_text(request.get("method")),
        "UserAgent": as_text(request.get("user_agent")),
        "ClientIp": as_text(request.get("client_ip")),
        "HttpStatus": as_status(as_mapping(http.get("response")).get("status")),
    }
    return {key: value for key, value in fields.items() if value is not None}


def as_status(value: object) -> int | None:
    """Return the value if it can be an HTTP status, else None."""
    number = as_number(value)
    return int(number) if number is not None and 100 <= number < 1000 else None


def _read_calls(elements: list[dict[str, Any]]) -> Iterator[Call]:
    for element in elements:
        service = name_callee(element)
        if service is not None:
            is_open = is_in_progress(element)
            start, end = as_time(element.get("start_time")), as_time(element.get("end_time"))
            is_timed = not is_open and start is not None and end is not None
            yield Call(
                id=as_text(element.get("id")) or "",
                service=service,
                is_open=is_open,
                seconds=max(0.0, (end or 0.0) - (start or 0.0)) if is_timed else 0.0,
                has_fault=element.get("fault") is True,
                has_error=element.get("error") is True,
                has_throttle=element.get("throttle") is True,
                http=_read_http(as_mapping(element.get("http"))),
                annotations=tuple(_read_annotations([element])),
            )


def _read_annotations(
    elements: list[dict[str, Any]],
) -> Iterator[tuple[str, str | float | bool]]:
    for element in elements:
        for key, value in as_mapping(element.get("annotations")).items():
            kept = _as_annotation(value)
            if kept is not None and 0 < len(key) <= ANNOTATION_KEY_CHARACTERS:
                yield key, kept


def _read_links(elements: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for element in elements:
        for link in map(as_mapping, as_list(element.get("links"))):
            trace_id, segment_id = link.get("trace_id"), link.get("id")
            if isinstance(segment_id, str) and len(segment_id) == ID_CHARACTERS:
                if isinstance(trace_id, str) and TRACE_ID.fullmatch(trace_id):
                    yield trace_id, segment_id


def _as_annotation(value: object) -> str | float | bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value[:ANNOTATION_CHARACTERS]
    return as_number(value)


def _texts(values: Any) -> Iterator[str]:
    return (text for text in map(as_text, values) if text)
