"""Schedules of EventBridge: of a rule, or of the Scheduler where it was given no input.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import MalformedEvent
from .fields import read_text, read_texts
from .work import working

Event = dict[str, Any]
SOURCES = ("aws.events", "aws.scheduler")


class Schedule(NamedTuple):
    """A time that has come.

    name: of the rule or the schedule. time: when it was due, such as '2026-11-20T03:00:00Z'.
    """

    name: str
    time: str


ScheduleHandler = Callable[[Schedule], object]


def is_schedule(event: Event) -> bool:
    """Return whether an event is a schedule's."""
    return event.get("detail-type") == "Scheduled Event" and event.get("source") in SOURCES


def handle_schedule(event: Event, handle: ScheduleHandler) -> None:
    """Do what is to be done at a schedule's time.

    What that raises is raised to Lambda, which invokes the function again, twice unless told
    otherwise. Raises MalformedEvent.
    """
    resources = read_texts(event.get("resources"), "resources")
    if not resources:
        raise MalformedEvent("Expected 'resources' to name the schedule's rule, got none.")
    # arn:aws:events:eu-west-1:123456789012:rule/nightly
    schedule = Schedule(resources[0].rpartition("/")[2], read_text(event, "time"))
    with working(schedule.name or "schedule"):
        handle(schedule)
