"""Sampling rules: which requests the SDKs are to trace.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
https://docs.aws.amazon.com/xray/latest/api/API_SamplingRule.html

A rule is kept as the mapping that the API has for it. What differs from AWS, or is left open:

- Default keeps every trace. AWS's own (one request a second and 5 %) would hide most of what one
  has just clicked.
- Of Default only FixedRate and ReservoirSize can be changed, and SamplingRateBoost (doubtful).
- Two rules may have the same priority; SDKs then go by the name.
- There may be 500 rules, where an account of AWS has 25.
"""

import json
import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xray_local.errors import InvalidRequest, RuleLimitExceeded
from xray_local.traces.documents import show

from . import choices, tags
from .arns import make_arn

DEFAULT = "Default"
KIND = "sampling-rule"
RULES_MAX = 500
DEFAULT_FIELDS = {
    "ResourceARN": "*",
    "Priority": 10_000,
    "FixedRate": 1.0,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}
FIELDS_OF_DEFAULT = ("FixedRate", "ReservoirSize", "SamplingRateBoost")
MODIFIED = "rules_modified"


@dataclass(frozen=True, slots=True)
class Rule:
    """A sampling rule; fields are the API's. created and modified are seconds since 1970."""

    fields: Mapping[str, Any]
    created: float
    modified: float

    @property
    def name(self) -> str:
        """The name, which no other rule has."""
        return str(self.fields["RuleName"])

    @property
    def arn(self) -> str:
        """The ARN, which says the name."""
        return str(self.fields["RuleARN"])

    @property
    def rate(self) -> float:
        """The part of the requests to trace, from 0 to 1, when the reservoir is used up."""
        return float(self.fields["FixedRate"])

    @property
    def reservoir(self) -> int:
        """How many requests a second to trace before that."""
        return int(self.fields["ReservoirSize"])

    def to_api(self) -> dict[str, Any]:
        """Return the shape SamplingRuleRecord of the X-Ray API."""
        return {
            "SamplingRule": dict(self.fields),
            "CreatedAt": self.created,
            "ModifiedAt": self.modified,
        }


def create_default(connection: sqlite3.Connection, now: float) -> None:
    """Store the rule for what no other rule matches."""
    names = {"RuleName": DEFAULT, "RuleARN": make_arn(KIND, DEFAULT)}
    _insert(connection, Rule(names | DEFAULT_FIELDS, now, now))
    _note_change(connection, now)


def create_rule(
    connection: sqlite3.Connection,
    fields: Mapping[str, Any],
    given_tags: Mapping[str, str],
    now: float,
) -> Rule:
    """Store a new rule and return it. Raises InvalidRequest and RuleLimitExceeded."""
    name = fields["RuleName"]
    names = {each for (each,) in connection.execute("SELECT name FROM rules")}
    if name.lower() == DEFAULT.lower():
        raise InvalidRequest(f"Expected another name for the rule, {name!a} is reserved.")
    if name in names:
        raise InvalidRequest(f"Sampling rule {show(name)} exists already; names must be unique.")
    if len(names) >= RULES_MAX:
        raise RuleLimitExceeded(f"Expected at most {RULES_MAX} sampling rules; delete one first.")
    rule = Rule({**fields, "RuleARN": make_arn(KIND, name)}, now, now)
    _insert(connection, rule)
    tags.replace_tags(connection, rule.arn, given_tags)
    _note_change(connection, now)
    return rule


def update_rule(
    connection: sqlite3.Connection, rule: Rule, changes: Mapping[str, Any], now: float
) -> Rule:
    """Change these fields, and return the rule as it is then. Raises InvalidRequest."""
    changes = {key: value for key, value in changes.items() if value != rule.fields.get(key)}
    unwanted = [key for key in changes if key not in FIELDS_OF_DEFAULT]
    if rule.name == DEFAULT and unwanted:
        raise InvalidRequest(
            "Invalid update request for default sampling rule: expected "
            f"{', '.join(FIELDS_OF_DEFAULT)}, got {', '.join(unwanted)}."
        )
    changed = Rule({**rule.fields, **changes}, rule.created, now)
    connection.execute("DELETE FROM rules WHERE name = ?", (rule.name,))
    _insert(connection, changed)
    _note_change(connection, now)
    return changed


def delete_rule(connection: sqlite3.Connection, rule: Rule, now: float) -> None:
    """Remove the rule and its tags; its statistics stay. Raises InvalidRequest."""
    if rule.name == DEFAULT:
        raise InvalidRequest(f"The sampling rule {DEFAULT!r} cannot be deleted.")
    tags.replace_tags(connection, rule.arn, {})
    for table, column in (("rules", "name"), ("clients", "rule"), ("boosts", "rule")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (rule.name,))  # noqa: S608
    _note_change(connection, now)


def find_rule(connection: sqlite3.Connection, name: str | None, arn: str | None) -> Rule:
    """Return the rule of the name or of the ARN. Raises InvalidRequest."""
    if (name is None) == (arn is None):
        raise InvalidRequest("Expected either RuleName or RuleARN, not both.")
    for rule in list_rules(connection):
        if rule.name == name or rule.arn == arn:
            return rule
    # Tools know this case by these words.
    raise InvalidRequest(
        "Sampling rule does not exist: expected one that GetSamplingRules lists, "
        f"got {show(name or arn)}."
    )


def list_rules(connection: sqlite3.Connection) -> list[Rule]:
    """Return all rules in the order in which they are tried: by priority, then by name."""
    rows = connection.execute("SELECT rule, created, modified FROM rules ORDER BY priority, name")
    return [Rule(json.loads(rule), created, modified) for rule, created, modified in rows]


def get_last_modification(connection: sqlite3.Connection) -> float:
    """Return when a rule was last made, changed or deleted, rounded up to a whole second.

    SDKs compare whole seconds with the one in which they asked: rounded down, a change later in
    that second would stay unseen for minutes. aws-xray-sdk for Node refuses 0.
    """
    return float(math.ceil(choices.get_choice(connection, MODIFIED)))


def _note_change(connection: sqlite3.Connection, now: float) -> None:
    choices.set_choice(connection, MODIFIED, now)


def _insert(connection: sqlite3.Connection, rule: Rule) -> None:
    connection.execute(
        "INSERT INTO rules VALUES (?, ?, ?, ?, ?, ?)",
        (
            rule.name,
            rule.arn,
            rule.fields["Priority"],
            json.dumps(dict(rule.fields)),
            rule.created,
            rule.modified,
        ),
    )
