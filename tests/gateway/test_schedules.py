from typing import Any

import pytest

from gateway import MalformedEvent, Schedule
from gateway.schedules import handle_schedule, is_schedule

from .examples import make_event

NAMES = ["event_bridge_rule", "event_bridge_scheduler"]


@pytest.mark.parametrize("name", NAMES)
def test_schedule_has_name_and_time(name: str):
    taken: list[Schedule] = []

    assert handle_schedule(make_event(name), taken.append) is None
    assert taken == [Schedule("nightly", "2026-11-20T03:00:00Z")]


def test_failure_is_raised_to_lambda():
    """Which tries again; only it can."""

    def handle(schedule: Schedule) -> None:
        raise LookupError(schedule.name)

    with pytest.raises(LookupError, match="nightly"):
        handle_schedule(make_event("event_bridge_rule"), handle)


@pytest.mark.parametrize("resources", [None, [], [None], 1, [1]])
def test_schedule_without_a_name(resources: Any):
    with pytest.raises(MalformedEvent, match="'resources'"):
        handle_schedule(make_event("event_bridge_rule", resources=resources), print)


def test_is_schedule():
    assert all(is_schedule(make_event(name)) for name in NAMES)
    assert not is_schedule(make_event("event_bridge_rule", source="my.application"))
