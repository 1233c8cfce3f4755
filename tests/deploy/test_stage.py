"""The life of a stage: deployed, browsed, managed, updated, rolled back and removed.

With the real `make` and `serverless`, and with the very zip that would go to AWS, run by the
function's own Python on the embedded AWS. That checks every permission, of whoever deploys (who may
do everything) and of the functions' roles. What it cannot show is in embedded_aws.py, and that:

- wheels are for arm64, so that on another processor libraries run without their parts in C;
- a function's trace begins in the function: the services' own segments are lambda_local's to show;
- concurrency isn't reserved, alarms are never raised, and the dashboard isn't drawn.
"""

import json
import re
import shlex
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.aws_cli import command
from tests.aws_cli.program import run_aws_cli
from tests.deploy.account import Account, run_account
from tests.processes import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / ".bin" / "serverless").exists(),
    reason="serverless is not installed; install Node 20 or newer with npm, then run: npm ci",
)

WEB = "movies-dev-web"


@dataclass(frozen=True)
class Stage:
    """A deployed stage, and what deploying it said."""

    account: Account
    api_id: str
    said: str
    database: Path

    @property
    def flags(self) -> str:
        return f"--param=databaseUrl=sqlite:///{self.database}"

    def get(self, path: str) -> tuple[int, Any, str]:
        return self.account.get(self.api_id, f"/dev{path}")

    def read_release(self) -> str:
        found = self.account.client("lambda").get_function_configuration(FunctionName=WEB)
        return str(found["Environment"]["Variables"]["RELEASE"])


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with run_account(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="module")
def stage(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage dev, with SQL and the sample films; at the end, it is removed."""
    database = tmp_path_factory.mktemp("sql") / "site.sqlite3"
    flags = f"--param=databaseUrl=sqlite:///{database} --param=release=first"

    deployed = account.make("deploy", "STAGE=dev", "SEED=1", f"FLAGS={flags}")

    assert deployed.returncode == 0, deployed.stdout + account.log.read_text()[-2000:]
    [api_id] = re.findall(
        r"https://(\w+)\.execute-api\.us-east-1\.amazonaws\.com/dev/\n", deployed.stdout
    )[:1]
    yield Stage(account, api_id, deployed.stdout, database)
    check_removal(account)


def check_removal(account: Account) -> None:
    """Remove the stage dev, and look that nothing of it is left."""
    removed = account.make("remove", "STAGE=dev")

    assert removed.returncode == 0, removed.stdout
    assert re.search(r"Emptied the bucket movies-dev-postersbucket\S+: 1 objects\.", removed.stdout)
    assert "What stays:\n  traces in X-Ray, for 30 days\n" in removed.stdout
    assert list_what_is_there(account, "movies-dev") == []


def list_what_is_there(account: Account, prefix: str) -> list[str]:
    """Return the names of everything in the account that begin so."""
    ask = account.client
    names = [
        *(bucket["Name"] for bucket in ask("s3").list_buckets()["Buckets"]),
        *ask("dynamodb").list_tables()["TableNames"],
        *(function["FunctionName"] for function in ask("lambda").list_functions()["Functions"]),
        *(api["name"] for api in ask("apigateway").get_rest_apis()["items"]),
        *(
            group["logGroupName"].rpartition("/")[2]
            for group in ask("logs").describe_log_groups()["logGroups"]
        ),
        *(secret["Name"] for secret in ask("secretsmanager").list_secrets()["SecretList"]),
        *(role["RoleName"] for role in ask("iam").list_roles()["Roles"]),
        *(policy["PolicyName"] for policy in ask("iam").list_policies(Scope="Local")["Policies"]),
        *(topic["TopicArn"].rpartition(":")[2] for topic in ask("sns").list_topics()["Topics"]),
        *(alarm["AlarmName"] for alarm in ask("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(
            board["DashboardName"]
            for board in ask("cloudwatch").list_dashboards()["DashboardEntries"]
        ),
        *(group["GroupName"] for group in ask("xray").get_groups()["Groups"]),
        *(
            record["SamplingRule"]["RuleName"]
            for record in ask("xray").get_sampling_rules()["SamplingRuleRecords"]
        ),
    ]
    return sorted(name for name in names if name.startswith(prefix))


def test_deploying_says_what_it_did_and_where_the_site_is(stage: Stage) -> None:
    said = stage.said

    steps = ["manage.py set_up", "manage.py migrate --noinput", "manage.py seed_movies"]
    steps += ["The new version answers, and so do s3, dynamodb, sql.", "  site       https://"]
    assert sorted(steps, key=said.index) == steps
    assert re.search(r"Films: [1-9]\d\d added", said)
    assert "#xray:traces/query\n             (the group is movies-dev)" in said


def test_everything_is_there(stage: Stage) -> None:
    ask = stage.account.client
    names = list_what_is_there(stage.account, "movies-dev")

    function = ask("lambda").get_function_configuration(FunctionName=WEB)
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    api_stage = ask("apigateway").get_stage(restApiId=stage.api_id, stageName="dev")
    assert api_stage["tracingEnabled"] is True
    assert {group.get("retentionInDays") for group in list_log_groups(stage)} == {30}
    # API, group, rule and dashboard are called as the stack.
    assert names.count("movies-dev") == 4
    for name in ("faults", "latency", "commands", "Movies", "MovieTerms", "web", "manage"):
        assert f"movies-dev-{name}" in names


def list_log_groups(stage: Stage) -> list[dict[str, Any]]:
    answer = stage.account.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/")
    groups: list[dict[str, Any]] = answer["logGroups"]
    return groups


def test_nobody_needs_to_see_the_secret_key(stage: Stage) -> None:
    """It is in the secret and in the function, and nowhere else."""
    variables = stage.account.client("lambda").get_function_configuration(FunctionName=WEB)
    key = variables["Environment"]["Variables"]["DJANGO_SECRET_KEY"]
    template = stage.account.client("cloudformation").get_template(StackName="movies-dev")

    assert len(key) == 64
    assert key not in json.dumps(template["TemplateBody"])
    assert key not in stage.said


def test_every_link_of_the_first_pages(stage: Stage) -> None:
    """Behind the stage, at the API's own host, which the template allows."""
    seen: dict[str, int] = {}
    for page in ("/", "/movies/", "/app", "/accounts/sign-in/"):
        status, _, body = stage.get(page)
        assert status == 200, body
        links = re.findall(r'(?:href|src)="(/[^"#]*)"', body)
        assert links or page == "/app"
        for link in dict.fromkeys(links):
            # With thousands of films, the first of each kind is enough.
            kind = re.sub(r"/\d{4}/.*", "/year", link.partition("?")[0])
            if kind not in seen:
                assert link.startswith("/dev/"), f"{page} leads to {link}."
                seen[kind] = stage.account.get(stage.api_id, link.replace("&amp;", "&"))[0]

    assert len(seen) > 10
    assert {link: status for link, status in seen.items() if status not in (200, 302)} == {}


def test_static_files_have_hashed_names(stage: Stage) -> None:
    links = re.findall(r'"(/dev/static/[^"]+)"', stage.get("/movies/")[2])

    assert links
    for link in links:
        status, headers, _ = stage.account.get(stage.api_id, link)
        assert status == 200
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", link), link
        assert "immutable" in headers["Cache-Control"]


def test_a_request_leaves_a_trace(stage: Stage) -> None:
    _, _, body = stage.get("/movies/")
    [trace_id, *_] = re.findall(r"1-[0-9a-f]{8}-[0-9a-f]{24}", body)

    client = stage.account.client("xray")
    deadline = time.monotonic() + 60
    while not (found := client.batch_get_traces(TraceIds=[trace_id])["Traces"]):
        assert time.monotonic() < deadline, "The trace did not arrive."
        time.sleep(0.1)

    documents = [json.loads(segment["Document"]) for segment in found[0]["Segments"]]
    annotations = [document.get("annotations", {}) for document in documents]
    assert any(found.get("stage") == "dev" and "release" in found for found in annotations)


def test_commands(stage: Stage) -> None:
    account = stage.account

    well = account.make("manage", "STAGE=dev", "ARGS=showmigrations movies")
    wrong = account.make("manage", "STAGE=dev", "ARGS=nosuch")

    assert (well.returncode, "[X] 0001_initial" in well.stdout) == (0, True), well.stdout
    assert wrong.returncode != 0
    assert "Unknown command: 'nosuch'" in wrong.stdout


def test_the_documents_command_that_makes_an_administrator(stage: Stage) -> None:
    """Its quotation marks pass through a shell, make, another shell and JSON."""
    text = (ROOT / "docs" / "deploying.md").read_text()
    [arguments] = re.findall(r"^make manage ARGS='(shell .*)'$", text, re.MULTILINE)
    create = 'from django.contrib.auth.models import User; User.objects.create_user("ada")'
    stage.account.client("lambda").invoke(
        FunctionName="movies-dev-manage", Payload=json.dumps({"manage": ["shell", "-c", create]})
    )

    done = stage.account.make("manage", "STAGE=dev", f"ARGS={arguments}")

    assert done.returncode == 0, done.stdout
    with closing(sqlite3.connect(stage.database)) as database:
        query = "SELECT is_superuser FROM auth_user WHERE username = 'ada'"
        assert database.execute(query).fetchall() == [(1,)]


def test_only_commands_may_read_whole_tables(stage: Stage) -> None:
    """The same command, in the function for requests: its role says no."""
    answer = stage.account.client("lambda").invoke(
        FunctionName=WEB, Payload=json.dumps({"manage": ["seed_movies"]})
    )
    result = json.loads(answer["Payload"].read())

    assert result["exit_code"] == 1
    assert "movies-dev-web is not authorized to perform: dynamodb:Query" in result["output"]


def test_looking_at_it(stage: Stage) -> None:
    account = stage.account
    account.make("manage", "STAGE=dev", "ARGS=check")

    info = account.make("info", "STAGE=dev")
    logs = account.make("logs", "STAGE=dev", "FUNCTION=manage")
    answer = account.make("invoke", "STAGE=dev")

    url = f"https://{stage.api_id}.execute-api.us-east-1.amazonaws.com/dev/"
    assert f"  site       {url}\n" in info.stdout
    assert "manage: movies-dev-manage" in info.stdout
    assert "The command 'check' ended well." in logs.stdout
    assert '"exit_code": 0' in answer.stdout


@pytest.mark.parametrize("target", ["info", "manage", "rollback", "remove"])
def test_a_stage_that_is_not_there(account: Account, target: str) -> None:
    done = account.make(target, "STAGE=nowhere", "ARGS=check")

    assert done.returncode != 0
    assert re.search(
        r"movies-nowhere\]? does not exist|'nowhere' is not deployed in us-east-1", done.stdout
    ), done.stdout


def test_update_and_roll_back(stage: Stage) -> None:
    account = stage.account
    _, _, films_before = stage.get("/api/movies/?year=2013")
    before = stage.read_release()

    updated = account.serverless("deploy", stage.flags, "--param=release=second")

    assert updated.returncode == 0, updated.stdout
    assert "No migrations to apply." in updated.stdout
    assert "seed_movies" not in updated.stdout
    assert (before, stage.read_release()) == ("first", "second")

    listed = account.make("rollback", "STAGE=dev")
    first, *_ = timestamps = re.findall(r"Timestamp: (\d{13})", listed.stdout)
    assert len(timestamps) == 2
    unknown = account.make("rollback", "STAGE=dev", "TO=1234567890123")
    rolled_back = account.make("rollback", "STAGE=dev", f"TO={first}")

    assert "Couldn't find a deployment for the timestamp: 1234567890123" in unknown.stdout
    assert rolled_back.returncode == 0, rolled_back.stdout
    assert "The new version answers" in rolled_back.stdout
    assert stage.read_release() == "first"
    assert stage.get("/api/movies/?year=2013")[2] == films_before


@pytest.mark.skipif(shutil.which("aws") is None, reason="needs the AWS CLI: pip install awscli")
def test_the_documents_commands_of_the_aws_cli(account: Account, tmp_path: Path) -> None:
    """From nothing to nothing, as docs/deploying.md has them."""
    text = (ROOT / "docs" / "deploying.md").read_text().partition("## By the AWS CLI")[2]
    [script] = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)[:1]

    with run_aws_cli(tmp_path, account.environment) as aws_cli:
        program = shlex.join([sys.executable, *("-I", "-S", command.__file__), str(aws_cli.socket)])
        # Versions before 2.13 don't know AWS_ENDPOINT_URL, and would ask AWS itself.
        aws = f'aws() {{ {program} --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }}\n'
        done = account.run("bash", "-euo", "pipefail", "-c", aws + script)

    assert done.returncode == 0, done.stdout
    assert '"tracingEnabled": true' in done.stdout
    assert re.search(r"Films: [1-9]\d\d added", done.stdout)
    assert "https://" in done.stdout
    assert "The command 'seed_movies' ended well." in done.stdout
    assert done.stdout.count('"exit_code": 0') == 4
    assert "No updates are to be performed" in done.stdout
    assert list_what_is_there(account, "movies-cli") == []
