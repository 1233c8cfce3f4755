import logging
import sys
from typing import Any

import django
import pytest
from django.core import management
from django.core.management.base import BaseCommand, CommandError

from gateway import MalformedEvent, manage
from gateway.commands import GREATEST_OUTPUT_CHARACTERS, handle_command


class Command(BaseCommand):
    """Does what its argument says."""

    help = "Do as told."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("what")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        self.stdout.write(f"told to {what}")
        if what == "fail":
            raise CommandError("No such film.", returncode=3)
        if what == "exit":
            sys.exit(what)
        if what == "stop":
            raise KeyboardInterrupt
        if what == "ask":
            input("Are you sure? ")
        if what == "print":
            print("printed")  # noqa: T201
            self.stderr.write("warned")
        if what == "log":
            logging.getLogger("movies").warning("logged")
        if what == "fill":
            self.stdout.write("x" * GREATEST_OUTPUT_CHARACTERS)


@pytest.fixture(autouse=True)
def command(monkeypatch):
    load = management.load_command_class
    monkeypatch.setattr(
        management, "get_commands", lambda: {"obey": "here", "check": "django.core"}
    )
    monkeypatch.setattr(
        management,
        "load_command_class",
        lambda app, name: Command() if app == "here" else load(app, name),
    )


def test_output_and_exit_code():
    assert manage(["obey", "print"]) == {
        "output": "told to print\nprinted\nwarned\n",
        "exit_code": 0,
    }


def test_command_error_has_its_own_exit_code():
    result = manage(["obey", "fail"])

    assert result["exit_code"] == 3
    assert result["output"] == "told to fail\nCommandError: No such film.\n"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "output"),
    [
        (["obey", "exit"], 1, "exit"),
        (["obey", "ask"], 1, "EOFError"),
        (["obey", "stop"], 1, "KeyboardInterrupt"),
        (["obey"], 2, "the following arguments are required: what"),
        (["obey", "print", "--nonsense"], 2, "unrecognized arguments: --nonsense"),
        (["no_such_command"], 1, "Unknown command: 'no_such_command'"),
        (["help"], 0, "Type 'manage.py help <subcommand>'"),
        (["--help"], 0, "Type 'manage.py help <subcommand>'"),
        (["help", "obey"], 0, "Do as told."),
        (["version"], 0, django.get_version()),
        (["--version"], 0, django.get_version()),
        (["obey", "print-\udce9"], 0, "told to print-\\udce9"),
        (["obey", "--help"], 0, "Do as told."),
        (["check", "--tag", "models"], 0, "System check identified"),
    ],
)
def test_every_end_is_told(arguments, exit_code, output):
    result = manage(arguments)

    assert result["exit_code"] == exit_code
    assert output in result["output"]
    # The runtime client sends it as UTF-8, and dies of what that cannot hold.
    result["output"].encode()


def test_long_output_keeps_its_end():
    output = manage(["obey", "fill"])["output"]

    assert output.startswith("(14 characters are left out here.)\nxxx")
    assert output.endswith("xxx\n")


def test_outputs_and_input_are_given_back():
    before = sys.stdin, sys.stdout, sys.stderr

    manage(["obey", "fail"])

    assert (sys.stdin, sys.stdout, sys.stderr) == before


def test_log_stays_the_log(caplog):
    assert manage(["obey", "log"])["output"] == "told to log\n"
    assert "logged" in caplog.text


def test_failure_is_logged_for_whoever_asked_and_went(caplog):
    """A schedule reads no answer."""
    result = handle_command({"manage": ["obey", "fail"]}, manage)

    assert result["exit_code"] == 3
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "'obey' ended with the exit code 3: told to fail" in record.getMessage()


@pytest.mark.parametrize(
    ("arguments", "got"), [("s3cret", "str"), ([], r"\[\]"), (["s3cret", 1], r"\['str', 'int'\]")]
)
def test_arguments_that_are_none(arguments, got):
    with pytest.raises(MalformedEvent, match=f"'--noinput'\\], got {got}\\.$"):
        handle_command({"manage": arguments}, manage)


def test_arguments_are_not_logged(caplog):
    """They may be secret."""
    caplog.set_level(logging.INFO)

    handle_command({"manage": ["obey", "s3cret"]}, manage)

    assert "The command 'obey' ended well." in caplog.text
    assert "s3cret" not in caplog.text
