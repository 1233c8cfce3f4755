"""`make run` for real: it starts, survives what ends beside it, and leaves nothing behind."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scripts.ports import find_holder
from scripts.stack import answers
from tests.processes import ROOT
from tests.scripts.runs import (
    BY_MAKE,
    DIRECTLY,
    Run,
    choose_stack,
    is_answering,
    make_run_environment,
    start_run,
    wait_until,
)


@pytest.fixture(scope="module")
def local_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that several runs use one after the other: the films are loaded once."""
    return tmp_path_factory.mktemp("run") / "local"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that is ready, and that tests may hurt.

    A module that every Python there imports lies beside its data: it may change, while our own
    files are also those of other runs.
    """
    folder = tmp_path_factory.mktemp("run")
    (folder / "sitecustomize.py").touch()
    with start_run(folder / "local", others={"PYTHONPATH": str(folder)}) as run:
        run.wait_for("Ctrl-C stops all of it.")
        yield run


def run_again(run: Run, **others: str) -> subprocess.CompletedProcess[str]:
    """Start another one that cannot run beside the first."""
    return subprocess.run(
        DIRECTLY,
        cwd=ROOT,
        env=make_run_environment(run.stack, **others),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_ready(run: Run) -> None:
    assert f"The site            {run.stack.site_url}/\n" in run.output
    assert f"The traces of it    {run.stack.xray_url}/\n" in run.output
    assert f"AWS_ENDPOINT_URL={run.stack.aws_url}\n" in run.output
    assert is_answering(run, "/movies/")
    assert answers(run.stack.xray_url, "/", timeout_seconds=30)
    assert "Traceback" not in run.output.partition("Ready after")[0]


def test_ports_taken(run: Run) -> None:
    """Each port has its line: which, taken by whom, how to choose another."""
    stack = run.stack

    again = run_again(run)

    assert again.returncode == 1
    assert again.stdout == ""
    lines = again.stderr.splitlines()
    assert len(lines) == 4
    ports = {
        "SITE_PORT": stack.site_port,
        "XRAY_PORT": stack.xray_port,
        "AWS_PORT": stack.aws_port,
        "OTLP_PORT": stack.otlp_port,
    }
    for line, (variable, number) in zip(lines, ports.items(), strict=True):
        assert line.startswith(f"Port {number}, for ")
        assert f"process {find_holder('tcp', number).pid} (" in line
        assert f"make run {variable}=" in line


def test_folder_taken(run: Run) -> None:
    """Two runs would write the same databases."""
    other = choose_stack(run.stack.local_dir)

    again = run_again(
        run,
        SITE_PORT=str(other.site_port),
        XRAY_PORT=str(other.xray_port),
        AWS_PORT=str(other.aws_port),
        OTLP_PORT=str(other.otlp_port),
    )

    assert again.returncode == 1
    assert again.stderr == (
        f"Process {run.process.pid} runs already with the data in {run.stack.local_dir}. "
        "Stop it, or choose another folder: make run LOCAL_DIR=.local2\n"
    )


def test_xray_killed(run: Run) -> None:
    run.kill_listener(run.stack.xray_port)

    assert is_answering(run, "/movies/")
    run.wait_for("The local X-Ray was ended by SIGKILL.")
    run.wait_for("The local X-Ray answers again.")
    assert answers(run.stack.xray_url, "/", timeout_seconds=30)


def test_aws_killed(run: Run) -> None:
    """It forgets its tables when it is killed; they are made again, with the films."""
    times = run.output.count("The tables and the sample films are there again.")

    run.kill_listener(run.stack.aws_port)

    assert is_answering(run)
    run.wait_for("The embedded AWS was ended by SIGKILL.")
    run.wait_for("The embedded AWS answers again.")
    run.wait_for("The tables and the sample films are there again.", times + 1)
    assert is_answering(run, "/movies/")


def test_site_killed(run: Run) -> None:
    times = run.output.count("The site answers again.")

    run.kill_listener(run.stack.site_port)

    run.wait_for("The site answers again.", times + 1)
    assert is_answering(run)


def test_site_reloads(run: Run) -> None:
    """A changed file is a new site after a moment, and nothing that went wrong."""
    ends = run.output.count("The site ")
    before = find_holder("tcp", run.stack.site_port).pid

    (run.stack.local_dir.parent / "sitecustomize.py").touch()

    wait_until(
        lambda: find_holder("tcp", run.stack.site_port).pid not in (before, None), "A new site"
    )
    wait_until(lambda: is_answering(run), "An answer")
    assert "sitecustomize.py changed, reloading." in run.output
    assert run.output.count("The site ") == ends


def test_traffic(run: Run) -> None:
    """Every kind of page is visited, and what came of it is told, with where to look."""
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.traffic"],
        cwd=ROOT,
        env=make_run_environment(run.stack, REQUESTS="60"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^60 requests to \d+ kinds of pages: \d+ x 200", ran.stdout, re.MULTILINE)
    assert re.search(r"^Half took less than \d+ ms, 95 % less than \d+ ms\.$", ran.stdout, re.M)
    assert ran.stdout.endswith(f"Their traces are at {run.stack.xray_url}/\n")


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (DIRECTLY, signal.SIGINT),
        (DIRECTLY, signal.SIGHUP),
        (DIRECTLY, signal.SIGKILL),
        (BY_MAKE, signal.SIGTERM),
        (BY_MAKE, signal.SIGKILL),
    ],
    ids=["Ctrl-C", "terminal closed", "supervisor killed", "make ended", "make killed"],
)
def test_nothing_left(local_dir: Path, command: Sequence[str], number: signal.Signals) -> None:
    """However it ends, all processes end, all ports are free, and what was written is kept."""
    state = local_dir / "aws" / "state" / "dynamodb.json"
    state.unlink(missing_ok=True)
    with start_run(local_dir, command) as run:
        run.wait_for("Ctrl-C stops all of it.")
        assert len(run.find_processes()) >= 5

        run.process.send_signal(number)

        wait_until(run.is_gone, "The end of everything", 60)
        status = run.process.wait()

    assert "Traceback" not in run.output
    if command is DIRECTLY and number != signal.SIGKILL:
        assert status == 0
        assert run.output.endswith("Stopping the site, the embedded AWS and the local X-Ray.\n")
    assert state.exists()


def test_stopped_before_it_is_ready(local_dir: Path) -> None:
    with start_run(local_dir) as run:
        wait_until(lambda: len(run.find_processes()) >= 3, "Some processes")

        run.process.send_signal(signal.SIGINT)

        assert run.process.wait(60) == 0
        assert run.is_gone()
    assert "Traceback" not in run.output
    assert "Ready" not in run.output


def test_settings_refused(local_dir: Path) -> None:
    """What keeps the site from starting is said, and nothing is left."""
    with start_run(local_dir, others={"XRAY_SAMPLING": "perhaps"}) as run:
        assert run.process.wait(30) == 1
        assert run.is_gone()

    assert "XRAY_SAMPLING is 'perhaps'" in run.output, run.output
    # Whichever of the two was first to find out.
    assert re.search(
        r"^The (preparation of the data|site) ended with 1\.", run.output, re.MULTILINE
    )


def test_folder_refused(tmp_path: Path) -> None:
    (tmp_path / "local").write_text("a file")

    with start_run(tmp_path / "local") as run:
        assert run.process.wait(30) == 1

    assert run.output == f"Cannot use the folder '{tmp_path / 'local'}': File exists.\n"


def test_port_refused(tmp_path: Path) -> None:
    with start_run(tmp_path / "local", others={"SITE_PORT": "http"}) as run:
        assert run.process.wait(30) == 1

    assert run.output == "SITE_PORT is 'http'; expected a port number from 1 to 65535.\n"
