"""What XRAY_RECORDER, the TRACING_ settings and the environment say, read in one place.

Nothing here raises for a wrong value: it counts as not given, is logged once, and `manage.py check`
tells it (tracing/checks.py).
Source: https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/frameworks.html
"""

import copy
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.conf import settings as django_settings
from django.core.signals import setting_changed

log = logging.getLogger(__name__)

NAMESPACE = "XRAY_RECORDER"
INSTRUMENTS = frozenset({"aws", "remote", "sql", "templates", "cache", "files", "threads"})
# What AUTO_INSTRUMENT=False takes away: Django's own parts. Clients and threads have no part in it.
AUTO_INSTRUMENTS = frozenset({"sql", "templates", "cache", "files"})
DEFAULT_ADDRESS = "127.0.0.1:2000"
DEFAULT_TRACE_BACK = 10  # frames of a stack, as the SDK has it
PLUGINS = ("EC2Plugin", "ECSPlugin", "ElasticBeanstalkPlugin")

_HOST_AND_PORT = r"[^:\s]+:(\d{1,5})"
ADDRESS = re.compile(
    rf"{_HOST_AND_PORT}|tcp:{_HOST_AND_PORT} udp:{_HOST_AND_PORT}"
    rf"|udp:{_HOST_AND_PORT} tcp:{_HOST_AND_PORT}"
)
ANNOTATION_KEY = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of tracing; what was not given, or given wrongly, has its default.

    service_name is never empty: without AWS_XRAY_TRACING_NAME it is the Lambda function's name.
    instruments is what is to be traced once AUTO_INSTRUMENT has been heard.
    streaming_threshold and max_trace_back are None where the recorder's defaults are wanted.
    """

    daemon_address: str
    auto_instrument: bool
    context_missing: str
    plugins: tuple[str, ...]
    sampling: bool
    sampling_rules: Mapping[str, Any] | str | None
    sampler: Any
    service_name: str
    dynamic_naming: Any
    streaming_threshold: int | None
    max_trace_back: int | None
    stream_sql: bool
    patch_modules: tuple[str, ...]
    auto_patch_parent_segment_name: str | None
    ignore_module_patterns: tuple[str, ...]
    urls_as_annotation: str
    ignored_paths: tuple[str, ...]
    annotations: Mapping[str, str | int | float | bool]
    instruments: frozenset[str]
    in_progress_first: bool


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


@dataclass(frozen=True, slots=True)
class WrongValue:
    """A value that counts as not given, and what would be right."""

    place: str
    key: str
    value: object
    expected: str

    def __str__(self) -> str:
        text = repr(self.value)
        return f"{self.place} is {text if len(text) <= 120 else text[:117] + '...'}."


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

_current: Settings | None = None
_callbacks: list[Callable[[Settings], None]] = []
_told: set[str] = set()


def read() -> Settings:
    """Read the environment over XRAY_RECORDER over the SDK's defaults. Never raises."""
    values, wrong = _read()
    for item in wrong:
        line = f"{item} It counts as not given; expected {item.expected}."
        if line not in _told:
            _told.add(line)
            log.warning(line)
    return Settings(**values)


def current() -> Settings:
    """Return the settings of now; read again when Django tells that one of them has changed."""
    global _current
    if _current is None:
        _current = read()
    return _current


def on_change(callback: Callable[[Settings], None]) -> None:
    """Call back whenever the settings have become others, as override_settings makes them."""
    if callback not in _callbacks:
        _callbacks.append(callback)


def find_wrong_values() -> list[WrongValue]:
    """Return every value that counts as not given because it is wrong."""
    return _read()[1]


def django_setting(name: str, default: Any = None) -> Any:
    """Return one of Django's settings; the default too where Django is not in use at all."""
    if not django_settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
        return default
    return getattr(django_settings, name, default)


def django_setting_names() -> list[str]:
    """Return the names of all of Django's settings, those of this project among them."""
    return [name for name in dir(django_settings) if name.isupper()]


def given() -> Mapping[Any, Any]:
    """Return XRAY_RECORDER as it is written; nothing where it is no dict."""
    recorder = django_setting(NAMESPACE)
    return recorder if isinstance(recorder, Mapping) else {}


def load_rules(rules: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return sampling rules, from a file where a path is given.

    Raises ValueError with the reason where they can't be read or are not what a sampler takes.
    """
    if isinstance(rules, str):
        try:
            with open(rules, encoding="utf-8") as file:
                rules = json.load(file)
        except OSError as error:
            raise ValueError(f"the file can't be read: {error.strerror}") from error
        except ValueError as error:
            raise ValueError(f"the file is no JSON: {error}") from error
    if not isinstance(rules, Mapping):
        raise ValueError(f"the rules are a {type(rules).__name__}, not an object")
    version = rules.get("version")
    if version not in (1, 2):
        raise ValueError(f"version is {version!r}, not 1 or 2")
    custom = rules.get("rules", [])
    if not isinstance(custom, list | tuple):
        raise ValueError("rules is no list")
    if "default" not in rules:
        raise ValueError("there is no default rule")
    host = "host" if version == 2 else "service_name"
    for number, rule in enumerate((rules["default"], *custom)):
        name = f"rule {number}" if number else "the default rule"
        _check_rule(rule, name, (host, "http_method", "url_path"), is_default=not number)
    return copy.deepcopy(dict(rules))


def _check_rule(rule: Any, name: str, matchers: tuple[str, ...], *, is_default: bool) -> None:
    """Raise ValueError for what the SDK's own check refuses, or would stumble over later."""
    if not isinstance(rule, Mapping):
        raise ValueError(f"{name} is no object")
    for key, highest in (("fixed_target", float("inf")), ("rate", 1)):
        value = rule.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{key} of {name} is {value!r}, not a number")
        if not 0 <= value <= highest:
            raise ValueError(f"{key} of {name} is {value!r}, which is out of range")
    for key in matchers:
        if is_default and rule.get(key):
            raise ValueError(f"{name} must not have {key}")
        if not is_default and not (isinstance(rule.get(key), str) and rule[key]):
            raise ValueError(f"{name} needs {key}")


def _read() -> tuple[dict[str, Any], list[WrongValue]]:
    """Return the value of each field, and what was wrong."""
    wrong: list[WrongValue] = []
    written, recorder = django_setting(NAMESPACE), given()
    if written is not None and recorder is not written:
        wrong.append(WrongValue(NAMESPACE, NAMESPACE, written, "a dict"))
    values: dict[str, Any] = {}
    for key in KEYS:
        places = [(f"{NAMESPACE}['{key.name}']", recorder.get(key.name))]
        if key.is_in_environment:
            # Set but empty is not given: a stage's template may leave it so.
            places.insert(0, (f"The variable {key.name}", os.environ.get(key.name) or None))
        values[key.field] = _choose(key, places, wrong)
    for key in OWN_SETTINGS:
        values[key.field] = _choose(key, [(key.name, django_setting(key.name))], wrong)
    if not values["service_name"]:
        values["service_name"] = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "django"
    if not values["auto_instrument"]:
        values["instruments"] -= AUTO_INSTRUMENTS
    return values, wrong


def _choose(key: Key, places: list[tuple[str, Any]], wrong: list[WrongValue]) -> Any:
    """Return the first value that is given and right; all that is wrong is noted."""
    chosen: Any = None
    for place, value in places:
        if value is None:
            continue
        try:
            found = key.read(value)
        except ValueError:
            wrong.append(WrongValue(place, key.name, value, key.expected))
        else:
            chosen = found if chosen is None else chosen
    return key.default if chosen is None else chosen


def _forget(*, setting: str, **_: object) -> None:
    """Drop what was read, and tell whoever asked to be told; none of them stops the others."""
    global _current
    if setting != NAMESPACE and not setting.startswith("TRACING_"):
        return
    before, _current = _current, None
    if not _callbacks or current() == before:
        return
    for callback in list(_callbacks):
        try:
            callback(current())
        except Exception:
            log.exception("%r could not take the change of %s.", callback, setting)


setting_changed.connect(_forget, dispatch_uid="tracing.settings")


@dataclass(slots=True)
class _Applied:
    """What the last call of apply made of a recorder; what is the same is not done again."""

    default_sampler: Any
    sampler: Any = None
    has_rules: bool = False
    plugins: tuple[str, ...] | None = None
    connection: tuple[Any, ...] | None = None


_applied: WeakKeyDictionary[Any, _Applied] = WeakKeyDictionary()


def apply(settings: Settings, recorder: Any) -> None:
    """Set the recorder up. Never raises: what can't be done is a log line.

    `recorder.configure` is passed by: it sets again what it was not given.
    """
    from .streaming import DEFAULT_THRESHOLD

    if recorder not in _applied:
        _applied[recorder] = _Applied(default_sampler=recorder.sampler)
    applied = _applied[recorder]
    recorder.service = settings.service_name
    recorder.sampling = settings.sampling
    recorder.context.context_missing = settings.context_missing
    # After the name, which is the fallback for hosts that do not match.
    recorder.dynamic_naming = settings.dynamic_naming
    threshold, trace_back = settings.streaming_threshold, settings.max_trace_back
    recorder.streaming_threshold = DEFAULT_THRESHOLD if threshold is None else threshold
    recorder.max_trace_back = DEFAULT_TRACE_BACK if trace_back is None else trace_back
    recorder.stream_sql = settings.stream_sql
    for step in (_apply_sampler, _apply_rules, _apply_plugins, _apply_address):
        try:
            step(settings, recorder, applied)
        except Exception as error:
            log.warning("Could not set tracing up as the settings say: %s", error)


def _apply_sampler(settings: Settings, recorder: Any, applied: _Applied) -> None:
    if settings.sampler is not None:
        recorder.sampler = settings.sampler
    elif applied.sampler is not None and recorder.sampler is applied.sampler:
        recorder.sampler = applied.default_sampler
    applied.sampler = settings.sampler


def _apply_rules(settings: Settings, recorder: Any, applied: _Applied) -> None:
    if settings.sampling_rules is not None:
        try:
            rules = load_rules(settings.sampling_rules)
        except ValueError as error:
            log.warning("SAMPLING_RULES are left out: %s.", error)
        else:
            recorder.sampler.load_local_rules(rules)
            applied.has_rules = True
            return
    if applied.has_rules:
        from aws_xray_sdk.core.sampling.local.sampler import local_sampling_rule

        recorder.sampler.load_local_rules(local_sampling_rule)
        applied.has_rules = False


def _apply_plugins(settings: Settings, recorder: Any, applied: _Applied) -> None:
    if settings.plugins == applied.plugins:
        # EC2Plugin asks the network, and the answer stays the same.
        return
    from aws_xray_sdk.core.plugins.utils import get_plugin_modules
    from aws_xray_sdk.core.recorder import XRAY_META

    recorder._aws_metadata = copy.deepcopy(XRAY_META)
    recorder._origin = None
    for plugin in get_plugin_modules(settings.plugins) if settings.plugins else ():
        plugin.initialize()
        if plugin.runtime_context:
            recorder._aws_metadata[plugin.SERVICE_NAME] = plugin.runtime_context
            recorder._origin = plugin.ORIGIN
    applied.plugins = settings.plugins


def _apply_address(settings: Settings, recorder: Any, applied: _Applied) -> None:
    sampler, origin = recorder.sampler, recorder._origin
    connection = (recorder.emitter, settings.daemon_address, sampler, recorder.context, origin)
    if connection == applied.connection:
        # The SDK's sampler makes a botocore client each time, which takes 176 ms.
        return
    recorder.emitter.set_daemon_address(settings.daemon_address)
    if callable(getattr(sampler, "load_settings", None)):
        from aws_xray_sdk.core.daemon_config import DaemonConfig

        sampler.load_settings(DaemonConfig(settings.daemon_address), recorder.context, origin)
    applied.connection = connection
