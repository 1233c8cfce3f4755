"""aws-xray-sdk as its guide sets it up: its Django app, its middleware, and `patch_all()`."""

from collections.abc import Callable


def start() -> Callable[[], object]:
    """Set Django up, then patch all that the SDK knows."""
    import django

    django.setup()
    from aws_xray_sdk.core import patch_all

    patch_all()
    return lambda: None
