"""manage.py xray_local, up to the point where it becomes the program."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[list[str], Any]:
    """Return what the command would have become."""
    became: list[Any] = []
    # To become another program would end the tests.
    monkeypatch.setattr(os, "execve", lambda *given: became.append(given))
    call_command("xray_local", *arguments)
    ((_, command, environment),) = became
    return command[3:], environment


def test_defaults(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.LOCAL_DIR = Path("/some/where")

    options, environment = run_command(monkeypatch)

    assert options == [
        "--address=127.0.0.1:2000",
        "--otlp-address=127.0.0.1:4318",
        "--database=/some/where/xray.sqlite3",
    ]
    assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(Path(__file__).parents[2])


def test_options(monkeypatch: pytest.MonkeyPatch) -> None:
    options, _ = run_command(
        monkeypatch, "--address", "[::1]:1", "--database", "x", "--max-traces", "7"
    )

    assert options[0] == "--address=[::1]:1"
    assert options[2] == "--database=x"
    assert options[3] == "--max-traces=7"


@pytest.mark.parametrize(
    "hours", ["-1", "1.5", "876601", "00000000005", "9" * 5000, "for ever", "\u0665"]
)
def test_hours_that_are_none(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    with pytest.raises(CommandError, match="--max-hours: Expected hours from 0"):
        run_command(monkeypatch, f"--max-hours={hours}")


def test_without_a_folder_for_local_files(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    del settings.LOCAL_DIR

    options, _ = run_command(monkeypatch)

    assert options[2] == "--database=xray.sqlite3"


def test_pythonpath_of_the_caller_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/mine")

    _, environment = run_command(monkeypatch)

    assert environment["PYTHONPATH"].endswith(f"{os.pathsep}/mine")


def test_time_zone_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Antarctica/Troll")

    _, environment = run_command(monkeypatch)

    assert "TZ" not in environment


def test_export(monkeypatch: pytest.MonkeyPatch) -> None:
    options, _ = run_command(
        monkeypatch, "--address", "[::1]:1", "export", "--filter", "!ok", "--database", "y"
    )

    assert options[0] == "--address=[::1]:1"
    assert "--database=y" in options
    assert options[-3:] == ["export", "--filter=!ok", "--output=-"]


def test_import(monkeypatch: pytest.MonkeyPatch) -> None:
    options, _ = run_command(monkeypatch, "import", "-", "--address", "[::1]:1")

    assert options[0] == "--address=[::1]:1"
    assert options[-3:] == ["import", "--", "-"]


def test_import_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    options, _ = run_command(monkeypatch, "import", "traces.jsonl", "--database", "x")

    assert options[-4:] == ["import", "--database=x", "--", "traces.jsonl"]


def test_forward(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """To the AWS that the caller knows, not to that of the site."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://of-the-site")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    settings.CALLERS_ENVIRONMENT = {"AWS_PROFILE": "mine"}

    options, environment = run_command(monkeypatch, "--forward")

    assert options[-1] == "--forward"
    assert environment["AWS_PROFILE"] == "mine"
    assert "AWS_ENDPOINT_URL" not in environment
