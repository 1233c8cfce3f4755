"""Quotas, statistics and boosts of sampling rules."""

import sqlite3
from typing import Any

import pytest

from xray_local.control import rules, targets
from xray_local.control.targets import Boost, BoostReport, Report, Window

NOON = 1_700_000_000.0


@pytest.fixture
def rule(connection: sqlite3.Connection) -> rules.Rule:
    fields = {**rules.DEFAULT_FIELDS, "RuleName": "films", "FixedRate": 0.1, "ReservoirSize": 7}
    boost = {"MaxRate": 0.8, "CooldownWindowMinutes": 5}
    return rules.create_rule(connection, {**fields, "SamplingRateBoost": boost}, {}, NOON)


def report(client: str, rule: str = "films", time: float = NOON, **counts: Any) -> Report:
    values = {"requests": 10, "sampled": 4, "borrowed": 1} | counts
    return Report(rule, client, time, **values)


def take(
    connection: sqlite3.Connection, *reports: Report, now: float = NOON
) -> list[targets.Target]:
    made, unprocessed = targets.take_reports(connection, list(reports), now)
    assert unprocessed == []
    return made


@pytest.mark.usefixtures("rule")
class TestTargets:
    def test_target(self, connection: sqlite3.Connection) -> None:
        (target,) = take(connection, report("a"))

        assert target == ("films", 0.1, 7, NOON + 300, None)

    def test_quota_is_shared(self, connection: sqlite3.Connection) -> None:
        take(connection, report("a"))
        take(connection, report("b"), now=NOON + 5)

        quotas = [
            take(connection, report(client), now=NOON + 10)[0].quota for client in ("c", "b", "a")
        ]

        assert quotas == [2, 2, 3]
        assert sum(quotas) == 7

    def test_quota_is_shared_by_rule(self, connection: sqlite3.Connection) -> None:
        take(connection, report("a", "Default"))

        assert take(connection, report("b"))[0].quota == 7

    def test_who_is_silent_is_forgotten(self, connection: sqlite3.Connection) -> None:
        take(connection, report("a"))
        take(connection, report("b"), now=NOON + 20)

        assert take(connection, report("b"), now=NOON + 29)[0].quota == 3
        assert take(connection, report("b"), now=NOON + 30)[0].quota == 7

    def test_reports_that_are_left_out(self, connection: sqlite3.Connection) -> None:
        old = report("a", time=NOON - 601)
        unknown = report("a", "deleted")

        made, unprocessed = targets.take_reports(connection, [old, unknown, report("b")], NOON)

        assert [(each.rule, each.code) for each in unprocessed] == [
            ("films", "400"),
            ("deleted", "404"),
        ]
        assert "Too old" in unprocessed[0].message
        assert "does not exist" in unprocessed[1].message
        assert [(each.rule, each.quota) for each in made] == [("films", 7)]
        (window,) = targets.list_windows(connection, NOON)
        assert window.requests == 10

    def test_a_clock_that_is_ahead(self, connection: sqlite3.Connection) -> None:
        """Some clients send milliseconds."""
        take(connection, report("a", time=NOON * 1000))

        assert targets.list_windows(connection, NOON)[0].start == NOON

    def test_statistics_by_rule_and_window(self, connection: sqlite3.Connection) -> None:
        take(connection, report("a"), report("b", requests=1, sampled=0, borrowed=0))
        take(connection, report("a", "Default"), now=NOON + 9.9)
        take(connection, report("a"), now=NOON + 10)

        assert targets.list_windows(connection, NOON + 10) == [
            Window(1_700_000_000, "Default", 10, 1, 4),
            Window(1_700_000_000, "films", 11, 1, 4),
            Window(1_700_000_010, "films", 10, 1, 4),
        ]

    def test_statistics_of_the_last_hour(self, connection: sqlite3.Connection) -> None:
        take(connection, report("a"))

        assert len(targets.list_windows(connection, NOON + 3599)) == 1
        assert targets.list_windows(connection, NOON + 3600) == []


@pytest.mark.usefixtures("rule")
class TestBoosts:
    def boost(
        self, connection: sqlite3.Connection, now: float, anomalies: int = 5, sampled: int = 2
    ) -> Boost | None:
        given = BoostReport("films", "movies", now, anomalies, sampled)
        assert targets.take_boost_reports(connection, [given], now) == []
        return take(connection, report("a", time=now), now=now)[0].boost

    def test_boost_of_a_minute(self, connection: sqlite3.Connection) -> None:
        assert self.boost(connection, NOON) == (0.8, NOON + 60)
        assert self.boost(connection, NOON + 59) == (0.8, NOON + 60)
        assert self.boost(connection, NOON + 60) is None

    def test_cooldown(self, connection: sqlite3.Connection) -> None:
        self.boost(connection, NOON)

        assert self.boost(connection, NOON + 299) is None
        assert self.boost(connection, NOON + 300) == (0.8, NOON + 360)

    def test_enough_is_sampled(self, connection: sqlite3.Connection) -> None:
        assert self.boost(connection, NOON, anomalies=5, sampled=5) is None

    def test_rules_without_a_boost(self, connection: sqlite3.Connection) -> None:
        given = [
            BoostReport("Default", "movies", NOON, 5, 0),
            BoostReport("deleted", "movies", NOON, 5, 0),
        ]

        (unprocessed,) = targets.take_boost_reports(connection, given, NOON)

        assert (unprocessed.rule, unprocessed.code) == ("deleted", "404")
        assert take(connection, report("a", "Default"))[0].boost is None
