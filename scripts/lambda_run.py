"""`make lambda`: as `make run`, but the site runs as a Lambda function behind an API Gateway.

The function is the package, run by AWS's own runtime client in lambda_local's environments, which
send what AWS's services would send to the local X-Ray. LAMBDA_PORT chooses another port than 3000.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from movies_site.environment import read_flag
from scripts.lambda_package import (
    NoRuntime,
    UnpackedFunction,
    find_interpreter,
    prepare_function,
)
from scripts.package import BudgetExceeded
from scripts.ports import LOOPBACK, BadPort, find_conflicts, read_ports
from scripts.run import hold, supervise
from scripts.stack import LAMBDA_STAGE, Stack, read_stack
from scripts.supervisor import Failed, StopRequest, say

# What of the terminal's environment the function gets, as if serverless.yml had named it.
FUNCTION_VARIABLES = (
    "LAB_ENABLED",
    "LOG_LEVEL",
    "NEW_ACCOUNTS_ARE_EDITORS",
    "RELEASE",
    "REMOTE_TIMEOUT_SECONDS",
    "REMOTE_URL",
    "REMOTE_URL_SECOND",
    "STAGE",
    "XRAY_AUTO_INSTRUMENT",
    "XRAY_STREAMING_THRESHOLD",
)


def make_function_variables(stack: Stack, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the function's own variables: those of serverless.yml, for this machine."""
    port = stack.site_port
    origins = (
        f"http://{LOOPBACK}:{port}",
        f"http://localhost:{port}",
        f"http://*.localhost:{port}",
    )
    database = stack.local_dir / "site.sqlite3"
    chosen = {name: environment[name] for name in FUNCTION_VARIABLES if name in environment}
    return {
        "AWS_ENDPOINT_URL": stack.aws_url,
        "DATABASE_URL": environment.get("DATABASE_URL")
        or f"sqlite:///{database}?timeout=20&transaction_mode=IMMEDIATE",
        "DJANGO_ALLOWED_HOSTS": f"{LOOPBACK},localhost,.localhost",
        # The function believes in https, as behind AWS's services; the browser knows better.
        "DJANGO_CSRF_TRUSTED_ORIGINS": ",".join(origins),
        "DJANGO_SECRET_KEY": "local-only-" + "0123456789abcdef" * 4,
        "DJANGO_SETTINGS_MODULE": "movies_site.settings",
        "LAB_ENABLED": "true",
        "NEW_ACCOUNTS_ARE_EDITORS": "true",
        "STAGE": LAMBDA_STAGE,
        "XRAY_CONSOLE_URL": stack.xray_url,
        **chosen,
    }


def make_lambda_command(
    stack: Stack, environment: Mapping[str, str], function: UnpackedFunction
) -> list[str | Path]:
    """Return the command of the local Lambda, having written down the function's variables."""
    variables = stack.local_dir / "function.json"
    variables.write_text(json.dumps(make_function_variables(stack, environment), indent=1))
    return [
        *(sys.executable, "-m", "lambda_local", "--port", str(stack.site_port)),
        *("--stage", LAMBDA_STAGE, "--xray-address", f"{LOOPBACK}:{stack.xray_port}"),
        *("--task-dir", function.task_dir, "--runtime-dir", function.runtime_dir),
        *("--python", function.python, "--python-version", function.version),
        *("--variables", variables),
        *(("--sampling",) if read_flag("XRAY_SAMPLING", default=False) else ()),
    ]


def main() -> int:
    """Run until stopped. Returns 0 if that was asked for, else 1."""
    stop_request = StopRequest(os.environ)
    try:
        stack = read_stack(os.environ, is_lambda=True)
        conflicts = find_conflicts(read_ports(os.environ, is_lambda=True), "lambda")
        if conflicts:
            raise Failed("\n".join(conflicts))
        python, version, warning = find_interpreter()
        if warning:
            say(warning)
        with hold(stack.local_dir, "lambda"):
            function = prepare_function(python, version)
            with function.hold():
                command = make_lambda_command(stack, os.environ, function)
                # Until here, signals end us at once: there is nothing to stop.
                stop_request.listen()
                return supervise(stack, stop_request, time.monotonic(), command)
    except (BadPort, BudgetExceeded, Failed, ImproperlyConfigured, NoRuntime) as error:
        say(str(error), sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
