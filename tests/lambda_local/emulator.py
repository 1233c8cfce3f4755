"""AWS's own Runtime Interface Emulator, from the wheel of aws-sam-cli: 8 MB, fetched once.

It lies in that package of PyPI and nowhere else, as a program for Linux. The wheel is downloaded by
its hash and not installed; the program is kept in build/emulator/, which git ignores.
"""

import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lambda_local.running import FUNCTIONS
from tests.processes import ROOT, find_free_port, stop

VERSION = "1.170.0"
SHA256 = "24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf"
MACHINE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
PROGRAM = ROOT / "build" / "emulator" / VERSION / f"aws-lambda-rie-{MACHINE}"


def fetch_emulator() -> Path:
    """Return the program, downloaded if it is not there yet."""
    if PROGRAM.exists():
        return PROGRAM
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=PROGRAM.parent) as folder:
        requirement = Path(folder) / "requirements.txt"
        requirement.write_text(f"aws-sam-cli=={VERSION} --hash=sha256:{SHA256}\n")
        command: list[str | Path] = [sys.executable, "-m", "pip", "download", "--quiet"]
        command += ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
        command += ["--require-hashes", "--dest", folder, "-r", requirement]
        subprocess.run(command, check=True)
        [wheel] = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(f"samcli/local/rapid/{PROGRAM.name}", folder)
        program = Path(folder) / "samcli" / "local" / "rapid" / PROGRAM.name
        program.chmod(0o755)
        program.rename(PROGRAM)
    return PROGRAM


def ask_emulator(handler: str, event: bytes, log_path: Path, timeout_seconds: int = 10) -> bytes:
    """Return what the emulator answers to an event."""
    port, api_port = find_free_port(), find_free_port()
    command: list[str | Path] = [fetch_emulator()]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{api_port}"]
    command += [sys.executable, "-m", "awslambdaric", handler]
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
    }
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=FUNCTIONS, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            return ask(f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", event)
        finally:
            stop(process)


def ask(url: str, event: bytes) -> bytes:
    """Return the body of the answer; the emulator takes a moment until it listens."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, event, timeout=60) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            return error.read()
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
