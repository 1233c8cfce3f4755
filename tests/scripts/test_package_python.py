import sys
from pathlib import Path

import pytest

from scripts import package_python
from scripts.package_python import PythonNotFound, find_python, is_python

THIS = "{}.{}".format(*sys.version_info)
# No release of Python has it, so that no machine has it.
VERSION = "3.99"


@pytest.fixture(autouse=True)
def nothing_here(tmp_path, monkeypatch):
    """A machine without pyenv, and with nothing on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PYENV_ROOT", raising=False)


def make_python(path: Path, says: str = f"cpython {VERSION}") -> Path:
    """Make a program that answers like a Python of that version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)
    return path


def test_find_python_this_one():
    assert find_python(THIS) == Path(sys.executable)


def test_find_python_on_path(tmp_path):
    wanted = make_python(tmp_path / "bin" / f"python{VERSION}")

    assert find_python(VERSION) == wanted


def test_find_python_passes_over_a_shim_that_does_not_run(tmp_path, monkeypatch):
    """pyenv's shims stand on PATH for versions that are installed but not chosen."""
    root = tmp_path / "pyenv"
    shim = make_python(root / "shims" / f"python{VERSION}")
    shim.write_text("#!/bin/sh\nexit 127\n")
    monkeypatch.setenv("PATH", str(root / "shims"))
    wanted = make_python(root / "versions" / f"{VERSION}.1" / "bin" / f"python{VERSION}")

    assert find_python(VERSION) == wanted


@pytest.mark.parametrize("place", ["home/.pyenv", "elsewhere"])
def test_find_python_in_pyenv(tmp_path, monkeypatch, place):
    if place == "elsewhere":
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path / place))
    wanted = make_python(
        tmp_path / place / "versions" / f"{VERSION}.0" / "bin" / f"python{VERSION}"
    )

    assert find_python(VERSION) == wanted


def test_find_python_of_uv(tmp_path, monkeypatch):
    """uv names it; here a program in uv's place does."""
    wanted = make_python(tmp_path / "uv" / "python")
    monkeypatch.setattr(sys, "executable", str(make_python(tmp_path / "uv.sh", str(wanted))))

    assert find_python(VERSION) == wanted


def test_find_python_nowhere():
    with pytest.raises(
        PythonNotFound, match=r"PATH, in pyenv or in uv\. .*uv python install 3\.99"
    ):
        find_python(VERSION)


@pytest.mark.parametrize(
    "says", ["cpython 3.98", f"pypy {VERSION}", f"unfinished {VERSION}", "", "cpython"]
)
def test_is_python_refuses(tmp_path, says):
    assert not is_python(make_python(tmp_path / "python", says), VERSION)


def test_is_python_that_is_no_program(tmp_path):
    assert not is_python(tmp_path / "none", VERSION)
    assert not is_python(tmp_path, VERSION)


def test_probe_tells_a_released_cpython():
    assert is_python(Path(sys.executable), THIS)
    assert "releaselevel" in package_python.PROBE
