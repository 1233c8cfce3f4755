import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

UNCHECKED_HASH = 0b01


@pytest.fixture
def folder(tmp_path):
    for name in ("ours/views.py", "theirs/__init__.py", "theirs/deep/calls.py", "entry.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def fail():\n    '''Fail.'''\n    raise ValueError({name!r})\n")
    return tmp_path


def compile_folder(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "package_compile.py", folder, "ours", "entry.py"],
        capture_output=True,
        text=True,
    )


def test_keeps_our_sources_and_no_others(folder):
    assert compile_folder(folder).returncode == 0

    tag = sys.implementation.cache_tag
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.py*")} == {
        "entry.py",
        f"__pycache__/entry.{tag}.pyc",
        "ours/views.py",
        f"ours/__pycache__/views.{tag}.pyc",
        "theirs/__init__.pyc",
        "theirs/deep/calls.pyc",
    }
    for path in folder.rglob("*.pyc"):
        assert int.from_bytes(path.read_bytes()[4:8], "little") == UNCHECKED_HASH


def test_tracebacks_name_the_places_on_lambda(folder):
    """And our lines: those of others are not there to be shown."""
    compile_folder(folder)
    code = "from {} import fail; print(fail.__doc__); fail()"

    theirs, ours = (
        subprocess.run(
            [sys.executable, "-c", code.format(module)], cwd=folder, capture_output=True, text=True
        )
        for module in ("theirs.deep.calls", "ours.views")
    )

    assert (theirs.stdout, ours.stdout) == ("Fail.\n", "Fail.\n")
    assert 'File "/var/task/theirs/deep/calls.py", line 3, in fail\n' in theirs.stderr
    assert "    raise ValueError('ours/views.py')\n" in ours.stderr


def test_a_source_that_does_not_compile_fails_the_build(folder):
    (folder / "theirs" / "broken.py").write_text("def")

    done = compile_folder(folder)

    assert done.returncode != 0
    assert "/var/task/theirs/broken.py" in done.stderr
