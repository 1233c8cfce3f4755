"""Begin and end subsegments without ever failing, whatever the trace is in."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from functools import wraps
from time import perf_counter
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from aws_xray_sdk.core import xray_recorder

from .context import begin, current_entity, innermost, put_current
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
            innermost.get() is not subsegment
            or subsegment is request
            or subsegment.is_alone
            or request.held > xray_recorder._streaming.streaming_threshold
        ):
            xray_recorder.end_entity(subsegment)
        elif subsegment.in_progress:
            # By far the most: nothing is open beneath it, and nothing is to be sent.
            innermost.set(subsegment.parent)
            subsegment.end_time = subsegment.parent_segment.clock + perf_counter()
            subsegment.in_progress = False
        else:
            innermost.set(subsegment.parent)
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
        # Whoever reads a stream may go away: that closes the generator, and is no failure.
        if exception is not None and not isinstance(exception, GeneratorExit):
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
        if getattr(function, CAPTURED, None) is not None:
            return function
        called = name or function.__name__
        captured: Any
        if inspect.isasyncgenfunction(function):

            def captured(*args: P.args, **kwargs: P.kwargs) -> Any:
                return AsyncIteration(called, cast("Any", function(*args, **kwargs)))

        elif inspect.isgeneratorfunction(function):

            def captured(*args: P.args, **kwargs: P.kwargs) -> Any:
                return Iteration(called, cast("Any", function(*args, **kwargs)))

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
        if exception is not None and not isinstance(exception, GeneratorExit):
            record_failure(subsegment, exception)
        request = subsegment.request
        request.iterations = tuple(known for known in request.iterations if known is not subsegment)
        before = put_current(self._inner)
        end(subsegment)
        put_current(self._before if before is self._inner else before)


class Iteration(Generator[Any, Any, Any]):
    """A generator that runs in a subsegment from its first step to its last."""

    def __init__(self, name: str, generator: Any) -> None:
        self._visit = Visit(name)
        self._generator = generator

    def send(self, value: Any) -> Any:
        return self._step(self._generator.send, value)

    def throw(self, *arguments: Any) -> Any:
        return self._step(self._generator.throw, *arguments)

    def close(self) -> None:
        with self._visit:
            try:
                self._generator.close()
            finally:
                self._visit.finish()

    def _step(self, step: Any, *arguments: Any) -> Any:
        with self._visit:
            try:
                return step(*arguments)
            except StopIteration:
                self._visit.finish()
                raise
            except BaseException as exception:
                self._visit.finish(exception)
                raise


class AsyncIteration(AsyncGenerator[Any, Any]):
    """An asynchronous generator that runs in a subsegment from its first step to its last."""

    def __init__(self, name: str, generator: Any) -> None:
        self._visit = Visit(name)
        self._generator = generator

    async def asend(self, value: Any) -> Any:
        return await self._step(self._generator.asend, value)

    async def athrow(self, *arguments: Any) -> Any:
        return await self._step(self._generator.athrow, *arguments)

    async def aclose(self) -> None:
        with self._visit:
            try:
                await self._generator.aclose()
            finally:
                self._visit.finish()

    async def _step(self, step: Any, *arguments: Any) -> Any:
        with self._visit:
            try:
                return await step(*arguments)
            except StopAsyncIteration:
                self._visit.finish()
                raise
            except BaseException as exception:
                self._visit.finish(exception)
                raise
