"""A subsegment for each file that Django's storages save, open and delete.

What a storage does for it is beneath: the calls of S3, or nothing where it is a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import FunctionType
from typing import Any

from aws_xray_sdk.core import xray_recorder

from .context import begin
from .exceptions import record_failure
from .subsegments import end
from .wrapping import when_imported, wrap

OPERATIONS = ("save", "open", "delete")

# The storage, and what it is at: a subclass calls its base class for the same.
_doing: ContextVar[tuple[Any, str]] = ContextVar("xray_storage", default=(None, ""))


def install() -> None:
    """Trace the storages of this process, once Django's are imported."""
    when_imported("django.core.files.storage.base", trace_storages)


def trace_storages(module: Any) -> None:
    """Trace every class of storages that there is, and those to come."""
    storage = module.Storage
    if "_xray_is_watched" in storage.__dict__:
        return
    storage._xray_is_watched = True

    def trace_new(kind: Any, /, **kwargs: Any) -> None:
        super(storage, kind).__init_subclass__(**kwargs)
        trace_class(kind)

    storage.__init_subclass__ = classmethod(trace_new)
    classes = [storage]
    while classes:
        kind = classes.pop()
        trace_class(kind)
        classes += kind.__subclasses__()


def trace_class(kind: Any) -> None:
    """Trace the operations that a class of storages defines itself."""
    for operation in OPERATIONS:
        if isinstance(kind.__dict__.get(operation), FunctionType):
            wrap(kind, operation, TRACERS[operation])


def make_tracer(operation: str) -> Callable[[Any], Callable[..., Any]]:
    """Return what puts a subsegment around one operation of a storage."""

    def trace(operate: Any) -> Any:
        def operate_storage(storage: Any, *args: Any, **kwargs: Any) -> Any:
            parent = xray_recorder._context.current()
            if parent is None or not parent.sampled:
                return operate(storage, *args, **kwargs)
            at_work, doing = _doing.get()
            if at_work is storage and doing == operation:
                return operate(storage, *args, **kwargs)
            subsegment = begin(type(storage).__name__)
            if subsegment is None:
                return operate(storage, *args, **kwargs)
            said = describe(operation, args, kwargs)
            subsegment.set_block("metadata", {"default": said})
            token = _doing.set((storage, operation))
            try:
                answer = operate(storage, *args, **kwargs)
                if operation == "save":
                    # Not the name that was asked for where that is taken.
                    said["name"] = answer
                return answer
            except BaseException as exception:
                record_failure(subsegment, exception)
                raise
            finally:
                _doing.reset(token)
                end(subsegment)

        return operate_storage

    return trace


TRACERS = {operation: make_tracer(operation) for operation in OPERATIONS}


def describe(operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what is done to which file, and how large it is where that is known already.

    To ask a file for its size may move it, or cost a call.
    """
    said = {"operation": operation, "name": args[0] if args else kwargs.get("name")}
    if operation == "save":
        content = args[1] if len(args) > 1 else kwargs.get("content")
        size = getattr(content, "__dict__", {}).get("size")
        if isinstance(size, int):
            said["size"] = size
    return said
