"""When there were more faults than usual, and who began it."""

from typing import Any

from xray_local.graph.insights import Impact, Insight, Minutes, find_insights, list_impacted
from xray_local.traces.services import Service
from xray_local.traces.tallies import Shape, Tally

START = 1_700_000_040.0  # the beginning of a minute
FRONT = Service("front", "AWS::EC2::Instance", None)
API = Service("api", "AWS::ECS::Container", None)
TABLE = Service("Movies", "AWS::DynamoDB::Table", None)
OTHER = Service("other", None, None)
PLAIN = Shape(None, FRONT, True, True, *(False,) * 6)


def make(service: Service, count: int, **flags: Any) -> Tally:
    return Tally(PLAIN._replace(service=service, **flags), count, 0.1, {0: count}, START, START)


def make_minute(faults: int, total: int, service: Service = FRONT) -> list[Tally]:
    """Return what a root did in a minute."""
    return [
        make(service, total - faults, is_root=True),
        make(service, faults, is_root=True, has_fault=True),
    ]


def find(
    *minutes: list[Tally] | None, before: list[Tally] | None = None, after_minutes: float = 100
) -> list[Insight]:
    """Return the insights of minutes from START on, after an hour of others."""
    counted: dict[float, list[Tally]] = {}
    for step in range(1, 61):
        if before is not None:
            counted[START - 60 * step] = before
    for step, tallies in enumerate(minutes):
        if tallies is not None:
            counted[START + 60 * step] = tallies
    return find_insights(counted, "Default", START + 60 * (len(minutes) + after_minutes))


def test_faults_that_are_more_than_usual() -> None:
    (insight,) = find(make_minute(20, 100), make_minute(30, 100), before=make_minute(1, 100))

    assert (insight.start, insight.end) == (START, START + 120)
    assert insight.root_cause == FRONT
    assert insight.anomalous == (FRONT,)
    assert insight.root_cause_impact == insight.client_impact == Impact(50, 200)
    assert [event.time for event in insight.events] == [START + 60, START + 120]
    assert insight.events[0].client == Impact(20, 100)


def test_four_faults_are_too_few() -> None:
    assert find(make_minute(4, 4)) == []
    assert len(find(make_minute(5, 5))) == 1


def test_a_twentieth_is_no_more_than_usual() -> None:
    assert find(make_minute(5, 100)) == []
    assert len(find(make_minute(6, 100))) == 1


def test_three_times_the_hour_before_is_no_more_than_usual() -> None:
    usual = make_minute(10, 100)

    # The first minute of all has nothing before it, so that a tenth is much.
    (first,) = find(make_minute(30, 100), before=usual)
    later, _ = find(make_minute(31, 100), before=usual)

    assert first.start == START - 3600
    assert later.start == START


def test_what_is_in_progress_does_not_count() -> None:
    assert find([make(FRONT, 9, has_fault=True, is_partial=True)]) == []


def test_it_lasts_until_ten_minutes_are_quiet() -> None:
    bad, good = make_minute(100, 100), make_minute(0, 1000)

    assert len(find(bad, *[None] * 9, bad, before=good)) == 1
    later, earlier = find(bad, *[None] * 10, bad, before=good)
    assert (earlier.start, later.start) == (START, START + 11 * 60)


def test_it_is_active_until_then() -> None:
    (active,) = find(make_minute(9, 9), after_minutes=9)
    (closed,) = find(make_minute(9, 9), after_minutes=10)

    assert (active.is_active, closed.is_active) == (True, False)
    assert active.id == closed.id


def make_chain() -> list[Tally]:
    """Return what a front, an API and a table did while the table failed."""
    bad = {"has_fault": True}
    return [
        make(FRONT, 40, is_root=True),
        make(FRONT, 10, is_root=True, **bad),
        make(API, 10, source=FRONT, is_node=False, **bad),
        make(API, 30, **bad),
        make(API, 20, source=OTHER, is_node=False),
        make(TABLE, 20, source=API, is_inferred=True, **bad),
        make(OTHER, 70, is_root=True),
    ]


def test_the_root_cause_is_where_the_calls_that_were_faults_end() -> None:
    (insight,) = find(make_chain())

    assert insight.root_cause == TABLE
    assert insight.anomalous == (API, TABLE, FRONT)
    assert insight.root_cause_impact == Impact(20, 20)


def test_clients_are_impacted_at_every_root_that_it_can_be_reached_from() -> None:
    (insight,) = find(make_chain())

    assert insight.client_impact == Impact(10, 120)
    clients = {FRONT._replace(type="client"), OTHER._replace(type="client")}
    assert list_impacted(make_chain(), TABLE) == {FRONT, API, TABLE, OTHER} | clients


def test_services_that_do_not_call_each_other_have_insights_of_their_own() -> None:
    first, second = find(make_minute(9, 9, FRONT) + make_minute(9, 9, OTHER))

    assert {first.root_cause, second.root_cause} == {FRONT, OTHER}
    assert first.id != second.id


def test_services_that_call_each_other_in_a_circle() -> None:
    bad = {"has_fault": True}
    circle = [
        make(FRONT, 9, source=API, **bad),
        make(API, 10, source=FRONT, **bad),
    ]

    (insight,) = find(circle)

    assert insight.root_cause == API


def test_ids_are_uuids_and_differ_by_group() -> None:
    minutes: Minutes = {START: make_minute(9, 9)}
    (one,), (other,) = (find_insights(minutes, group, START) for group in ("Default", "mine"))

    assert one.id != other.id
    assert one.id[14] == "5"


def test_nothing() -> None:
    assert find() == []
    assert find(make_minute(0, 1000)) == []
