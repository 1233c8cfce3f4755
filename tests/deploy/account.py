"""An AWS account on loopback: the embedded AWS, the local X-Ray, and a checkout to deploy from."""

import http.client
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from scripts import package
from scripts.package_python import find_python
from tests.movies.remotes import answering, serving
from tests.processes import ROOT, find_free_port, stop, wait_for_http
from tests.xray_local.program import Program, run_xray

REGION = "us-east-1"
DOMAIN = f"execute-api.{REGION}.amazonaws.com"
# What deploying reads, besides what ships; the rest of it is made by npm and pip.
READ = ("scripts", "lambda_local", "serverless.yml", "Makefile", "package.json")
LINKED = (".venv", "node_modules")


@dataclass(frozen=True)
class Account:
    """Where everything is that a deployment needs."""

    url: str
    xray: Program
    checkout: Path
    log: Path

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment of whoever deploys. AWS itself cannot be reached from it."""
        inherited = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("AWS_", "COV", "DJANGO_")) and name != "DATABASE_URL"
        }
        return inherited | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_SECRET_ACCESS_KEY": "test",
            # osls looks whether the stack is there every 5 s, unless told otherwise.
            "SLS_AWS_MONITORING_FREQUENCY": "200",
        }

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout; what it writes to both of its outputs is `stdout`."""
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            # A bound for what hangs: on a busy machine, the commands of the AWS CLI take minutes.
            timeout=900,
        )

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # What is installed here is what these tests run with: it counts as up to date.
        old = (".venv/dev.stamp", "node_modules/.package-lock.json")
        flags = [flag for path in old for flag in ("--old-file", path)]
        return self.run("make", "--no-print-directory", *flags, *arguments)

    def serverless(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.checkout / "node_modules" / ".bin" / "serverless", *arguments)

    def client(self, service: str) -> Any:
        """Return boto3's client, of somebody who may do everything."""
        return boto3.client(
            service,
            endpoint_url=self.xray.url if service == "xray" else self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def get(self, api_id: str, path: str) -> tuple[int, http.client.HTTPMessage, str]:
        """Return status, headers and body of a GET on an API's own host."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path, headers={"Host": f"{api_id}.{DOMAIN}"})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()


def make_checkout(folder: Path) -> Path:
    """Copy what deploying reads, so that nobody edits it meanwhile, nor makes the same zip."""
    folder.mkdir()
    package.copy_sources(folder)
    for path in [ROOT / name for name in READ] + sorted(ROOT.glob("requirements*.txt")):
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, folder)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    shutil.copy2(ROOT / "package-lock.json", folder)
    shutil.copytree(ROOT / "tests" / "events", folder / "tests" / "events")
    return folder


@contextmanager
def run_account(folder: Path) -> Iterator[Account]:
    """Run all of it until the end of the block. tests/deploy/embedded_aws.py says what is mended.

    The function gets the environment of the embedded AWS, which is how it finds X-Ray and, for the
    pages that call one, a remote server.
    """
    checkout = make_checkout(folder / "checkout")
    [site_packages] = (ROOT / ".venv-aws" / "lib").glob("python*/site-packages")
    remote_answer = "HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok"
    log = folder / "aws.log"
    port = find_free_port()
    with run_xray(folder) as xray, serving(answering(remote_answer)) as remote:
        environment = {
            "AUTH": "true",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{xray.port}",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            # An API's host is its own name in this.
            "MINISTACK_HOST": DOMAIN.removeprefix("execute-api."),
            "PATH": os.environ["PATH"],
            "REMOTE_URL": remote,
            "REMOTE_URL_SECOND": remote,
            "S3_DATA_DIR": str(folder / "s3"),
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(folder / "state"),
            "TMPDIR": str(folder),
        }
        program = Path(__file__).with_name("embedded_aws.py")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [find_python(package.PYTHON_VERSION), "-S", program, site_packages],
                env=environment,
                stdout=output,
                stderr=output,
            )
            try:
                url = f"http://127.0.0.1:{port}"
                wait_for_http(url, process)
                yield Account(url, xray, checkout, log)
            finally:
                stop(process)
