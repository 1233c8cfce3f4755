import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from packaged_bytecode import split
from scripts.package_compile import BYTECODE
from tests.processes import ROOT

UNCHECKED_HASH = 0b01


NAMES = (
    "ours/views.py",
    "ours/management/commands/seed.py",
    "theirs/__init__.py",
    "theirs/deep/calls.py",
    "theirs/migrations/0001_initial.py",
    "lambda_entry.py",
)


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def fail():\n    '''Fail.'''\n    raise ValueError({name!r})\n")
    return tmp_path


def compile_folder(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts/package_compile.py", folder, "ours", "lambda_entry.py"],
        capture_output=True,
        text=True,
    )


def test_keeps_our_sources_and_no_others(folder):
    assert compile_folder(folder).returncode == 0

    tag = sys.implementation.cache_tag
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.py*")} == {
        "lambda_entry.py",
        f"__pycache__/lambda_entry.{tag}.pyc",
        "ours/views.py",
        "ours/management/commands/seed.py",
        f"ours/management/commands/__pycache__/seed.{tag}.pyc",
        "theirs/migrations/0001_initial.pyc",
    }
    for path in folder.rglob("*.pyc"):
        assert int.from_bytes(path.read_bytes()[4:8], "little") == UNCHECKED_HASH


def test_one_file_has_the_bytecode_of_all_that_is_not_listed(folder):
    compile_folder(folder)

    index, code = split(memoryview((folder / BYTECODE).read_bytes()))

    assert {name: (file, is_package) for name, (_, _, file, is_package) in index.items()} == {
        "ours.views": ("ours/views.py", False),
        "theirs": ("theirs/__init__.py", True),
        "theirs.deep.calls": ("theirs/deep/calls.py", False),
    }
    assert sum(length for _, length, _, _ in index.values()) == len(code)


def test_tracebacks_name_the_places_on_lambda(folder):
    """And our lines: those of others are not there to be shown."""
    shutil.copy(ROOT / "packaged_bytecode.py", folder)
    compile_folder(folder)
    code = (
        "import packaged_bytecode, traceback\n"
        "from {} import fail\n"
        "print(fail.__doc__)\n"
        "try: fail()\n"
        "except ValueError: traceback.print_exc()\n"
    )

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
