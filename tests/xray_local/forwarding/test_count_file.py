"""Counts that another process reads."""

import os
import subprocess
import sys
from pathlib import Path

from xray_local.forwarding.count_file import CountFile

NAMES = ("first", "second")


def test_counts_begin_at_zero() -> None:
    assert CountFile.create(NAMES).read() == {"first": 0, "second": 0}


def test_another_process_adds() -> None:
    counts = CountFile.create(NAMES)
    counts.add("first", 2)
    program = (
        "import sys; from xray_local.forwarding.count_file import CountFile; "
        f"CountFile(int(sys.argv[1]), {NAMES!r}).add('second', 2**40)"
    )

    subprocess.run(
        [sys.executable, "-c", program, str(counts.descriptor)],
        check=True,
        pass_fds=[counts.descriptor],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )

    assert counts.read() == {"first": 2, "second": 2**40}
