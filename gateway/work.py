"""A piece of work that is no request: a message, a schedule or a command.

It is traced in a subsegment of its own, and Django is looked after as around a request. Both only
where the function has them: an application need not be Django's.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def working(name: str) -> Iterator[Any]:
    """Run a block as one piece of work; enters with its subsegment, None where nothing traces."""
    begin_anew()
    try:
        if "tracing" in sys.modules:
            from tracing import in_subsegment

            with in_subsegment(name) as subsegment:
                yield subsegment
        else:
            yield None
    finally:
        close_connections()


def begin_anew() -> None:
    """Make Django forget the request before: it stood behind a stage, and had its own queries."""
    close_connections()
    if "django.urls" in sys.modules:
        from django.conf import settings
        from django.urls import set_script_prefix

        set_script_prefix(settings.FORCE_SCRIPT_NAME or "/")


def close_connections() -> None:
    """Close the connections that Django would close at the end of a request.

    Those are the ones that are broken, or older than CONN_MAX_AGE.
    Source: https://docs.djangoproject.com/en/5.2/ref/databases/#caveats
    """
    if "django.db" in sys.modules:
        from django.core.cache import close_caches
        from django.db import close_old_connections, reset_queries

        reset_queries()
        close_old_connections()
        close_caches()
