"""Sampling, as the SDKs poll it: one rule, Default, that keeps every trace.

AWS's own default (one trace a second and 5 %) would hide most of what one has just clicked.
https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
"""

import time
from typing import Any

from django.http import HttpRequest

from xray_local.documents import as_mapping, show
from xray_local.errors import InvalidRequest

from .wire import operation

# Seconds since 1970; the rule is part of the program and never changes.
RULE_MODIFIED = 0.0
REPORT_INTERVAL_SECONDS = 10
QUOTA_SECONDS = 300
DEFAULT_RULE = {
    "RuleName": "Default",
    "RuleARN": "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default",
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


def get_rules() -> list[dict[str, Any]]:
    """Return every rule, in the shape SamplingRuleRecord of the API."""
    return [{"SamplingRule": DEFAULT_RULE, "CreatedAt": RULE_MODIFIED, "ModifiedAt": RULE_MODIFIED}]


def get_targets(
    statistics: list[Any],
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return a target for each rule that is reported, and an error for each that is unknown."""
    targets: list[dict[str, Any]] = []
    unprocessed: list[dict[str, str]] = []
    for name in dict.fromkeys(str(as_mapping(each).get("RuleName"))[:100] for each in statistics):
        if name == DEFAULT_RULE["RuleName"]:
            targets.append(
                {
                    "RuleName": name,
                    "FixedRate": DEFAULT_RULE["FixedRate"],
                    "ReservoirQuota": DEFAULT_RULE["ReservoirSize"],
                    "ReservoirQuotaTTL": time.time() + QUOTA_SECONDS,
                    "Interval": REPORT_INTERVAL_SECONDS,
                }
            )
        else:
            unprocessed.append(
                {
                    "RuleName": name,
                    "ErrorCode": "400",
                    "Message": f"Expected the rule 'Default', got {name!a}.",
                }
            )
    return targets, unprocessed


@operation
def get_sampling_rules(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the rules that clients sample by."""
    return {"SamplingRuleRecords": get_rules()}


@operation
def get_sampling_targets(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Tell clients how much to sample, by what they have sampled."""
    statistics = fields.get("SamplingStatisticsDocuments")
    if not isinstance(statistics, list):
        raise InvalidRequest(
            f"Expected a list as SamplingStatisticsDocuments, got {show(statistics)}."
        )
    targets, unprocessed = get_targets(statistics)
    return {
        "SamplingTargetDocuments": targets,
        "LastRuleModification": RULE_MODIFIED,
        "UnprocessedStatistics": unprocessed,
    }
