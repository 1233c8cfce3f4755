"""Begin and end subsegments without ever failing, whatever the trace is in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from time import perf_counter
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from aws_xray_sdk.core import xray_recorder

from .context import begin, current_entity, get_innermost, put_current, set_innermost
from .exceptions import record_failure
from .harmless import tell_failure

P = ParamSpec("P")
R = TypeVar("R")

# What the SDK and this package put on a function that makes its own subsegment.
CAPTURED = "_self___SUBSEGMENT_RECORDING_ATTRIBUTE__"


class Nothing:
    """What stands for a subsegment where there is no trace: takes everything, keeps nothing."""

    def __bool__(self) -> bool:
        return False

    def put_annotation(self, key: str, value: object) -> None:
        """Drop the annotation."""

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> None:
        """Drop the metadata."""


NOTHING = Nothing()


def end(subsegment: Any) -> None:
    """End a subsegment, and first whatever was left open beneath it."""
    if subsegment is None:
        return
    try:
        request = subsegment.request
        if (
            get_innermost() is not subsegment
            or subsegment.is_alone
            or request.held > xray_recorder._streaming.streaming_threshold
        ):
            xray_recorder.end_entity(subsegment)
        elif subsegment.in_progress:
            # By far the most: nothing is open beneath it, and nothing is to be sent.
            set_innermost(subsegment.parent)
            subsegment.end_time = request.clock + perf_counter()
            subsegment.in_progress = False
        else:
            set_innermost(subsegment.parent)
    except Exception:
        tell_failure("ending a subsegment")


class in_subsegment:
    """Run a block in a subsegment; an exception that leaves the block is recorded on it.

    Enters with the subsegment or, outside a trace, with a stand-in that takes annotations and
    metadata too. With `async with` the same. A class: contextlib writes to the exceptions that pass
    through it. As a decorator it is `capture`.
    """

    _outside: Any = NOTHING

    def __init__(self, name: str | None = None, namespace: str = "local") -> None:
        self.name = name
        self._namespace = namespace
        self._subsegment: Any = None

    def __enter__(self) -> Any:
        self._subsegment = begin(self.name or "subsegment", self._namespace)
        return self._outside if self._subsegment is None else self._subsegment

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exception is not None:
            record_failure(self._subsegment, exception)
        end(self._subsegment)

    async def __aenter__(self) -> Any:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, exception, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return capture(self.name)(function)


def capture(name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that runs a function in a subsegment, named after it unless told.

    For a coroutine function it lasts as long as the awaiting, for a generator function as long as
    the iteration. It leaves exceptions alone and is silent outside a trace.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if isinstance(function, staticmethod | classmethod):
            return cast("Callable[P, R]", type(function)(decorate(function.__func__)))
        called = name or find_name(function)
        captured: Any
        if inspect.isasyncgenfunction(function):
            # Step by step: `yield from` takes no asynchronous one, and loses what `close` returns.
            async def captured(*args: P.args, **kwargs: P.kwargs) -> Any:
                generator = cast("Any", function(*args, **kwargs))
                visit = Visit(called)
                step, value = generator.asend, None
                while True:
                    with visit:
                        try:
                            made = await step(value)
                        except StopAsyncIteration:
                            visit.finish()
                            return
                        except BaseException as exception:
                            # A frame that holds its own exception would wait for the collector.
                            value = None
                            visit.finish(exception)
                            raise
                    try:
                        step, value = generator.asend, (yield made)
                    except BaseException as exception:
                        step, value = generator.athrow, exception

        elif inspect.isgeneratorfunction(function):

            def captured(*args: P.args, **kwargs: P.kwargs) -> Any:
                generator = cast("Any", function(*args, **kwargs))
                visit = Visit(called)
                step, value = generator.send, None
                while True:
                    with visit:
                        try:
                            made = step(value)
                        except StopIteration as stop:
                            visit.finish()
                            return stop.value
                        except BaseException as exception:
                            value = None
                            visit.finish(exception)
                            raise
                    try:
                        step, value = generator.send, (yield made)
                    except BaseException as exception:
                        step, value = generator.throw, exception

        elif inspect.iscoroutinefunction(function):

            async def captured(*args: P.args, **kwargs: P.kwargs) -> Any:
                with in_subsegment(called):
                    return await cast("Any", function(*args, **kwargs))

        else:

            def captured(*args: P.args, **kwargs: P.kwargs) -> Any:
                with in_subsegment(called):
                    return function(*args, **kwargs)

        captured = wraps(function)(captured)
        setattr(captured, CAPTURED, False)
        return cast("Callable[P, R]", captured)

    return decorate


def find_name(function: Any) -> str:
    """Return the name of a function, of what a partial calls, or of the class of a callable."""
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__name__", None) or type(function).__name__


class Visit:
    """A subsegment that is open over many short visits, and current in each of them alone.

    Between two chunks of an iteration its caller works on, in its own subsegments.
    """

    def __init__(self, name: str, namespace: str = "local") -> None:
        self._name = name
        self._namespace = namespace
        self._subsegment: Any = None
        self._inner: Any = None
        self._before: Any = None
        self._has_begun = False

    def __enter__(self) -> Any:
        if not self._has_begun:
            self._has_begun = True
            self._before = current_entity()
            self._inner = self._subsegment = begin(self._name, self._namespace)
            if self._subsegment is not None:
                request = self._subsegment.request
                request.iterations = (*request.iterations, self._subsegment)
        elif self._subsegment is not None:
            self._before = put_current(self._inner)
        return self._subsegment

    def __exit__(self, *exception: object) -> None:
        if self._subsegment is not None:
            self._inner = put_current(self._before)

    def finish(self, exception: BaseException | None = None) -> None:
        """End the subsegment; called within the last visit, or after it."""
        subsegment = self._subsegment
        if subsegment is None:
            return
        self._subsegment = None
        if exception is not None:
            record_failure(subsegment, exception)
        request = subsegment.request
        request.iterations = tuple(known for known in request.iterations if known is not subsegment)
        before = put_current(self._inner)
        end(subsegment)
        put_current(self._before if before is self._inner else before)
