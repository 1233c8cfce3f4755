"""Rules are read with care, matched as AWS does, and counted exactly."""

import random
import re
import sys
import threading
import time
from typing import Any

import pytest
from aws_xray_sdk.core.utils.search_pattern import wildcard_match
from hypothesis import example, given
from hypothesis import strategies as st

from tracing.sampling_rules import (
    Counts,
    Tally,
    make_matcher,
    read_central_rule,
    read_local_rules,
)

DEFAULT = {"fixed_target": 1, "rate": 0.05}


def make_record(name: str = "Default", **fields: Any) -> dict[str, Any]:
    """Return a SamplingRuleRecord that applies to everything and samples all of it."""
    rule = {
        "RuleName": name,
        "ResourceARN": "*",
        "Priority": 10_000,
        "FixedRate": 1.0,
        "ReservoirSize": 0,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
        "Attributes": {},
    }
    return {"SamplingRule": rule | fields, "CreatedAt": 0.0, "ModifiedAt": 0.0}


@given(pattern=st.text("abB.?*", max_size=8), text=st.text("abAB.", max_size=8))
@example("", "")
@example("*", "")
@example("a*", "A\nb")
@example("*.example.com", "www.EXAMPLE.com")
def test_patterns_match_as_the_sdk_s_do(pattern: str, text: str) -> None:
    assert bool(make_matcher(pattern)(text)) == wildcard_match(pattern, text)


def test_no_path_takes_long() -> None:
    matches = make_matcher("*a" * 60 + "b")
    started = time.perf_counter()

    assert not matches("a" * 2000)

    # Far from a measurement: a pattern that tries every way takes years.
    assert time.perf_counter() - started < 5


def test_what_a_request_does_not_say_matches() -> None:
    rules = read_local_rules(
        {
            "version": 2,
            "default": DEFAULT,
            "rules": [
                {"host": "*", "http_method": "GET", "url_path": "/api/*", **DEFAULT},
                {"host": "a.example", "http_method": "*", "url_path": "*", **DEFAULT},
            ],
        }
    )
    first, second, default = rules.rules

    assert rules.find({}) is first
    assert rules.find({"path": "/API/films", "method": None}) is first
    assert rules.find({"method": "POST", "path": "/api/films"}) is second
    assert rules.find({"method": "POST", "host": "b.example"}) is default


def test_the_first_version_calls_the_host_service_name() -> None:
    listed = [{"service_name": "a.example", "http_method": "*", "url_path": "*", **DEFAULT}]
    rules = read_local_rules({"version": 1, "default": DEFAULT, "rules": listed})

    assert rules.find({"host": "A.example"}) is rules.rules[0]
    assert rules.find({"host": "b.example"}) is rules.rules[1]


RULE = {"host": "*", "http_method": "*", "url_path": "*", "fixed_target": 1, "rate": 0.05}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([], "Expected sampling rules as a dict, got []."),
        ({"default": DEFAULT}, "Expected 1 or 2 as the version of the sampling rules, got None."),
        ({"version": 3, "default": DEFAULT}, "got 3."),
        ({"version": 2}, "Expected a default among the sampling rules"),
        ({"version": 2, "default": 1}, "Expected the default sampling rule as a dict, got 1."),
        ({"version": 2, "default": DEFAULT, "rules": {}}, "Expected a list as rules"),
        ({"version": 2, "default": DEFAULT, "rules": [7]}, "sampling rule 1 as a dict, got 7."),
        (
            {"version": 2, "default": {**DEFAULT, "url_path": "/a"}},
            "Expected only fixed_target and rate in the default sampling rule, since it applies to "
            "every request; got url_path too.",
        ),
        (
            {"version": 2, "default": DEFAULT, "rules": [RULE, {**RULE, "url_path": ""}]},
            "Expected a pattern like '*' as url_path of the sampling rule 2, got ''.",
        ),
        (
            {"version": 1, "default": DEFAULT, "rules": [RULE]},
            "Expected a pattern like '*' as service_name of the sampling rule 1, got None.",
        ),
        (
            {"version": 2, "default": {"fixed_target": 0.5, "rate": 0}},
            "Expected a whole number of requests a second, 0 or more, as fixed_target of the "
            "default sampling rule, got 0.5.",
        ),
        ({"version": 2, "default": {"fixed_target": -1, "rate": 0}}, "fixed_target"),
        ({"version": 2, "default": {"fixed_target": True, "rate": 0}}, "got True."),
        (
            {"version": 2, "default": {"fixed_target": 1, "rate": 5}},
            "Expected a number from 0 to 1, like 0.05 for 5 %, as rate of the default sampling "
            "rule, got 5.",
        ),
        ({"version": 2, "default": {"fixed_target": 1}}, "got None."),
        ({"version": 2, "default": {"fixed_target": 1, "rate": float("nan")}}, "got nan."),
    ],
)
def test_local_rules_that_are_wrong(rules: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_local_rules(rules)


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"SamplingRule": None},
        make_record(Version=2),
        make_record(ResourceARN="arn:aws:lambda:*"),
        make_record(Attributes={"team": "a"}),
        make_record(Priority="high"),
        make_record(FixedRate=float("nan")),
        make_record(ReservoirSize=None),
        make_record(ReservoirSize=10**400),
        make_record(RuleName=7),
        make_record("other", Host=None),
    ],
)
def test_central_rules_that_are_passed_over(record: Any) -> None:
    assert read_central_rule(record, {}) is None


def test_a_renewed_rule_keeps_its_tally() -> None:
    before = read_central_rule(make_record("a", FixedRate=0.0), {})
    assert before
    before.tally.decide(0.0, before.can_borrow)

    after = read_central_rule(make_record("a", Host="b.example"), {"a": before.tally})

    assert after
    assert after.tally is before.tally
    assert after.tally.rate == 1.0
    assert after.tally.take_counts() == Counts(requests=1, sampled=0, borrowed=0)


def test_one_request_a_second_is_borrowed_until_there_is_a_quota() -> None:
    tally = Tally(rate=0.0)

    decisions = [tally.decide(now, can_borrow=True) for now in (1.0, 1.1, 1.9, 2.0, 2.5)]

    assert decisions == [True, False, False, True, False]
    assert tally.take_counts() == Counts(requests=5, sampled=0, borrowed=2)
    assert tally.take_counts() == Counts(0, 0, 0)
    assert not Tally(rate=0.0).decide(1.0, can_borrow=False)


def test_a_quota_is_for_each_second_until_it_ends() -> None:
    tally = Tally(rate=0.0)
    tally.set_target(rate=None, quota=2, ends=None)
    # Without an end there is no quota yet.
    assert [tally.decide(9.0, can_borrow=True) for _ in range(3)] == [True, False, False]
    tally.set_target(rate=None, quota=None, ends=12.0)

    decisions = [[tally.decide(now, can_borrow=True) for _ in range(4)] for now in (10.0, 11.9)]
    late = [tally.decide(12.0, can_borrow=True) for _ in range(3)]

    assert decisions == [[True, True, False, False]] * 2
    assert late == [True, False, False]
    assert tally.take_counts() == Counts(requests=14, sampled=4, borrowed=2)


def test_beyond_the_reservoir_the_rate_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    thrown = iter([0.0, 0.2499, 0.25, 0.9999])
    monkeypatch.setattr(random, "random", lambda: next(thrown))
    tally = Tally(rate=0.25)

    assert [tally.decide(1.0, can_borrow=False) for _ in range(4)] == [True, True, False, False]


def test_a_rate_of_nothing_samples_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)

    assert not Tally(rate=0.0).decide(1.0, can_borrow=False)


def test_counts_are_exact_under_threads() -> None:
    tally = Tally(rate=0.0)
    tally.set_target(rate=None, quota=1000, ends=100.0)
    taken: list[Counts] = []

    def decide() -> None:
        for number in range(1000):
            tally.decide(1.0, can_borrow=False)
            if number % 5 == 0:
                taken.append(tally.take_counts())

    threads = [threading.Thread(target=decide) for _ in range(8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    taken.append(tally.take_counts())

    assert sum(counts.requests for counts in taken) == 8000
    assert sum(counts.sampled for counts in taken) == 1000
