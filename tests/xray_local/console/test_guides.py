"""Every piece of code that is shown to be copied runs, and its segment arrives."""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, find_free_port, stop, wait_for_http
from tests.xray_local.made import wait_until
from tests.xray_local.program import Program
from xray_local.console.guides import ADDRESS, LOOKING, SENDING, Guide, write_guide

GUIDES = {guide.name: guide for guide in SENDING}
needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / "aws-xray-sdk").exists(),
    reason="Node's tracers are not installed; install Node 20 or newer with npm, then run: npm ci",
)
SITE = """
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

INSTALLED_APPS, MIDDLEWARE = [], []
exec({code!r})
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="nothing-is-signed", LOGGING_CONFIG=None,
    INSTALLED_APPS=INSTALLED_APPS, MIDDLEWARE=MIDDLEWARE, XRAY_RECORDER=XRAY_RECORDER,
)
urlpatterns = [path("", lambda request: HttpResponse("Hello"))]
import django
django.setup()
from django.test import Client
assert Client().get("/").status_code == 200
"""


def get_code(guide: Guide, program: Program) -> str:
    return write_guide(guide, f"127.0.0.1:{program.port}").parts[-1].code


def run(*command: str, folder: Path) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=folder, timeout=60, env=make_env()
    ).stdout


def make_env(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"NODE_PATH": str(ROOT / "node_modules")} | more


def wait_for(client: Any, name: str) -> None:
    """Wait until a service of the name is in the graph of the last minutes."""

    def is_there() -> bool:
        now = time.time()
        services = client.get_service_graph(StartTime=now - 600, EndTime=now + 60)["Services"]
        return name in {service["Name"] for service in services}

    wait_until(is_there, 15)


def test_django(shared_xray: Program, client: Any, tmp_path: Path) -> None:
    code = SITE.format(code=get_code(GUIDES["django"], shared_xray))

    run(sys.executable, "-c", code, folder=tmp_path)

    wait_for(client, "my-django-site")


@pytest.mark.parametrize(
    ("name", "service"),
    [("python", "my-script"), ("opentelemetry-python", "my-otel-app")],
)
def test_python(shared_xray: Program, client: Any, tmp_path: Path, name: str, service: str) -> None:
    run(sys.executable, "-c", get_code(GUIDES[name], shared_xray), folder=tmp_path)

    wait_for(client, service)


@pytest.mark.parametrize("name", ["flask", "aiohttp"])
def test_python_of_what_is_not_installed(shared_xray: Program, name: str) -> None:
    """These frameworks are not among the requirements: what of the SDK is used is looked at."""
    tree = ast.parse(get_code(GUIDES[name], shared_xray))

    imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
    ours = [each for each in imports if (each.module or "").startswith("aws_xray_sdk.core")]
    for each in ours:
        module = __import__(str(each.module), fromlist=["x"])
        assert all(hasattr(module, alias.name) for alias in each.names)
    assert ours


@needs_node
def test_node(shared_xray: Program, client: Any, tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(get_code(GUIDES["node"], shared_xray))
    port = find_free_port()
    url = f"http://127.0.0.1:{port}/"
    with subprocess.Popen(
        ["node", "app.js"], cwd=tmp_path, env=make_env(PORT=str(port)), stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for_http(url, process)
            with urllib.request.urlopen(url, timeout=10) as response:
                assert response.read() == b"Hello"
            wait_for(client, "my-node-app")
        finally:
            stop(process)


@needs_node
def test_opentelemetry_for_node(shared_xray: Program, client: Any, tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(get_code(GUIDES["opentelemetry-node"], shared_xray))

    run("node", "app.js", folder=tmp_path)

    wait_for(client, "my-otel-node-app")


def test_environment(shared_xray: Program, client: Any, tmp_path: Path) -> None:
    exports = "".join(
        f"{part.code}\n"
        for part in write_guide(GUIDES["environment"], f"127.0.0.1:{shared_xray.port}").parts
    )
    program = (
        "from aws_xray_sdk.core import xray_recorder as recorder\n"
        "recorder.configure(sampling=False)\n"
        "recorder.begin_segment('by-environment'); recorder.end_segment()\n"
    )

    run("sh", "-c", f'{exports}exec "$0" -c "$1"', sys.executable, program, folder=tmp_path)

    wait_for(client, "by-environment")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in exports


def test_look_at_them(shared_xray: Program, client: Any, tmp_path: Path) -> None:
    run(sys.executable, "-c", get_code(GUIDES["python"], shared_xray), folder=tmp_path)
    wait_for(client, "my-script")

    printed = run(sys.executable, "-c", get_code(LOOKING, shared_xray), folder=tmp_path)

    assert printed.startswith("1-")


def test_the_command_of_the_aws_cli(shared_xray: Program) -> None:
    """The AWS CLI is no requirement: its words are those of botocore's model."""
    from botocore.session import get_session

    words = write_guide(LOOKING, "127.0.0.1:1").parts[0].code.split()

    assert words[:3] == ["aws", "xray", "get-trace-summaries"]
    model = get_session().get_service_model("xray").operation_model("GetTraceSummaries")
    options = {word for word in words if word.startswith("--")}
    members = {
        "--" + "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
        for name in json.loads(json.dumps(list(model.input_shape.members)))
    }
    assert options - {"--endpoint-url", "--region", "--no-sign-request"} <= members


def test_the_address_stands_in_all_of_them() -> None:
    for guide in (*SENDING, LOOKING):
        written = write_guide(guide, "127.0.0.1:4711")
        assert any("127.0.0.1:4711" in part.code for part in written.parts), guide.name
        assert not any(ADDRESS in part.code for part in written.parts), guide.name
