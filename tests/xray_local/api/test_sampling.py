"""Sampling rules and targets: by boto3, unsigned, and by the SDKs' own pollers."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.processes import ROOT, stop
from tests.xray_local.conftest import Console, make_client
from tests.xray_local.made import make_id, wait_until
from tests.xray_local.program import Program, run_xray
from tests.xray_local.test_clients import needs_node, run_client

RULE: dict[str, Any] = {
    "RuleName": "films",
    "ResourceARN": "*",
    "Priority": 9000,
    "FixedRate": 0.5,
    "ReservoirSize": 5,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
}
REPORT: dict[str, Any] = {
    "RuleName": "Default",
    "ClientID": "0123456789abcdef01234567",
    "Timestamp": 1_700_000_000,
    "RequestCount": 10,
    "SampledCount": 5,
}


def test_every_trace_is_kept(client: Any) -> None:
    records = client.get_sampling_rules()["SamplingRuleRecords"]

    rule = records[-1]["SamplingRule"]
    assert (rule["RuleName"], rule["FixedRate"], rule["Version"]) == ("Default", 1.0, 1)


def test_a_rule_goes_in_and_comes_out(client: Any) -> None:
    name = make_id()
    given = {
        **RULE,
        "RuleName": name,
        "Attributes": {"colour": "red"},
        "SamplingRateBoost": {"MaxRate": 0.9, "CooldownWindowMinutes": 10},
    }

    made = client.create_sampling_rule(SamplingRule=given)["SamplingRuleRecord"]

    arn = f"arn:aws:xray:us-east-1:000000000000:sampling-rule/{name}"
    assert made["SamplingRule"] == {**given, "RuleARN": arn}
    assert made["CreatedAt"] == made["ModifiedAt"]
    assert made in client.get_sampling_rules()["SamplingRuleRecords"]
    changed = client.update_sampling_rule(SamplingRuleUpdate={"RuleName": name, "FixedRate": 0.0})
    assert changed["SamplingRuleRecord"]["SamplingRule"] == {
        **given,
        "RuleARN": arn,
        "FixedRate": 0.0,
    }
    deleted = client.delete_sampling_rule(RuleARN=arn)["SamplingRuleRecord"]
    assert deleted == changed["SamplingRuleRecord"]
    with pytest.raises(ClientError, match="Sampling rule does not exist"):
        client.delete_sampling_rule(RuleName=name)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"RuleName": None}, "Expected RuleName, which is missing"),
        ({"RuleName": ""}, "1 to 32 characters as RuleName, got 0"),
        ({"RuleName": "x" * 33}, "1 to 32 characters as RuleName, got 33"),
        ({"RuleName": "Default"}, "'Default' is reserved"),
        ({"RuleARN": "arn:x"}, "no RuleARN, which X-Ray makes"),
        ({"ResourceARN": None}, "Expected SamplingRule.ResourceARN, which is missing"),
        ({"ResourceARN": "x" * 501}, "0 to 500 characters as ResourceARN"),
        ({"Priority": 0}, "at least 1 and at most 9999 as Priority, got 0"),
        ({"Priority": 10_000}, "at least 1 and at most 9999 as Priority, got 10000"),
        ({"Priority": 1.5}, "a whole number as Priority, got 1.5"),
        ({"Priority": True}, "a number as Priority, got True"),
        ({"FixedRate": 1.01}, "at least 0 and at most 1 as FixedRate"),
        ({"FixedRate": -0.01}, "at least 0 and at most 1 as FixedRate"),
        ({"FixedRate": "0.5"}, "a number as FixedRate, got '0.5'"),
        ({"FixedRate": None}, "Expected SamplingRule.FixedRate"),
        ({"ReservoirSize": -1}, "at least 0 .* as ReservoirSize"),
        ({"ReservoirSize": 2**31}, "as ReservoirSize, got 2147483648"),
        ({"ServiceName": "x" * 65}, "0 to 64 characters as ServiceName"),
        ({"ServiceType": 7}, "a text as ServiceType, got 7"),
        ({"Host": "x" * 65}, "0 to 64 characters as Host"),
        ({"HTTPMethod": "x" * 11}, "0 to 10 characters as HTTPMethod"),
        ({"URLPath": "x" * 129}, "0 to 128 characters as URLPath"),
        ({"Version": 2}, "as Version, got 2"),
        ({"Version": None}, "Expected SamplingRule.Version"),
        ({"Attributes": {str(number): "x" for number in range(6)}}, "at most 5 Attributes"),
        ({"Attributes": {"": "x"}}, "1 to 32 characters as a key"),
        ({"Attributes": {"a": "x" * 33}}, "1 to 32 characters as a, got 33"),
        ({"Attributes": {"a": None}}, "Expected Attributes"),
        ({"Attributes": []}, "an object as Attributes"),
        ({"SamplingRateBoost": {"MaxRate": 0.5}}, "CooldownWindowMinutes, which is missing"),
        (
            {"SamplingRateBoost": {"MaxRate": 2, "CooldownWindowMinutes": 1}},
            "at most 1 as MaxRate",
        ),
    ],
)
def test_rules_that_are_refused(console: Console, changes: dict[str, Any], expected: str) -> None:
    response = console.post("/CreateSamplingRule", {"SamplingRule": {**RULE, **changes}})

    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "InvalidRequestException"
    with pytest.raises(ValueError, match=expected):
        raise ValueError(response.json()["Message"])
    rules = console.post("/GetSamplingRules", {}).json()["SamplingRuleRecords"]
    assert [each["SamplingRule"]["RuleName"] for each in rules] == ["Default"]


def test_default_may_be_said_as_it_is(console: Console) -> None:
    """Tools send back what they were given, its priority of 10000 too."""
    (record,) = console.post("/GetSamplingRules", {}).json()["SamplingRuleRecords"]
    rule = {key: value for key, value in record["SamplingRule"].items() if key != "RuleARN"}

    response = console.post("/UpdateSamplingRule", {"SamplingRuleUpdate": {**rule, "FixedRate": 0}})

    assert response.status_code == 200
    assert response.json()["SamplingRuleRecord"]["SamplingRule"]["FixedRate"] == 0
    refused = console.post(
        "/UpdateSamplingRule", {"SamplingRuleUpdate": {"RuleName": "Default", "Host": "x"}}
    )
    assert "Invalid update request for default sampling rule" in refused.json()["Message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"RuleName": None},
        {"ClientID": "short"},
        {"Timestamp": "now"},
        {"RequestCount": -1},
        {"SampledCount": None},
        {"BorrowCount": 1.5},
    ],
)
def test_reports_that_are_refused(console: Console, changes: dict[str, Any]) -> None:
    body = {"SamplingStatisticsDocuments": [{**REPORT, **changes}]}

    response = console.post("/SamplingTargets", body)

    assert response.status_code == 400
    assert next(iter(changes)) in response.json()["Message"]


def test_too_many_reports(console: Console) -> None:
    response = console.post("/SamplingTargets", {"SamplingStatisticsDocuments": [REPORT] * 26})

    assert response.json()["Message"].startswith("Expected at most 25 members")


@pytest.mark.parametrize("path", ["/GetSamplingRules", "/SamplingTargets"])
def test_polled_unsigned(shared_xray: Program, path: str) -> None:
    """As aws-xray-sdk does it in Node, Java, Go, .NET and Ruby, and OpenTelemetry's samplers."""
    body = {"SamplingStatisticsDocuments": [{**REPORT, "Timestamp": int(time.time())}]}
    data = json.dumps({} if path == "/GetSamplingRules" else body).encode()
    headers = {"Content-Type": "application/json"}

    request = urllib.request.Request(shared_xray.url + path, data, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)

    if path == "/GetSamplingRules":
        # Node's SDK leaves out rules of which one of these is missing or zero.
        (rule,) = (
            each["SamplingRule"]
            for each in answer["SamplingRuleRecords"]
            if each["SamplingRule"]["RuleName"] == "Default"
        )
        assert rule["Attributes"] == {}
        assert all(rule[key] for key in ("Version", "ResourceARN", "ServiceType", "Priority"))
    else:
        # Node's SDK refuses an answer without it, or where it is 0.
        assert answer["LastRuleModification"]
        (target,) = answer["SamplingTargetDocuments"]
        assert target["Interval"] == 10
        assert target["ReservoirQuotaTTL"] > time.time() + 200


@needs_node
def test_polled_by_node(shared_xray: Program) -> None:
    """It takes an answer only with what it checks for; see also control/rules."""
    answer = json.loads(run_client(shared_xray, "node", "sampling.js"))

    assert "Default" in answer["names"]
    assert answer["targets"]["Default"]["rate"] == 1
    assert answer["targets"]["Default"]["interval"] == 10
    assert answer["freshness"] > 0


@pytest.fixture(scope="module")
def xray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A local X-Ray whose rules nobody else changes."""
    with run_xray(tmp_path_factory.mktemp("sampling")) as program:
        yield program


@pytest.mark.parametrize("kind", ["sdk", "tracing"])
def test_rules_are_obeyed_when_made(xray: Program, kind: str) -> None:
    """A rule of 0 % stops an SDK's traces, and without it they come back."""
    name = f"sampled-by-{kind}"
    client = make_client(xray.url)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.xray_local.samplers", kind, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{xray.port}"},
    )
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == "sampled\n"
        rule = {**RULE, "RuleName": name, "ServiceName": name, "FixedRate": 0, "ReservoirSize": 0}
        client.create_sampling_rule(SamplingRule=rule)
        assert process.stdout.readline() == "dropped\n"
        wait_until(lambda: name in list_reported(client))
        client.delete_sampling_rule(RuleName=name)
        assert process.stdout.readline() == "sampled\n"
        process.stdin.close()
        sampled = int(process.stdout.readline())
    finally:
        stop(process)
        process.stdin.close()
        process.stdout.close()

    def count() -> int:
        pages = client.get_paginator("get_trace_summaries").paginate(
            StartTime=time.time() - 600,
            EndTime=time.time() + 60,
            FilterExpression=f'service("{name}")',
        )
        return sum(len(page["TraceSummaries"]) for page in pages)

    wait_until(lambda: count() == sampled)
    assert list_reported(client)["Default"]["RequestCount"] > 0
    assert list_reported(client)[name]["RequestCount"] > 0
    assert list_reported(client)[name]["SampledCount"] == 0
    client.close()


def list_reported(client: Any) -> dict[str, Any]:
    """Return the last window of each rule."""
    summaries = client.get_sampling_statistic_summaries()["SamplingStatisticSummaries"]
    return {each["RuleName"]: each for each in summaries}
