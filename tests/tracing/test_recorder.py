"""The SDK's API, used as its guide teaches: outside Django's requests, with parts of one's own."""

import gc
import weakref
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from aws_xray_sdk.core.streaming.default_streaming import DefaultStreaming
from django.utils.safestring import mark_safe

import tracing
from tests.conftest import Daemon, walk
from tests.segment_schema import find_mistakes
from tracing import xray_recorder
from tracing.context import LambdaContext, open_entities
from tracing.entities import FunctionSegment

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def streaming() -> Iterator[None]:
    """What decides about sending parts is put back."""
    before = xray_recorder.streaming
    yield
    xray_recorder.streaming = before


def test_to_look_at_a_document_does_not_send_it(daemon: Daemon) -> None:
    segment = xray_recorder.begin_segment("test", sampling=1)
    step = xray_recorder.begin_subsegment("step")

    assert segment.to_dict()["subsegments"][0]["in_progress"] is True
    assert step.id in segment.serialize()
    xray_recorder.end_subsegment()
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert [entity["name"] for entity in walk(document)] == ["test", "step"]
    assert "in_progress" not in document["subsegments"][0]


@pytest.mark.parametrize(
    "put",
    [
        lambda step: step.put_http_meta("user_agent", "a?b " * 60),
        lambda step: step.put_http_meta("method", "M" * 400),
        lambda step: step.put_http_meta("url", mark_safe("http://a/" + "x?" * 400)),  # noqa: S308
        lambda step: step.put_http_meta("content_length", "123"),
        lambda step: step.put_http_meta("content_length", "much"),
        lambda step: step.put_annotation("a", "x?a " * 250),
        lambda step: step.put_annotation("a", mark_safe("y" * 5000)),  # noqa: S308
        lambda step: step.put_annotation("k" * 600, 1),
        lambda step: step.put_metadata("id", 1, "session"),
        lambda step: step.set_aws({"operation": "A", "account_id": 123456789012}),
    ],
)
def test_whatever_is_put_the_document_is_one_that_xray_takes(
    put: Callable[[Any], None], daemon: Daemon
) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    with tracing.in_subsegment("step") as step:
        put(step)
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert find_mistakes(document) == []


def test_a_namespace_is_no_secret(daemon: Daemon) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    tracing.put_metadata("id", 1, "session")
    xray_recorder.end_segment()

    assert daemon.documents(1)[0]["metadata"] == {"session": {"id": 1}}


def test_a_name_that_is_no_text(daemon: Daemon) -> None:
    xray_recorder.begin_segment("test", sampling=1)
    with tracing.in_subsegment(["a", "list"]):  # type: ignore[arg-type]
        pass
    xray_recorder.end_segment()

    assert [entity["name"] for entity in walk(daemon.documents(1)[0])] == ["test", "a list"]


def test_no_entity_can_be_handed_over_as_well() -> None:
    xray_recorder.clear_trace_entities()

    xray_recorder.set_trace_entity(xray_recorder.get_trace_entity())

    assert open_entities() == ()


class Own:
    """A streaming strategy that knows only what the SDK's guide asks of it."""

    def __init__(self) -> None:
        self.asked = 0

    def is_eligible(self, segment: Any) -> bool:
        self.asked += 1
        return False

    def stream(self, entity: Any, callback: Any) -> None:
        raise AssertionError("Nothing was eligible.")


def test_a_streaming_strategy_of_ones_own(daemon: Daemon, streaming: None) -> None:
    own = Own()
    xray_recorder.configure(streaming=own)
    assert xray_recorder.streaming is own

    xray_recorder.begin_segment("test", sampling=1)
    for number in range(3):
        with tracing.in_subsegment(f"step {number}"):
            pass
    xray_recorder.stream_subsegments()
    xray_recorder.end_segment()

    (document,) = daemon.documents(1)
    assert len(document["subsegments"]) == 3
    assert own.asked == 4


def test_the_sdks_own_strategy(daemon: Daemon, streaming: None) -> None:
    xray_recorder.configure(streaming=DefaultStreaming(), streaming_threshold=2)

    xray_recorder.begin_segment("test", sampling=1)
    for number in range(5):
        with tracing.in_subsegment(f"step {number}"):
            pass
    xray_recorder.end_segment()

    documents = daemon.documents(2)
    names = [entity["name"] for document in documents for entity in walk(document)]
    assert sorted(names) == ["step 0", "step 1", "step 2", "step 3", "step 4", "test"]
    assert len(documents) > 1


def test_a_sampler_that_fails_samples(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: object) -> bool:
        raise OSError("broken sampler")

    monkeypatch.setattr(xray_recorder, "_sampling", True)
    monkeypatch.setattr(xray_recorder.sampler, "should_trace", fail)

    with xray_recorder.in_segment("test"), xray_recorder.in_subsegment("step"):
        pass

    assert [entity["name"] for entity in walk(daemon.documents(1)[0])] == ["test", "step"]


def test_on_lambda_nobody_asks_the_sampler(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: object) -> bool:
        raise AssertionError("The header decides.")

    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    monkeypatch.setattr(xray_recorder, "_context", LambdaContext())
    monkeypatch.setattr(xray_recorder.sampler, "should_trace", fail)
    xray_recorder.clear_trace_entities()

    with xray_recorder.in_segment("mine") as segment, tracing.in_subsegment("work"):
        assert isinstance(segment, FunctionSegment)
        segment.put_annotation("colour", "red")
        segment.set_user(UUID(int=7))
        tracing.set_user(UUID(int=8))  # type: ignore[arg-type]

    (document,) = daemon.documents(1)
    assert document["annotations"] == {"colour": "red", "user": str(UUID(int=8))}
    xray_recorder.clear_trace_entities()


def test_what_was_sent_waits_for_no_collector(daemon: Daemon) -> None:
    class Value:
        """Something that is kept as long as its subsegment is."""

    gc.collect()
    gc.disable()
    try:
        value = Value()
        kept = weakref.ref(value)
        xray_recorder.begin_segment("test", sampling=1)
        with (
            tracing.in_subsegment("a"),
            tracing.in_subsegment("b"),
            tracing.in_subsegment("c") as c,
        ):
            c.put_metadata("value", value)
        xray_recorder.end_segment()
        del value, c
        assert kept() is None
    finally:
        gc.enable()


def test_an_exception_that_passed_waits_for_no_collector(daemon: Daemon) -> None:
    class Failure(Exception):
        """Something that can be weakly referred to."""

    def fail() -> None:
        raise Failure

    def run() -> weakref.ref[Failure]:
        try:
            xray_recorder.record_subsegment(fail, None, (), {}, "step", "local", None)
        except Failure as failure:
            return weakref.ref(failure)
        raise AssertionError

    gc.collect()
    gc.disable()
    try:
        xray_recorder.begin_segment("test", sampling=1)
        kept = run()
        assert kept() is None
        xray_recorder.end_segment()
    finally:
        gc.enable()
    assert daemon.documents(1)[0]["subsegments"][0]["fault"] is True


def test_whoever_goes_away_is_no_fault_of_the_recorder(daemon: Daemon) -> None:
    def leave() -> None:
        raise CancelledError

    with pytest.raises(CancelledError), xray_recorder.in_segment("test", sampling=1):
        xray_recorder.record_subsegment(leave, None, (), {}, "step", "local", None)

    (document,) = daemon.documents(1)
    assert not any(entity.get("fault") for entity in walk(document))
