"""What X-Ray takes of a segment document, and what is left of one that does not comply.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

X-Ray removes what does not comply and keeps the rest. It does not say how; the rules here are:

- A text that is too long is cut. Any other misfit is removed: a member, an item of a list.
- A subsegment or a link that lacks what it must have is removed as a whole.
- Annotation keys are letters, digits, "_" and, as newer clients send them, "."; values are texts
  of 1,000 characters, numbers and booleans.
- The name of a segment loses the characters that X-Ray does not take (SDKs remove them, too), and
  what goes beyond 200; the name of a subsegment may be anything (doubtful: the schema says so, the
  guide does not).
- What the schema does not mention stays.
"""

import functools
import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, cast

from msgspec import UNSET, Meta, Struct, UnsetType, inspect

from xray_local.traces.documents import ID_CHARACTERS, MAX_TIME, TRACE_ID, as_number

NAME_CHARACTERS = r"\w .:/%&#=+\-@\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NAME_MAX_CHARACTERS = 200
NOT_OF_A_NAME = re.compile(f"[^{NAME_CHARACTERS}]+")
ANNOTATION_KEY = re.compile(r"[A-Za-z0-9_.]{1,500}")
# Keys come again and again: those that have been found right. More are looked at each time.
KNOWN_KEYS_MAX = 10_000

Id = Annotated[str, Meta(min_length=ID_CHARACTERS, max_length=ID_CHARACTERS)]
Short = Annotated[str, Meta(max_length=250)]
Time = Annotated[float, Meta(ge=0, le=MAX_TIME)]
SegmentName = Annotated[
    str, Meta(max_length=NAME_MAX_CHARACTERS, pattern=rf"\A[{NAME_CHARACTERS}]+\Z")
]
TraceId = Annotated[str, Meta(pattern=r"\A[0-9]-[0-9A-Fa-f]{8}-[0-9A-Fa-f]{24}\Z")]
Value = Annotated[str, Meta(max_length=1000)] | float | bool  # of an annotation


class Part(Struct, gc=False):
    """A JSON object of which the schema mentions some members."""


class Request(Part):
    """http.request."""

    method: Short = ""
    url: Short = ""
    user_agent: Short = ""
    client_ip: Short = ""
    x_forwarded_for: bool = False
    traced: bool = False


class Response(Part):
    """http.response."""

    status: float = 0
    content_length: float = 0


class Http(Part):
    """http: a request that was served or made."""

    request: Request | UnsetType = UNSET
    response: Response | UnsetType = UNSET


class Sql(Part):
    """sql: a statement."""

    connection_string: str = ""
    url: str = ""
    sanitized_query: str = ""
    database_type: str = ""
    database_version: str = ""
    driver_version: str = ""
    user: Short = ""
    preparation: str = ""


class Ec2(Part):
    """aws.ec2."""

    instance_id: str = ""
    availability_zone: str = ""
    instance_size: str = ""
    ami_id: str = ""


class Ecs(Part):
    """aws.ecs."""

    container: str = ""


class Eks(Part):
    """aws.eks."""

    cluster_name: str = ""
    pod: str = ""
    container_id: str = ""


class Beanstalk(Part):
    """aws.elastic_beanstalk."""

    environment_name: str = ""
    version_label: str = ""
    deployment_id: float = 0


class Sdk(Part):
    """aws.xray."""

    sdk: str = ""
    sdk_version: str = ""
    auto_instrumentation: bool = False


class LogGroup(Part):
    """An item of aws.cloudwatch_logs."""

    log_group: str = ""
    arn: str = ""


class Aws(Part):
    """aws: where a segment was made, or what a subsegment called.

    The last of them are not in the schema: that is where SDKs put the names of other resources.
    """

    account_id: str = ""
    ec2: Ec2 | UnsetType = UNSET
    ecs: Ecs | UnsetType = UNSET
    eks: Eks | UnsetType = UNSET
    elastic_beanstalk: Beanstalk | UnsetType = UNSET
    xray: Sdk | UnsetType = UNSET
    tracing: Sdk | UnsetType = UNSET
    cloudwatch_logs: list[LogGroup] | UnsetType = UNSET
    operation: str = ""
    region: str = ""
    request_id: str = ""
    queue_url: str = ""
    table_name: str = ""
    bucket_name: str = ""
    topic_arn: str = ""
    function_name: str = ""
    resource_names: list[str] | UnsetType = UNSET
    table_names: list[str] | UnsetType = UNSET
    event_bus_name: Any = None
    state_machine_arn: Any = None
    endpoint_name: Any = None
    stream_name: Any = None
    stream_arn: Any = None
    delivery_stream_name: Any = None
    secret_id: Any = None
    key_id: Any = None


class Frame(Part):
    """A line of a stack."""

    path: str = ""
    line: int = 0
    label: str = ""


class ExceptionRecord(Part):
    """An item of cause.exceptions."""

    # The schema demands it, but the SDK for Ruby sends none (doubtful: X-Ray may remove these).
    id: Id | UnsetType = UNSET
    message: str = ""
    type: str = ""
    remote: bool = False
    truncated: int = 0
    skipped: int = 0
    cause: str = ""
    stack: list[Frame] | UnsetType = UNSET


class Cause(Part):
    """cause: what went wrong."""

    working_directory: str = ""
    paths: list[str] | UnsetType = UNSET
    exceptions: list[ExceptionRecord] | UnsetType = UNSET


class Software(Part):
    """service."""

    version: str = ""


class Link(Part):
    """An item of links: a segment of another trace that this one continues."""

    trace_id: TraceId
    id: Id
    attributes: dict[str, Any] | UnsetType = UNSET


class Element(Part):
    """A segment or a subsegment."""

    name: Annotated[str, Meta(min_length=1)]
    id: Id
    start_time: Time
    end_time: Time | UnsetType = UNSET
    in_progress: bool = False
    trace_id: str = ""
    parent_id: Id | UnsetType = UNSET
    type: str = ""
    namespace: str = ""
    fault: bool = False
    error: bool = False
    throttle: bool = False
    traced: bool = False
    user: Short = ""
    origin: str = ""
    resource_arn: str = ""
    http: Http | UnsetType = UNSET
    aws: Aws | UnsetType = UNSET
    sql: Sql | UnsetType = UNSET
    service: Software | UnsetType = UNSET
    cause: Id | Cause | UnsetType = UNSET
    annotations: dict[str, Value] | UnsetType = UNSET
    metadata: dict[str, dict[str, Any]] | UnsetType = UNSET
    links: list[Link] | UnsetType = UNSET
    precursor_ids: list[str] | UnsetType = UNSET
    subsegments: "list[Element] | UnsetType" = UNSET

    @property
    def is_segment(self) -> bool:
        """Whether it is a segment; only what came on its own can be one."""
        return self.type != "subsegment"

    @property
    def is_open(self) -> bool:
        """Whether it is in progress."""
        return self.in_progress or self.end_time is UNSET


def complies(document: Element) -> bool:
    """Whether a document of the right types also complies with the rules that have none.

    But for the keys of annotations: see `are_keys`.
    """
    if not TRACE_ID.fullmatch(document.trace_id):
        return False
    if document.type == "subsegment":
        return bool(document.parent_id)
    return clean_name(document.name) == document.name


def clean_name(name: str) -> str:
    """Return what a segment with this name is called; nothing if no character can stay."""
    if len(name) > NAME_MAX_CHARACTERS:
        return NOT_OF_A_NAME.sub("", name)[:NAME_MAX_CHARACTERS]
    return _clean_short_name(name)


@functools.lru_cache(1000)  # services are few
def _clean_short_name(name: str) -> str:
    return NOT_OF_A_NAME.sub("", name)


_known_keys: set[str] = set()


def are_keys(annotations: Iterable[tuple[str, object]]) -> bool:
    """Whether annotations may have their keys."""
    for key, _ in annotations:
        if key not in _known_keys:
            if not ANNOTATION_KEY.fullmatch(key):
                return False
            if len(_known_keys) < KNOWN_KEYS_MAX:
                _known_keys.add(key)
    return True


def remove_misfits(content: dict[str, Any]) -> dict[str, Any]:
    """Return what is left of a document that has an id, a name and a start."""
    document: dict[str, Any] = _fit(content, ELEMENT)
    if document.get("type") != "subsegment":
        document["name"] = clean_name(document["name"])
    pending = [document]
    while pending:
        element = pending.pop()
        if "subsegments" in element:
            kept = [_fit(each, ELEMENT) for each in element["subsegments"]]
            element["subsegments"] = [each for each in kept if each is not MISFIT]
            pending += element["subsegments"]
        if "annotations" in element:
            element["annotations"] = {
                key: value
                for key, value in element["annotations"].items()
                if ANNOTATION_KEY.fullmatch(key)
            }
    return document


MISFIT: Final[Any] = object()


ELEMENT = inspect.type_info(Element)


@functools.cache
def _types_of_members(part: type[Part]) -> dict[str, inspect.Type]:
    kind = cast(inspect.StructType, inspect.type_info(part))
    members = {field.encode_name: field.type for field in kind.fields}
    if part is Element:
        # Its items are fitted one by one: they may be nested deeper than calls should be.
        members["subsegments"] = inspect.ListType(item_type=inspect.AnyType())
    return members


def _fit(value: Any, kind: inspect.Type) -> Any:
    """Return what complies of the value, MISFIT if nothing does."""
    match kind:
        case inspect.AnyType():
            return value
        case inspect.UnionType(types):
            fitted = (_fit(value, each) for each in types)
            return next((each for each in fitted if each is not MISFIT), MISFIT)
        case inspect.BoolType():
            return value if isinstance(value, bool) else MISFIT
        case inspect.StrType():
            return _fit_text(value, kind)
        case inspect.IntType():
            is_integer = isinstance(value, int) and not isinstance(value, bool)
            return value if is_integer and as_number(value) is not None else MISFIT
        case inspect.FloatType():
            number = as_number(value)
            is_in_range = number is not None and (
                (kind.ge is None or number >= kind.ge) and (kind.le is None or number <= kind.le)
            )
            return value if is_in_range else MISFIT
        case inspect.ListType():
            return _fit_list(value, kind.item_type)
        case inspect.DictType():
            return _fit_members(value, {}, kind.value_type)
        case inspect.StructType():
            members = _types_of_members(kind.cls)
            fitted = _fit_members(value, members, inspect.AnyType())
            required = (field.encode_name for field in kind.fields if field.required)
            is_whole = fitted is not MISFIT and all(name in fitted for name in required)
            return fitted if is_whole else MISFIT
    raise TypeError(f"{kind} is in no document.")


def _fit_text(value: Any, kind: inspect.StrType) -> Any:
    if not isinstance(value, str) or len(value) < (kind.min_length or 0):
        return MISFIT
    if kind.pattern is not None and not re.search(kind.pattern, value):
        return MISFIT
    if kind.max_length is None or len(value) <= kind.max_length:
        return value
    # An id that is too long is no id; of any other text the beginning says something.
    return MISFIT if kind.min_length == kind.max_length else value[: kind.max_length]


def _fit_list(value: Any, kind: inspect.Type) -> Any:
    if not isinstance(value, list):
        return MISFIT
    fitted = (_fit(item, kind) for item in value)
    return [item for item in fitted if item is not MISFIT]


def _fit_members(value: Any, members: dict[str, inspect.Type], others: inspect.Type) -> Any:
    if not isinstance(value, dict):
        return MISFIT
    fitted = ((key, _fit(member, members.get(key, others))) for key, member in value.items())
    return {key: member for key, member in fitted if member is not MISFIT}
