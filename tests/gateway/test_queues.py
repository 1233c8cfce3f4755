import logging
from typing import Any

import pytest

from gateway import BatchError, MalformedEvent, Message
from gateway.queues import handle_batch, is_batch, link_sender, read_message

from .examples import make_event

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:films"


def make_batch(*bodies: str, queue: str = QUEUE) -> dict[str, Any]:
    """Return a batch of messages whose ids are their bodies."""
    [record, _other] = make_event("sqs_batch")["Records"]
    return {
        "Records": [
            record | {"messageId": body, "body": body, "eventSourceARN": queue} for body in bodies
        ]
    }


def handle_all_but(*bad: str) -> tuple[list[str], Any]:
    """Return the list of what was handled, and what handles it."""
    handled: list[str] = []

    def handle(message: Message) -> None:
        if message.body in bad:
            raise LookupError(f"no {message.body}")
        handled.append(message.body)

    return handled, handle


def list_failures(response: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_read_message():
    message = read_message(make_event("sqs_batch")["Records"][0])

    assert message.id == "059f36b4-87a3-44ab-83d2-661975830a7d"
    assert message.body == '{"title": "Amélie", "year": 2001}'
    assert message.queue == "films"
    assert message.record["attributes"]["ApproximateReceiveCount"] == "1"


def test_every_message_is_handled_in_order():
    handled, handle = handle_all_but()

    assert handle_batch(make_batch("a", "b", "c"), handle) == {"batchItemFailures": []}
    assert handled == ["a", "b", "c"]


def test_only_what_failed_comes_again(caplog):
    handled, handle = handle_all_but("b", "d")

    response = handle_batch(make_batch("a", "b", "c", "d"), handle)

    assert list_failures(response) == ["b", "d"]
    assert handled == ["a", "c"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "'b' of the queue 'films'" in caplog.records[0].getMessage()
    assert caplog.records[0].exc_info[0] is LookupError


def test_fifo_queue_keeps_its_order():
    """Nothing is handled that comes after what failed."""
    handled, handle = handle_all_but("b")

    response = handle_batch(make_batch("a", "b", "c", "d", queue=f"{QUEUE}.fifo"), handle)

    assert list_failures(response) == ["b", "c", "d"]
    assert handled == ["a"]


def test_batch_of_which_nothing_was_handled_is_an_error_of_the_function():
    """So it is counted and seen, and nothing is lost where the mapping takes no failures."""
    _handled, handle = handle_all_but("a", "b")

    with pytest.raises(BatchError, match="All 2 messages of the queue 'films' failed") as caught:
        handle_batch(make_batch("a", "b"), handle)

    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize("record", [None, "a", {}, {"messageId": None}, {"messageId": 1}])
def test_record_that_could_not_be_told_apart(record: Any):
    """The whole batch comes again: nothing of it was begun."""
    handled, handle = handle_all_but()
    event = make_batch("a")
    event["Records"].append(record)

    with pytest.raises(MalformedEvent, match="messageId"):
        handle_batch(event, handle)
    assert handled == []


def test_connections_are_looked_after_around_each_message(monkeypatch):
    import django.db

    closed: list[str] = []
    monkeypatch.setattr(django.db, "close_old_connections", lambda: closed.append("close"))

    def handle(message: Message) -> None:
        closed.append(message.body)
        if message.body == "b":
            raise LookupError("no b")

    handle_batch(make_batch("a", "b"), handle)

    assert closed == ["close", "a", "close", "close", "b", "close"]


class Subsegment:
    def __init__(self) -> None:
        self.annotations: dict[str, Any] = {}
        self.blocks: dict[str, Any] = {}

    def put_annotation(self, key: str, value: Any) -> None:
        self.annotations[key] = value

    def set_block(self, name: str, block: Any) -> None:
        self.blocks[name] = block


@pytest.mark.parametrize(
    ("header", "annotations", "blocks"),
    [
        (
            "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
            {"sender_trace_id": "1-67891233-abcdef012345678912345678"},
            {
                "links": [
                    {"trace_id": "1-67891233-abcdef012345678912345678", "id": "53995c3f42cd8ad8"}
                ]
            },
        ),
        (
            "Root=1-67891233-abcdef012345678912345678",
            {"sender_trace_id": "1-67891233-abcdef012345678912345678"},
            {},
        ),
        ("Sampled=1", {}, {}),
        ("nonsense;;=", {}, {}),
        (None, {}, {}),
    ],
)
def test_trace_of_the_sender_is_linked(header, annotations, blocks):
    subsegment = Subsegment()
    [record] = make_batch("a")["Records"]

    link_sender(subsegment, read_message(record | {"attributes": {"AWSTraceHeader": header}}))

    assert (subsegment.annotations, subsegment.blocks) == (annotations, blocks)


def test_message_without_attributes():
    [record] = make_batch("a")["Records"]
    message = read_message({"messageId": "a", "attributes": None})

    link_sender(Subsegment(), message)
    link_sender(None, read_message(record))

    assert (message.queue, message.body) == ("queue", "")


def test_is_batch():
    assert is_batch(make_batch("a"))
    assert not is_batch({"Records": [{"eventSource": "aws:kinesis"}]})
