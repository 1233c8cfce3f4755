"""CI's rule that nothing is skipped: what breaks it, and what does not."""

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT


def run_pytest(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(f"import pytest\n{code}\n")
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-p", "scripts.no_skips", "--rootdir", folder, *arguments, folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        # Neither the plugins nor the options of the run that this test is part of.
        env={"PATH": os.environ["PATH"], "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


def test_nothing_skipped(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, "def test_a(): pass")

    assert ran.returncode == 0, ran.stdout
    assert "Nothing may be skipped" not in ran.stdout


def test_a_test_skipped(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, "def test_a(): pass\ndef test_b(): pytest.skip('no server')")

    assert ran.returncode == 1
    assert "Nothing may be skipped here, and 1 were: test_it.py::test_b" in ran.stdout
    assert ran.stdout.splitlines()[-1].strip("= ").startswith("1 passed, 1 skipped")


def test_a_module_skipped(tmp_path: Path) -> None:
    code = "pytest.skip('no server', allow_module_level=True)"
    (tmp_path / "test_other.py").write_text("def test_c(): pass")
    ran = run_pytest(tmp_path, code)

    assert ran.returncode == 1
    assert "1 were: test_it.py" in ran.stdout


def test_skipped_in_another_process(tmp_path: Path) -> None:
    ran = run_pytest(
        tmp_path,
        "def test_a(): pass\ndef test_b(): pytest.skip('no server')",
        *("-p", "xdist", "-n", "1"),
    )

    assert ran.returncode == 1
    assert "1 were: test_it.py::test_b" in ran.stdout


def test_expected_failure_is_no_skip(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, "@pytest.mark.xfail\ndef test_a(): assert False")

    assert ran.returncode == 0, ran.stdout


def test_failure_stays_a_failure(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, "def test_a(): assert False")

    assert ran.returncode == 1
