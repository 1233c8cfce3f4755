"""The one sampling rule."""

from typing import Any

from xray_local.api.sampling import get_rules, get_targets


def test_every_trace_is_kept() -> None:
    (record,) = get_rules()

    rule = record["SamplingRule"]
    assert (rule["RuleName"], rule["FixedRate"], rule["Version"]) == ("Default", 1.0, 1)


def test_targets_by_rule() -> None:
    reports: list[Any] = [{"RuleName": "Default"}, {"RuleName": "Default"}, {"RuleName": "x"}, 3]

    targets, unprocessed = get_targets(reports)

    assert [target["RuleName"] for target in targets] == ["Default"]
    assert targets[0]["FixedRate"] == 1.0
    assert [each["RuleName"] for each in unprocessed] == ["x", "None"]
    assert unprocessed[0]["Message"] == "Expected the rule 'Default', got 'x'."
