"""The keys of XRAY_RECORDER and the TRACING_ settings: their defaults, and which values are right.

Source: https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/frameworks.html
"""

import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

DEFAULT_ADDRESS = "127.0.0.1:2000"
INSTRUMENTS = frozenset({"aws", "remote", "sql", "templates", "cache", "files", "threads"})
PLUGINS = ("EC2Plugin", "ECSPlugin", "ElasticBeanstalkPlugin")

_HOST_AND_PORT = r"[^:\s]+:(\d{1,5})"
ADDRESS = re.compile(
    rf"{_HOST_AND_PORT}|tcp:{_HOST_AND_PORT} udp:{_HOST_AND_PORT}"
    rf"|udp:{_HOST_AND_PORT} tcp:{_HOST_AND_PORT}"
)
ANNOTATION_KEY = re.compile(r"[A-Za-z0-9_]+")


class Key(NamedTuple):
    """One key of XRAY_RECORDER, or one TRACING_ setting.

    read: returns the value as Settings holds it; raises ValueError for a wrong one.
    expected: what would be right, as the end of a sentence.
    """

    name: str
    field: str
    default: Any
    read: Callable[[Any], Any]
    expected: str
    is_in_environment: bool = False


def read_flag(value: Any) -> bool:
    """Return True or False; 1 and 0 are as good."""
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise ValueError(value)


def read_text(value: Any) -> str:
    """Return a text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(value)


def read_texts(value: Any) -> tuple[str, ...]:
    """Return texts; one text alone is a forgotten comma, or a forgotten list."""
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(read_text(item) for item in value)
    raise ValueError(value)


def read_count(value: Any) -> int:
    """Return a whole number of at least zero."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(value)


def read_word(*words: str) -> Callable[[Any], str]:
    """Return what reads one of these words."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ValueError(value)

    return read


def read_address(value: Any) -> str:
    """Return `host:port` or `tcp:host:port udp:host:port`, the two forms that the SDK takes."""
    match = ADDRESS.fullmatch(read_text(value))
    if match and all(0 < int(port) < 65536 for port in match.groups() if port):
        return match[0]
    raise ValueError(value)


def read_plugins(value: Any) -> tuple[str, ...]:
    """Return names of the SDK's plugins; their case is of no account."""
    names = read_texts(value)
    if {name.lower() for name in names} <= {name.lower() for name in PLUGINS}:
        return names
    raise ValueError(value)


def read_rules(value: Any) -> Mapping[str, Any] | str:
    """Return sampling rules or the path to them; load_rules tells what is wrong inside."""
    if isinstance(value, Mapping):
        return value
    return read_text(os.fspath(value) if isinstance(value, os.PathLike) else value)


def read_object(method: str) -> Callable[[Any], Any]:
    """Return what reads an object that has this method: not the class of it."""

    def read(value: Any) -> Any:
        if callable(getattr(value, method, None)) and not isinstance(value, type):
            return value
        raise ValueError(value)

    return read


def read_naming(value: Any) -> Any:
    """Return a pattern of host names, or an object that names segments."""
    return read_text(value) if isinstance(value, str) else read_object("get_name")(value)


def read_patterns(value: Any) -> tuple[str, ...]:
    """Return regular expressions."""
    patterns = read_texts(value)
    try:
        for pattern in patterns:
            re.compile(pattern)
    except re.error as error:
        raise ValueError(value) from error
    return patterns


def read_paths(value: Any) -> tuple[str, ...]:
    """Return paths, each from the root on."""
    paths = read_texts(value)
    if all(path.startswith("/") for path in paths):
        return paths
    raise ValueError(value)


def read_annotations(value: Any) -> Mapping[str, str | int | float | bool]:
    """Return annotations with keys and values that X-Ray takes."""
    if isinstance(value, Mapping) and all(
        isinstance(key, str)
        and ANNOTATION_KEY.fullmatch(key)
        and isinstance(item, str | int | float)
        for key, item in value.items()
    ):
        return MappingProxyType(dict(value))
    raise ValueError(value)


def read_instruments(value: Any) -> frozenset[str]:
    """Return names of what can be traced."""
    names = frozenset(read_texts(value))
    if names <= INSTRUMENTS:
        return names
    raise ValueError(value)


_FLAG = "True or False"
_COUNT = "a whole number of at least 0"
# The keys and defaults of aws_xray_sdk.ext.django.conf.
KEYS = (
    Key(
        "AWS_XRAY_DAEMON_ADDRESS",
        "daemon_address",
        DEFAULT_ADDRESS,
        read_address,
        "host:port such as '127.0.0.1:2000', or 'tcp:host:port udp:host:port', without IPv6",
        is_in_environment=True,
    ),
    Key("AUTO_INSTRUMENT", "auto_instrument", True, read_flag, _FLAG),
    Key(
        "AWS_XRAY_CONTEXT_MISSING",
        "context_missing",
        "LOG_ERROR",
        read_word("RUNTIME_ERROR", "LOG_ERROR", "IGNORE_ERROR"),
        "'RUNTIME_ERROR', 'LOG_ERROR' or 'IGNORE_ERROR'",
        is_in_environment=True,
    ),
    Key("PLUGINS", "plugins", (), read_plugins, f"a list of any of {', '.join(PLUGINS)}"),
    Key("SAMPLING", "sampling", True, read_flag, _FLAG),
    Key(
        "SAMPLING_RULES",
        "sampling_rules",
        None,
        read_rules,
        "the path of a JSON file with sampling rules, or a dict of them",
    ),
    Key(
        "SAMPLER",
        "sampler",
        None,
        read_object("should_trace"),
        "an object (not its class) with a method should_trace",
    ),
    Key(
        "AWS_XRAY_TRACING_NAME",
        "service_name",
        None,
        read_text,
        "the name that the segments should have",
        is_in_environment=True,
    ),
    Key(
        "DYNAMIC_NAMING",
        "dynamic_naming",
        None,
        read_naming,
        "a pattern such as '*.example.com', or an object with a method get_name",
    ),
    Key("STREAMING_THRESHOLD", "streaming_threshold", None, read_count, _COUNT),
    Key("MAX_TRACE_BACK", "max_trace_back", None, read_count, _COUNT),
    Key("STREAM_SQL", "stream_sql", True, read_flag, _FLAG),
    Key("PATCH_MODULES", "patch_modules", (), read_texts, "a list of names such as 'botocore'"),
    Key(
        "AUTO_PATCH_PARENT_SEGMENT_NAME",
        "auto_patch_parent_segment_name",
        None,
        read_text,
        "the name of a segment",
    ),
    Key(
        "IGNORE_MODULE_PATTERNS",
        "ignore_module_patterns",
        (),
        read_patterns,
        "a list of regular expressions",
    ),
    Key(
        "URLS_AS_ANNOTATION",
        "urls_as_annotation",
        "LAMBDA",
        read_word("NONE", "LAMBDA", "ALL"),
        "'NONE', 'LAMBDA' or 'ALL'",
    ),
)
OWN_SETTINGS = (
    Key(
        "TRACING_IGNORED_PATHS",
        "ignored_paths",
        (),
        read_paths,
        "a list of paths that begin with a slash, such as '/healthz' or '/static/'",
    ),
    Key(
        "TRACING_ANNOTATIONS",
        "annotations",
        MappingProxyType({}),
        read_annotations,
        "a dict with keys of letters, digits and underscores; values are texts, numbers or flags",
    ),
    Key(
        "TRACING_INSTRUMENTS",
        "instruments",
        INSTRUMENTS,
        read_instruments,
        f"a list of any of {', '.join(sorted(INSTRUMENTS))}",
    ),
    Key("TRACING_IN_PROGRESS_FIRST", "in_progress_first", False, read_flag, _FLAG),
)
