"""Sampling targets: what clients report of a rule, and how much each of them may trace.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html

What the documents leave open was decided so (all of it is doubtful):

- A rule's reservoir is shared over the clients that have reported on it within 30 s: each gets the
  same whole number, and what is left over goes to the first by id, one each. A client that has just
  restarted under another id is so forgotten soon.
- Reports count in the window of 10 s in which they arrive, on this machine's clock. A report whose
  own time is more than 10 min ago is too old. Windows are kept for an hour.
- A boost is due where anomalies are reported of which not all were sampled, to the rule's MaxRate,
  for one minute and once in each cooldown window; each service has its own.
"""

import sqlite3
from typing import NamedTuple, TypeVar

from xray_local.traces.documents import show

from .rules import Rule, list_rules

REPORT_INTERVAL_SECONDS = 10
QUOTA_SECONDS = 300.0
CLIENT_SECONDS = 30.0
REPORT_MAX_AGE_SECONDS = 600.0
WINDOW_SECONDS = 10
HISTORY_SECONDS = 3600
BOOST_SECONDS = 60.0


class Report(NamedTuple):
    """What one client has done by one rule since its last report; time by its own clock."""

    rule: str
    client_id: str
    time: float
    requests: int
    sampled: int
    borrowed: int


class BoostReport(NamedTuple):
    """How many requests of a service had anomalies, and how many of those were sampled."""

    rule: str
    service: str
    time: float
    anomalies: int
    sampled_anomalies: int


AnyReport = TypeVar("AnyReport", Report, BoostReport)


class Boost(NamedTuple):
    """A rate from 0 to 1, in place of the rule's until it ends, in seconds since 1970."""

    rate: float
    ends: float


class Target(NamedTuple):
    """What a client is to do by a rule; quota: requests a second, until quota_ends."""

    rule: str
    rate: float
    quota: int
    quota_ends: float
    boost: Boost | None


class Unprocessed(NamedTuple):
    """Why a report was left out; the code is an HTTP status, which is what SDKs look for."""

    rule: str
    code: str
    message: str


class Window(NamedTuple):
    """What was reported of a rule within 10 s from the start, in seconds since 1970."""

    start: int
    rule: str
    requests: int
    borrowed: int
    sampled: int


def take_reports(
    connection: sqlite3.Connection, reports: list[Report], now: float
) -> tuple[list[Target], list[Unprocessed]]:
    """Count what clients report; return a target for each report, or why it was left out."""
    _forget(connection, now)
    rules = {rule.name: rule for rule in list_rules(connection)}
    accepted, unprocessed = _sort_out(reports, rules, now)
    for report in accepted:
        connection.execute(
            "REPLACE INTO clients VALUES (?, ?, ?)", (report.rule, report.client_id, now)
        )
        connection.execute(
            "INSERT INTO statistics VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "requests = requests + excluded.requests, borrowed = borrowed + excluded.borrowed, "
            "sampled = sampled + excluded.sampled",
            (
                int(now) // WINDOW_SECONDS * WINDOW_SECONDS,
                *(report.rule, report.requests, report.borrowed, report.sampled),
            ),
        )
    targets = [
        Target(
            report.rule,
            rules[report.rule].rate,
            _share(connection, rules[report.rule], report.client_id),
            now + QUOTA_SECONDS,
            _get_boost(connection, report.rule, now),
        )
        for report in accepted
    ]
    return targets, unprocessed


def take_boost_reports(
    connection: sqlite3.Connection, reports: list[BoostReport], now: float
) -> list[Unprocessed]:
    """Begin the boosts that are due; return why reports were left out."""
    _forget(connection, now)
    rules = {rule.name: rule for rule in list_rules(connection)}
    accepted, unprocessed = _sort_out(reports, rules, now)
    for report in accepted:
        limits = rules[report.rule].fields.get("SamplingRateBoost")
        cools = connection.execute(
            "SELECT 1 FROM boosts WHERE rule = ? AND service = ?",
            (report.rule, report.service),
        ).fetchone()
        is_due = report.anomalies > report.sampled_anomalies and not cools
        if limits and is_due:
            cooldown_seconds = 60.0 * limits["CooldownWindowMinutes"]
            ends = now + BOOST_SECONDS
            connection.execute(
                "REPLACE INTO boosts VALUES (?, ?, ?, ?, ?)",
                (
                    *(report.rule, report.service, limits["MaxRate"]),
                    *(ends, max(ends, now + cooldown_seconds)),
                ),
            )
    return unprocessed


def list_windows(connection: sqlite3.Connection, now: float) -> list[Window]:
    """Return what was reported within the last hour, the oldest first, then by rule."""
    rows = connection.execute(
        "SELECT start, rule, requests, borrowed, sampled FROM statistics WHERE start > ? "
        "ORDER BY start, rule",
        (now - HISTORY_SECONDS,),
    )
    return [Window(*row) for row in rows]


def _sort_out(
    reports: list[AnyReport], rules: dict[str, Rule], now: float
) -> tuple[list[AnyReport], list[Unprocessed]]:
    """Return the reports that count, and why the others do not."""
    accepted, unprocessed = [], []
    for report in reports:
        reason = _find_fault(report.rule, report.time, rules, now)
        if reason:
            unprocessed.append(reason)
        else:
            accepted.append(report)
    return accepted, unprocessed


def _find_fault(rule: str, time: float, rules: dict[str, Rule], now: float) -> Unprocessed | None:
    if rule not in rules:
        message = f"Sampling rule does not exist: expected one that is there, got {show(rule)}."
        return Unprocessed(rule, "404", message)
    if time < now - REPORT_MAX_AGE_SECONDS:
        return Unprocessed(
            rule,
            "400",
            f"Too old: expected a Timestamp of the last {REPORT_MAX_AGE_SECONDS:.0f} s, "
            f"got one of {now - time:.0f} s ago.",
        )
    return None


def _share(connection: sqlite3.Connection, rule: Rule, client_id: str) -> int:
    rows = connection.execute("SELECT id FROM clients WHERE rule = ? ORDER BY id", (rule.name,))
    ids = [each for (each,) in rows]
    each, left_over = divmod(rule.reservoir, len(ids))
    return each + (ids.index(client_id) < left_over)


def _get_boost(connection: sqlite3.Connection, rule: str, now: float) -> Boost | None:
    """Return the highest boost that lasts: a target does not say for which service it is."""
    row = connection.execute(
        "SELECT rate, ends FROM boosts WHERE rule = ? AND ends > ? ORDER BY rate DESC, ends DESC",
        (rule, now),
    ).fetchone()
    return Boost(*row) if row else None


def _forget(connection: sqlite3.Connection, now: float) -> None:
    connection.execute("DELETE FROM clients WHERE seen <= ?", (now - CLIENT_SECONDS,))
    connection.execute("DELETE FROM statistics WHERE start <= ?", (now - HISTORY_SECONDS,))
    connection.execute("DELETE FROM boosts WHERE cools <= ?", (now,))
