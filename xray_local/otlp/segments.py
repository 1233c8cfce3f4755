"""Spans to segment documents, as the OpenTelemetry collector makes them for X-Ray.

A SERVER span, or one without a parent, is a segment; every other one is a subsegment that comes on
its own. An attribute that has a place in a segment goes there; of the others every scalar is an
annotation (there is no bill here), and the rest metadata. Nothing that a span says is dropped: its
own name and kind, its events and its scope are metadata `otel`.
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/awsxrayexporter
"""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import math
import re
from typing import Any, NoReturn

from xray_local.errors import DocumentRefused

from .blocks import (
    DATABASE,
    REMOTE_HOST,
    as_written,
    find,
    find_database_host,
    find_host,
    find_origin,
    find_status,
    make_environment,
    take,
    take_call,
    take_http,
    take_sql,
    without_nothing,
)
from .spans import Attributes, Event, Kind, Link, Span, StatusCode, Value
from .stacks import read_stack

TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
NAME_CHARACTERS = 200
ANNOTATION_CHARACTERS = 1000
ANNOTATION_KEY_CHARACTERS = 500
NANOSECONDS = 1_000_000_000
USER = ("enduser.id", "user.id")
# What ADOT says of the service that was called; the calling service's own segment has none of it.
REMOTE_ATTRIBUTES = (
    "aws.remote.service",
    "aws.remote.operation",
    "remoteTarget",
    "K8s.RemoteNamespace",
)
ANNOTATION_KEYS = "aws.xray.annotations"
METADATA_PREFIX = "aws.xray.metadata."
RESOURCE_PREFIX = "otel.resource."


def make_documents(span: Span) -> list[dict[str, Any]]:
    """Return the documents of a span: one, or two as `_split` says. Raises DocumentRefused."""
    _check(span)
    is_local_root = span.attributes.get("aws.span.kind") == "LOCAL_ROOT"
    if is_local_root and span.is_call:
        return _split(span)
    document = _make_document(span)
    if is_local_root and document.pop("type", None):
        document.pop("namespace", None)
    return [document]


def write_document(document: dict[str, Any]) -> bytes:
    """Return the JSON of a document, as clients send it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def _check(span: Span) -> None:
    for name, value, expected in (
        ("trace_id", span.trace_id, TRACE_ID),
        ("span_id", span.id, SPAN_ID),
        ("parent_span_id", span.parent_id, SPAN_ID),
    ):
        if name == "parent_span_id" and not value.strip("0"):
            continue
        if not expected.fullmatch(value):
            digits = 32 if expected is TRACE_ID else 16
            raise DocumentRefused(
                "InvalidTraceId" if expected is TRACE_ID else "InvalidId",
                f"Expected {digits} hexadecimal digits, not all 0, as {name}, got {value[:80]!a}.",
            )


def _split(span: Span) -> list[dict[str, Any]]:
    """Return the segment of the service that a call was made by, and the call below it.

    So the collector does where ADOT says that nothing of this service is above the call.
    """
    segment_id = _make_id(span, "service")
    call = _make_document(dataclasses.replace(span, parent_id=segment_id))
    call["type"] = "subsegment"
    call.setdefault("namespace", "remote")
    kept = {key: value for key, value in span.attributes.items() if key not in REMOTE_ATTRIBUTES}
    segment = _make_document(dataclasses.replace(span, id=segment_id, attributes=kept), is_own=True)
    for member in ("http", "sql", "namespace", "type"):
        segment.pop(member, None)
    # What came in by a queue belongs to the service, what was called has no links of its own.
    (call if span.kind == Kind.CONSUMER else segment).pop("links", None)
    return [call, segment]


def _make_document(span: Span, *, is_own: bool = False) -> dict[str, Any]:
    """Return the one document of a span; is_own: it is the service's, whatever the span's kind."""
    parent_id = span.parent_id if span.parent_id.strip("0") else ""
    is_segment = is_own or span.is_server or not parent_id
    rest = dict(span.attributes)
    language = find(span.resource, "telemetry.sdk.language")
    exceptions, events = _read_events(span, language)
    document: dict[str, Any] = {
        "name": _clean_name(_find_own_name(span) if is_own else _find_name(span)),
        "id": span.id,
        "trace_id": _write_trace_id(span.trace_id),
        "parent_id": parent_id,
        "start_time": span.start_ns / NANOSECONDS,
        # A span always has ended.
        "end_time": max(span.start_ns, span.end_ns) / NANOSECONDS,
        **_find_flags(span),
        "cause": {"exceptions": exceptions} if exceptions else None,
        "http": take_http(span, rest),
        "links": [_make_link(link) for link in span.links if _is_link(link)],
    }
    is_aws = _is_aws(span)
    call = take_call(rest) if is_aws else {}
    document["sql"] = take_sql(span, rest)
    document["user"] = take(rest, *USER)
    if is_segment:
        environment = make_environment(span.resource)
        document |= {
            "origin": find_origin(span.resource),
            "aws": environment if is_own else call | environment,
            "service": without_nothing(
                {"version": find(span.resource, "service.version", "container.image.tag")}
            ),
            "resource_arn": _find_arn(span),
        }
    else:
        namespace = "aws" if is_aws else "remote" if _is_remote(span) else None
        document |= {"type": "subsegment", "namespace": namespace, "aws": call}
    annotations, metadata = _sort_attributes(span, rest, is_segment=is_segment)
    document["annotations"] = annotations
    document["metadata"] = metadata | {"otel": metadata.get("otel", {}) | _describe(span, events)}
    return without_nothing(document)


def _find_name(span: Span) -> str:
    """Return the name of the service that a segment is of, or that a subsegment called."""
    found = span.attributes
    is_local_root = found.get("aws.span.kind") == "LOCAL_ROOT"
    if span.is_server or (is_local_root and not span.is_call):
        name = find(found, "aws.local.service")
    else:
        name = find(found, "aws.remote.service") if span.is_call else ""
        if _is_aws(span):
            name = name.removeprefix("AWS.SDK.").removeprefix("AWS::")
    name = name or find(found, "peer.service", "service.peer.name", "aws.service")
    if not name:
        name = _find_database(span)
    if not name and span.is_server:
        name = find(span.resource, "service.name")
    name = name or find(found, "rpc.service") or _find_rpc_service(span)
    if not name and not span.is_server:
        name = find(found, *REMOTE_HOST[:3])
    if not name and span.kind == Kind.CLIENT:
        # Here the collector has the span's name. Many instrumentations say no more, and every
        # service that is asked for a GET would be one, every database that is asked a SELECT.
        name = find_host(found) or find(found, *DATABASE)
    return name or span.name


def _find_own_name(span: Span) -> str:
    return find(span.attributes, "aws.local.service") or find(span.resource, "service.name")


def _find_database(span: Span) -> str:
    name = find(span.attributes, "db.namespace", "db.name")
    host = find_database_host(span.attributes) if name else ""
    return f"{name}@{host}" if host else name


def _find_rpc_service(span: Span) -> str:
    """Newer conventions have "package.Service/Method", "S3/PutObject" in one attribute."""
    return find(span.attributes, "rpc.method").rpartition("/")[0]


def _clean_name(name: str) -> str:
    """Return the name with nothing in it that a segment's name may not have."""
    kept = "".join(
        character
        for character in name
        if character.isalpha() or character.isnumeric() or character in " _.:/%&#=+-@"
    )
    return kept.strip()[:NAME_CHARACTERS] or "span"


def _is_aws(span: Span) -> bool:
    return (
        find(span.attributes, "rpc.system", "rpc.system.name") == "aws-api"
        or "aws.service" in span.attributes
    )


def _is_remote(span: Span) -> bool:
    return span.kind == Kind.CLIENT or (span.is_call and "aws.remote.service" in span.attributes)


def _find_flags(span: Span) -> dict[str, bool | None]:
    """Return the flags, of which the HTTP status decides if it is an error's."""
    status = find_status(span) or 0
    if not 400 <= status <= 599:
        return {"fault": True if span.status_code == StatusCode.ERROR else None}
    if status >= 500:
        return {"fault": True}
    return {"error": True, "throttle": True if status == 429 else None}


def _find_arn(span: Span) -> str:
    arn = find(span.attributes, "aws.lambda.invoked_arn")
    arn = arn or find(span.resource, "cloud.resource_id", "faas.id")
    return arn if arn.startswith("arn:") else ""


def _read_events(span: Span, language: str) -> tuple[list[dict[str, Any]], list[Event]]:
    """Return the exceptions that the span tells of, and the events that say something else."""
    exceptions: list[dict[str, Any]] = []
    others = []
    is_remote = span.kind in (Kind.CLIENT, Kind.PRODUCER)
    for event in span.events:
        if event.name != "exception":
            others.append(event)
            continue
        stack = find(event.attributes, "exception.stacktrace")
        chain = read_stack(stack, language)
        if stack and not chain:
            # Nobody here can read that stack, so that it stays as it is.
            others.append(event)
        made = [
            {
                "id": _make_id(span, f"exception {len(exceptions) + number}"),
                "type": each.type,
                "message": each.message,
                "remote": is_remote,
                "stack": each.frames,
            }
            for number, each in enumerate(chain)
        ] or [{"id": _make_id(span, f"exception {len(exceptions)}"), "remote": is_remote}]
        made[0]["type"] = find(event.attributes, "exception.type")
        made[0]["message"] = find(event.attributes, "exception.message")
        for outer, inner in itertools.pairwise(made):
            outer["cause"] = inner["id"]
        exceptions.extend(without_nothing(each) for each in made)
    if not exceptions and span.status_code == StatusCode.ERROR and span.status_message:
        exceptions = [
            without_nothing(
                {
                    "id": _make_id(span, "status"),
                    "type": find(span.attributes, "error.type"),
                    "message": span.status_message,
                }
            )
        ]
    return exceptions, others


def _is_link(link: Link) -> bool:
    return bool(TRACE_ID.fullmatch(link.trace_id) and SPAN_ID.fullmatch(link.span_id))


def _make_link(link: Link) -> dict[str, Any]:
    return without_nothing(
        {
            "trace_id": _write_trace_id(link.trace_id),
            "id": link.span_id,
            "attributes": {key: _as_json(value) for key, value in link.attributes.items()},
        }
    )


def _write_trace_id(trace_id: str) -> str:
    """Return the id as X-Ray writes it; the first 8 digits need not be a time."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def _sort_attributes(
    span: Span, rest: Attributes, *, is_segment: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return annotations and metadata of all attributes that have no place of their own."""
    annotations: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    wanted = rest.pop(ANNOTATION_KEYS, None)
    for key in wanted if isinstance(wanted, list) else ():
        # Those that have a place are annotations besides, for whoever asks for it.
        if isinstance(key, str) and key in span.attributes:
            rest.setdefault(key, span.attributes[key])
    if is_segment:
        rest = {RESOURCE_PREFIX + key: value for key, value in span.resource.items()} | rest
    for key, value in rest.items():
        if key.startswith(METADATA_PREFIX):
            found = _read_object(value)
            if found is not None:
                metadata.setdefault(key.removeprefix(METADATA_PREFIX) or "default", {}).update(
                    found
                )
                continue
        if key and _is_annotation(value):
            annotations[_clean_key(key)] = value
        elif value is not None:
            plain[key] = _as_json(value)
    if plain:
        metadata["default"] = plain | metadata.get("default", {})
    return annotations, metadata


def _read_object(value: Value) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(value, parse_constant=_refuse) if isinstance(value, str) else None
        return found if isinstance(found, dict) else None
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant}, which is not JSON")


def _is_annotation(value: Value) -> bool:
    if isinstance(value, str):
        return len(value) <= ANNOTATION_CHARACTERS
    return isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))


def _clean_key(key: str) -> str:
    return re.sub("[^A-Za-z0-9.]", "_", key)[:ANNOTATION_KEY_CHARACTERS]


def _describe(span: Span, events: list[Event]) -> dict[str, Any]:
    """Return what else a span says; a segment has no places for it."""
    kind = Kind(span.kind).name if span.kind in set(Kind) else str(span.kind)
    return without_nothing(
        {
            "name": span.name,
            "kind": kind,
            "scope": span.scope,
            "events": [
                without_nothing(
                    {
                        "name": event.name,
                        "time": event.time_ns / NANOSECONDS,
                        "attributes": {
                            key: _as_json(value) for key, value in event.attributes.items()
                        },
                    }
                )
                for event in events
            ],
        }
    )


def _as_json(value: Value) -> Any:
    """Return the value without the numbers that JSON does not have."""
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return as_written(value)
    return value


def _make_id(span: Span, purpose: str) -> str:
    """Return an id that is the same whenever the span comes: exporters send again."""
    return hashlib.sha256(f"{span.trace_id} {span.id} {purpose}".encode()).hexdigest()[:16]
