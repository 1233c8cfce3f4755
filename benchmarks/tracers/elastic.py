"""elastic-apm: its Django app instruments all by itself; a thread sends over HTTP."""

from collections.abc import Callable


def start() -> Callable[[], object]:
    """Set Django up, and with it the agent."""
    import django

    django.setup()
    import elasticapm  # type: ignore[import-not-found]

    return lambda: elasticapm.get_client()._transport.flush()
