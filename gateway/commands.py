"""Django's management commands within the function: `{"manage": ["migrate"]}` runs migrate.

Such an event comes from a direct invocation alone: whatever a client sends over HTTP or a queue
lies within the event that the service makes of it. So lambda:InvokeFunction is what it takes.

Source: https://docs.djangoproject.com/en/5.2/ref/django-admin/
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any, TypedDict

from .errors import MalformedEvent
from .work import working

log = logging.getLogger(__name__)

Event = dict[str, Any]
# Six bytes each at most, and Lambda's limit is above that.
GREATEST_OUTPUT_CHARACTERS = 1_000_000


class Result(TypedDict):
    """What a command wrote, to both of its outputs in order, and how it ended: 0 is well."""

    output: str
    exit_code: int


CommandHandler = Callable[[list[str]], Result]


def is_command(event: Event) -> bool:
    """Return whether an event asks for a command, and for nothing else."""
    return event.keys() == {"manage"}


def handle_command(event: Event, handle: CommandHandler) -> Result:
    """Run the command that an event asks for. Raises MalformedEvent."""
    arguments = event["manage"]
    if (
        not isinstance(arguments, list)
        or not arguments
        or not all(isinstance(argument, str) for argument in arguments)
    ):
        # Its types alone: the texts may be secret.
        is_list = isinstance(arguments, list)
        got = [type(each).__name__ for each in arguments] if is_list else type(arguments).__name__
        raise MalformedEvent(
            f"Expected 'manage' to be a list of texts such as ['migrate', '--noinput'], got {got}."
        )
    with working(f"manage {arguments[0]}"):
        result = handle(arguments)
    # Where a schedule asked, nobody reads the answer.
    if result["exit_code"]:
        log.error(
            "The command %r ended with the exit code %s: %s",
            arguments[0],
            result["exit_code"],
            result["output"][-2000:],
        )
    else:
        log.info("The command %r ended well.", arguments[0])
    return result


def manage(arguments: list[str]) -> Result:
    """Run a management command as manage.py would; return what it wrote and its exit code.

    It cannot ask back: there is no terminal. Nothing is raised: a command that fails says why in
    its output.
    """
    output = StringIO()
    with redirect_stdout(output), redirect_stderr(output), no_input():
        try:
            run(arguments)
            exit_code = 0
        except SystemExit as end:
            exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                output.write(end.code)
        # Commands that wait for a Ctrl-C raise it themselves; the function would end.
        except (Exception, KeyboardInterrupt):
            traceback.print_exc(file=output)
            exit_code = 1
    # Half a surrogate pair, as of a file's name, has no bytes: the runtime client would die of it.
    text = output.getvalue().encode(errors="backslashreplace").decode()
    if len(text) > GREATEST_OUTPUT_CHARACTERS:
        left_out = len(text) - GREATEST_OUTPUT_CHARACTERS
        text = f"({left_out} characters are left out here.)\n{text[left_out:]}"
    return {"output": text, "exit_code": exit_code}


def run(arguments: list[str]) -> None:
    """Run a command. Django's own way would set up logging again, to an output that is taken."""
    from django.core.management import ManagementUtility

    name, *options = arguments
    if name in ("-h", "--help"):
        name, options = "help", []
    if name == "help":
        name, options = (options[0], ["--help"]) if options else ("help", [])
    utility = ManagementUtility(["manage.py", name, *options])
    if name == "help":
        sys.stdout.write(utility.main_help_text() + "\n")
    elif name in ("version", "--version"):
        import django

        sys.stdout.write(django.get_version() + "\n")
    else:
        utility.fetch_command(name).run_from_argv(utility.argv)


@contextmanager
def no_input() -> Iterator[None]:
    """Leave nothing to read, so that a question fails and does not wait."""
    before, sys.stdin = sys.stdin, StringIO()
    try:
        yield
    finally:
        sys.stdin = before
