"""A subsegment for each operation on Django's caches that leaves the process.

`LocMemCache` and `DummyCache` are not traced: their operations take a few microseconds, less than
telling of them would. Nor is `get_or_set`, for it runs code of the caller's: what it calls is, the
`get` and the `add`. An operation made of others is one. The SQL of a database cache is beneath it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from contextvars import ContextVar
from types import FunctionType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aws_xray_sdk.core import xray_recorder

from .context import begin
from .exceptions import record_failure
from .subsegments import end
from .wrapping import when_imported, wrap

log = logging.getLogger(__name__)

# Those of one key, by what their answer says of it; of many keys; and of none.
LOOKUPS = ("get", "has_key", "touch")
COUNTERS = ("incr", "decr", "incr_version", "decr_version")
OF_ONE_KEY = ("add", "set", "delete", *LOOKUPS, *COUNTERS)
OF_MANY_KEYS = {"get_many": "keys", "set_many": "data", "delete_many": "keys"}
OPERATIONS = (*OF_ONE_KEY, *OF_MANY_KEYS, "clear")
IN_MEMORY = frozenset(
    {
        "django.core.cache.backends.locmem.LocMemCache",
        "django.core.cache.backends.dummy.DummyCache",
    }
)

# An operation made of others calls them on the same cache; a cache in front of another, on that.
_operating: ContextVar[Any] = ContextVar("xray_cache", default=None)


class Place(NamedTuple):
    """What the subsegments of one cache are called."""

    alias: str
    name: str
    namespace: str


def install() -> None:
    """Trace the caches of this process, once Django's cache is imported."""
    when_imported("django.core.cache", trace_caches)


def trace_caches(module: Any) -> None:
    """Trace the caches that are made from now on, and those of this thread."""
    wrap(module.CacheHandler, "create_connection", trace_new)
    for alias in module.caches:
        cache = getattr(module.caches._connections, alias, None)
        if cache is not None:
            trace_cache(cache, alias)


def trace_new(create: Any) -> Any:
    """Return `CacheHandler.create_connection` for caches whose operations are traced."""

    def create_connection(handler: Any, alias: str) -> Any:
        cache = create(handler, alias)
        try:
            trace_cache(cache, alias)
        except Exception:
            log.exception("Could not trace the cache %r.", alias)
        return cache

    return create_connection


def trace_cache(cache: Any, alias: str) -> None:
    """Trace the operations of a cache, unless it is in this process's memory."""
    kind = type(cache)
    if any(f"{base.__module__}.{base.__qualname__}" in IN_MEMORY for base in kind.__mro__):
        return
    if "_xray_place" not in kind.__dict__:
        # Of caches that are made by hand, the alias is not known.
        kind._xray_place = None
        for operation in OPERATIONS:
            if isinstance(getattr(kind, operation, None), FunctionType):
                wrap(kind, operation, TRACERS[operation])
    cache._xray_place = find_place(cache, alias)


def find_place(cache: Any, alias: str) -> Place:
    """Return how the subsegments of a cache are called: after its first server, or its alias."""
    servers = getattr(cache, "_servers", None) or getattr(cache, "_server", None)
    if isinstance(servers, list | tuple):
        servers = servers[0] if servers else None
    if isinstance(servers, str) and not servers.startswith(("/", "unix:")):
        try:
            host = urlsplit(servers if "://" in servers else f"//{servers}").hostname
        except ValueError:
            host = None
        if host:
            return Place(alias, host, "remote")
    return Place(alias, f"cache {alias}", "local")


def make_tracer(operation: str) -> Callable[[Any], Callable[..., Any]]:
    """Return what puts a subsegment around one operation of a cache."""

    def trace(operate: Any) -> Any:
        def operate_cache(cache: Any, *args: Any, **kwargs: Any) -> Any:
            parent = xray_recorder._context.current()
            if parent is None or not parent.sampled or _operating.get() is cache:
                return operate(cache, *args, **kwargs)
            place = cache._xray_place
            subsegment = None if place is None else begin(place.name, place.namespace)
            if subsegment is None:
                return operate(cache, *args, **kwargs)
            said = {"operation": operation, "alias": place.alias}
            subsegment.set_block("metadata", {"default": said})
            token = _operating.set(cache)
            try:
                answer = operate(cache, *args, **kwargs)
                said.update(count_keys(operation, args, kwargs, answer))
                return answer
            except ValueError:
                # Its text has the key: a counter that is not there yet, or a key that cannot be.
                if operation in COUNTERS:
                    said.update(keys=1, misses=1)
                else:
                    subsegment.add_error_flag()
                raise
            except BaseException as exception:
                record_failure(subsegment, exception, is_remote=place.namespace == "remote")
                raise
            finally:
                _operating.reset(token)
                end(subsegment)

        return operate_cache

    return trace


TRACERS = {operation: make_tracer(operation) for operation in OPERATIONS}


def count_keys(
    operation: str, args: tuple[Any, ...], kwargs: dict[str, Any], answer: Any
) -> dict[str, int]:
    """Return how many keys an operation was about, and how many were there, never which.

    A None that was kept looks like a miss, as it does to the caller. What is no collection is not
    counted: that would use up an iterator.
    """
    if operation in OF_ONE_KEY:
        counted = {"keys": 1}
        if operation in LOOKUPS:
            default = args[1] if len(args) > 1 else kwargs.get("default")
            is_hit = answer is not default if operation == "get" else bool(answer)
            counted["hits" if is_hit else "misses"] = 1
        return counted
    if operation not in OF_MANY_KEYS:
        return {}
    keys = args[0] if args else kwargs.get(OF_MANY_KEYS[operation])
    counted = {"keys": len(keys)} if isinstance(keys, Sequence | Set | Mapping) else {}
    if operation == "get_many" and isinstance(answer, Mapping):
        counted["hits"] = len(answer)
        if "keys" in counted:
            counted["misses"] = counted["keys"] - counted["hits"]
    return counted
