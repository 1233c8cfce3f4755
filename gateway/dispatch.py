"""Bring an event that is no HTTP request to its place, told by its shape.

| shape | place |
|---|---|
| `{"Records": [{"eventSource": "aws:sqs", ...}]}` | `on_message`, for each message |
| `{"source": "aws.events", "detail-type": "Scheduled Event", ...}` | `on_schedule` |
| `{"manage": ["migrate"]}` | `on_command` |
"""

from typing import Any

from .commands import CommandHandler, handle_command, is_command
from .errors import UnknownEvent, UnservedEvent
from .queues import MessageHandler, handle_batch, is_batch
from .schedules import ScheduleHandler, handle_schedule, is_schedule


def dispatch(
    event: Any,
    on_message: MessageHandler | None = None,
    on_schedule: ScheduleHandler | None = None,
    on_command: CommandHandler | None = None,
) -> Any:
    """Return what an event's place answers.

    Raises UnknownEvent, UnservedEvent, MalformedEvent, and what the place raises.
    """
    if not isinstance(event, dict):
        raise UnknownEvent(event)
    if is_batch(event):
        if on_message is None:
            raise UnservedEvent("messages of an SQS queue", "on_message")
        return handle_batch(event, on_message)
    if is_schedule(event):
        if on_schedule is None:
            raise UnservedEvent("a schedule", "on_schedule")
        return handle_schedule(event, on_schedule)
    if is_command(event):
        if on_command is None:
            raise UnservedEvent("management commands", "on_command")
        return handle_command(event, on_command)
    raise UnknownEvent(event)
