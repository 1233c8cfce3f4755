"""Sampling rules."""

import sqlite3
from typing import Any

import pytest

from xray_local.control import rules, tags
from xray_local.errors import InvalidRequest, ResourceNotFound, RuleLimitExceeded

NOON = 1_700_000_000.0


def create(connection: sqlite3.Connection, name: str, **fields: Any) -> rules.Rule:
    values = {**rules.DEFAULT_FIELDS, "RuleName": name, "Priority": 100} | fields
    return rules.create_rule(connection, values, {}, NOON)


def names(connection: sqlite3.Connection) -> list[str]:
    return [rule.name for rule in rules.list_rules(connection)]


def test_default_keeps_every_trace(connection: sqlite3.Connection) -> None:
    (default,) = rules.list_rules(connection)

    assert (default.name, default.rate, default.reservoir) == ("Default", 1.0, 1)
    assert default.arn == "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default"


def test_rules_come_by_priority_and_name(connection: sqlite3.Connection) -> None:
    create(connection, "b", Priority=5)
    create(connection, "c", Priority=4)
    create(connection, "a", Priority=5)

    assert names(connection) == ["c", "a", "b", "Default"]


def test_names_are_unique(connection: sqlite3.Connection) -> None:
    create(connection, "a")

    with pytest.raises(InvalidRequest, match="'a' exists already"):
        create(connection, "a")
    with pytest.raises(InvalidRequest, match="'Default' is reserved"):
        create(connection, "Default")


def test_there_may_be_many(connection: sqlite3.Connection) -> None:
    for number in range(rules.RULES_MAX - 1):
        create(connection, str(number))

    with pytest.raises(RuleLimitExceeded, match="at most 500 sampling rules"):
        create(connection, "one more")


def test_update_changes_what_is_given(connection: sqlite3.Connection) -> None:
    made = create(connection, "a", FixedRate=0.5)

    changed = rules.update_rule(connection, made, {"Host": "*.example", "Priority": 7}, NOON + 60)

    assert changed == rules.find_rule(connection, "a", None)
    assert changed.fields == {**made.fields, "Host": "*.example", "Priority": 7}
    assert (changed.created, changed.modified) == (NOON, NOON + 60)


def test_update_of_default(connection: sqlite3.Connection) -> None:
    default = rules.find_rule(connection, "Default", None)
    boost = {"MaxRate": 1.0, "CooldownWindowMinutes": 1}
    changes = {"FixedRate": 0.05, "ReservoirSize": 0, "SamplingRateBoost": boost}

    # What stays as it is may be said.
    changed = rules.update_rule(connection, default, {**changes, "Host": "*"}, NOON)

    assert (changed.rate, changed.reservoir) == (0.05, 0)
    with pytest.raises(InvalidRequest, match=r"default sampling rule: .* got Priority"):
        rules.update_rule(connection, changed, {"Priority": 1}, NOON)


def test_delete(connection: sqlite3.Connection) -> None:
    made = create(connection, "a")

    rules.delete_rule(connection, made, NOON)

    assert names(connection) == ["Default"]
    with pytest.raises(InvalidRequest, match=r"^Sampling rule does not exist"):
        rules.find_rule(connection, "a", None)
    with pytest.raises(ResourceNotFound):
        tags.list_tags(connection, made.arn)
    with pytest.raises(InvalidRequest, match="'Default' cannot be deleted"):
        rules.delete_rule(connection, rules.find_rule(connection, "Default", None), NOON)


def test_find_by_either(connection: sqlite3.Connection) -> None:
    made = create(connection, "a")

    assert rules.find_rule(connection, None, made.arn) == made
    for name, arn in ((None, None), ("a", made.arn)):
        with pytest.raises(InvalidRequest, match="either RuleName or RuleARN"):
            rules.find_rule(connection, name, arn)


def test_last_modification_is_the_next_second(connection: sqlite3.Connection) -> None:
    # Node's SDK refuses an answer with 0.
    assert rules.get_last_modification(connection) > 0

    made = rules.create_rule(connection, {**rules.DEFAULT_FIELDS, "RuleName": "a"}, {}, NOON + 0.25)
    assert rules.get_last_modification(connection) == NOON + 1

    made = rules.update_rule(connection, made, {"Host": "x"}, NOON + 60)
    assert rules.get_last_modification(connection) == NOON + 60

    rules.delete_rule(connection, made, NOON + 70.1)
    assert rules.get_last_modification(connection) == NOON + 71
