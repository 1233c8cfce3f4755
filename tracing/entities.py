"""Segments and subsegments: the SDK's, with its methods, that cost little and never raise.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator
from functools import cached_property
from threading import get_ident
from time import perf_counter
from typing import Any

from aws_xray_sdk.core.exceptions.exceptions import SegmentNameMissingException
from aws_xray_sdk.core.models import http
from aws_xray_sdk.core.models.dummy_entities import DummySegment, DummySubsegment
from aws_xray_sdk.core.models.facade_segment import FacadeSegment
from aws_xray_sdk.core.models.segment import Segment as SDKSegment
from aws_xray_sdk.core.models.subsegment import Subsegment as SDKSubsegment

from .documents import clean_annotation, clean_http, clean_sql, encode, make_document
from .exceptions import record_failure, use_stack
from .harmless import harmless
from .header import TraceHeader, adopt_header
from .plain import make_plain

log = logging.getLogger(__name__)

# Blocks that most entities do not have: made when somebody looks at them or writes to them.
MADE_BLOCKS = frozenset({"annotations", "metadata", "http", "aws", "cause", "sql"})
ID = re.compile(r"[0-9a-f]{16}")
AWS_TEXTS = frozenset(
    {"account_id", "operation", "region", "request_id", "queue_url", "table_name"}
)
KEY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
MAX_USER_CHARACTERS = 250
MAX_KEY_CHARACTERS = 500
NO_ID = "0" * 16
# What the ids of a request end in; what they begin with is its own.
ENDS_OF_IDS = tuple(f"{number:02x}" for number in range(256))

new = object.__new__
_told: set[str] = set()


def tell_once(key: str, message: str, *arguments: object) -> None:
    """Log a warning the first time in this process that something happens, and hardly ever again.

    Without a lock, which a fork could leave taken: two threads at once may both tell.
    """
    if key not in _told:
        _told.add(key)
        log.warning(message, *arguments)


def make_ids() -> Iterator[str]:
    """Return 256 ids of a request, which begin alike, at random and from the system.

    They have to be unique in their trace; a call of the system for each would cost more than the
    rest of a subsegment. Not from Python's own generator: a snapshot of a process repeats that.
    """
    return map(os.urandom(7).hex().__add__, ENDS_OF_IDS)


def renew_ids(request: Any) -> str:
    """Give a request more ids, and return the first of them."""
    request.ids = ids = make_ids()
    return next(ids)


def make_trace_id() -> str:
    """Return a trace id of the present second."""
    return f"1-{int(time.time()):08x}-{os.urandom(12).hex()}"


class Itself:
    """An attribute that is the object itself where nothing else was set, and makes no cycle."""

    def __get__(self, entity: Any, owner: Any = None) -> Any:
        return entity


class OfRequest:
    """An attribute of what a subsegment is a part of, where nothing else was set."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self._name = name

    def __get__(self, entity: Any, owner: Any = None) -> Any:
        return self if entity is None else getattr(entity.request, self._name)


class Flag:
    """What went wrong, which most entities do not have: one that has says so by `is_plain` too."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self._name = name

    def __get__(self, entity: Any, owner: Any = None) -> bool:
        return False if entity is None else entity.__dict__.get(self._name, False)

    def __set__(self, entity: Any, value: bool) -> None:
        entity.__dict__[self._name] = value
        entity.is_plain = False


class Block:
    """A block of the document, which most entities do not have: found where somebody looks at it.

    Not by `__getattr__`: with that, every look at any attribute of an entity takes twice as long.
    """

    def __set_name__(self, owner: Any, name: str) -> None:
        self._name = name

    def __get__(self, entity: Any, owner: Any = None) -> Any:
        return self if entity is None else entity.find_block(self._name)


class Blocks:
    """An entity's blocks; one that was put on it hides what stands here."""

    http = Block()
    annotations = Block()
    aws = Block()
    sql = Block()
    metadata = Block()
    cause = Block()
    user: Any = Block()
    origin = Block()
    service = Block()
    links = Block()


class Recorded(Blocks):
    """What a segment and a subsegment that are sent have in common.

    parent: the entity above, None for a segment of ours. request: the entity that stands for the
    request, which is the segment or, on Lambda, the outermost subsegment. is_sent: its document has
    left. is_alone: it leaves on its own, for it is the request, or was sent before it had ended, or
    begun when its parent had been sent. is_leaf: what it calls is not recorded beneath it. owner:
    the thread that began it. is_async: of a request whose thread serves others meanwhile. text, and
    of a request notes: blocks and annotations as JSON, each after a comma, at which nobody has
    looked; then they become blocks. is_plain: it has neither blocks nor flags.
    """

    parent: Any = None
    request: Any = Itself()
    parent_segment: Any
    # A list, unless it is a leaf.
    subsegments: Any = ()
    id: str
    name: str
    start_time: float
    end_time: float

    sampled = True
    in_progress = True
    is_sent = False
    is_alone = False
    is_leaf = False
    is_template = False
    is_function = False
    is_silent = False
    # Of which invocation it is, on Lambda.
    key: bytes | None = None
    has_blocks = False
    text = ""
    notes = ""
    is_plain = True
    fault = Flag()
    error = Flag()
    throttle = Flag()
    # Of a request: how many subsegments it holds that were not sent, and the iterations that are
    # not at their end.
    ids: Iterator[str]
    clock: float
    held = 0
    hold_until = 0
    is_async = False
    owner = 0
    iterations: tuple[Any, ...] = ()

    def _begin(self) -> None:
        """Be a request, from now on."""
        # Each subsegment looks at these: on itself, they take a fifth of the time.
        self.sampled = self.in_progress = self.is_alone = True
        self.is_sent = self.is_leaf = self.is_silent = False
        self.held = 0
        # Until it is sent: a cycle would wait for the collector, and then the class says the same.
        self.request = self
        self.subsegments = []
        self.owner = get_ident()
        self.start_time = now = time.time()
        self.clock = now - perf_counter()

    def find_block(self, name: str) -> Any:
        """Return a block that nobody has looked at; an empty one where there is none."""
        if self.text or self.notes:
            self.take_apart()
            if name in self.__dict__:
                return self.__dict__[name]
        if name in MADE_BLOCKS:
            made: dict[str, Any] = {}
            self.set_block(name, made)
            return made
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def set_block(self, name: str, block: Any) -> None:
        """Put a block on it as it is: what calls this has cleaned it."""
        if self.text or self.notes:
            self.take_apart()
        setattr(self, name, block)
        self.has_blocks = True
        self.is_plain = False

    def add_text(self, text: str) -> None:
        """Put blocks on it that are JSON already, each after a comma."""
        self.text += text
        if self.has_blocks:
            self.take_apart()

    def take_apart(self) -> None:
        """Make blocks of what is JSON already."""
        text = f'{self.text},"annotations":{{{self.notes[1:]}}}' if self.notes else self.text
        self.text = self.notes = ""
        for name, block in json.loads(f"{{{text[1:]}}}").items():
            self.set_block(name, block)

    def close(self, end_time: float | None = None) -> None:
        """End it, at `end_time` in seconds since 1970 or now. The second time does nothing."""
        if self.in_progress:
            self.end_time = end_time or self.parent_segment.clock + perf_counter()
            self.in_progress = False

    def add_subsegment(self, subsegment: Any) -> None:
        """Hang a subsegment beneath this one."""
        subsegment.parent = self
        self.hold(subsegment)

    def hold(self, subsegment: Any) -> None:
        """Keep a subsegment, and count it."""
        # A leaf has no list; of two threads that find none, one makes it.
        self.__dict__.setdefault("subsegments", [])
        self.subsegments.append(subsegment)
        self.request.held += 1

    def remove_subsegment(self, subsegment: Any) -> None:
        """Take away a subsegment that was sent."""
        self.subsegments.remove(subsegment)
        self.request.held -= 1

    @harmless()
    def put_annotation(self, key: Any, value: object) -> None:
        """Annotate it; a key or a value that X-Ray does not take is told once and dropped."""
        if not self._is_open("annotation"):
            return
        if (
            not isinstance(key, str)
            or not 0 < len(key) <= MAX_KEY_CHARACTERS
            or not KEY_CHARACTERS.issuperset(key)
        ):
            tell_once(
                "annotation-key",
                "The annotation %.100r is dropped: expected a key of at most 500 letters, digits "
                "and underscores.",
                key,
            )
        elif not isinstance(value, str | int | float | bool):
            tell_once(
                "annotation-value",
                "The annotation %r is dropped: expected text, a number or a bool, got %s.",
                key,
                type(value).__name__,
            )
        else:
            cleaned = clean_annotation(key, value)
            # Quotes within a text have a backslash: this is a key and nothing else.
            if self.notes and f'"{key}":' not in self.notes:
                self.notes += f',"{key}":{encode(cleaned)}'
            else:
                self.annotations[key] = cleaned

    @harmless()
    def put_metadata(self, key: str, value: object, namespace: Any = "default") -> None:
        """Keep a value with it. The value is read when the document is made."""
        if not self._is_open("metadata"):
            return
        if not isinstance(namespace, str) or namespace.startswith("AWS."):
            tell_once(
                "namespace",
                "Metadata of the namespace %r is dropped: expected text that does not begin "
                "with 'AWS.'.",
                namespace,
            )
            return
        self.metadata.setdefault(namespace, {})[key] = value

    @harmless()
    def put_http_meta(self, key: str, value: Any) -> None:
        """Say one thing about the HTTP request or response that it stands for."""
        if value is None or not self._is_open("http"):
            return
        if key in http.response_keys:
            # Both are numbers.
            try:
                value = int(value)
            except (TypeError, ValueError):
                return
        if key == http.STATUS:
            self.apply_status_code(value)
        if key in http.request_keys:
            self.http.setdefault("request", {})[key] = clean_http(key, value)
        elif key in http.response_keys:
            self.http.setdefault("response", {})[key] = value

    @harmless()
    def set_aws(self, aws_meta: dict[str, Any]) -> None:
        """Say which call of AWS it stands for."""
        self.set_block(
            "aws",
            {
                key: str(value) if key in AWS_TEXTS else value
                for key, value in make_plain(aws_meta, redact=True).items()
            },
        )

    def apply_status_code(self, status_code: int | None) -> None:
        """Set the flags that an HTTP status means."""
        if not status_code or status_code < 400:
            return
        if status_code >= 500:
            self.fault = True
        else:
            self.error = True
            if status_code == 429:
                self.throttle = True

    @harmless()
    def add_exception(self, exception: BaseException, stack: Any, remote: bool = False) -> None:
        """Record an exception and mark a fault; the stack serves where the exception has none."""
        if record_failure(self, exception, is_remote=remote) and exception.__traceback__ is None:
            use_stack(self, stack)

    def to_dict(self) -> dict[str, Any]:
        """Return the document, cleaned of what must not leave."""
        return make_document(self)

    def serialize(self) -> str:
        """Return the document as JSON."""
        return encode(self.to_dict())

    def _is_open(self, what: str) -> bool:
        if not self.in_progress:
            tell_once(
                "ended", "%s was put on %r, which had ended; dropped.", what.capitalize(), self.name
            )
        return self.in_progress


class Segment(Recorded, SDKSegment):  # type: ignore[misc]
    """A segment that is sent when it ends."""

    parent_segment: Any = Itself()
    user: str | None = None
    namespace = None
    header: TraceHeader = TraceHeader()
    type = None
    is_function = False

    def __init__(
        self,
        name: str,
        entityid: str | None = None,
        traceid: str | None = None,
        parent_id: str | None = None,
        sampled: bool = True,
    ) -> None:
        if not name:
            raise SegmentNameMissingException("Segment name is required.")
        self.name = name
        self.ids = ids = make_ids()
        self.id = entityid if entityid and ID.fullmatch(entityid) else next(ids)
        self.trace_id = traceid or make_trace_id()
        self.parent_id = parent_id
        self.key = None
        self._begin()
        self.sampled = sampled

    def set_service(self, service_info: dict[str, Any]) -> None:
        """Say what it runs on."""
        self.set_block("service", make_plain(service_info))

    def set_user(self, user: str) -> None:
        """Say whose request this is."""
        if self._is_open("user"):
            self.set_block("user", str(user)[:MAX_USER_CHARACTERS])

    @harmless()
    def set_rule_name(self, rule_name: str) -> None:
        """Say which sampling rule chose it."""
        known = self.aws
        xray = {**known.get("xray", {}), "sampling_rule_name": rule_name}
        self.set_block("aws", {**known, "xray": xray})

    def save_origin_trace_header(self, trace_header: Any) -> None:
        """Keep the header that the request came with."""
        self.header = adopt_header(trace_header)

    def get_origin_trace_header(self) -> TraceHeader | None:
        """Return the header that the request came with."""
        return self.header

    def increment(self) -> None:
        """Do nothing: `add_subsegment` has counted."""

    def decrement_ref_counter(self) -> None:
        """Do nothing: what is open is known by looking."""

    def ready_to_send(self) -> bool:
        """Return whether it has ended."""
        return not self.in_progress

    def get_total_subsegments_size(self) -> int:
        """Return how many subsegments it holds."""
        return self.held

    def decrement_subsegments_size(self) -> int:
        """Count a subsegment that was sent."""
        self.held -= 1
        return self.held


class Subsegment(Recorded, SDKSubsegment):  # type: ignore[misc]
    """A part of a request."""

    type = "subsegment"

    parent_segment: Any = OfRequest()
    key: Any = OfRequest()

    def __init__(self, name: str, namespace: str, parent: Any) -> None:
        self.name = name
        self.namespace = namespace
        self.parent = parent
        request = parent.request
        if request is None:
            self.be_request(parent)
            request = self
        self.request = request
        self.id = next(request.ids, None) or renew_ids(request)
        self.subsegments = []
        self.owner = get_ident()
        self.start_time = request.clock + perf_counter()

    def be_request(self, function: Any) -> None:
        """Stand for the request, beneath the function's segment, which the service sends."""
        self.request = self
        self.is_alone = True
        self.parent_segment = function
        self.key = function.key
        self.clock = function.clock
        self.ids = make_ids()

    @property
    def header(self) -> Any:
        """The header that the request came with."""
        return self.parent_segment.header

    @property
    def trace_id(self) -> str:
        trace_id: str = self.parent_segment.trace_id
        return trace_id

    @property
    def parent_id(self) -> str:
        parent_id: str = self.parent.id
        return parent_id

    @harmless()
    def set_sql(self, sql: dict[str, Any]) -> None:
        """Say which SQL statement it stands for."""
        self.set_block("sql", clean_sql(sql))


class FunctionRequest(Subsegment):
    """A request on Lambda; the function's segment above it is made for who asks."""

    namespace = "local"
    trace_id = ""
    parent_id = ""
    header = TraceHeader()

    def __init__(self, name: str, header: TraceHeader, key: bytes | None) -> None:
        self.name = name
        self.header = header
        self.key = key
        self.trace_id = header.root or ""
        self.parent_id = header.parent or ""
        self.ids = ids = make_ids()
        self.id = next(ids)
        self._begin()

    @cached_property
    def parent_segment(self) -> Any:
        """The function's segment."""
        made = FunctionSegment(self.trace_id, self.parent_id, self.header, self.key)
        made.clock = self.clock
        return made

    @cached_property
    def parent(self) -> Any:
        """The same: it is the outermost."""
        return self.parent_segment


def make_part(name: str, namespace: str, parent: Any, request: Any, is_leaf: bool) -> Any:
    """Return a subsegment of a request: what `Subsegment` does, without what that has to look at.

    Each call of a class that has an `__init__` in Python costs as much again as what it does here.
    """
    made: Any = new(Subsegment)
    made.name = name
    made.namespace = namespace
    made.parent = parent
    made.request = request
    made.id = next(request.ids, None) or renew_ids(request)
    made.owner = get_ident()
    if is_leaf:
        made.is_leaf = True
    else:
        made.subsegments = []
    made.start_time = request.clock + perf_counter()
    return made


class FunctionSegment(FacadeSegment):  # type: ignore[misc]
    """A segment that somebody else sends: Lambda's for the function, or another process's.

    What is put on it goes to the request beneath it. The SDK's own raises here, although its guide
    teaches `current_segment().put_annotation`.
    """

    sampled = True
    in_progress = True
    initializing = False
    name = "function"
    type = None
    parent = None
    parent_id = None
    parent_segment: Any = Itself()
    request = None
    is_sent = True
    is_leaf = False
    is_template = False
    is_silent = False
    is_function = True

    def __init__(self, trace_id: str, id: str, header: TraceHeader, key: bytes | None) -> None:
        self.trace_id = trace_id
        self.id = id
        self.header = header
        self.key = key
        self.clock = time.time() - perf_counter()

    @property
    def subsegments(self) -> list[Any]:
        """Return nothing: it does not keep them."""
        return []

    def add_subsegment(self, subsegment: Any) -> None:
        subsegment.parent = self

    def get_origin_trace_header(self) -> TraceHeader:
        return self.header

    def save_origin_trace_header(self, trace_header: Any) -> None:
        self.header = adopt_header(trace_header)

    def put_annotation(self, key: str, value: object) -> None:
        self._forward("put_annotation", key, value)

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> None:
        self._forward("put_metadata", key, value, namespace)

    def put_http_meta(self, key: str, value: object) -> None:
        self._forward("put_http_meta", key, value)

    def set_user(self, user: str) -> None:
        # A subsegment has no user; an annotation can be searched for just as well.
        self._forward("put_annotation", "user", str(user)[:MAX_USER_CHARACTERS])

    def set_aws(self, aws_meta: dict[str, Any]) -> None:
        self._forward("set_aws", aws_meta)

    def add_throttle_flag(self) -> None:
        self._forward("add_throttle_flag")

    def add_fault_flag(self) -> None:
        self._forward("add_fault_flag")

    def add_error_flag(self) -> None:
        self._forward("add_error_flag")

    def add_exception(self, exception: BaseException, stack: Any, remote: bool = False) -> None:
        self._forward("add_exception", exception, stack, remote)

    def apply_status_code(self, status_code: int) -> None:
        self._forward("apply_status_code", status_code)

    def close(self, end_time: float | None = None) -> None:
        """Do nothing: the service ends it."""

    def increment(self) -> None:
        """Do nothing."""

    def get_total_subsegments_size(self) -> int:
        return 0

    def _forward(self, method: str, *arguments: object) -> None:
        from .context import request_entity

        request = request_entity()
        if request is not None and request is not self:
            getattr(request, method)(*arguments)
        else:
            tell_once(
                "function",
                "%s() was called on the function's segment outside a request; dropped.",
                method,
            )


class Unsampled(Blocks):
    """What is not sent, and costs next to nothing: it takes everything and keeps nothing.

    is_silent: it stands for a request that is under way, so that nothing needs to be looked at to
    know that nothing is recorded here.
    """

    sampled = False
    in_progress = True
    is_sent = False
    is_leaf = False
    is_template = False
    is_function = False
    is_silent = False
    namespace = "local"
    held = 0
    key: bytes | None = None
    start_time = 0.0
    fault = error = throttle = False

    @property
    def subsegments(self) -> list[Any]:
        return []

    def find_block(self, name: str) -> dict[str, Any]:
        """Return one to write to, of which nothing is kept."""
        return {}

    def add_subsegment(self, subsegment: Any) -> None:
        subsegment.parent = self

    def remove_subsegment(self, subsegment: Any) -> None:
        """Do nothing."""

    def add_throttle_flag(self) -> None:
        """Do nothing."""

    def add_fault_flag(self) -> None:
        """Do nothing."""

    def add_error_flag(self) -> None:
        """Do nothing."""

    def close(self, end_time: float | None = None) -> None:
        self.in_progress = self.is_silent = False

    def to_dict(self) -> dict[str, Any]:
        return {}


class UnsampledSegment(Unsampled, DummySegment):  # type: ignore[misc]
    """A segment that is not sent, but knows its true trace id: logs and pages still show it."""

    type = None
    parent = None
    parent_segment: Any = Itself()
    request: Any = Itself()
    user = None

    def __init__(
        self,
        name: str,
        header: TraceHeader,
        key: bytes | None = None,
        *,
        is_function: bool = False,
    ) -> None:
        self.name = name
        # Empty where there is no trace at all; the SDK's zeros would look like one.
        self.trace_id = header.root or ""
        self.header = header
        if is_function:
            self.key = key
            self.is_function = True

    @property
    def id(self) -> str:
        return self.header.parent or NO_ID

    @property
    def parent_id(self) -> str | None:
        return self.header.parent

    def get_origin_trace_header(self) -> TraceHeader:
        return self.header

    def save_origin_trace_header(self, trace_header: Any) -> None:
        self.header = adopt_header(trace_header)

    def increment(self) -> None:
        """Do nothing."""

    def decrement_ref_counter(self) -> None:
        """Do nothing."""

    def ready_to_send(self) -> bool:
        return not self.in_progress

    def get_total_subsegments_size(self) -> int:
        return 0


class UnsampledSubsegment(Unsampled, DummySubsegment):  # type: ignore[misc]
    """A subsegment that is not sent."""

    type = "subsegment"
    request: Any = Itself()

    def __init__(self, name: str, parent: Any) -> None:
        self.name = name
        self.parent = parent
        self.key = parent.key
        self.parent_segment = parent.parent_segment
        self.header = parent.parent_segment.header
        if parent.request is not None:
            self.request = parent.request

    @property
    def trace_id(self) -> str:
        trace_id: str = self.parent_segment.trace_id
        return trace_id

    @property
    def id(self) -> str:
        id: str = self.parent_segment.id
        return id

    @property
    def parent_id(self) -> str:
        return self.id


class UnsampledRequest(UnsampledSubsegment):
    """A request on Lambda that is not sampled; the function's segment is made for who asks."""

    trace_id = ""

    def __init__(self, name: str, header: TraceHeader, key: bytes | None) -> None:
        self.name = name
        # As with a segment.
        self.trace_id = header.root or ""
        self.header = header
        self.key = key

    @cached_property
    def parent_segment(self) -> Any:
        """The function's segment."""
        return UnsampledSegment("function", self.header, self.key, is_function=True)

    @property
    def parent(self) -> Any:
        """The same: it is the outermost."""
        return self.parent_segment


def is_subsegment(entity: Any) -> bool:
    """Return whether an entity is a part of a request."""
    return getattr(entity, "type", None) == "subsegment"


def adopt(entity: Any) -> Any:
    """Return an entity that application code made of the SDK's own classes as one of ours.

    Both share their attributes, so that what is put on either is on both.
    """
    if entity is None or isinstance(entity, Recorded | Unsampled | FunctionSegment):
        return entity
    if not entity.sampled:
        made: Any = UnsampledSegment(entity.name, TraceHeader(root=entity.trace_id))
        return UnsampledSubsegment(entity.name, made) if is_subsegment(entity) else made
    if is_subsegment(entity):
        segment = adopt(entity.parent_segment)
        made = Subsegment(entity.name, entity.namespace, segment)
        for computed in ("trace_id", "parent_id", "sampled", "type"):
            entity.__dict__.pop(computed, None)
    else:
        made = Segment(entity.name)
    known = made.__dict__
    made.__dict__ = entity.__dict__
    entity.__dict__.update(
        {key: value for key, value in known.items() if key not in entity.__dict__}
    )
    if isinstance(made, Segment):
        made.request = made
    else:
        made.parent_segment = segment
        made.request = made.parent.request or made
    # What is put on the other is not told here.
    made.is_plain = False
    return made
