"""Work with the deployed site: python -m scripts.deployed [--stage dev] COMMAND.

| command | what it does |
|---|---|
| `manage ARGUMENTS...` | runs a management command in the function; its exit code becomes ours |
| `show` | prints where the site, its traces, dashboard and log are |
| `finish` | after a deployment: sets up, migrates, seeds, sends a first request; then shows |
| `empty` | before removal: empties the bucket that goes, and says what stays |

`make manage` is the first; osls calls the others (scripts/serverless_plugin.js), so that
`npx serverless deploy` and `make deploy` do the same.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from lambda_local.events import Request, make_rest_event
from scripts.deployed_stack import MANAGE, WEB, DeployedStack, DeploymentError

CONSOLE = "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
ALIAS = "AWS::Lambda::Alias"
BUCKET = "AWS::S3::Bucket"
# What AWS keeps of resources that go.
REMAINS = {
    "AWS::DynamoDB::Table": "a backup of each table that goes, for 35 days, free of charge",
    "AWS::SecretsManager::Secret": "the secret, up to 30 days, for who would restore it",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; return the exit code."""
    options = read_options(arguments)
    stack = DeployedStack(options.stage)
    try:
        match options.command:
            case "manage":
                return manage(stack, options.arguments)
            case "show":
                show(stack)
            case "finish":
                finish(stack, has_sql=options.migrate, is_seeded=options.seed)
            case "empty":
                empty(stack)
    except DeploymentError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.deployed", description="Work with the deployed site."
    )
    parser.add_argument("--stage", default="dev")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("manage", help="run a management command in the function")
    command.add_argument("arguments", nargs=argparse.REMAINDER, metavar="migrate --noinput ...")
    commands.add_parser("show", help="say where the site, its traces and its log are")
    command = commands.add_parser("finish", help="make a new deployment ready")
    command.add_argument("--migrate", action="store_true", help="there is SQL: migrate it")
    command.add_argument("--seed", action="store_true", help="load the sample films")
    commands.add_parser("empty", help="empty the bucket that goes with the stack")
    return parser.parse_args(arguments)


def manage(stack: DeployedStack, arguments: Sequence[str]) -> int:
    """Run a management command in the function; print what it wrote, return its exit code."""
    if not arguments:
        raise DeploymentError('Expected a command, such as: make manage ARGS="check --deploy"')
    result = stack.invoke(MANAGE, {"manage": list(arguments)})
    print(result["output"].rstrip("\n"), flush=True)
    return int(result["exit_code"])


def finish(stack: DeployedStack, *, has_sql: bool, is_seeded: bool) -> None:
    """Make a new deployment ready, and say where it is. Each step may be repeated."""
    commands = [["set_up"]]
    if has_sql:
        commands.append(["migrate", "--noinput"])
    if is_seeded:
        commands.append(["seed_movies"])
    for command in commands:
        print(f"manage.py {' '.join(command)}", flush=True)
        exit_code = manage(stack, command)
        if exit_code:
            raise DeploymentError(
                f"The stack {stack.name} is deployed, but {command[0]} ended with the exit code "
                f"{exit_code}. When its reason is mended, deploy again, or: "
                f'make manage STAGE={stack.stage} ARGS="{" ".join(command)}"'
            )
    warm(stack)
    show(stack)


def warm(stack: DeployedStack) -> None:
    """Send the site a first request, so that no visitor waits for the cold start.

    It asks whether tables, bucket and SQL answer. Raises DeploymentError if they don't.
    """
    # With SnapStart the API calls an alias of the function, whose environments are others.
    aliases = [name.rpartition(":")[2] for kind, name, _ in stack.resources if kind == ALIAS]
    response = stack.invoke(WEB, make_request(stack, "/readyz"), *aliases)
    if response["statusCode"] != 200:
        raise DeploymentError(
            f"The stack {stack.name} is deployed, but {stack.url}readyz answers "
            f"{response['statusCode']}: {response['body'].strip()}\n"
            f"The log tells more: make logs STAGE={stack.stage}"
        )
    parts = json.loads(response["body"])
    ready = [name for name, state in parts.items() if state == "ok"]
    print(f"The new version answers, and so do {', '.join(ready)}.", flush=True)


def make_request(stack: DeployedStack, path: str) -> dict[str, object]:
    """Return the event of a GET on the site, as API Gateway would send it."""
    url = urlsplit(stack.url)
    host = url.hostname or ""
    request = Request(
        method="GET",
        path=f"/{stack.stage}{path}",
        query="",
        headers=[],
        body=b"",
        client_ip="127.0.0.1",
        host=host,
    )
    return make_rest_event(request, "Sampled=0", stack.stage, host.partition(".")[0])


def show(stack: DeployedStack) -> None:
    """Print where the site is, and where it can be watched."""
    console = CONSOLE.format(region=stack.region)
    print(
        f"""
  site       {stack.url}
  map        {console}#xray:service-map/map
  traces     {console}#xray:traces/query
             (the group is {stack.name})
  dashboard  {console}#dashboards/dashboard/{stack.name}
  log        make logs STAGE={stack.stage}
""",
        flush=True,
    )


def empty(stack: DeployedStack) -> None:
    """Empty the buckets that go with the stack, for AWS deletes no other; say what stays."""
    if stack.description.get("EnableTerminationProtection"):
        raise DeploymentError(
            f"The stack {stack.name} is protected against removal. To end that: aws "
            f"cloudformation update-termination-protection --stack-name {stack.name} "
            "--no-enable-termination-protection"
        )
    # osls empties the bucket of the deployments itself, as far as they are its own.
    own = stack.outputs.get("ServerlessDeploymentBucketName")
    for kind, name, is_kept in stack.resources:
        if kind == BUCKET and not is_kept and name != own:
            print(f"Emptied the bucket {name}: {stack.empty_bucket(name)} objects.")
    kept = [f"{kind} {name}" for kind, name, is_kept in stack.resources if is_kept]
    print("\n".join(["What stays:", *(f"  {line}" for line in [*kept, *list_remains(stack)])]))
    sys.stdout.flush()


def list_remains(stack: DeployedStack) -> list[str]:
    """Return what AWS keeps for a while, whatever the stack says."""
    remains = ["traces in X-Ray, for 30 days", "metrics in CloudWatch, for 15 months"]
    going = {kind for kind, _, is_kept in stack.resources if not is_kept}
    remains += [remain for kind, remain in REMAINS.items() if kind in going]
    return remains


if __name__ == "__main__":
    sys.exit(main())
