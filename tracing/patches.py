"""What the SDK's own patches and contexts break, mended as soon as they are imported.

Databases outside Django's ORM, and the context for asyncio that the SDK's guide teaches. Beneath a
statement of Django's nothing more is recorded, so that a driver may be patched as well.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.machinery import PathFinder
from typing import Any
from urllib.parse import urlsplit

import wrapt
from aws_xray_sdk.core import patcher
from aws_xray_sdk.core.context import Context as SDKContext

from .context import begin
from .exceptions import record_failure
from .subsegments import CAPTURED, end
from .wrapping import when_imported, wrap

LIBRARIES = {*patcher.SUPPORTED_MODULES, "boto3", "aioboto3"}
UNKNOWN = "unknown"
EXECUTE = ("execute", "executemany", "callproc")
# What the SDK puts its wrappers on: the module, what in it, the function.
PLACES = {
    "requests": (
        ("requests.sessions", "Session", "request"),
        ("requests.sessions", "Session", "prepare_request"),
    ),
    "httplib": (
        ("http.client", "HTTPConnection", "_send_request"),
        ("http.client", "HTTPConnection", "getresponse"),
        ("http.client", "HTTPResponse", "read"),
    ),
    "botocore": (
        ("botocore.client", "BaseClient", "_make_api_call"),
        ("botocore.endpoint", "Endpoint", "prepare_request"),
    ),
    "sqlite3": (("sqlite3", "", "connect"),),
}


@cache
def install() -> None:
    """Mend each part when somebody imports it, once; who never does pays nothing."""
    when_imported("aws_xray_sdk.ext.dbapi2", mend_cursor)
    when_imported("aws_xray_sdk.ext.sqlite3", mend_sqlite)
    when_imported("aws_xray_sdk.ext.psycopg", mend_psycopg)
    when_imported("aws_xray_sdk.core.async_context", mend_async_context)
    wrap(patcher, "_patch_func", skip_captured)
    if "sqlite3" in patcher._PATCHED_MODULES:
        # By `patch_all` before Django's start; the package was mended just now.
        take_off("sqlite3")
        importlib.import_module("aws_xray_sdk.ext.sqlite3").patch()


def skip_captured(patch_function: Any) -> Any:
    """Return the SDK's way to patch own code, for functions that no decorator traces already."""

    def patch_once(parent: Any, name: str, function: Any, *args: Any, **kwargs: Any) -> None:
        if not hasattr(function, CAPTURED):
            patch_function(parent, name, function, *args, **kwargs)

    return patch_once


def take_off(library: str) -> None:
    """Take the SDK's wrappers off a library that it patched before, where ours trace the same."""
    for module, owner, name in PLACES.get(library, ()):
        place = sys.modules.get(module)
        if place is not None and owner:
            place = getattr(place, owner, None)
        if place is None:
            continue
        found = vars(place).get(name)
        if isinstance(found, wrapt.FunctionWrapper) and found._self_wrapper.__module__.startswith(
            "aws_xray_sdk.ext."
        ):
            setattr(place, name, found.__wrapped__)


def patch(name: str, ignored: Iterable[str] = ()) -> None:
    """Patch a library that the SDK knows, or code of one's own, wherever Python finds it.

    The SDK looks for own code in the current folder alone. Nothing is imported here.
    Raises ModuleNotFoundError where there is no such module.
    """
    if name in LIBRARIES:
        patcher.patch([name])
        return
    modules = [module for module in list_modules(name) if module not in patcher._PATCHED_MODULES]
    for module in modules:
        if not any(re.match(pattern, module) for pattern in ignored):
            patcher._PATCHED_MODULES.add(module)
            when_imported(module, patcher._on_import)


def list_modules(name: str) -> list[str]:
    """Return the names of a module and of all beneath it."""
    path: Any = None
    parts = name.split(".")
    for count in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: count + 1]), path)
        if spec is None:
            raise ModuleNotFoundError(f"Expected a library or a module, got {name!r}.")
        path = spec.submodule_search_locations or ()
    beneath = [
        module
        for found in pkgutil.iter_modules(path)
        for module in (
            list_modules(f"{name}.{found.name}") if found.ispkg else [f"{name}.{found.name}"]
        )
    ]
    return [name, *beneath]


def mend_cursor(module: Any) -> None:
    """Let the SDK's cursor take what the driver's takes, by whatever names."""
    for name in EXECUTE:
        setattr(module.XRayTracedCursor, name, trace_statement(name))


def trace_statement(name: str) -> Any:
    """Return a method of a cursor that runs the driver's own in a subsegment."""

    def run(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        execute = getattr(cursor.__wrapped__, name)
        meta = dict(cursor._xray_meta)
        subsegment = begin(name_database(meta), "remote", True)
        if subsegment is None:
            return execute(*args, **kwargs)
        try:
            return execute(*args, **kwargs)
        except BaseException as exception:
            record_failure(subsegment, exception, is_remote=True)
            raise
        finally:
            subsegment.set_sql(meta)
            end(subsegment)

    return run


def name_database(meta: dict[str, Any]) -> str:
    """Return `database@host`, as far as the SDK's patch knows it; else the kind of database.

    What it could not read, as of a DSN that is a URL, it calls unknown: that is taken out.
    """
    kind = str(meta.get("database_type") or "database")
    name = meta.pop("name", None)
    if meta.get("user") == UNKNOWN:
        del meta["user"]
    try:
        parts = urlsplit(str(meta.get("url", "")))
        host, database = parts.hostname, parts.path.strip("/")
    except ValueError:
        host = database = None
    if host == UNKNOWN:
        del meta["url"]
        host = None
    if name:
        return str(name)
    return f"{database}@{host}" if host and database else host or kind


def mend_sqlite(package: Any) -> None:
    """Let `sqlite3.connect` be called with keywords."""
    import sqlite3

    from aws_xray_sdk.ext.sqlite3.patch import XRayTracedSQLite

    def trace(connect: Any) -> Any:
        def traced_connect(*args: Any, **kwargs: Any) -> Any:
            connection = connect(*args, **kwargs)
            name = name_file(args[0] if args else kwargs.get("database"))
            meta = {"name": name, "database_version": sqlite3.sqlite_version}
            return XRayTracedSQLite(connection, meta)

        return traced_connect

    package.patch = lambda: wrap(sqlite3, "connect", trace)


def name_file(database: Any) -> str:
    """Return `file@sqlite`: neither the folders that it lies in nor what a URI says besides."""
    name = str(database).partition("?")[0].removeprefix("file:").rpartition("/")[2].strip(":")
    return f"{name or 'memory'}@sqlite"


def mend_psycopg(package: Any) -> None:
    """Patch what is installed, and once: psycopg_pool is a package of its own."""
    from aws_xray_sdk.ext.psycopg.patch import _xray_traced_connect

    def trace(connect: Any) -> Any:
        def traced_connect(*args: Any, **kwargs: Any) -> Any:
            return _xray_traced_connect(connect, None, args, kwargs)

        return traced_connect

    def patch() -> None:
        psycopg = importlib.import_module("psycopg")
        try:
            pool = importlib.import_module("psycopg_pool.pool").ConnectionPool
        except ImportError:
            pool = None
        wrap(psycopg, "connect", trace)
        if pool is not None:
            wrap(pool, "_connect", trace)

    package.patch = patch


def mend_async_context(module: Any) -> None:
    """Let tasks be made as Python makes them since 3.11, and a context where no loop is."""
    make_task, begin_context = module.task_factory, module.AsyncContext.__init__

    def task_factory(loop: Any, coroutine: Any, **options: Any) -> Any:
        if not options:
            return make_task(loop, coroutine)
        return asyncio.Task(coroutine, loop=loop, **options)

    def make_context(context: Any, *args: Any, **options: Any) -> None:
        try:
            begin_context(context, *args, **options)
        except RuntimeError:
            # What is kept for each thread does where no task is.
            SDKContext.__init__(context, *args)

    module.task_factory = task_factory
    module.AsyncContext.__init__ = make_context
