"""Batches of an SQS queue: each message by itself, and only those that failed come again.

The queue's event source mapping must have FunctionResponseTypes: [ReportBatchItemFailures]. Without
it Lambda takes any answer for a success, and deletes the messages that failed.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import BatchError, MalformedEvent
from .fields import read_map, read_text
from .work import working

log = logging.getLogger(__name__)

Event = dict[str, Any]


class Message(NamedTuple):
    """A message of an SQS queue.

    queue: the queue's name. record: all that SQS says of it, its attributes among that.
    """

    id: str
    body: str
    queue: str
    record: dict[str, Any]


MessageHandler = Callable[[Message], object]


def is_batch(event: Event) -> bool:
    """Return whether an event is a batch of an SQS queue."""
    records = event.get("Records")
    return (
        isinstance(records, list)
        and bool(records)
        and isinstance(records[0], dict)
        and records[0].get("eventSource") == "aws:sqs"
    )


def handle_batch(event: Event, handle: MessageHandler) -> dict[str, Any]:
    """Handle every message of a batch; return which ones failed, for SQS to send them again.

    What a message's handling raises is logged with its stack. After a failure in a FIFO queue the
    rest is left for later, so that the order is kept.

    Raises BatchError where none was handled, which Lambda counts as an error of the function.
    """
    messages = [read_message(record) for record in event["Records"]]
    failed: list[Message] = []
    error: Exception | None = None
    for number, message in enumerate(messages):
        try:
            with working(message.queue) as subsegment:
                link_sender(subsegment, message)
                handle(message)
        except Exception as raised:
            log.exception("Message %r of the queue %r failed.", message.id, message.queue)
            error = raised
            failed.append(message)
            if message.queue.endswith(".fifo"):
                failed += messages[number + 1 :]
                break
    if len(failed) == len(messages):
        raise BatchError(
            f"All {len(failed)} messages of the queue {messages[0].queue!r} failed."
        ) from error
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in failed]}


def read_message(record: Any) -> Message:
    """Return the message of one record. Raises MalformedEvent."""
    if not isinstance(record, dict) or not record.get("messageId"):
        raise MalformedEvent("Expected every record of a batch to be an object with a 'messageId'.")
    queue = read_text(record, "eventSourceARN").rpartition(":")[2]
    return Message(
        id=read_text(record, "messageId"),
        body=read_text(record, "body"),
        queue=queue or "queue",
        record=record,
    )


def link_sender(subsegment: Any, message: Message) -> None:
    """Say on a subsegment which trace the message was sent in.

    Lambda polls whole batches in a trace of its own; each message may come from another one.
    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
    """
    header = read_text(read_map(message.record, "attributes"), "AWSTraceHeader")
    sender = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    if subsegment and sender.get("Root"):
        subsegment.put_annotation("sender_trace_id", sender["Root"])
        if sender.get("Parent"):
            link = {"trace_id": sender["Root"], "id": sender["Parent"]}
            subsegment.set_block("links", [link])
