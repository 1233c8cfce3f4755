"""What `npx serverless package` makes, without an account: the templates and the zip."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from scripts import package
from tests.processes import ROOT

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


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the templates, packaged where nobody is signed in to AWS."""
    folder = tmp_path_factory.mktemp("serverless")
    environment = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("AWS_", "DJANGO_", "COV")) and name != "DATABASE_URL"
    }
    # uv keeps what it has downloaded at home.
    environment.setdefault("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    environment["HOME"] = str(folder / "home")
    done = subprocess.run(
        [SERVERLESS, "package", "--package", folder / "package"],
        cwd=ROOT,
        env=environment,
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


def list_statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    [role] = find(resources, "AWS::IAM::Role")
    [policy] = role["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("name", ["create", "update"])
def test_template_passes_cfn_lint(packaged: Path, name: str):
    template = packaged / f"cloudformation-template-{name}-stack.json"
    cfn_lint = Path(sys.executable).parent / "cfn-lint"

    done = subprocess.run([cfn_lint, template], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_function(resources):
    [function] = find(resources, "AWS::Lambda::Function")
    properties = function["Properties"]

    assert properties["Runtime"] == f"python{package.PYTHON_VERSION}"
    assert properties["Architectures"] == [package.ARCHITECTURE]
    assert package.PLATFORMS[package.ARCHITECTURE].startswith("aarch64-")
    assert properties["Handler"] == "lambda_entry.lambda_handler"
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["Timeout"] <= 29  # API Gateway waits no longer


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
    [function] = find(resources, "AWS::Lambda::Function")
    variables = function["Properties"]["Environment"]["Variables"]
    settings = (ROOT / "movies_site" / "settings.py").read_text()

    assert [name for name in variables if f'"{name}"' not in settings] == []
    assert {"Ref": "SecretKey"} in variables["DJANGO_SECRET_KEY"]["Fn::Join"][1]
    assert {"Ref": "ApiGatewayRestApi"} in variables["DJANGO_ALLOWED_HOSTS"]["Fn::Join"][1]
    assert variables["MOVIES_TABLE"] == {"Ref": "MoviesTable"}
    assert variables["MOVIES_TERMS_TABLE"] == {"Ref": "MovieTermsTable"}
    assert variables["POSTERS_BUCKET"] == {"Ref": "PostersBucket"}
    assert variables["DATABASE_URL"] == ""


def test_permissions_name_their_resources(resources):
    for statement in list_statements(resources):
        assert not [action for action in statement["Action"] if "*" in action]
        if "*" in statement["Resource"]:
            # X-Ray has no resources to name.
            assert statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


def test_permissions_are_just_what_the_code_calls(resources):
    granted = {
        action
        for statement in list_statements(resources)
        for action in statement["Action"]
        if action.startswith(("dynamodb:", "s3:"))
    }

    assert granted == find_actions(ROOT / "movies") - SET_UP_ONLY


def find_actions(folder: Path) -> set[str]:
    """Return the IAM actions of the calls of boto3's clients that a package's source makes."""
    source = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    called = set(re.findall(r"\.(\w+)\(", source))
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
    [group] = find(resources, "AWS::Logs::LogGroup")

    assert group["Properties"]["RetentionInDays"] == 30


def test_zip_holds_what_ships_and_nothing_else(artifact: zipfile.ZipFile):
    names = artifact.namelist()
    tops = {name.split("/")[0] for name in names}

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
    shutil.copy(ROOT / "scripts" / "serverless_package.js", tmp_path / "scripts")
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    code = """
const Plugin = require("./scripts/serverless_package.js");
const provider = { environment: { DATABASE_URL: process.argv[1] } };
new Plugin({ classes: { Error }, service: { provider } }).make();
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
