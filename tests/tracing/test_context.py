"""Contexts: late, missing, or of another thread, nothing of it reaches the application."""

import asyncio
import inspect
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import pytest

import tracing
from tests.conftest import Daemon, walk
from tracing import entities, xray_recorder
from tracing.context import Context, LambdaContext, open_entities, put_current
from tracing.entities import FunctionSegment, Segment, Subsegment
from tracing.remote import pass_header_on
from tracing.subsegments import begin, end

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing was told yet, and nothing is open; neither afterwards."""
    monkeypatch.setattr(entities, "_told", set())
    put_current(None)
    yield
    put_current(None)


@pytest.fixture
def lambda_context(monkeypatch: pytest.MonkeyPatch) -> LambdaContext:
    """The recorder in an invocation on Lambda."""
    context = LambdaContext()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    monkeypatch.setattr(xray_recorder, "_context", context)
    return context


def test_b3_a_subsegment_of_an_ended_segment_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    segment = xray_recorder.begin_segment("test", sampling=1)
    segment.close()

    assert begin("late") is None
    xray_recorder.begin_subsegment("late")

    assert "began after 'test' had ended" in caplog.text
    assert segment.subsegments == []


def test_a_thread_may_outlive_its_request() -> None:
    segment = xray_recorder.begin_segment("test", sampling=1)
    subsegment = xray_recorder.begin_subsegment("slow")
    subsegment.close()
    segment.close()

    xray_recorder.end_subsegment()

    assert open_entities() in ((segment,), ())


def test_outside_a_trace_everything_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    tracing.put_annotation("key", "value")
    tracing.put_metadata("key", "value")
    tracing.set_user("alice")
    with tracing.in_subsegment("step") as step:
        step.put_annotation("key", "value")
        step.put_metadata("key", "value")
    end(None)

    assert tracing.current_trace() is None
    assert caplog.records == []


def test_missing_context_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    context = Context("LOG_ERROR")

    for _ in range(3):
        assert context.get_trace_entity() is None
        assert context.end_subsegment() is False
        context.put_subsegment(Subsegment("step", "local", Segment("test")))

    assert len(caplog.records) == 1


def test_ending_a_subsegment_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    xray_recorder.begin_segment("test", sampling=0)

    xray_recorder.end_subsegment()

    assert "no subsegment open" in caplog.text


def test_an_exception_leaves_the_block_and_is_recorded(daemon: Daemon) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    with pytest.raises(KeyError), tracing.in_subsegment("step"):  # noqa: PT012
        xray_recorder.begin_subsegment("left open")
        raise KeyError("nothing")
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    step = document["subsegments"][0]
    assert step["fault"] is True
    assert step["subsegments"][0]["name"] == "left open"
    assert step["subsegments"][0]["end_time"]
    assert "fault" not in document


def test_a_request_may_be_described_from_anywhere_in_it(daemon: Daemon) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    with tracing.in_subsegment("step"):
        tracing.put_annotation("colour", "red")
        tracing.put_metadata("shape", "round", "looks")
        tracing.set_user("alice")
        trace = tracing.current_trace()
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert document["annotations"] == {"colour": "red"}
    assert document["metadata"] == {"looks": {"shape": "round"}}
    assert document["user"] == "alice"
    assert trace == tracing.Trace(document["trace_id"], True)


def test_threads_keep_their_traces_apart(daemon: Daemon) -> None:
    barrier = threading.Barrier(8)

    def serve(number: int) -> None:
        xray_recorder.begin_segment(f"request-{number}", sampling=1)
        barrier.wait()
        for step in range(20):
            with tracing.in_subsegment(f"{number}-{step}"):
                pass
        xray_recorder.end_segment()

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    documents = daemon.documents(8)
    assert len({document["trace_id"] for document in documents}) == 8
    for document in documents:
        number = document["name"].removeprefix("request-")
        assert [child["name"] for child in document["subsegments"]] == [
            f"{number}-{step}" for step in range(20)
        ]


def test_set_trace_entity_hands_a_trace_on(daemon: Daemon) -> None:
    segment = xray_recorder.begin_segment("test", sampling=1)
    outer = xray_recorder.begin_subsegment("outer")

    def work() -> None:
        xray_recorder.set_trace_entity(outer)
        with tracing.in_subsegment("in thread"):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    xray_recorder.begin_subsegment("inner")
    xray_recorder.set_trace_entity(outer)
    assert open_entities() == (segment, outer)
    xray_recorder.set_trace_entity(segment)
    assert open_entities() == (segment,)
    xray_recorder.clear_trace_entities()
    xray_recorder.set_trace_entity(segment)
    assert open_entities() == (segment,)
    assert [child.name for child in outer.subsegments] == ["in thread", "inner"]


def test_on_lambda_a_thread_goes_on_under_the_request(
    lambda_context: LambdaContext, daemon: Daemon
) -> None:
    request = xray_recorder.begin_subsegment("request")

    def work() -> None:
        xray_recorder.set_trace_entity(request)
        with tracing.in_subsegment("in thread"):
            pass
        xray_recorder.set_trace_entity(request.parent_segment)
        assert open_entities() == ()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    xray_recorder.set_trace_entity(request)
    xray_recorder.end_subsegment()

    names = [entity["name"] for part in daemon.documents(1) for entity in walk(part)]
    assert names == ["request", "in thread"]


def test_b5_capture_leaves_exceptions_alone(daemon: Daemon) -> None:
    class FrozenError(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise TypeError("frozen")

    @tracing.capture()
    def break_ice() -> None:
        raise FrozenError("ice")

    xray_recorder.begin_segment("test", sampling=1)
    with pytest.raises(FrozenError, match="ice"):
        break_ice()
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    step = document["subsegments"][0]
    assert step["name"] == "break_ice"
    assert step["cause"]["exceptions"][0]["stack"][0]["label"].endswith("break_ice")


def test_a_reader_that_goes_away_is_no_fault(daemon: Daemon) -> None:
    def stream() -> Iterator[int]:
        with tracing.in_subsegment("stream"):
            yield 1

    xray_recorder.begin_segment("test", sampling=1)
    chunks = stream()
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert "fault" not in document["subsegments"][0]


def test_on_lambda_segments_are_the_services(
    lambda_context: LambdaContext, caplog: pytest.LogCaptureFixture
) -> None:
    xray_recorder.begin_segment("mine", sampling=1)
    xray_recorder.end_segment()
    lambda_context.end_segment()

    assert isinstance(lambda_context.get_trace_entity(), FunctionSegment)
    assert "the service makes it" in caplog.text


def test_on_lambda_the_functions_segment_forwards_or_drops(
    lambda_context: LambdaContext, daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    function: Any = xray_recorder.current_segment()
    with caplog.at_level(logging.WARNING):
        function.put_annotation("dropped", 1)
    assert "outside a request; dropped" in caplog.text

    xray_recorder.begin_subsegment("request")
    function.put_annotation("colour", "red")
    function.put_metadata("shape", 1)
    function.put_http_meta("method", "GET")
    function.set_user("alice")
    function.set_aws({"operation": "none"})
    function.apply_status_code(429)
    function.add_fault_flag()
    function.add_error_flag()
    function.add_throttle_flag()
    function.add_exception(ValueError("no"), [])
    function.close()
    tracing.set_user("bob")
    xray_recorder.end_subsegment()

    (document,) = daemon.documents(1)
    assert document["annotations"] == {"colour": "red", "user": "bob"}
    assert document["metadata"] == {"default": {"shape": 1}}
    assert document["http"] == {"request": {"method": "GET"}}
    assert document["aws"] == {"operation": "none"}
    assert (document["fault"], document["error"], document["throttle"]) == (True, True, True)
    assert document["cause"]["exceptions"][0]["message"] == "no"
    assert document["parent_id"] == "53995c3f42cd8ad8"


def test_on_lambda_work_outside_a_request_is_traced_too(
    lambda_context: LambdaContext, daemon: Daemon
) -> None:
    with tracing.in_subsegment("message"):
        pass

    assert [document["name"] for document in daemon.documents(1)] == ["message"]


def test_on_lambda_before_the_first_invocation_nothing_is_traced(
    lambda_context: LambdaContext, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID")

    with tracing.in_subsegment("init"):
        pass
    lambda_context.handle_context_missing()

    assert daemon.receive() == []


@pytest.mark.parametrize(
    "broken", ["tracing.context.make_part", "tracing.subsegments.perf_counter"]
)
def test_a_recorder_that_fails_is_survived(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError("broken recorder")

    xray_recorder.begin_segment("test", sampling=1)
    monkeypatch.setattr(broken, fail)

    with tracing.in_subsegment("step"):
        worked = True

    assert worked
    assert "broken recorder" in caplog.text
    xray_recorder.clear_trace_entities()


@pytest.mark.parametrize("sampling", [0, 1])
def test_a_thread_that_outlived_its_request_is_in_no_trace(sampling: int) -> None:
    from tracing.middleware import end_request

    ended, told = threading.Event(), []

    def work() -> None:
        for _ in range(2):
            headers: dict[str, str] = {}
            pass_header_on(headers)
            told.append((bool(headers), tracing.current_trace() is not None))
            ended.wait(10)

    segment = xray_recorder.begin_segment("test", sampling=sampling)
    thread = threading.Thread(target=work)
    thread.start()
    while not told:
        pass
    end_request(segment)
    ended.set()
    thread.join()

    assert told == [(True, True), (False, False)]


def test_a_thread_in_the_midst_of_a_subsegment_is_in_its_trace() -> None:
    segment = xray_recorder.begin_segment("test", sampling=1)
    subsegment = xray_recorder.begin_subsegment("slow")
    segment.close()
    headers: dict[str, str] = {}

    pass_header_on(headers)

    assert f"Parent={subsegment.id}" in headers["X-Amzn-Trace-Id"]
    assert tracing.current_trace() is not None


def test_on_lambda_a_thread_of_an_invocation_before_is_in_no_trace(
    lambda_context: LambdaContext, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = xray_recorder.begin_subsegment("request")
    xray_recorder.end_subsegment()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER.replace("Sampled=1", "Sampled=0"))
    headers: dict[str, str] = {}

    def work() -> None:
        pass_header_on(headers)
        assert tracing.current_trace() is None

    from tracing.threads import carry

    carry(request, work)()

    assert headers == {}


def work_elsewhere(name: str) -> int:
    """Work in another process."""
    with tracing.in_subsegment(name):
        return os.getpid()


def test_a_pool_of_processes_works_for_whom_it_works(daemon: Daemon) -> None:
    submitted = []
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        for name in ("first", "second"):
            segment = xray_recorder.begin_segment(name, sampling=1)
            submitted.append(segment.id)
            assert pool.submit(work_elsewhere, name).result() != os.getpid()
            xray_recorder.end_segment()
        xray_recorder.begin_segment("unsampled", sampling=0)
        list(pool.map(work_elsewhere, ["unsampled"]))
        xray_recorder.end_segment()
        pool.submit(work_elsewhere, "outside").result()

    parts = [part for part in daemon.documents(4) if part.get("type") == "subsegment"]
    assert [(part["name"], part["parent_id"]) for part in parts] == [
        ("first", submitted[0]),
        ("second", submitted[1]),
    ]


def test_a_forked_process_sends_nothing_that_it_has_not_begun(daemon: Daemon) -> None:
    from tracing.middleware import fail_request

    segment = xray_recorder.begin_segment("test", sampling=1)
    with tracing.in_subsegment("around the fork") as around:
        child = os.fork()
        if child == 0:
            with tracing.in_subsegment("in the child"):
                pass
            end(around)
            fail_request(segment, SystemExit(0))
            os._exit(0)
        os.waitpid(child, 0)
    xray_recorder.end_segment()

    documents = daemon.documents(2)
    assert [document["name"] for document in documents] == ["in the child", "test"]
    assert documents[0]["parent_id"] == documents[1]["subsegments"][0]["id"]


def test_a4_what_is_cancelled_has_not_failed(daemon: Daemon) -> None:
    async def sleep() -> None:
        async with tracing.in_subsegment("sleep"):
            await asyncio.sleep(10)

    @tracing.capture("captured")
    async def call() -> None:
        await sleep()

    async def main() -> None:
        async with xray_recorder.in_segment_async("test", sampling=1):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(call(), 0.01)

    asyncio.run(main())

    (document,) = daemon.documents(1)
    entities = list(walk(document))
    assert [entity["name"] for entity in entities] == ["test", "captured", "sleep"]
    assert not any("fault" in entity or "cause" in entity for entity in entities)


def test_b4_a_task_may_outlive_its_segment(daemon: Daemon) -> None:
    async def work() -> None:
        with tracing.in_subsegment("outlives"):
            await asyncio.sleep(0.05)

    async def main() -> None:
        async with xray_recorder.in_segment_async("test", sampling=1):
            task = asyncio.create_task(work())
            await asyncio.sleep(0)
        await task

    asyncio.run(main())

    segment, outlives = daemon.documents(2)
    assert segment["subsegments"][0]["in_progress"] is True
    assert outlives["end_time"] > segment["end_time"]


def count() -> Generator[int, int, str]:
    """Yield what comes of what is sent; endure one kind of error, and being closed."""
    sent = 0
    try:
        while sent < 100:
            try:
                sent = yield sent + 1
            except LookupError:
                sent = 50
    except GeneratorExit:
        return "closed"
    return "done"


def use(make: Callable[[], Generator[int, int, str]]) -> list[object]:
    """Return all that a generator answers."""
    first = make()
    told: list[object] = [inspect.isgenerator(first), next(first), first.send(5)]
    told.append(first.throw(LookupError("no")))
    try:
        first.send(100)
    except StopIteration as stop:
        told.append(stop.value)
    second = make()
    next(second)
    told.append(second.close())  # type: ignore[func-returns-value]
    third = make()
    next(third)
    try:
        third.throw(KeyboardInterrupt())
    except KeyboardInterrupt as error:
        told.append(type(error))
    told.append(next(third, None))
    return told


def test_a11_a_captured_generator_is_one(daemon: Daemon) -> None:
    captured = tracing.capture()(count)

    assert inspect.isgeneratorfunction(captured)
    assert use(captured) == use(count)
    xray_recorder.begin_segment("test", sampling=1)
    assert use(captured) == use(count)
    assert [entity.name for entity in open_entities()] == ["test"]
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert [child.get("fault", False) for child in document["subsegments"]] == [False, False, True]


def test_a11_a_captured_asynchronous_generator_is_one(daemon: Daemon) -> None:
    @tracing.capture()
    async def letters() -> AsyncIterator[str]:
        sent = ""
        while sent != "end":
            try:
                sent = yield f"letter {sent}"
            except LookupError:
                sent = "thrown"

    async def main() -> list[object]:
        generator: Any = letters()
        told = [inspect.isasyncgen(generator), await anext(generator), await generator.asend("a")]
        told.append(await generator.athrow(LookupError()))
        assert [entity.name for entity in open_entities()] == ["test"]
        with pytest.raises(StopAsyncIteration):
            await generator.asend("end")
        left: Any = letters()
        await anext(left)
        await left.aclose()
        return told

    assert inspect.isasyncgenfunction(letters)
    xray_recorder.begin_segment("test", sampling=1)
    told = asyncio.run(main())
    xray_recorder.end_segment()

    assert told == [True, "letter ", "letter a", "letter thrown"]
    (document,) = daemon.documents(1)
    assert [child["name"] for child in document["subsegments"]] == ["letters", "letters"]
    assert not any("fault" in child for child in document["subsegments"])


def test_a11_captures_add_up(daemon: Daemon) -> None:
    @tracing.capture("outer")
    @tracing.capture("inner")
    def work() -> None:
        pass

    xray_recorder.begin_segment("test", sampling=1)
    work()
    tracing.capture()(partial(partial(work_elsewhere), "in a partial"))()
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert [entity["name"] for entity in walk(document)] == [
        "test",
        "outer",
        "inner",
        "work_elsewhere",
        "in a partial",
    ]


def test_no_two_subsegments_have_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = xray_recorder.begin_segment("test", sampling=1)
    monkeypatch.setattr(xray_recorder, "streaming_threshold", 2000)

    def work() -> None:
        for _ in range(300):
            with tracing.in_subsegment("step"):
                pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [segment.id, *(child.id for child in segment.subsegments)]

    assert len(ids) == 901
    assert len(set(ids)) == len(ids)
    assert all(entities.ID.fullmatch(each) for each in ids)


def test_a_flag_that_is_set_by_hand_is_told(daemon: Daemon) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    with tracing.in_subsegment("step") as step:
        step.fault = step.throttle = True
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    (told,) = document["subsegments"]
    assert (told["fault"], told["throttle"]) == (True, True)
    assert "error" not in told
