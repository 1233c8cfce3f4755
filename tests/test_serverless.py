"""What `npx serverless package` makes, without an account: the templates and the zip."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from packaged_bytecode import split
from scripts import package
from scripts.deployed_stack import MANAGE, DeployedStack
from scripts.package_compile import BYTECODE
from tests.processes import ROOT
from tests.xray_local.conftest import make_client
from tests.xray_local.program import run_xray

SERVERLESS = ROOT / "node_modules" / ".bin" / "serverless"
AARCH64 = 183  # e_machine of an ELF header

# What the set-up does, with the rights of whoever deploys.
SET_UP_ONLY = {"dynamodb:CreateTable", "s3:CreateBucket"}
# IAM's actions for calls that are not named alike.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
ACTIONS = {
    "dynamodb:TransactWriteItems": {
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    },
    "s3:HeadBucket": {"s3:ListBucket"},
}

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not SERVERLESS.exists(),
    reason="serverless is not installed; install Node 20 or newer with npm, then run: npm ci",
)


def make_environment(folder: Path) -> dict[str, str]:
    """Return the environment of somebody who isn't signed in to AWS."""
    environment = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("AWS_", "DJANGO_", "COV")) and name != "DATABASE_URL"
    }
    # uv keeps what it has downloaded at home.
    environment.setdefault("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    return environment | {"HOME": str(folder / "home")}


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the templates, packaged where nobody is signed in to AWS."""
    folder = tmp_path_factory.mktemp("serverless")
    done = subprocess.run(
        [SERVERLESS, "package", "--package", folder / "package"],
        cwd=ROOT,
        env=make_environment(folder),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "package"


@pytest.fixture(scope="module")
def resources(packaged: Path) -> dict[str, Any]:
    template = json.loads((packaged / "cloudformation-template-update-stack.json").read_text())
    return template["Resources"]


@pytest.fixture(scope="module")
def artifact(packaged: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(package.ARTIFACT)


def find(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource for resource in resources.values() if resource["Type"] == kind]


def get_function(resources: dict[str, Any], name: str) -> dict[str, Any]:
    properties: dict[str, Any] = resources[f"{name.title()}LambdaFunction"]["Properties"]
    return properties


def as_list(texts: Any) -> list[Any]:
    return texts if isinstance(texts, list) else [texts]


def list_statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every statement of every policy of the functions' roles."""
    documents = [
        policy["Properties"]["PolicyDocument"]
        for policy in find(resources, "AWS::IAM::ManagedPolicy")
    ]
    documents += [
        policy["PolicyDocument"]
        for role in find(resources, "AWS::IAM::Role")
        for policy in role["Properties"]["Policies"]
    ]
    return [statement for document in documents for statement in document["Statement"]]


@pytest.mark.parametrize("name", ["create", "update"])
def test_template_passes_cfn_lint(packaged: Path, name: str):
    template = packaged / f"cloudformation-template-{name}-stack.json"
    cfn_lint = Path(sys.executable).parent / "cfn-lint"

    done = subprocess.run([cfn_lint, template], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["web", "manage"])
def test_function(resources, name: str):
    properties = get_function(resources, name)

    assert properties["FunctionName"] == DeployedStack("dev").name_function(name)
    assert properties["Runtime"] == f"python{package.PYTHON_VERSION}"
    assert properties["Architectures"] == [package.ARCHITECTURE]
    assert package.PLATFORMS[package.ARCHITECTURE].startswith("aarch64-")
    assert properties["Handler"] == "lambda_entry.lambda_handler"
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["LoggingConfig"] == {"LogFormat": "JSON"}
    assert "ReservedConcurrentExecutions" not in properties


def test_commands_have_more_time_than_requests(resources):
    """API Gateway waits for 29 s; a migration may take longer, and Lambda allows 900."""
    web, manage = get_function(resources, "web"), get_function(resources, "manage")

    assert (web["Timeout"], manage["Timeout"]) == (29, 900)
    for name in ("Code", "Environment", "Handler"):
        assert web[name] == manage[name]
    assert MANAGE == "manage"
    [permission] = find(resources, "AWS::Lambda::Permission")
    assert permission["Properties"]["FunctionName"] == {"Fn::GetAtt": ["WebLambdaFunction", "Arn"]}


def test_stage_is_traced(packaged: Path):
    """It is not in the template: osls calls UpdateStage after deploying."""
    state = json.loads((packaged / "serverless-state.json").read_text())

    assert state["service"]["provider"]["tracing"] == {"lambda": True, "apiGateway": True}


def test_every_path_and_method_reaches_the_function(resources):
    methods = [method["Properties"] for method in find(resources, "AWS::ApiGateway::Method")]
    [resource] = find(resources, "AWS::ApiGateway::Resource")
    [api] = find(resources, "AWS::ApiGateway::RestApi")

    assert [method["HttpMethod"] for method in methods] == ["ANY", "ANY"]
    assert {method["Integration"]["Type"] for method in methods} == {"AWS_PROXY"}
    assert resource["Properties"]["PathPart"] == "{proxy+}"
    assert api["Properties"]["BinaryMediaTypes"] == ["*/*"]
    assert api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_environment_is_what_the_settings_read(resources):
    variables = get_function(resources, "web")["Environment"]["Variables"]
    settings = (ROOT / "movies_site" / "settings.py").read_text()

    assert [name for name in variables if f'"{name}"' not in settings] == []
    assert {"Ref": "SecretKey"} in variables["DJANGO_SECRET_KEY"]["Fn::Join"][1]
    assert {"Ref": "ApiGatewayRestApi"} in variables["DJANGO_ALLOWED_HOSTS"]["Fn::Join"][1]
    assert variables["MOVIES_TABLE"] == {"Ref": "MoviesTable"}
    assert variables["MOVIES_TERMS_TABLE"] == {"Ref": "MovieTermsTable"}
    assert variables["POSTERS_BUCKET"] == {"Ref": "PostersBucket"}
    assert variables["DATABASE_URL"] == ""


def test_permissions_name_their_resources(resources):
    statements = list_statements(resources)

    assert len(statements) > 7
    for statement in statements:
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        if "*" in as_list(statement["Resource"]):
            # X-Ray has no resources to name.
            assert statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        elif "*" in json.dumps(statement["Resource"]):
            # The objects of one bucket; their keys are made as they come.
            bucket = {"Fn::GetAtt": ["PostersBucket", "Arn"]}
            assert statement["Resource"] == {"Fn::Join": ["", [bucket, "/*"]]}


def test_functions_have_roles_of_their_own(resources):
    """Each writes to its own log alone; what both may do stands in one policy."""
    for name in ("Web", "Manage"):
        role = resources[f"{name}Role"]["Properties"]
        first = role["Policies"][0]["PolicyDocument"]["Statement"][0]

        assert get_function(resources, name)["Role"] == {"Fn::Sub": f"${{{name}Role.Arn}}"}
        assert role["ManagedPolicyArns"] == [{"Ref": "SitePolicy"}]
        assert first["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert first["Resource"] == {"Fn::GetAtt": [f"{name}LogGroup", "Arn"]}
    assert len(find(resources, "AWS::IAM::Role")) == 2
    assert "dynamodb:Scan" not in json.dumps([resources["WebRole"], resources["SitePolicy"]])


def test_permissions_are_just_what_the_code_calls(resources):
    granted = {
        action
        for statement in list_statements(resources)
        for action in as_list(statement["Action"])
        if action.startswith(("dynamodb:", "s3:"))
    }

    assert granted == find_actions(ROOT / "movies") - SET_UP_ONLY


def find_actions(folder: Path) -> set[str]:
    """Return the IAM actions of the calls of boto3's clients that a package's source makes."""
    source = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    called = set(re.findall(r"\.(\w+)\(", source))
    called |= set(re.findall(r'\.get_paginator\("(\w+)"\)', source))
    session = botocore.session.get_session()
    actions: set[str] = set()
    for service in ("dynamodb", "s3"):
        for operation in session.get_service_model(service).operation_names:
            if xform_name(operation) in called:
                name = f"{service}:{operation}"
                actions |= ACTIONS.get(name, {name})
    return actions


@pytest.mark.parametrize(
    ("name", "hash_key", "range_key"),
    [
        ("MoviesTable", ("year", "N"), ("title", "S")),
        ("MovieTermsTable", ("term", "S"), ("position", "S")),
    ],
)
def test_tables(resources, name, hash_key, range_key):
    table = resources[name]["Properties"]
    types = {item["AttributeName"]: item["AttributeType"] for item in table["AttributeDefinitions"]}

    assert [key["KeyType"] for key in table["KeySchema"]] == ["HASH", "RANGE"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == [hash_key[0], range_key[0]]
    assert types == dict([hash_key, range_key])
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_bucket_is_private(resources):
    bucket = resources["PostersBucket"]["Properties"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]


def test_logs_are_kept_for_a_month(resources):
    groups = {
        group["Properties"]["LogGroupName"]: group["Properties"]["RetentionInDays"]
        for group in find(resources, "AWS::Logs::LogGroup")
    }

    assert groups == {"/aws/lambda/movies-dev-web": 30, "/aws/lambda/movies-dev-manage": 30}


def test_trace_group_has_what_this_stage_sends(resources, tmp_path: Path):
    """In the local X-Ray, with segments named as AWS's services name them."""
    group = resources["TraceGroup"]["Properties"]
    names = ["movies-dev/dev", "movies-dev-web", "movies-dev-manage", "movies-prod-web", "movies"]
    trace_ids = {name: f"1-{int(time.time()):08x}-{index:024x}" for index, name in enumerate(names)}

    with run_xray(tmp_path) as xray:
        client = make_client(xray.url)
        client.create_group(**group)
        for name, trace_id in trace_ids.items():
            now = time.time()
            xray.send(
                {
                    "name": name,
                    "id": "0123456789abcdef",
                    "trace_id": trace_id,
                    "start_time": now - 1,
                    "end_time": now,
                }
            )
        xray.wait_for_count("stored", len(names))
        found = client.get_trace_summaries(
            StartTime=time.time() - 60,
            EndTime=time.time() + 60,
            FilterExpression=group["FilterExpression"],
        )

    assert {summary["Id"] for summary in found["TraceSummaries"]} == {
        trace_ids[name] for name in names[:3]
    }


def test_sampling_rule_is_for_the_stage(resources):
    [rule] = find(resources, "AWS::XRay::SamplingRule")
    [api] = find(resources, "AWS::ApiGateway::RestApi")
    rule = rule["Properties"]["SamplingRule"]

    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-configuring-xray-sampling-rules.html
    assert rule["ServiceName"] == f"{api['Properties']['Name']}/dev"
    assert rule["ServiceType"] == "AWS::ApiGateway::Stage"
    assert (rule["ReservoirSize"], rule["FixedRate"]) == (1, 0.05)


def test_alarms(resources):
    alarms = {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]
        for alarm in find(resources, "AWS::CloudWatch::Alarm")
    }
    [api] = find(resources, "AWS::ApiGateway::RestApi")
    stage = [
        {"Name": "ApiName", "Value": api["Properties"]["Name"]},
        {"Name": "Stage", "Value": "dev"},
    ]

    assert set(alarms) == {"movies-dev-faults", "movies-dev-latency", "movies-dev-commands"}
    faults, latency = alarms["movies-dev-faults"], alarms["movies-dev-latency"]
    assert (faults["MetricName"], faults["Statistic"]) == ("5XXError", "Sum")
    assert (latency["MetricName"], latency["ExtendedStatistic"]) == ("Latency", "p95")
    assert faults["Dimensions"] == latency["Dimensions"] == stage
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_alarms_are_sent_where_there_is_an_address(resources, packaged: Path):
    template = json.loads((packaged / "cloudformation-template-update-stack.json").read_text())

    assert resources["AlarmSubscription"]["Condition"] == "TellsOfAlarms"
    assert template["Parameters"]["AlarmEmail"]["Default"] == ""


def test_dashboard_is_json_and_names_what_is_there(resources):
    [dashboard] = find(resources, "AWS::CloudWatch::Dashboard")
    text = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    names = set(re.findall(r"\$\{([A-Za-z]+)(?:\.Arn)?\}", text))

    widgets = json.loads(re.sub(r"\$\{[^}]+\}", "x", text))["widgets"]

    assert [widget["type"] for widget in widgets] == [
        *("text", "alarm", "metric", "metric", "metric", "log")
    ]
    assert names <= resources.keys()
    assert {"FaultsAlarm", "LatencyAlarm", "CommandsAlarm", "WebLogGroup"} <= names


def test_nobody_packages_for_a_deployment_without_credentials(tmp_path: Path):
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}

    done = subprocess.run(
        [SERVERLESS, "deploy"],
        cwd=ROOT,
        env=make_environment(tmp_path) | nobody,
        capture_output=True,
        text=True,
    )

    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "AWS provider credentials not found" in said
    assert "movies.zip" not in said


def read_service(folder: Path, *flags: str) -> dict[str, Any]:
    """Return serverless.yml with all variables filled in; the zip is not made for that."""
    done = subprocess.run(
        [SERVERLESS, "print", "--format", "json", *flags],
        cwd=ROOT,
        env=make_environment(folder),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    service: dict[str, Any] = json.loads(done.stdout)
    return service


def test_settings_of_a_stage(tmp_path: Path):
    texts = ["reservedConcurrency=20", "logRetentionDays=7", "accessLog=json", "sampleRate=1"]

    service = read_service(tmp_path, *(f"--param={text}" for text in texts))

    provider = service["provider"]
    rule = service["resources"]["Resources"]["SamplingRule"]["Properties"]["SamplingRule"]
    # API Gateway fills its variables in; the line must be JSON before and after.
    line = json.loads(provider["logs"]["restApi"]["format"])
    assert service["functions"]["web"]["reservedConcurrency"] == 20
    assert provider["logRetentionInDays"] == 7
    assert rule["FixedRate"] == "1"
    assert line["xrayTraceId"] == "$context.xrayTraceId"
    # Else osls would add a function of its own that may create roles.
    assert provider["logs"]["restApi"]["roleManagedExternally"] is True


def test_prod_keeps_its_films_and_posters(tmp_path: Path):
    service = read_service(tmp_path, "--stage", "prod")

    resources = service["resources"]["Resources"]
    for name in ("MoviesTable", "MovieTermsTable", "PostersBucket"):
        assert resources[name]["DeletionPolicy"] == "Retain"
    for name in ("MoviesTable", "MovieTermsTable"):
        assert resources[name]["Properties"]["DeletionProtectionEnabled"] is True
    assert service["provider"]["logs"]["restApi"]["accessLogging"] is False


def test_zip_holds_what_ships_and_nothing_else(artifact: zipfile.ZipFile):
    names = artifact.namelist()
    packed, _ = split(memoryview(artifact.read(BYTECODE)))
    tops = {name.split("/")[0] for name in names} | {name.split(".")[0] for name in packed}

    assert set(package.SHIPPED) | {"staticfiles", "django", "apig_wsgi"} <= tops
    assert tops & {"tests", "scripts", "xray_local", "benchmarks", "manage.py", "bin"} == set()
    assert "staticfiles/staticfiles.json" in names
    # Without databaseUrl there is no SQL to drive.
    assert [top for top in tops if top.startswith("psycopg2")] == []


def test_zip_is_within_its_budget(artifact: zipfile.ZipFile):
    assert package.ARTIFACT.stat().st_size <= package.BUDGET_BYTES == 7_000_000


def test_state_ships_the_zip(packaged: Path):
    """The only artifact: osls makes none of its own."""
    state = json.loads((packaged / "serverless-state.json").read_text())

    artifact = state["package"]["artifact"]
    assert Path(artifact).name == package.ARTIFACT.name
    assert not [path for path in packaged.glob("*.zip") if path.name != package.ARTIFACT.name]


@pytest.mark.parametrize(
    ("url", "flags"),
    [
        ("", []),
        ("sqlite:////tmp/site.sqlite3", []),
        ("postgresql://movies@db.example/movies", ["--postgresql"]),
        ("{{resolve:secretsmanager:movies/database-url}}", ["--postgresql"]),
    ],
)
def test_plugin_asks_for_the_driver_where_there_is_sql(url: str, flags: list[str], tmp_path: Path):
    """The plugin alone, in a checkout whose Python prints how it is called."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "serverless_plugin.js", tmp_path / "scripts")
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    code = """
const Plugin = require("./scripts/serverless_plugin.js");
const provider = { environment: { DATABASE_URL: process.argv[1] } };
new Plugin({ classes: { Error }, service: { provider } }, {}).makeZip();
"""

    done = subprocess.run(
        ["node", "-e", code, "--", url], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["-m", "scripts.package", *flags]


def test_zip_is_for_the_functions_processor(artifact: zipfile.ZipFile):
    extensions = [name for name in artifact.namelist() if name.endswith(".so")]

    assert extensions
    for name in extensions:
        assert int.from_bytes(artifact.read(name)[18:20], "little") == AARCH64, name
