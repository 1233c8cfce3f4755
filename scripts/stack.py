"""What `make run` and `make lambda` run: commands, environments, how to ask if each is ready."""

import http.client
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.ports import LOOPBACK, read_ports

ROOT = Path(__file__).resolve().parent.parent
AWS_COMMAND: tuple[str | Path, ...] = (ROOT / ".venv-aws" / "bin" / "python", "-m", "ministack")

# How runserver talks with whoever starts it again when a file has changed, as its own reloader
# does: django.utils.autoreload.restart_with_reloader (5.2).
RELOAD_VARIABLE = "RUN_MAIN"
RELOAD_STATUS = 3

LAMBDA_STAGE = "dev"

# What would lead away from the embedded AWS; credentials of one's own have no business there.
FOREIGN_VARIABLES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class Stack:
    """The addresses of one run, and the folder of what it leaves behind."""

    site_port: int
    xray_port: int
    aws_port: int
    otlp_port: int
    local_dir: Path
    # Whether the site runs as a Lambda function, behind an API's stage.
    is_lambda: bool = False

    @property
    def site_url(self) -> str:
        return f"http://{LOOPBACK}:{self.site_port}"

    @property
    def site_root(self) -> str:
        """The path that all of the site's begin with."""
        return f"/{LAMBDA_STAGE}/" if self.is_lambda else "/"

    @property
    def xray_url(self) -> str:
        return f"http://{LOOPBACK}:{self.xray_port}"

    @property
    def aws_url(self) -> str:
        return f"http://{LOOPBACK}:{self.aws_port}"


def read_stack(environment: Mapping[str, str], *, is_lambda: bool = False) -> Stack:
    """Return the stack that the environment describes. Raises BadPort as read_ports does.

    LOCAL_DIR (.local) is the folder for databases, state and logs.
    """
    site, xray, aws, otlp = read_ports(environment, is_lambda=is_lambda)
    local_dir = ROOT / (environment.get("LOCAL_DIR") or ".local")
    return Stack(site.number, xray.number, aws.number, otlp.number, local_dir, is_lambda)


def make_environment(stack: Stack, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the Django processes: they find the others by it."""
    inherited = {name: text for name, text in environment.items() if name not in FOREIGN_VARIABLES}
    return inherited | {
        # The embedded AWS takes presigned URLs with this key id only.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_ENDPOINT_URL": stack.aws_url,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_XRAY_DAEMON_ADDRESS": f"{LOOPBACK}:{stack.xray_port}",
        "DJANGO_SETTINGS_MODULE": "movies_site.settings_local",
        "LOCAL_DIR": str(stack.local_dir),
        "PYTHONUNBUFFERED": "1",
        "XRAY_CONSOLE_URL": stack.xray_url,
    }


def make_aws_environment(stack: Stack, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the embedded AWS: on loopback, its state kept in our folder."""
    folder = stack.local_dir / "aws"
    return make_environment(stack, environment) | {
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(stack.aws_port),
        # It would open one more port for each of these.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # A line for each request would fill the disk; its errors are warnings and more.
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "S3_PERSIST": "1",
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder),
    }


def make_site_environment(stack: Stack, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the site, which we start again when a file has changed.

    runserver would do it by itself, with a second process that doubles the time to start.
    """
    return make_environment(stack, environment) | {
        RELOAD_VARIABLE: "true",
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
    }


def make_site_command(stack: Stack) -> list[str | Path]:
    """Return the command of the development server, which reloads when a file changes."""
    colour = ["--force-color"] if sys.stdout.isatty() and "NO_COLOR" not in os.environ else []
    address = f"{LOOPBACK}:{stack.site_port}"
    return [sys.executable, ROOT / "manage.py", "runserver", address, *colour]


def make_xray_command(stack: Stack) -> list[str | Path]:
    """Return the command of the local X-Ray: manage.py xray_local, without the way through it."""
    return [
        *(sys.executable, "-m", "xray_local"),
        *("--address", f"{LOOPBACK}:{stack.xray_port}"),
        *("--otlp-address", f"{LOOPBACK}:{stack.otlp_port}"),
        *("--database", stack.local_dir / "xray.sqlite3"),
    ]


def answers(url: str, path: str, timeout_seconds: float = 2.0) -> bool:
    """Say whether GET on the path gets an answer that is no server's error."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout_seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
