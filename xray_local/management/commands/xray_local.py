"""manage.py xray_local: run the local X-Ray, or export or import its traces."""

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from xray_local.intake.pipeline import environment_of_children
from xray_local.options import add_arguments, write_arguments


class Command(BaseCommand):
    """Become the local X-Ray: the same process, without the site's settings and middleware."""

    help = (
        "Receive segments by UDP, serve the X-Ray API and a console by TCP, on the same port; "
        "or export or import traces."
    )
    requires_system_checks = []  # noqa: RUF012 - Django's own way

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; the database stands where the project keeps local files."""
        add_arguments(parser)
        folder = Path(getattr(settings, "LOCAL_DIR", "."))
        parser.set_defaults(database=str(folder / "xray.sqlite3"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace this process; nothing after it runs."""
        callers = getattr(settings, "CALLERS_ENVIRONMENT", os.environ)
        environment = {
            name: text
            for name, text in environment_of_children().items()
            # A project's settings may name an AWS for its site: that is not the one to forward to.
            if not name.startswith("AWS_") or name in callers
        }
        # Django has put the site's time zone there; the console shows the machine's.
        environment.pop("TZ", None)
        command = [sys.executable, "-m", "xray_local", *write_arguments(options)]
        os.execve(sys.executable, command, environment)  # noqa: S606
