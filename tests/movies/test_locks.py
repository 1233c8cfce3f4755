"""Other writers of SQLite don't wait long for an AWS that hangs: in a file, as on a laptop."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("locks.py")


@pytest.mark.parametrize("act", ["vote", "move", "delete"])
def test_wait_of_another_writer(aws: str, settings: Any, tmp_path: Path, act: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", PROGRAM, act],
        env=os.environ
        | {
            "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
            "LOCAL_DIR": str(tmp_path),
            "MOVIES_TABLE": settings.MOVIES_TABLE,
            "MOVIES_TERMS_TABLE": settings.MOVIES_TERMS_TABLE,
            "AWS_ENDPOINT_URL": aws,
        },
        cwd=PROGRAM.parents[2],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    waited_seconds, raised = done.stdout.split()
    assert float(waited_seconds) < 3
    # What hung did so until AWS was given up.
    assert raised in ("AWSUnreachable", "VoteUncertain")
