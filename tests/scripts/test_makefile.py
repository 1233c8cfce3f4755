"""The Makefile: the list it prints, and what it does with each Python that it may find."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT


def make(*arguments: str) -> str:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    ).stdout


def test_help_is_the_default_and_lists_every_target() -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    listed = make()

    assert sorted(re.findall(r"^  make (\S+) +\S", listed, re.MULTILINE)) == sorted(targets)
    assert listed == make("help")
    assert all(len(line) <= 100 for line in listed.splitlines())


def test_install_is_a_prerequisite_of_what_needs_it() -> None:
    """From nothing, the others install first: the plan of each begins with an environment."""
    for target in ("run", "traffic", "lint", "types", "test", "format", "lock", "screenshot"):
        plan = make("--dry-run", "VENV=nowhere", "AWS_VENV=nowhere-aws", target)
        assert plan.index("make_venv.sh") < plan.index("-r requirements.txt"), target


def test_run_needs_no_developers_tools() -> None:
    plan = make("--dry-run", "VENV=nowhere", "AWS_VENV=nowhere-aws", "run")

    assert "requirements-aws.txt" in plan
    assert "requirements-dev.txt" not in plan


def make_python(folder: Path, name: str, version: str, *, has_venv: bool = True) -> None:
    """Put a program into the folder that answers like a Python of that version."""
    major, minor, _ = version.split(".")
    is_old = int((int(major), int(minor)) < (3, 11))
    (folder / name).write_text(
        f"""#!/bin/sh
case "$*" in
  *python_version*) echo {version} ;;
  *version_info*) exit {is_old} ;;
  *ensurepip*) exit {int(not has_venv)} ;;
  *) echo "{name} made it: $*" ;;
esac
"""
    )
    (folder / name).chmod(0o755)


def make_venv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "make_venv.sh", "somewhere", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(folder)},
    )


def test_make_venv_takes_the_first_that_is_new_enough(tmp_path: Path) -> None:
    make_python(tmp_path, "python3", "3.9.2")
    make_python(tmp_path, "python3.12", "3.12.4")
    make_python(tmp_path, "python3.11", "3.11.7")

    made = make_venv(tmp_path)

    assert made.returncode == 0
    assert "python3.12 made it: -m venv --clear somewhere" in made.stdout


def test_make_venv_takes_what_is_asked_for(tmp_path: Path) -> None:
    make_python(tmp_path, "python3", "3.11.7")
    make_python(tmp_path, "python3.13", "3.13.0")

    assert "python3.13 made it" in make_venv(tmp_path, "python3.13").stdout


@pytest.mark.parametrize("asked", [[], ["python3"]])
def test_make_venv_too_old(tmp_path: Path, asked: list[str]) -> None:
    make_python(tmp_path, "python3", "3.9.2")

    made = make_venv(tmp_path, *asked)

    assert made.returncode == 1
    [sentence] = made.stderr.splitlines()
    assert sentence.startswith("Movies needs Python 3.11 or newer; tried python3 (3.9.2)")


def test_make_venv_no_python(tmp_path: Path) -> None:
    made = make_venv(tmp_path)

    assert made.returncode == 1
    assert "tried python3 (not found), python3.13 (not found)" in made.stderr


def test_make_venv_without_ensurepip(tmp_path: Path) -> None:
    """Debian's python3 has no venv until python3-venv is installed."""
    make_python(tmp_path, "python3", "3.11.2", has_venv=False)

    made = make_venv(tmp_path)

    assert made.returncode == 1
    assert made.stderr == (
        "python3 (3.11.2) cannot make virtual environments: apt install python3-venv\n"
    )


def test_make_venv_for_real(tmp_path: Path) -> None:
    import sys

    folder = tmp_path / "venv"
    subprocess.run(
        ["sh", ROOT / "scripts" / "make_venv.sh", folder, sys.executable],
        check=True,
        capture_output=True,
    )

    subprocess.run([folder / "bin" / "python", "-m", "pip", "--version"], check=True)
