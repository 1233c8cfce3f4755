"""Make ready what the site needs: the SQL tables, the AWS tables and bucket, the sample films.

One process for all of it: starting Django costs more than any of them the second time.
"""

import os
import socket
import time
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command

WAIT_SECONDS = 30.0


def main() -> None:
    """Bring everything up to date; what is there already is left alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "movies_site.settings_local")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    if settings.DATABASES:
        call_command("migrate", verbosity=0, interactive=False)
    if settings.AWS_ENDPOINT_URL:
        wait_for_url(settings.AWS_ENDPOINT_URL, WAIT_SECONDS)
    call_command("set_up")
    call_command("seed_movies")


def wait_for_url(url: str, timeout_seconds: float) -> None:
    """Return when something listens at the URL. Raises TimeoutError if nothing does in time."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"Nothing listened at {url} within {timeout_seconds} s.")


if __name__ == "__main__":
    main()
