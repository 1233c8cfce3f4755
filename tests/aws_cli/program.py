"""The AWS CLI, imported once for all commands of a file of tests."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.aws_cli import command
from tests.processes import stop

HERE = Path(__file__).parent


@dataclass(frozen=True)
class AwsCli:
    """The process that those of the commands are forked from, at the other end of a socket."""

    socket: Path

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run one command, its output by way of files in a folder."""
        out, err = folder / "aws.out", folder / "aws.err"
        with open(os.devnull) as nothing, out.open("wb") as stdout, err.open("wb") as stderr:
            files = {0: nothing.fileno(), 1: stdout.fileno(), 2: stderr.fileno()}
            code = command.run(str(self.socket), arguments, environment, files, 60)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


@contextmanager
def run_aws_cli(folder: Path, environment: Mapping[str, str]) -> Iterator[AwsCli]:
    """Run it until the end of the block.

    environment: that of the commands, of which AWS_DATA_PATH is read beforehand.
    """
    path = folder / "aws.sock"
    program = shutil.which("aws")
    assert program, "Install the AWS CLI: pip install awscli."
    log = folder / "aws-cli.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program],
            env={
                **environment,
                "PYTHONPATH": str(HERE / "forking"),
                "TEST_AWS_CLI": str(path),
            },
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while not path.exists():
            assert process.poll() is None, (
                f"{program} isn't a program in Python that reads PYTHONPATH; install the AWS CLI "
                f"by pip or your system's packages: {log.read_text()}"
            )
            assert time.monotonic() < deadline, f"{program} did not begin: {log.read_text()}"
            time.sleep(0.02)
        yield AwsCli(path)
    finally:
        stop(process)
