"""What XRAY_RECORDER, the TRACING_ settings and the environment say, read in one place.

Nothing here raises for a wrong value: it counts as not given, is logged once, and `manage.py check`
tells it (tracing/checks.py).
"""

import copy
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from django.conf import settings as django_settings
from django.core.signals import setting_changed

from .documents import encode
from .keys import KEYS, OWN_SETTINGS, Key
from .sampling_rules import DEFAULT_LOCAL_RULES, read_local_rules

log = logging.getLogger(__name__)

NAMESPACE = "XRAY_RECORDER"
# What AUTO_INSTRUMENT=False takes away: Django's own parts. Clients and threads have no part in it.
AUTO_INSTRUMENTS = frozenset({"sql", "templates", "cache", "files"})
DEFAULT_TRACE_BACK = 10  # frames of a stack, as the SDK has it


class Settings(NamedTuple):
    """Every setting of tracing; what was not given, or given wrongly, has its default.

    service_name is never empty: without AWS_XRAY_TRACING_NAME it is the Lambda function's name.
    instruments is what is to be traced once AUTO_INSTRUMENT has been heard.
    notes are the annotations as JSON, each after a comma. ignored_folders are those of the paths
    that stand for all beneath them.
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
    ignored_folders: tuple[str, ...]
    annotations: Mapping[str, str | int | float | bool]
    notes: str
    instruments: frozenset[str]
    in_progress_first: bool


class WrongValue(NamedTuple):
    """A value that counts as not given, and what would be right."""

    place: str
    key: str
    value: object
    expected: str

    def __str__(self) -> str:
        text = repr(self.value)
        return f"{self.place} is {text if len(text) <= 120 else text[:117] + '...'}."


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

    Raises ValueError, with a sentence, where they can't be read or are not what a sampler takes.
    """
    if isinstance(rules, str):
        try:
            with open(rules, encoding="utf-8") as file:
                found = json.load(file)
        except OSError as error:
            raise ValueError(f"The file {rules!r} can't be read: {error.strerror}.") from error
        except ValueError as error:
            raise ValueError(f"The file {rules!r} is no JSON: {error}.") from error
    else:
        found = copy.deepcopy(dict(rules))
    read_local_rules(found)
    return cast("dict[str, Any]", found)


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
    paths = values["ignored_paths"]
    values["ignored_folders"] = tuple(path for path in paths if path.endswith("/"))
    values["notes"] = "".join(
        [f",{encode(key)}:{encode(value)}" for key, value in values["annotations"].items()]
    )
    return values, wrong


def _choose(key: Key, places: list[tuple[str, Any]], wrong: list[WrongValue]) -> Any:
    """Return the first value that is given and right; all that is wrong is noted."""
    chosen: Any = None
    for place, value in places:
        if value is None:
            continue
        try:
            found = key.read(value)
        except Exception:  # whatever a value does when it is looked at
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


class _Applied:
    """What the last call of apply made of a recorder; what is the same is not done again."""

    def __init__(self, default_sampler: Any) -> None:
        self.default_sampler = default_sampler
        self.sampler: Any = None
        self.has_rules = False
        self.plugins: tuple[str, ...] | None = None
        self.connection: tuple[Any, ...] | None = None


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
            log.warning("SAMPLING_RULES are left out. %s", error)
        else:
            recorder.sampler.load_local_rules(rules)
            applied.has_rules = True
            return
    if applied.has_rules:
        recorder.sampler.load_local_rules(DEFAULT_LOCAL_RULES)
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
