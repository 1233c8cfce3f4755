"""One program at a time writes to a database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT
from xray_local.errors import DatabaseUnusable
from xray_local.store.lock import hold

PROGRAM = """
import sys, pathlib
from xray_local.store.lock import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_after_the_other(tmp_path: Path) -> None:
    for _ in range(2):
        with hold(tmp_path / "new" / "xray.sqlite3"):
            pass


def test_while_another_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "xray.sqlite3"
    other = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, path],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdin
    assert other.stdout
    with other, other.stdin:
        assert other.stdout.readline() == b"held\n"

        with pytest.raises(DatabaseUnusable) as raised, hold(path):
            pass

        assert str(raised.value) == (
            f"Cannot use the database '{path}': another X-Ray writes to it, process {other.pid}. "
            "Stop that one, or name another file with --database."
        )
        # However it ends.
        other.kill()
        other.wait()

    with hold(path):
        pass


def test_no_room_on_the_disk(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{limit}\n{PROGRAM}", tmp_path / "xray.sqlite3"],
        # Coverage could not write its file either.
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "DatabaseUnusable: Cannot use the database" in ran.stderr
    assert "File too large. Expected a file in a folder" in ran.stderr


def test_another_database(tmp_path: Path) -> None:
    with hold(tmp_path / "a.sqlite3"), hold(tmp_path / "b.sqlite3"):
        pass


@pytest.mark.parametrize("folder", ["/proc/here", "/dev/null/here"])
def test_folder_that_cannot_be_written(folder: str) -> None:
    with (
        pytest.raises(DatabaseUnusable, match=r"^Cannot use the database '.*': .*\. Expected a f"),
        hold(Path(folder, "xray.sqlite3")),
    ):
        pass
