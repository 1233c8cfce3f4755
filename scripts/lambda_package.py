"""The package for `make lambda`: made as for AWS, but for this machine, and unpacked.

It lies in build/lambda/, in a folder named by what went into it, with the runtime client beside it:
a second run finds it there. The Python is the function's (package.PYTHON_VERSION); where there is
none, the one that runs this command takes its place, and that is said.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts import package
from scripts.package_python import PythonNotFound, find_python
from scripts.stack import ROOT

BUILD_DIR = ROOT / "build" / "lambda"
ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "AMD64": "x86_64"}
READ_ONLY = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class NoRuntime(Exception):
    """The function cannot run on this machine."""


@dataclass(frozen=True, slots=True)
class UnpackedFunction:
    """What lambda_local runs. task_dir: read-only, as /var/task; version: of its Python."""

    folder: Path
    python: Path
    version: str

    @property
    def task_dir(self) -> Path:
        """The package, as in /var/task."""
        return self.folder / "task"

    @property
    def runtime_dir(self) -> Path:
        """The runtime client, as in /var/runtime."""
        return self.folder / "runtime"

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the folder from being removed by a run that has a newer one."""
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield


def find_interpreter() -> tuple[Path, str, str]:
    """Return the Python that runs the function, its version, and what is to be said of it."""
    wanted = package.PYTHON_VERSION
    try:
        return find_python(wanted), wanted, ""
    except PythonNotFound:
        version = "{}.{}".format(*sys.version_info)
        return (
            Path(sys.executable),
            version,
            f"Python {wanted}, the function's, was not found: it runs with Python {version}. For "
            f"the same as on AWS: .venv/bin/uv python install {wanted}",
        )


def prepare_function(python: Path, version: str) -> UnpackedFunction:
    """Return the package for a Python, made if need be. Raises NoRuntime."""
    architecture = ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or architecture is None or not shutil.which("setpriv"):
        raise NoRuntime(
            "make lambda needs Linux on x86_64 or arm64, with setpriv (util-linux): AWS's runtime "
            f"client exists for no other. This is {sys.platform} on {platform.machine()}. "
            "`make run` needs neither."
        )
    folder = BUILD_DIR / digest_inputs(version, architecture)
    function = UnpackedFunction(folder, python, version)
    if not folder.exists():
        new = BUILD_DIR / f".{os.getpid()}"
        remove(new)
        new.mkdir(parents=True)
        build(new, python, version, architecture)
        # Another run may have been quicker.
        with contextlib.suppress(OSError):
            new.rename(folder)
        remove(new)
        remove_others(folder)
    return function


def digest_inputs(version: str, architecture: str) -> str:
    """Return a name for all that the package is made of."""
    digest = hashlib.sha256(f"{version} {architecture}".encode())
    files = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt", Path(__file__)]
    files += sorted((ROOT / "scripts").glob("package*.py"))
    for name in package.SHIPPED:
        files += sorted((ROOT / name).rglob("*")) if (ROOT / name).is_dir() else [ROOT / name]
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def build(folder: Path, python: Path, version: str, architecture: str) -> None:
    """Make the zip, unpack it read-only, and install the runtime client beside it."""
    artifact = folder / "movies.zip"
    arguments = ["--architecture", architecture, "--python-version", version]
    arguments += ["--python", str(python), "--folder", str(folder / "function")]
    arguments += ["--artifact", str(artifact)]
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        package.build(package.read_options(arguments))
    shutil.rmtree(folder / "function")
    with zipfile.ZipFile(artifact) as archive:
        archive.extractall(folder / "task")
    command: list[str | Path] = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--target", folder / "runtime", "--python-version", version]
    command += ["--only-binary", ":all:", "--python-platform", package.PLATFORMS[architecture]]
    command += ["-c", ROOT / "requirements-dev.txt", "awslambdaric"]
    subprocess.run(command, cwd=ROOT, check=True)
    for path in [folder / "task", *(folder / "task").rglob("*")]:
        path.chmod(path.stat().st_mode & ~READ_ONLY)


def remove_others(folder: Path) -> None:
    """Remove the packages of earlier sources that nobody runs."""
    for other in BUILD_DIR.glob("[0-9a-f]*"):
        if other != folder and other.is_dir():
            with (other / "lock").open("a") as lock, contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(other)


def remove(folder: Path) -> None:
    """Remove a folder, though parts of it are read-only."""
    if folder.exists():
        for path in [folder, *folder.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(folder)
