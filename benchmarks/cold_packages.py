"""The packages whose cold starts are compared: ours, that of the tutorials, and a bare Django."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pairs import ROOT
from scripts import package
from scripts.lambda_package import READ_ONLY, UnpackedFunction

# As guides to Lambda have it: clients are made once, where the module begins, and any WSGI adapter
# is put around the application.
TUTORIAL = """\
import boto3
import requests
from apig_wsgi import make_lambda_handler

from movies_site.wsgi import application

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3")
lambda_handler = make_lambda_handler(application, binary_support=True)
"""
# The least that Django can be: no apps, no middleware, one view.
HELLO = """\
from apig_wsgi import make_lambda_handler
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path


def hello(request):
    return HttpResponse("hello")


urlpatterns = [path("healthz", hello)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="none is needed")
lambda_handler = make_lambda_handler(get_wsgi_application())
"""


@dataclass(frozen=True, slots=True)
class Package:
    """What is started: a read-only folder, and the handler in it."""

    task_dir: Path
    handler: str


def make_packages(folder: Path, function: UnpackedFunction) -> dict[str, Package]:
    """Make the packages in a folder, but ours, which is there; return all by name.

    pip install -t: our sources and all that requirements.txt says, as pip installs it. No
    bytecode: pip makes some, but it goes by dates, which the zip changes.
    tutorial: the same with TUTORIAL for an entry point.
    bare: Django and apig-wsgi, with bytecode that is valid.
    """
    plain, tutorial, bare = (folder / name for name in ("plain", "tutorial", "bare"))
    install(plain, function, "-r", ROOT / "requirements.txt")
    package.copy_sources(plain)
    shutil.copytree(function.task_dir / "staticfiles", plain / "staticfiles", dirs_exist_ok=True)
    shutil.copytree(plain, tutorial)
    (tutorial / "lambda_entry.py").write_text(TUTORIAL)
    install(bare, function, "-c", ROOT / "requirements.txt", "django", "apig-wsgi")
    (bare / "hello.py").write_text(HELLO)
    compile_all: list[str | Path] = [function.python, "-m", "compileall", "-q"]
    subprocess.run([*compile_all, "--invalidation-mode", "unchecked-hash", bare], check=True)
    for one in (plain, tutorial, bare):
        for path in [one, *one.rglob("*")]:
            path.chmod(path.stat().st_mode & ~READ_ONLY)
    return {
        "ours": Package(function.task_dir, "lambda_entry.lambda_handler"),
        "pip install -t": Package(plain, "lambda_entry.lambda_handler"),
        "tutorial": Package(tutorial, "lambda_entry.lambda_handler"),
        "bare": Package(bare, "hello.lambda_handler"),
    }


def install(folder: Path, function: UnpackedFunction, *what: str | Path) -> None:
    """Install packages into a folder for the function's Python, on this machine's processor."""
    command: list[str | Path] = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--target", folder, "--python", function.python, "--only-binary", ":all:"]
    subprocess.run([*command, "--link-mode", "copy", *what], check=True)
