"""The operations on sampling rules, and those by which SDKs poll them, signed or not.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html
"""

import time
from typing import Any

from django.http import HttpRequest

from xray_local.control import rules, targets
from xray_local.control.database import changing, reading
from xray_local.control.targets import (
    REPORT_INTERVAL_SECONDS,
    BoostReport,
    Report,
    Target,
    Unprocessed,
)
from xray_local.errors import InvalidRequest
from xray_local.parts import get_parts
from xray_local.traces.documents import show

from .pages import take_page
from .tags import read_tags
from .wire import (
    operation,
    read_integer,
    read_number,
    read_object,
    read_objects,
    read_text,
    require,
)

PAGE_WINDOWS = 1000
REPORTS_MAX = 25
ATTRIBUTES_MAX = 5
PRIORITY_MAX = 9999
# How many characters these may have.
TEXTS = {
    "ResourceARN": 500,
    "ServiceName": 64,
    "ServiceType": 64,
    "Host": 64,
    "HTTPMethod": 10,
    "URLPath": 128,
}
REQUIRED = (*TEXTS, "Priority", "FixedRate", "ReservoirSize")


@operation
def get_sampling_rules(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return all rules on one page: most SDKs ask for no second one."""
    read_text(fields, "NextToken")
    with reading(get_parts(request).database) as connection:
        return {"SamplingRuleRecords": [each.to_api() for each in rules.list_rules(connection)]}


@operation
def create_sampling_rule(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Make a rule; SDKs hear of it with their next report, within 10 s."""
    given = require(read_object(fields, "SamplingRule"), "SamplingRule")
    if given.get("RuleARN") is not None:
        raise InvalidRequest("Expected a RuleName and no RuleARN, which X-Ray makes.")
    name = require(read_text(given, "RuleName", at_least=1, at_most=32), "RuleName")
    values = read_members(given)
    for key in REQUIRED:
        require(values.get(key), f"SamplingRule.{key}")
    version = require(read_integer(given, "Version", at_least=1, at_most=1), "SamplingRule.Version")
    rule = {"RuleName": name, **values, "Version": version}
    rule.setdefault("Attributes", {})
    with changing(get_parts(request).database) as connection:
        made = rules.create_rule(connection, rule, read_tags(fields), time.time())
    return {"SamplingRuleRecord": made.to_api()}


@operation
def update_sampling_rule(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Change a rule; what is left out stays."""
    given = require(read_object(fields, "SamplingRuleUpdate"), "SamplingRuleUpdate")
    with changing(get_parts(request).database) as connection:
        rule = rules.find_rule(connection, *_read_name(given))
        is_default = rule.name == rules.DEFAULT
        changes = read_members(given, priority_max=PRIORITY_MAX + is_default)
        changed = rules.update_rule(connection, rule, changes, time.time())
    return {"SamplingRuleRecord": changed.to_api()}


@operation
def delete_sampling_rule(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Remove a rule, and return it as it was."""
    with changing(get_parts(request).database) as connection:
        rule = rules.find_rule(connection, *_read_name(fields))
        rules.delete_rule(connection, rule, time.time())
    return {"SamplingRuleRecord": rule.to_api()}


@operation
def get_sampling_targets(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Tell clients how much to sample, by what they have sampled."""
    documents = require(
        read_objects(fields, "SamplingStatisticsDocuments", at_most=REPORTS_MAX),
        "SamplingStatisticsDocuments",
    )
    boosts = read_objects(fields, "SamplingBoostStatisticsDocuments", at_most=REPORTS_MAX) or []
    reports = [_read_report(each) for each in documents]
    boost_reports = [_read_boost_report(each) for each in boosts]
    now = time.time()
    with changing(get_parts(request).database) as connection:
        unprocessed_boosts = targets.take_boost_reports(connection, boost_reports, now)
        made, unprocessed = targets.take_reports(connection, reports, now)
        modified = rules.get_last_modification(connection)
    return {
        "SamplingTargetDocuments": [_target_to_api(each) for each in made],
        "LastRuleModification": modified,
        "UnprocessedStatistics": [_unprocessed_to_api(each) for each in unprocessed],
        "UnprocessedBoostStatistics": [_unprocessed_to_api(each) for each in unprocessed_boosts],
    }


@operation
def get_sampling_statistic_summaries(
    fields: dict[str, Any], request: HttpRequest
) -> dict[str, Any]:
    """Return what was reported within the last hour, by rule and window of 10 s."""
    token = read_text(fields, "NextToken")
    with reading(get_parts(request).database) as connection:
        windows = targets.list_windows(connection, time.time())
    page, next_token = take_page(windows, lambda each: each[:2], token, PAGE_WINDOWS)
    answer: dict[str, Any] = {
        "SamplingStatisticSummaries": [
            {
                "RuleName": each.rule,
                "Timestamp": each.start,
                "RequestCount": each.requests,
                "BorrowCount": each.borrowed,
                "SampledCount": each.sampled,
            }
            for each in page
        ]
    }
    if next_token:
        answer["NextToken"] = next_token
    return answer


def _read_name(given: dict[str, Any]) -> tuple[str | None, str | None]:
    return read_text(given, "RuleName", at_least=1, at_most=32), read_text(given, "RuleARN")


def read_members(given: dict[str, Any], priority_max: int = PRIORITY_MAX) -> dict[str, Any]:
    """Return the members that are there but for the names. Raises InvalidRequest."""
    values: dict[str, Any] = {key: read_text(given, key, at_most=TEXTS[key]) for key in TEXTS}
    values["Priority"] = read_integer(given, "Priority", at_least=1, at_most=priority_max)
    values["FixedRate"] = read_number(given, "FixedRate", at_least=0, at_most=1)
    values["ReservoirSize"] = read_integer(given, "ReservoirSize", at_least=0)
    values["Attributes"] = _read_attributes(given)
    boost = read_object(given, "SamplingRateBoost")
    if boost is not None:
        rate = read_number(boost, "MaxRate", at_least=0, at_most=1)
        minutes = read_integer(boost, "CooldownWindowMinutes", at_least=0)
        values["SamplingRateBoost"] = {
            "MaxRate": require(rate, "SamplingRateBoost.MaxRate"),
            "CooldownWindowMinutes": require(minutes, "SamplingRateBoost.CooldownWindowMinutes"),
        }
    return {key: value for key, value in values.items() if value is not None}


def _read_attributes(given: dict[str, Any]) -> dict[str, str] | None:
    attributes = read_object(given, "Attributes")
    if attributes is None:
        return None
    if len(attributes) > ATTRIBUTES_MAX:
        raise InvalidRequest(
            f"Expected at most {ATTRIBUTES_MAX} Attributes, got {len(attributes)}."
        )
    for key in attributes:
        read_text({"a key": key}, "a key", at_least=1, at_most=32)
        require(read_text(attributes, key, at_least=1, at_most=32), f"Attributes[{show(key)}]")
    return attributes


def _read_report(document: dict[str, Any]) -> Report:
    return Report(
        _read_rule_name(document),
        require(read_text(document, "ClientID", at_least=24, at_most=24), "ClientID"),
        require(read_number(document, "Timestamp"), "Timestamp"),
        _read_count(document, "RequestCount"),
        _read_count(document, "SampledCount"),
        read_integer(document, "BorrowCount", at_least=0) or 0,
    )


def _read_boost_report(document: dict[str, Any]) -> BoostReport:
    _read_count(document, "TotalCount")
    return BoostReport(
        _read_rule_name(document),
        require(read_text(document, "ServiceName", at_most=64), "ServiceName"),
        require(read_number(document, "Timestamp"), "Timestamp"),
        _read_count(document, "AnomalyCount"),
        _read_count(document, "SampledAnomalyCount"),
    )


def _read_rule_name(document: dict[str, Any]) -> str:
    return require(read_text(document, "RuleName", at_least=1, at_most=32), "RuleName")


def _read_count(document: dict[str, Any], key: str) -> int:
    return require(read_integer(document, key, at_least=0), key)


def _target_to_api(target: Target) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "RuleName": target.rule,
        "FixedRate": target.rate,
        "ReservoirQuota": target.quota,
        "ReservoirQuotaTTL": target.quota_ends,
        "Interval": REPORT_INTERVAL_SECONDS,
    }
    if target.boost is not None:
        answer["SamplingBoost"] = {
            "BoostRate": target.boost.rate,
            "BoostRateTTL": target.boost.ends,
        }
    return answer


def _unprocessed_to_api(unprocessed: Unprocessed) -> dict[str, Any]:
    return {
        "RuleName": unprocessed.rule,
        "ErrorCode": unprocessed.code,
        "Message": unprocessed.message,
    }
