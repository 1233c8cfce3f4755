"""Every operation of X-Ray's service model, by boto3 and by the AWS CLI.

botocore checks the requests, `answers` the answers.
"""

import gzip
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.aws_cli.program import AwsCli, run_aws_cli
from tests.processes import ROOT
from tests.xray_local.answers import check
from tests.xray_local.made import make_id, make_request, make_segment, make_subsegment, wait_until
from tests.xray_local.program import Program

MODEL = botocore.session.get_session().get_service_model("xray")
HOUR_SECONDS = 3600
RULE = {
    "ResourceARN": "*",
    "Priority": 9000,
    "FixedRate": 0.5,
    "ReservoirSize": 5,
    "ServiceName": "nobody",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
}
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "xray:PutTraceSegments",
            "Resource": "*",
        },
    }
)


class Maker:
    """Makes what an operation needs to have something to answer, through boto3."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.name = f"op-{make_id()}"

    def group(self) -> dict[str, Any]:
        group = self.client.create_group(GroupName=self.name, FilterExpression="fault")["Group"]
        return dict(group)

    def rule(self) -> dict[str, Any]:
        rule = self.client.create_sampling_rule(SamplingRule={**RULE, "RuleName": self.name})
        return dict(rule["SamplingRuleRecord"]["SamplingRule"])

    def trace(self) -> dict[str, Any]:
        """Return a segment that is stored, with a call to a table below it."""
        call = make_subsegment(
            name="DynamoDB", namespace="aws", aws={"table_name": "films"}, start_time=time.time()
        )
        segment = make_segment(
            name=self.name,
            start_time=time.time(),
            http=make_request("https://example.com/films", 200),
            annotations={"film": 7, "is_new": True, "title": "Metropolis"},
            user="ada",
            subsegments=[call],
        )
        self.client.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
        ids = [segment["trace_id"]]
        wait_until(lambda: self.client.batch_get_traces(TraceIds=ids)["Traces"])
        return segment

    def faults(self) -> dict[str, Any]:
        """Return the summary of an insight into a service of which all requests fail."""
        documents = [
            json.dumps(make_segment(name=self.name, start_time=time.time() - 90, fault=True))
            for _ in range(20)
        ]
        self.client.put_trace_segments(TraceSegmentDocuments=documents)

        def find() -> dict[str, Any] | None:
            found = self.client.get_insight_summaries(GroupName="Default", **span())
            for each in found["InsightSummaries"]:
                if each["RootCauseServiceId"]["Name"] == self.name:
                    return dict(each)
            return None

        return dict(wait_until(find))

    def retrieval(self) -> str:
        token = self.client.start_trace_retrieval(TraceIds=[self.trace()["trace_id"]], **span())
        return str(token["RetrievalToken"])

    def policy(self) -> dict[str, Any]:
        policy = self.client.put_resource_policy(PolicyName=self.name, PolicyDocument=POLICY)
        return dict(policy["ResourcePolicy"])

    def tidy(self) -> None:
        """Remove what there may be only a few of, and what would sample other tests' traces."""
        policies = self.client.list_resource_policies()["ResourcePolicies"]
        if self.name in [policy["PolicyName"] for policy in policies]:
            self.client.delete_resource_policy(PolicyName=self.name)
        rules = self.client.get_sampling_rules()["SamplingRuleRecords"]
        if self.name in [rule["SamplingRule"]["RuleName"] for rule in rules]:
            self.client.delete_sampling_rule(RuleName=self.name)


def span() -> dict[str, int]:
    """Return a range of time around the present."""
    now = int(time.time())
    return {"StartTime": now - HOUR_SECONDS, "EndTime": now + 60}


def after(_made: object, **fields: Any) -> dict[str, Any]:
    """Return a request of these fields, once something has been made."""
    return fields


def report(rule: str) -> dict[str, Any]:
    return {
        "RuleName": rule,
        "ClientID": "0123456789abcdef01234567",
        "Timestamp": int(time.time()),
        "RequestCount": 10,
        "SampledCount": 5,
        "BorrowCount": 1,
    }


# What to ask; what is made for it; which members its answer then has, not empty.
Request = Callable[[Maker], dict[str, Any]]
Cli = Callable[[str, dict[str, Any]], subprocess.CompletedProcess[str]]
REQUESTS: dict[str, tuple[Request, tuple[str, ...]]] = {
    "BatchGetTraces": (lambda make: {"TraceIds": [make.trace()["trace_id"]]}, ("Traces",)),
    "CancelTraceRetrieval": (lambda make: {"RetrievalToken": make.retrieval()}, ()),
    "CreateGroup": (
        lambda make: {
            "GroupName": make.name,
            "FilterExpression": "service() { fault }",
            "InsightsConfiguration": {"InsightsEnabled": True, "NotificationsEnabled": True},
            "Tags": [{"Key": "stage", "Value": "test"}],
        },
        ("Group",),
    ),
    "CreateSamplingRule": (
        lambda make: {
            "SamplingRule": {
                **RULE,
                "RuleName": make.name,
                "Attributes": {"colour": "red"},
                "SamplingRateBoost": {"MaxRate": 0.9, "CooldownWindowMinutes": 10},
            },
            "Tags": [{"Key": "stage", "Value": "test"}],
        },
        ("SamplingRuleRecord",),
    ),
    "DeleteGroup": (lambda make: {"GroupName": make.group()["GroupName"]}, ()),
    "DeleteResourcePolicy": (lambda make: {"PolicyName": make.policy()["PolicyName"]}, ()),
    "DeleteSamplingRule": (
        lambda make: {"RuleName": make.rule()["RuleName"]},
        ("SamplingRuleRecord",),
    ),
    "GetEncryptionConfig": (lambda make: {}, ("EncryptionConfig",)),
    "GetGroup": (lambda make: {"GroupARN": make.group()["GroupARN"]}, ("Group",)),
    "GetGroups": (lambda make: {}, ("Groups",)),
    "GetIndexingRules": (lambda make: {}, ("IndexingRules",)),
    "GetInsight": (lambda make: {"InsightId": make.faults()["InsightId"]}, ("Insight",)),
    "GetInsightEvents": (
        lambda make: {"InsightId": make.faults()["InsightId"]},
        ("InsightEvents",),
    ),
    "GetInsightImpactGraph": (
        lambda make: {"InsightId": make.faults()["InsightId"], **span()},
        ("InsightId", "StartTime", "EndTime", "Services"),
    ),
    "GetInsightSummaries": (
        lambda make: after(make.faults(), GroupName="Default", **span()),
        ("InsightSummaries",),
    ),
    "GetRetrievedTracesGraph": (
        lambda make: {"RetrievalToken": make.retrieval()},
        ("RetrievalStatus", "Services"),
    ),
    "GetSamplingRules": (lambda make: {}, ("SamplingRuleRecords",)),
    "GetSamplingStatisticSummaries": (
        lambda make: after(
            make.client.get_sampling_targets(SamplingStatisticsDocuments=[report("Default")])
        ),
        ("SamplingStatisticSummaries",),
    ),
    "GetSamplingTargets": (
        lambda make: {
            "SamplingStatisticsDocuments": [report(make.rule()["RuleName"]), report("unknown")],
            "SamplingBoostStatisticsDocuments": [
                {
                    "RuleName": "unknown",
                    "ServiceName": "movies",
                    "Timestamp": int(time.time()),
                    "AnomalyCount": 3,
                    "TotalCount": 10,
                    "SampledAnomalyCount": 1,
                }
            ],
        },
        (
            "SamplingTargetDocuments",
            "LastRuleModification",
            "UnprocessedStatistics",
            "UnprocessedBoostStatistics",
        ),
    ),
    "GetServiceGraph": (
        lambda make: after(make.trace(), **span()),
        ("StartTime", "EndTime", "Services"),
    ),
    "GetTimeSeriesServiceStatistics": (
        lambda make: {
            **span(),
            "EntitySelectorExpression": f'service("{make.trace()["name"]}")',
            "Period": 60,
        },
        ("TimeSeriesServiceStatistics",),
    ),
    "GetTraceGraph": (lambda make: {"TraceIds": [make.trace()["trace_id"]]}, ("Services",)),
    "GetTraceSegmentDestination": (lambda make: {}, ("Destination", "Status")),
    "GetTraceSummaries": (
        lambda make: {
            **span(),
            "TimeRangeType": "Event",
            "Sampling": True,
            "SamplingStrategy": {"Name": "PartialScan", "Value": 1.0},
            "FilterExpression": f'service("{make.trace()["name"]}")',
        },
        ("TraceSummaries", "ApproximateTime", "TracesProcessedCount"),
    ),
    "ListResourcePolicies": (
        lambda make: after(make.policy()),
        ("ResourcePolicies",),
    ),
    "ListRetrievedTraces": (
        lambda make: {"RetrievalToken": make.retrieval(), "TraceFormat": "OTEL"},
        ("RetrievalStatus", "TraceFormat", "Traces"),
    ),
    "ListTagsForResource": (
        lambda make: {
            "ResourceARN": make.client.create_group(
                GroupName=make.name, Tags=[{"Key": "stage", "Value": "test"}]
            )["Group"]["GroupARN"]
        },
        ("Tags",),
    ),
    "PutEncryptionConfig": (
        lambda make: {"Type": "KMS", "KeyId": "alias/films"},
        ("EncryptionConfig",),
    ),
    "PutResourcePolicy": (
        lambda make: {"PolicyName": make.name, "PolicyDocument": POLICY, "PolicyRevisionId": "0"},
        ("ResourcePolicy",),
    ),
    "PutTelemetryRecords": (
        lambda make: {
            "TelemetryRecords": [
                {
                    "Timestamp": int(time.time()),
                    "SegmentsReceivedCount": 3,
                    "BackendConnectionErrors": {"TimeoutCount": 1},
                }
            ],
            "Hostname": "laptop",
        },
        (),
    ),
    "PutTraceSegments": (
        lambda make: {"TraceSegmentDocuments": [json.dumps(make_segment(id="short"))]},
        ("UnprocessedTraceSegments",),
    ),
    "StartTraceRetrieval": (
        lambda make: {"TraceIds": [make.trace()["trace_id"]], **span()},
        ("RetrievalToken",),
    ),
    "TagResource": (
        lambda make: {
            "ResourceARN": make.rule()["RuleARN"],
            "Tags": [{"Key": "stage", "Value": "test"}],
        },
        (),
    ),
    "UntagResource": (
        lambda make: {"ResourceARN": make.group()["GroupARN"], "TagKeys": ["stage"]},
        (),
    ),
    "UpdateGroup": (
        lambda make: {"GroupARN": make.group()["GroupARN"], "FilterExpression": "error"},
        ("Group",),
    ),
    "UpdateIndexingRule": (
        lambda make: {
            "Name": "Default",
            "Rule": {"Probabilistic": {"DesiredSamplingPercentage": 5.0}},
        },
        ("IndexingRule",),
    ),
    "UpdateSamplingRule": (
        lambda make: {"SamplingRuleUpdate": {"RuleARN": make.rule()["RuleARN"], "FixedRate": 0.25}},
        ("SamplingRuleRecord",),
    ),
    "UpdateTraceSegmentDestination": (
        lambda make: {"Destination": "CloudWatchLogs"},
        ("Destination", "Status"),
    ),
}


@pytest.fixture
def make(client: Any) -> Any:
    maker = Maker(client)
    yield maker
    maker.tidy()


def test_each_operation_is_in_the_documents() -> None:
    text = (ROOT / "docs" / "xray-local.md").read_text()

    assert [name for name in MODEL.operation_names if name not in text] == []


def test_each_operation_of_the_model_is_asked() -> None:
    assert sorted(REQUESTS) == sorted(MODEL.operation_names)


@pytest.mark.parametrize("name", REQUESTS)
def test_by_boto3(make: Maker, name: str) -> None:
    request, members = REQUESTS[name]

    answer = getattr(make.client, xform_name(name))(**request(make))

    for member in members:
        assert answer[member] or answer[member] == 0, f"{member} is {answer[member]!r}"


@pytest.mark.parametrize("name", REQUESTS)
def test_by_the_cli(make: Maker, run_cli: Cli, name: str) -> None:
    request, members = REQUESTS[name]
    command = xform_name(name, "-")

    ran = run_cli(command, request(make))

    assert (ran.stderr, ran.returncode) == ("", 0)
    answer = json.loads(ran.stdout or "{}")
    assert all(answer[member] for member in members), answer


def test_by_the_cli_an_error(run_cli: Cli) -> None:
    ran = run_cli("get-group", {"GroupName": "nobody"})

    assert ran.returncode != 0
    assert "(InvalidRequestException)" in ran.stderr
    assert "Group not found" in ran.stderr


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """X-Ray's model as our botocore has it, for a CLI of any version."""
    folder = tmp_path_factory.mktemp("models")
    source = Path(botocore.__file__).parent / "data" / "xray" / "2016-04-12"
    target = folder / "xray" / "2016-04-12"
    target.mkdir(parents=True)
    for path in source.iterdir():
        content = path.read_bytes()
        is_packed = path.suffix == ".gz"
        (target / path.name.removesuffix(".gz")).write_bytes(
            gzip.decompress(content) if is_packed else content
        )
    return folder


@pytest.fixture(scope="module")
def aws_cli(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsCli]:
    """The AWS CLI, with that model."""
    with run_aws_cli(tmp_path_factory.mktemp("aws"), make_environment(models)) as aws_cli:
        yield aws_cli


def make_environment(models: Path) -> dict[str, str]:
    """Return the environment of the AWS CLI; there is no configuration beside the models."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": str(models / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "AWS_DATA_PATH": str(models),
    }


@pytest.fixture
def run_cli(aws_cli: AwsCli, shared_xray: Program, models: Path, tmp_path: Path) -> Cli:
    """A function that asks by the AWS CLI."""

    def run(command: str, request: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "request.json"
        file.write_text(json.dumps(request))
        arguments = [
            *("xray", command, "--endpoint-url", shared_xray.url, "--region", "us-east-1"),
            *("--output", "json", "--cli-input-json", f"file://{file}"),
        ]
        return aws_cli.run(arguments, make_environment(models), tmp_path)

    return run


def test_answers_are_checked() -> None:
    shape = MODEL.operation_model("GetGroup").output_shape

    for wrong in (
        {"Group": {"Colour": "red"}},
        {"Group": {"GroupName": 3}},
        {"Group": None},
        {"Group": {"InsightsConfiguration": {"InsightsEnabled": 1}}},
        [],
    ):
        with pytest.raises(AssertionError, match="GetGroup"):
            check(shape, wrong, "GetGroup")
    check(shape, {"Group": {"GroupName": "x"}}, "GetGroup")


def test_an_operation_that_is_unknown(shared_xray: Program, client: Any) -> None:
    client.meta.events.register("before-send.xray.GetGroup", _go_astray)

    with pytest.raises(ClientError, match=r"/CreateGroup, .*/TraceSegments") as caught:
        client.get_group(GroupName="Default")

    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def _go_astray(request: Any, **_: Any) -> None:
    request.url = request.url.replace("GetGroup", "GetTroupe")
