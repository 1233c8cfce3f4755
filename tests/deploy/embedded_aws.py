"""The embedded AWS with what it lacks for a deployment: python -S embedded_aws.py SITE_PACKAGES

A program for the function's Python, not imported by tests. SITE_PACKAGES: where ministack is
installed. What differs from AWS, and is mended here:

- ministack runs functions by its own interpreter, which in .venv-aws may be of another version than
  the function's, and with all that is installed for it. So it is started by the function's Python,
  finds itself by SITE_PACKAGES, and functions find nothing but themselves.
- It has no X-Ray, and refuses a template with resources of its. Both types are made in the local
  X-Ray, at AWS_XRAY_DAEMON_ADDRESS, by X-Ray's own API.
- It imports botocore in the function's process, ahead of the function. No runtime of AWS does, and
  the package's finder must come first.
- Its event of a REST API has a `version`, as those of HTTP APIs do, and no `domainName`.
- It speaks HTTP here, and the bucket's policy refuses what came without TLS, as the site redirects
  it. So each request counts as one that came by TLS.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

sys.path.append(sys.argv.pop())

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

XRAY_URL = f"http://{os.environ['AWS_XRAY_DAEMON_ADDRESS']}"


def call_xray(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{XRAY_URL}/{operation}", json.dumps(parameters).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def create_group(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, Any]:
    group = call_xray("CreateGroup", properties)["Group"]
    return properties["GroupName"], {"GroupARN": group["GroupARN"]}


def delete_group(name: str, properties: dict[str, Any]) -> None:
    call_xray("DeleteGroup", {"GroupName": name})


def create_rule(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, Any]:
    rule = call_xray("CreateSamplingRule", properties)["SamplingRuleRecord"]["SamplingRule"]
    return rule["RuleName"], {"RuleARN": rule["RuleARN"]}


def delete_rule(name: str, properties: dict[str, Any]) -> None:
    call_xray("DeleteSamplingRule", {"RuleName": name})


provisioners._RESOURCE_HANDLERS |= {
    "AWS::XRay::Group": {"create": create_group, "delete": delete_group},
    "AWS::XRay::SamplingRule": {"create": create_rule, "delete": delete_rule},
}


runtime = Path(os.environ["TMPDIR"], "python")
runtime.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
runtime.chmod(0o755)
program = lambda_runtime._PYTHON_WORKER_SCRIPT.replace("    _ms_install_invoke_depth()\n", "")
lambda_runtime._detect_runtime_binary = lambda version: (str(runtime), program)
make_event = apigateway_v1._build_lambda_event_v1


def make_rest_event(*arguments: Any, **others: Any) -> dict[str, Any]:
    event = make_event(*arguments, **others)
    del event["version"]
    event["requestContext"]["domainName"] = event["headers"]["host"]
    return event


apigateway_v1._build_lambda_event_v1 = make_rest_event
serve = app.app


async def serve_behind_tls(scope: Any, receive: Any, send: Any) -> None:
    await serve(scope | {"scheme": "https"}, receive, send)


app.app = serve_behind_tls
app.main()
