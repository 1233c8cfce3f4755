"""The operations on the settings of Transaction Search.

https://docs.aws.amazon.com/xray/latest/api/API_UpdateTraceSegmentDestination.html
"""

import time
from typing import Any

from django.http import HttpRequest

from xray_local.control import search
from xray_local.control.database import changing, reading
from xray_local.control.search import IndexingRule
from xray_local.errors import InvalidRequest
from xray_local.parts import get_parts
from xray_local.traces.documents import show

from .wire import operation, read_number, read_object, read_text, require

KEY_ARN = r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+"


@operation
def get_trace_segment_destination(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return where segments are to go."""
    with reading(get_parts(request).database) as connection:
        return {"Destination": search.get_destination(connection), "Status": "ACTIVE"}


@operation
def update_trace_segment_destination(
    fields: dict[str, Any], request: HttpRequest
) -> dict[str, Any]:
    """Keep where segments are to go."""
    destination = require(
        read_text(fields, "Destination", choices=search.DESTINATIONS), "Destination"
    )
    logs = read_object(fields, "CloudWatchLogsConfiguration")
    if logs is not None:
        if destination != search.LOGS:
            raise InvalidRequest(
                f"Expected CloudWatchLogsConfiguration only with the Destination {search.LOGS}, "
                f"got {show(destination)}."
            )
        read_text(logs, "SpansLogGroupKmsKeyId", at_least=1, at_most=256, pattern=KEY_ARN)
    with changing(get_parts(request).database) as connection:
        search.set_destination(connection, destination)
    return {"Destination": destination, "Status": "PENDING"}


@operation
def get_indexing_rules(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Return the only indexing rule there is."""
    read_text(fields, "NextToken")
    with reading(get_parts(request).database) as connection:
        return {"IndexingRules": [_to_api(search.get_indexing_rule(connection))]}


@operation
def update_indexing_rule(fields: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Keep how many spans are to be indexed."""
    name = require(read_text(fields, "Name"), "Name")
    rule = require(read_object(fields, "Rule"), "Rule")
    probabilistic = require(read_object(rule, "Probabilistic"), "Rule.Probabilistic")
    percent = read_number(probabilistic, "DesiredSamplingPercentage", at_least=0, at_most=100)
    with changing(get_parts(request).database) as connection:
        updated = search.update_indexing_rule(
            connection, name, require(percent, "DesiredSamplingPercentage"), time.time()
        )
    return {"IndexingRule": _to_api(updated)}


def _to_api(rule: IndexingRule) -> dict[str, Any]:
    return {
        "Name": search.INDEXING_RULE,
        "ModifiedAt": rule.modified,
        "Rule": {
            "Probabilistic": {
                "DesiredSamplingPercentage": rule.desired_percent,
                "ActualSamplingPercentage": search.ACTUAL_PERCENT,
            }
        },
    }
