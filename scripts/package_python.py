"""Find the Python of the function's version, which alone can compile its bytecode."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Bytecode differs between minor versions, between implementations, and until the final release.
PROBE = """
import sys
name = sys.implementation.name if sys.version_info.releaselevel == "final" else "unfinished"
print(name, "%d.%d" % sys.version_info[:2])
"""


class PythonNotFound(Exception):
    """No Python of the wanted version is on this machine."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The function's bytecode can only be made by Python {version}, and none was found on "
            f"PATH, in pyenv or in uv. Install one: .venv/bin/uv python install {version} (or: "
            f"pyenv install {version}); or name one: --python /path/to/python{version}"
        )


def find_python(version: str) -> Path:
    """Return a CPython of the version ("3.13"): this one, or of PATH, pyenv or uv.

    Raises PythonNotFound.
    """
    for path in _list_candidates(version):
        if is_python(path, version):
            return path
    raise PythonNotFound(version)


def is_python(path: Path, version: str) -> bool:
    """Tell whether it runs and is a released CPython of the version; pyenv's shims may not run."""
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", PROBE], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.split() == ["cpython", version]


def _list_candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    name = f"python{version}"
    folders = [Path(folder) for folder in os.get_exec_path()]
    for folder in folders:
        if found := shutil.which(name, path=str(folder)):
            yield Path(found)
    # pyenv keeps its shims beside the versions that they choose from.
    roots = [Path(os.getenv("PYENV_ROOT") or Path.home() / ".pyenv")]
    roots += [folder.parent for folder in folders if folder.name == "shims"]
    for root in dict.fromkeys(roots):
        yield from sorted(root.glob(f"versions/{version}.*/bin/{name}"), reverse=True)
    uv = [sys.executable, "-m", "uv", "python", "find", "--managed-python"]
    done = subprocess.run(
        [*uv, "--no-python-downloads", version], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        yield Path(done.stdout.strip())
