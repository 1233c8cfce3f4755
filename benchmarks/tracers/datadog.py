"""ddtrace: patches what is used here; a thread sends over HTTP to the agent."""

from collections.abc import Callable


def start() -> Callable[[], object]:
    """Patch, then set Django up."""
    import ddtrace  # type: ignore[import-not-found]
    import django

    ddtrace.patch(django=True, sqlite3=True, botocore=True)
    django.setup()
    return lambda: ddtrace.tracer.flush()
