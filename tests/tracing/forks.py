"""Processes that run program.py, forked from one that has imported what all of them import.

Most of such a process's time is the import of Django, which is the same in each. Neither `tracing`
nor what it patches is imported beforehand (with the plain SDK that is, for that imports it in any
case), and no settings are read: each process begins with these as a fresh one does.
"""

import functools
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMPORTED = (
    "asgiref.sync",
    "csp.middleware",
    "dj_database_url",
    "django.contrib.admin.filters",
    "django.contrib.admin.options",
    "django.contrib.auth.management",
    "django.contrib.contenttypes.management",
    "django.contrib.messages.storage.cookie",
    "django.contrib.sessions.backends.signed_cookies",
    "django.contrib.staticfiles.storage",
    "django.core.handlers.asgi",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.forms",
    "django.http",
    "django.shortcuts",
    "django.template.loader_tags",
    "django.urls",
    "django.views.debug",
    "encodings.idna",
    "whitenoise.middleware",
    "wrapt",
)
IMPORTED_BY_THE_SDK = ("botocore.client", "botocore.session", "django.test", "requests")


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


class Forks:
    """The process that the others are forked from."""

    def __init__(self, *, with_the_sdk: bool) -> None:
        modules = IMPORTED + (IMPORTED_BY_THE_SDK if with_the_sdk else ())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.tracing.forks", *modules],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A line that is read must not take the next one with it, which is waited for.
            bufsize=0,
        )

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        folder: Path,
        timeout_seconds: float = 60,
    ) -> Ended:
        """Run program.py; its output goes by way of files in a folder. Raises TimeoutError."""
        out, err = folder / "program.out", folder / "program.err"
        wanted = [list(arguments), str(cwd), dict(env), str(out), str(err)]
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(wanted).encode() + b"\n")
        pid = int(stdout.readline())
        is_in_time = bool(select.select([stdout], [], [], timeout_seconds)[0])
        if not is_in_time:
            os.kill(pid, signal.SIGKILL)
        returncode = int(stdout.readline())
        if not is_in_time:
            raise TimeoutError(f"{arguments} took more than {timeout_seconds} s: {err.read_text()}")
        return Ended(returncode, out.read_text(), err.read_text())

    def stop(self) -> None:
        """End it."""
        with self._process:
            pass


def fork(wanted: list[Any], answers: Any) -> bool:
    """Fork, tell the new process's id and, when it has ended, how; return True in that process."""
    arguments, cwd, environment, out, err = wanted
    pid = os.fork()
    if pid:
        for told in (pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])):
            answers.write(f"{told}\n")
            answers.flush()
        return False
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, out, None), (2, err, None)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if flags is None else flags)
        os.dup2(opened, number)
        os.close(opened)
    answers.close()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    return True


def keep_descriptions() -> None:
    """Have botocore read its descriptions of services once, not for each client of each process."""
    from botocore import session

    session.create_loader = functools.cache(session.create_loader)
    session.Session().create_client("xray", "us-east-1")


def main() -> None:
    """Fork a process for each line; the arguments are what to import before."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    if "botocore.session" in sys.modules:
        keep_descriptions()
    # Else the first collection of each process would copy all of the memory that they share.
    gc.freeze()
    # Of its own: the processes write to the one that is called so.
    answers = os.fdopen(os.dup(1), "w")
    for line in iter(sys.stdin.readline, ""):
        if fork(json.loads(line), answers):
            from . import program

            program.main()
            return


if __name__ == "__main__":
    main()
