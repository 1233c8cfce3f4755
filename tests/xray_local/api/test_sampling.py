"""Sampling rules and targets, by boto3 and unsigned."""

from typing import Any


def test_every_trace_is_kept(client: Any) -> None:
    records = client.get_sampling_rules()["SamplingRuleRecords"]

    rule = records[-1]["SamplingRule"]
    assert (rule["RuleName"], rule["FixedRate"], rule["Version"]) == ("Default", 1.0, 1)
