"""Spans as OpenTelemetry describes them, whichever way they came.

https://opentelemetry.io/docs/specs/otel/trace/api/#span
"""

from dataclasses import dataclass, field
from enum import IntEnum

from xray_local.errors import XRayLocalError

# What an attribute may hold; bytes have become base64 by then.
Value = str | bool | int | float | list["Value"] | dict[str, "Value"] | None
Attributes = dict[str, Value]

# Of one request: a collector sends 8,192 at once.
SPANS_MAX = 50_000


class BadExport(XRayLocalError):
    """What came is no ExportTraceServiceRequest."""


class Kind(IntEnum):
    """The numbers are OTLP's."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(IntEnum):
    """The numbers are OTLP's."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(slots=True)
class Event:
    """Something that happened at one moment of a span."""

    name: str = ""
    time_ns: int = 0
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True)
class Link:
    """Another span that this one has to do with; ids are hexadecimal."""

    trace_id: str = ""
    span_id: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True)
class Span:
    """One span. Ids are hexadecimal, times are nanoseconds since 1970.

    resource: the attributes of whatever made it; scope: the library that did.
    """

    trace_id: str = ""
    id: str = ""
    parent_id: str = ""
    name: str = ""
    kind: int = Kind.UNSPECIFIED
    start_ns: int = 0
    end_ns: int = 0
    attributes: Attributes = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    status_code: int = StatusCode.UNSET
    status_message: str = ""
    resource: Attributes = field(default_factory=dict)
    scope: str = ""

    @property
    def is_server(self) -> bool:
        """Whether it answers a request of another service."""
        return self.kind == Kind.SERVER

    @property
    def is_call(self) -> bool:
        """Whether it asks another service, or speaks with a queue."""
        return self.kind in (Kind.CLIENT, Kind.PRODUCER, Kind.CONSUMER)
